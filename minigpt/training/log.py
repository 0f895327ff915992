"""The log of a run: one JSON object a line, and the same for TensorBoard if wanted."""

from __future__ import annotations

import json
from pathlib import Path

from minigpt.data.whole_file import write_whole


class TrainingLog:
    """Lines such as ``{"step": 250, "loss": 1.93}``, each handed to the system at once.

    Args:
        path: of the file. What it holds of steps after `after` is dropped, as the run takes them
            again; so is a line that a kill cut short.
        after: the step that the run goes on from; 0 for a new one.
        tensorboard: a folder to write the same numbers into, for TensorBoard.

    Raises:
        FileNotFoundError: the folder is not there.
        ValueError: TensorBoard is asked for and not installed.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """

    def __init__(self, path: str | Path, after: int = 0, tensorboard: Path | None = None) -> None:
        self.path = Path(path)
        lines = [line for line in read_log(path) if after and line["step"] <= after]
        write_whole(self.path, "".join(json.dumps(line) + "\n" for line in lines).encode())
        self._board = None if tensorboard is None else _summary_writer(tensorboard, after)

    def write(self, **numbers: int | float | None) -> None:
        """Add a line; the step, under ``step``, is how many steps were taken."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(numbers) + "\n")
        if self._board is not None:
            for name, number in numbers.items():
                if name != "step" and number is not None:
                    self._board.add_scalar(name, number, numbers["step"])
            self._board.flush()

    def close(self) -> None:
        """Let go of TensorBoard's file."""
        if self._board is not None:
            self._board.close()


def read_log(path: str | Path) -> list[dict[str, int | float | None]]:
    """The lines of a log, up to the first that is not whole; none if there is no file.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    lines = []
    if Path(path).exists():
        for line in Path(path).read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break
            try:
                lines.append(json.loads(line))
            except ValueError:  # a power cut may leave bytes that were never written
                break
    return lines


def _summary_writer(folder: Path, after: int):
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ValueError(
            f"TensorBoard's writer is not there ({error}): pip install tensorboard, or leave "
            "TensorBoard out; the log file holds the same numbers"
        ) from None
    return SummaryWriter(str(folder), purge_step=after + 1 if after else 0)
