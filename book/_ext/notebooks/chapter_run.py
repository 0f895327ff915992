"""One run of a chapter, in a fresh kernel, and what it cost."""

from __future__ import annotations

import os
import sys
import time

import book_sources
import chapter_notebook
import nbformat
import run_inputs
import this_machine
from nbclient import NotebookClient
from nbclient.util import run_sync
from notebook_cells import CELL_SECONDS, code_cells

# A process's highest memory, and the unit it is told in: KiB on Linux, else bytes.
PEAK = (
    "__import__('psutil').Process().memory_info().peak_wset"
    if sys.platform == "win32"
    else "__import__('resource').getrusage(__import__('resource').RUSAGE_SELF).ru_maxrss"
)
PEAK_UNIT = 1024 if sys.platform.startswith("linux") else 1
REPORTED = ("torch", "numpy", "bokeh", "tokenizers", "tiktoken", "regex", "transformers")


def execute(stem: str) -> nbformat.NotebookNode:
    """Run a chapter from its source in a fresh kernel and measure what it cost."""
    os.environ["MINIGPT_BOOK"] = "1"  # figures draw themselves without output_notebook
    notebook = chapter_notebook.from_source(stem)
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name=notebook.metadata["kernelspec"]["name"],
        resources={"metadata": {"path": str(book_sources.NOTEBOOKS)}},
        record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=40"],  # quiet about its own transport
    )
    begin = time.perf_counter()
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        seconds = time.perf_counter() - begin
        reply = run_sync(client.kc.execute_interactive)(
            "", silent=True, user_expressions={"peak": PEAK}, timeout=30
        )
    raw = reply["content"]["user_expressions"]["peak"]["data"]["text/plain"]
    notebook.metadata["minigpt"] = {
        "inputs": run_inputs.inputs_digest(stem),
        "seconds": round(seconds, 1),
        "peak_mb": round(int(raw) * PEAK_UNIT / 1e6),
        "machine": this_machine.machine(),
        "processor": this_machine.processor(),
        "versions": this_machine.versions(REPORTED),
    }
    for cell in code_cells(notebook):
        merge_streams(cell)
    return chapter_notebook.with_new_prose(stem, notebook)


def merge_streams(cell: nbformat.NotebookNode) -> None:
    """Join a code cell's neighbouring stream outputs, whose boundaries depend on timing."""
    merged: list = []
    for output in cell.outputs:
        last = merged[-1] if merged else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    cell.outputs = merged
