"""What came of a chapter's run, cell by cell, and how a reader is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import this_machine

EQUAL, DIFFERS, IGNORED, STOPPED = "equal", "differs", "not compared", "stopped"
INSTALL = (
    "pip install -c requirements.txt -e '.[book,test]' && "
    "pip install --no-deps -r requirements-data.txt"
)


@dataclass
class Outcome:
    """What came of one cell. ``number`` is Jupyter's, from 1; ``words`` tell what is wrong."""

    number: int
    section: str
    verdict: str
    outputs: int = 0
    words: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"cell [{self.number}], in “{self.section}”"


@dataclass
class Report:
    """What came of one chapter: its cells that ran, the seconds, and what it was recorded with."""

    stem: str
    cells: list[Outcome]
    total: int
    seconds: float
    record: dict[str, Any]

    def having(self, verdict: str) -> list[Outcome]:
        return [cell for cell in self.cells if cell.verdict == verdict]

    @property
    def passed(self) -> bool:
        """Whether every cell ran, and all that is compared is equal."""
        good = len(self.having(EQUAL)) + len(self.having(IGNORED))
        return good == self.total


def told(report: Report) -> str:
    """A report in words."""
    recorded = report.record.get("seconds")
    before = "" if recorded is None else f" (recorded: {recorded} s)"
    lines = [
        f"{report.stem}: {len(report.cells)} of {report.total} cells ran "
        f"in {report.seconds:.1f} s{before}"
    ]
    equal = report.having(EQUAL)
    outputs = sum(cell.outputs for cell in equal)
    lines.append(f"  equal, letter by letter: {counted(equal)}, with {outputs} outputs")
    for verdict, title in ((STOPPED, "stopped at"), (DIFFERS, "differ"), (IGNORED, IGNORED)):
        cells = report.having(verdict)
        if not cells:
            continue
        lines.append(f"  {title}: {counted(cells)}")
        for cell in cells:
            first, *rest = cell.words
            lines += [f"    {cell.place}: {first}", *(f"      {line}" for line in rest)]
    if left := report.total - len(report.cells):
        lines.append(f"  not run, because of what stopped: {left} of the cells")
    return "\n".join(lines + told_versions(report.record, report.passed))


def counted(cells: list[Outcome]) -> str:
    return f"{len(cells)} cell{'s' * (len(cells) != 1)}"


def told_versions(record: dict[str, Any], passed: bool) -> list[str]:
    """The versions and machine of the record beside those here."""
    versions = dict(record.get("versions", {}))
    here = this_machine.versions(name for name in versions if name != "python")
    same = [f"{name} {version}" for name, version in versions.items() if here[name] == version]
    other = [name for name in versions if here[name] != versions[name]]
    lines = [f"  versions as recorded: {', '.join(same) or 'none'}"]
    lines += [f"  other version: {n}: recorded {versions[n]}, yours {here[n]}" for n in other]
    if (machine := record.get("machine", "unknown")) != this_machine.machine():
        lines.append(f"  other machine: recorded {machine}, yours {this_machine.machine()}")
    recorded, yours = record.get("processor", "unknown"), this_machine.processor()
    if recorded == yours:
        lines.append(f"  processor as recorded: {yours}")
    else:
        lines.append(f"  processor: recorded {recorded}, yours {yours}")
    if not passed and "torch" in other:
        lines.append(
            "  Another version of torch may round the last digits differently; "
            f"the recorded ones come with\n    {INSTALL}"
        )
    return lines
