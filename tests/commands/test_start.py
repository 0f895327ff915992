"""`minigpt` answers at once: nothing heavy is imported before the command line is read."""

from __future__ import annotations

import subprocess
import sys

import pytest

# A bare Python with argparse has about 60; torch alone brings more than 1,000.
MOST_MODULES = 150


def modules_after(code: str) -> set[str]:
    """What Python has imported when a piece of code has run, whether it exits or not."""
    code = f"import sys\ntry:\n    {code}\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import minigpt",
        "from minigpt.__main__ import main; main(['--help'])",
        "from minigpt.__main__ import main; main(['--version'])",
        "from minigpt.__main__ import main; main(['trian', 'runs/first'])",
        "from minigpt.__main__ import main; main(['--stesp', '3'])",
        "from minigpt.__main__ import main; main(['train', '--help'])",
        "from minigpt.__main__ import main; main(['train', 'runs/first', '--stesp', '3'])",
        "from minigpt.__main__ import main; main(['generate', '--help'])",
        "from minigpt.__main__ import main; main(['generate', 'To', '--tokens', 'many'])",
        "from minigpt.__main__ import main; main(['completion', 'zsh'])",
        "from minigpt.__main__ import main; main(['data', '--help'])",
        "from minigpt.__main__ import main; main(['data', 'list'])",
        "from minigpt.__main__ import main; main(['data', 'show', 'stories', '--lines', '0'])",
        "from minigpt.__main__ import main; main([])",
        "from minigpt.tokenizer import BPETokenizer",
    ],
)
def test_little_is_imported(code):
    found = modules_after(code)
    assert "minigpt" in found and "torch" not in found
    assert len(found) <= MOST_MODULES


def test_the_count_can_be_exceeded():
    found = modules_after("from minigpt.__main__ import main; main(['generate', '--stop', ''])")
    assert "torch" in found and len(found) > MOST_MODULES
