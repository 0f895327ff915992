"""Run chapters again and say in words whether they print what the book shows.

`make verify CHAPTER=attention`, or `python book/_ext/verify.py attention`, runs the committed
notebook in a fresh kernel of this Python. nbval runs and compares its cells, as `make test` has
it do; here is only what a reader is told about it. Needs `pip install -e '.[book,test]'` and
requirements-data.txt, none of the tools that build the site.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import os
import re
import sys
import time
import tomllib
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from queue import Empty
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WIDTH = 76  # characters that are shown of a line that differs
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


class KernelDiedError(Exception):
    """The kernel ended while a cell ran."""


class Listener:
    """A pytest plugin that keeps what nbval found, cell by cell, and ends a run that broke off."""

    def __init__(self, sections: list[tuple[str | None, str]], limit: float) -> None:
        self.sections, self.limit = sections, limit
        self.cells: list[Outcome] = []
        self.mismatch: tuple[str, Any, Any] | None = None

    def pytest_runtest_call(self, item: Any) -> None:
        self.mismatch = None
        item.format_output_compare = self.keep_mismatch
        watch_for_death(item.parent.kernel)

    def keep_mismatch(self, key: str, recorded: Any, yours: Any) -> None:
        """What nbval calls with the first pair of outputs that are not equal."""
        self.mismatch = (key, recorded, yours)

    def pytest_runtest_makereport(self, item: Any, call: Any) -> None:
        import chapters
        from nbval.plugin import NbCellError

        if call.when == "teardown" or (call.when == "setup" and call.excinfo is None):
            return
        outcome = Outcome(item.cell_num + 1, self.sections[item.cell_num][1], EQUAL)
        self.cells.append(outcome)
        error = call.excinfo.value if call.excinfo else None
        if error is None:
            outcome.outputs = len(item.cell.outputs)
            if not item.options["check"]:
                why = chapters.reason(item.cell) or "no reason is given"
                outcome.verdict, outcome.words = IGNORED, [why]
        elif isinstance(error, NbCellError) and "differ" in str(error):
            outcome.verdict, outcome.words = DIFFERS, self.difference(item)
        else:
            outcome.verdict, outcome.words = STOPPED, [self.why_it_stopped(item, error)]
            item.session.shouldstop = outcome.words[0]  # later cells would fail for this one

    def difference(self, item: Any) -> list[str]:
        if self.mismatch is None:  # nbval found no pair to compare
            return [
                "it has other kinds of output:",
                f"recorded: {kinds(item.cell.outputs)}",
                f"yours:    {kinds(item.test_outputs)}",
            ]
        key, recorded, yours = self.mismatch
        lines = first_difference(str(recorded), str(yours))
        return [f"its output ({key}) differs first in line {lines[0]}:", *lines[1:]]

    def why_it_stopped(self, item: Any, error: BaseException) -> str:
        if isinstance(error, KernelDiedError) or "Kernel dead" in str(error):
            return "the kernel died, for which a lack of memory is the usual reason"
        if item.parent.timed_out:
            return f"took longer than {self.limit:g} seconds (--limit allows more)"
        raised = [o for o in item.test_outputs or [] if o.output_type == "error"]
        if raised:
            last = f"{raised[-1].ename}: {raised[-1].evalue}".strip().splitlines()
            return f"raised {last[0]}"
        return f"could not run: {type(error).__name__}: {error}"


def watch_for_death(kernel: Any) -> None:
    """Let nbval notice a kernel that ended, for which it would wait until the time is up."""
    wait = type(kernel).await_reply

    def await_reply(msg_id: str, timeout: float) -> None:
        end = time.monotonic() + timeout
        while True:
            try:
                return wait(kernel, msg_id, timeout=max(0.0, min(1.0, end - time.monotonic())))
            except Empty:
                if not kernel.is_alive():
                    raise KernelDiedError from None
                if time.monotonic() >= end:
                    raise

    kernel.await_reply = await_reply


def kinds(outputs: list) -> str:
    """Which outputs a cell has, in words."""
    names = [
        output.name
        if output.output_type == "stream"
        else output.ename
        if output.output_type == "error"
        else " and ".join(sorted(output.data))
        for output in outputs
    ]
    return ", then ".join(names) or "no output"


def first_difference(recorded: str, yours: str) -> tuple[str, str, str]:
    """The number of the first line that differs, and that line of both texts."""
    pairs = itertools.zip_longest(recorded.split("\n"), yours.split("\n"))
    number, (one, other) = next((n, pair) for n, pair in enumerate(pairs, 1) if pair[0] != pair[1])
    alike = itertools.takewhile(
        lambda two: two[0] == two[1], zip(one or "", other or "", strict=False)
    )
    same = len(list(alike))
    start = 0 if max(len(one or ""), len(other or "")) <= WIDTH else max(0, same - WIDTH // 2)

    def piece(line: str | None) -> str:
        if line is None:
            return "(ended before this line)"
        shown = line[start : start + WIDTH] or "(an empty line)"
        return "…" * (start > 0) + shown + "…" * (start + WIDTH < len(line))

    return str(number), f"recorded: {piece(one)}", f"yours:    {piece(other)}"


def run(path: Path, limit: float) -> Report:
    """Run one notebook by nbval, in a fresh kernel of this Python.

    Raises:
        ValueError: the notebook cannot be read, or nothing of it ran.
    """
    import chapters
    import nbformat
    import pytest

    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, nbformat.reader.NotJSONError):
        raise ValueError(
            f"{path} is missing or is no notebook: `git checkout {path.parent.name}/{path.name}` "
            "brings back the one of the book"
        ) from None
    listener = Listener(chapters.sections(notebook), limit)
    # Without the settings and plugins of the folder, which are for the package's own tests.
    os.environ.update({"MINIGPT_BOOK": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    command = ["-c", os.devnull, "--rootdir", str(path.parent), "--noconftest"]
    command += ["-p", "no:cacheprovider", "-p", "nbval.plugin", "--nbval", "--nbval-current-env"]
    command += [f"--nbval-cell-timeout={limit}", "--color=no", "-q", str(path)]
    begin, said = time.perf_counter(), io.StringIO()
    with contextlib.redirect_stdout(said):
        pytest.main(command, plugins=[listener])
    seconds = time.perf_counter() - begin
    if not listener.cells:
        raise ValueError(f"{path.name}: no cell ran. pytest says:\n{said.getvalue().strip()}")
    record = dict(notebook.metadata.get("minigpt", {}))
    return Report(path.stem, listener.cells, len(chapters.code_cells(notebook)), seconds, record)


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
    import chapters

    versions = dict(record.get("versions", {}))
    here = chapters.versions(name for name in versions if name != "python")
    same = [f"{name} {version}" for name, version in versions.items() if here[name] == version]
    other = [name for name in versions if here[name] != versions[name]]
    lines = [f"  versions as recorded: {', '.join(same) or 'none'}"]
    lines += [f"  other version: {n}: recorded {versions[n]}, yours {here[n]}" for n in other]
    if (machine := record.get("machine", "unknown")) != chapters.machine():
        lines.append(f"  other machine: recorded {machine}, yours {chapters.machine()}")
    recorded, yours = record.get("processor", "unknown"), chapters.processor()
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


def missing_packages() -> list[str]:
    """Distributions that a chapter's run and comparison need and that are not installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = [project["name"], *project["dependencies"], *project["optional-dependencies"]["book"]]
    # Read here and not by `chapters`, which may not be importable before this has spoken.
    texts = (ROOT / "requirements-data.txt").read_text("utf-8").splitlines()
    needed += [line for line in texts if line and not line.startswith("#")]
    missing = []
    for requirement in [*needed, "pytest", "nbval"]:
        name = re.match(r"[\w.-]+", requirement).group()
        try:
            distribution(name)
        except PackageNotFoundError:
            missing.append(name)
    return missing


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="verify", description="Run chapters again and compare them with what the book shows."
    )
    parser.add_argument("stems", nargs="*", metavar="chapter", help="as attention (default: all)")
    parser.add_argument("--limit", type=float, metavar="SECONDS", help="for one cell, as 300")
    arguments = parser.parse_args()
    if missing := missing_packages():
        parser.error(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed in "
            f"{sys.executable}: in {ROOT}, run\n  {INSTALL}"
        )
    import chapters

    known = chapters.stems()
    if strange := [stem for stem in arguments.stems if stem not in known]:
        parser.error(f"there is no chapter {strange[0]!r}; there are: {', '.join(known)}")
    limit = chapters.CELL_SECONDS if arguments.limit is None else arguments.limit
    if limit <= 0:
        parser.error(f"--limit is {limit:g}: give the seconds that a cell may take, as 300")
    wanted, failed = arguments.stems or known, []
    for stem in wanted:
        print(f"{stem}: running …", file=sys.stderr, flush=True)
        try:
            report = run(chapters.notebook_path(stem), limit)
        except ValueError as error:
            parser.error(str(error))
        print(told(report), flush=True)
        failed += [] if report.passed else [stem]
    if failed:
        print(f"Not all is equal: look at {', '.join(failed)}.")
    else:
        print("Every output that is compared is equal to the book's.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
