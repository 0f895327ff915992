"""The last lines of part one run outside of the book, and print what the chapter shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import book_sources
import chapter_notebook


def test_the_readers_file_writes_without_a_notebook(tmp_path):
    chapter = book_sources.source("generation")
    (lines,) = re.findall(r"^```text\n(import torch, .*?)^```$", chapter, re.M | re.S)
    environment = os.environ | {"PYTHONPATH": str(book_sources.ROOT), "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run(
        [sys.executable, "-c", lines],
        cwd=tmp_path, env=environment, capture_output=True, check=True,
    )  # fmt: skip
    printed = run.stdout.decode().replace("\r\n", "\n")
    assert printed.startswith("LADY MACBETH:\nThe moon is down, and")
    cells = chapter_notebook.committed("generation").cells
    (shown,) = [c for c in cells if c.source.startswith("ids = ") and "yours = " in c.source]
    assert "".join(shown.outputs[0].text) == printed
