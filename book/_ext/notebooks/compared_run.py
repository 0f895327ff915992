"""A notebook run by nbval in a fresh kernel, and compared with what it holds."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import time
from pathlib import Path
from queue import Empty
from typing import Any

import nbformat
import pytest
from nbval.plugin import NbCellError
from notebook_cells import code_cells, reason, sections
from verify_report import DIFFERS, EQUAL, IGNORED, STOPPED, Outcome, Report

WIDTH = 76  # characters that are shown of a line that differs


def run(path: Path, limit: float) -> Report:
    """Run one notebook by nbval, in a fresh kernel of this Python.

    Raises:
        ValueError: the notebook cannot be read, or nothing of it ran.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, nbformat.reader.NotJSONError):
        raise ValueError(
            f"{path} is missing or is no notebook: `git checkout {path.parent.name}/{path.name}` "
            "brings back the one of the book"
        ) from None
    listener = Listener(sections(notebook), limit)
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
    return Report(path.stem, listener.cells, len(code_cells(notebook)), seconds, record)


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
        if call.when == "teardown" or (call.when == "setup" and call.excinfo is None):
            return
        outcome = Outcome(item.cell_num + 1, self.sections[item.cell_num][1], EQUAL)
        self.cells.append(outcome)
        error = call.excinfo.value if call.excinfo else None
        if error is None:
            outcome.outputs = len(item.cell.outputs)
            if not item.options["check"]:
                why = reason(item.cell) or "no reason is given"
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
