"""The model that a run keeps in its folder: of which step it is, and how good."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from minigpt.data.whole_file import write_whole
from minigpt.exchange import checkpoint
from minigpt.model import GPT
from minigpt.tokenizer import BPETokenizer, CharTokenizer
from minigpt.training.log import read_log
from minigpt.training.run_folder import steps_of

MODEL = "model.safetensors"
NOTABLY = 1.01  # times a loss: less may come and go
HOPELESS = 2  # times the loss of guessing: no text is so strange
SET_ASIDE = Path("states", "before-stop.safetensors")


@dataclass(frozen=True)
class KeptModel:
    """Of which step a run's model is.

    Args:
        step: after how many steps the model was as it is.
        validation_loss: its own then, in nats per token, on the part that evaluations read.
        later: step and loss of the newest evaluation after that one, none of which was lower.
        training_loss: the newest in the log, on what the model learns from.
        guess: the loss of guessing, ln(tokens of the vocabulary).
        finished: whether the run has taken all its steps. Before, a loss that rises may fall again.
    """

    step: int
    validation_loss: float
    later: tuple[int, float] | None = None
    training_loss: float | None = None
    guess: float = math.inf
    finished: bool = False

    def __str__(self) -> str:
        text = f"of step {self.step}, with a validation loss of {self.validation_loss:.4f}"
        if self.later is not None and self.later[1] > self.validation_loss:
            step, loss = self.later
            text += f"; at step {step} it is {loss:.4f}"
            notable = loss > NOTABLY * self.validation_loss
            if self.finished and notable and self.training_loss is not None:
                if self.training_loss < self.validation_loss:
                    text += (
                        f", so that since step {self.step} the run has begun to learn its text by "
                        "heart (overfitting)"
                    )
                else:
                    text += (
                        ", and on its own text it is no better: with a lower learning rate, the "
                        "steps would help"
                    )
        if self.step == 0:
            text += ". It is the one that the run started from, which no step has made better"
        if self.validation_loss > HOPELESS * self.guess:
            text += (
                f". That is worse than guessing ({self.guess:.4f}): training has diverged, and "
                "needs a lower learning rate"
            )
        return text


def keep_model(
    model: GPT,
    folder: Path,
    tokenizer: BPETokenizer | CharTokenizer | None,
    step: int,
    validation_loss: float,
) -> None:
    """Make a model the one in the folder, and say in the same file what it is."""
    about = json.dumps({"step": step, "validation_loss": validation_loss})
    checkpoint.save(model, folder, tokenizer, metadata={"run": about})


def model_of(folder: str | Path) -> KeptModel | None:
    """What the model in a run's folder is; None if there is none, or no run wrote it.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    folder = Path(folder)
    try:
        with safe_open(folder / MODEL, "pt") as file:
            about = json.loads((file.metadata() or {}).get("run", "null"))
    except (OSError, SafetensorError):
        return None
    if about is None:
        return None
    lines = read_log(folder / "log.jsonl")
    evaluations = [
        (line["step"], line["validation_loss"])
        for line in lines
        if "validation_loss" in line and line["step"] > about["step"]
    ]
    losses = [line["loss"] for line in lines if "loss" in line]
    steps = steps_of(folder)
    return KeptModel(
        about["step"],
        about["validation_loss"],
        max(evaluations, default=None),
        losses[-1] if losses else None,
        math.log(checkpoint.read_config(folder).vocab_size),
        steps is not None and steps[0] == steps[1],
    )


def set_aside(folder: Path) -> None:
    """Keep a copy of the folder's model, for `put_back`."""
    write_whole(folder / SET_ASIDE, (folder / MODEL).read_bytes())


def put_back(folder: Path) -> None:
    """The model that was there before a stop, so that a run goes on as if it had not stopped."""
    if (folder / SET_ASIDE).exists():
        os.replace(folder / SET_ASIDE, folder / MODEL)
