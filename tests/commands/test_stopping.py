"""However a real run is stopped, it keeps its state, and its exit status says by what."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import book_sources

from minigpt.__main__ import main
from minigpt.exchange import checkpoint
from minigpt.training import model_of
from minigpt.training.state import load_latest

OPTIONS = ["--tokenizer=characters", "--threads=1", f"--text={book_sources.ROOT / 'README.md'}"]
OPTIONS += ["--context-length=16", "--n-layer=1", "--n-head=2", "--n-embd=16", "--batch-size=4"]
OPTIONS += ["--steps=1000000", "--evaluate-every=1000000", "--checkpoint-every=1000000"]
TRAIN = [sys.executable, "-m", "minigpt", "train"]

# A terminal whose window is closed when the first line is there; then the exit status.
TERMINAL = """
import os, pty, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # these tests may run under nohup
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.executable, sys.argv[1:])
seen = b""
while b"step 0" not in seen:
    seen += os.read(terminal, 1024)
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def surroundings() -> dict[str, str]:
    """Those of a user, whose lines wait in a buffer where there is no terminal."""
    ours = {"PYTHONPATH": str(book_sources.ROOT), "PYTHONUNBUFFERED": ""}
    return os.environ | ours | {"OMP_NUM_THREADS": "1"}


def check_kept(folder: Path) -> None:
    """The state is whole, the model is that of its step, and nothing unfinished lies about."""
    _, numbers = load_latest(folder / "states")
    assert numbers["steps_taken"] > 0 and numbers["best"] is None
    assert model_of(folder).step == numbers["steps_taken"]
    assert checkpoint.load(folder).config.n_embd == 16
    assert not [*folder.rglob("*.tmp"), *folder.rglob("*.lock")]


def test_a_closed_terminal_stops_the_run_and_nothing_is_lost(tmp_path):
    """The system sends SIGHUP, and what is written from then on is an error, EIO."""
    command = [sys.executable, "-c", TERMINAL, *TRAIN, str(tmp_path / "run"), *OPTIONS]
    done = subprocess.run(
        command, env=surroundings(), capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout == f"{128 + signal.SIGHUP}\n", done.stderr
    check_kept(tmp_path / "run")


def test_a_run_alone_in_its_folder_whose_reader_leaves_keeps_its_state(tmp_path, capsys):
    """As in `minigpt train run | head -1`; SIGTERM is when it finds that it writes to nobody."""
    folder = tmp_path / "run"
    with subprocess.Popen(
        [*TRAIN, folder, *OPTIONS],
        env=surroundings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        try:
            assert run.stdout.readline().count(" parameters; ") == 1
            (folder / ".log.jsonl.77.tmp").write_bytes(b"the other run may be about to go on here")
            assert main(["train", str(folder), *OPTIONS]) == 1
            assert capsys.readouterr().err == (
                f"Error: another run is at work in {folder}: wait for its end, stop it, or "
                "choose another folder\n"
            )
            (folder / ".log.jsonl.77.tmp").unlink()
            run.stdout.close()
            run.send_signal(signal.SIGTERM)
            assert run.wait(timeout=100) == 128 + signal.SIGTERM
            said = run.stderr.read()
            assert said.startswith("minigpt: stopped after step ") and said.count("\n") == 1
        finally:
            run.kill()
    check_kept(folder)
