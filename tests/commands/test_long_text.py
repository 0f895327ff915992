"""A long text needs little more memory than a short one."""

from __future__ import annotations

import os
import subprocess
import sys

import book_sources
import pytest

MEMORY = """
import resource, sys
from pathlib import Path
from minigpt.data import text_file
from minigpt.tokenizer import CharTokenizer
from minigpt.training.text_tokens import survey_text, text_tokens

def look(*parts):
    for part in parts:
        sum(int(piece.int().sum()) for piece in part.split(2**16))

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

text_file.BLOCK = 2**16  # so that what a block needs does not count
folder, path = Path(sys.argv[1]), Path(sys.argv[2])
small = survey_text("to be or not to be\\n" * 10, alphabet=True)
before = peak()
survey = survey_text(path, alphabet=True)
tokenizer = CharTokenizer(survey.alphabet)
text_tokens(folder, path, survey, tokenizer, 0.1, look)
print((peak() - before) / survey.characters)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the most memory used")
@pytest.mark.slow
def test_memory_hardly_grows_with_the_text(tmp_path):
    """It took 9 bytes for each of the text. Tokens of a mapped file are 2 for each character."""
    path = tmp_path / "long.txt"
    path.write_bytes(b"Now is the winter of our discontent\n" * 400_000)  # 14 MB
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, tmp_path, path],
        env=os.environ | {"PYTHONPATH": str(book_sources.ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    assert float(done.stdout) < 4
