"""A run in a folder: it can be stopped at any moment, even by a power cut, and goes on the same.

run.json       what the run was started with; another run is refused
log.jsonl      losses, rates and speed, a line each; the same in tensorboard/ if wanted
states/        checkpoints of the last steps, to go on from
tokens/        the text, where the command line started the run
config.json, model.safetensors, tokenizer.json, tokenizer_config.json
               the model with the lowest validation loss, for `minigpt.exchange.load` and
               for transformers
"""

from __future__ import annotations

import errno
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm.auto import tqdm

from minigpt.data.numbers import is_whole
from minigpt.exchange import checkpoint
from minigpt.model import GPT
from minigpt.tokenizer import BPETokenizer, CharTokenizer
from minigpt.training.interruption import Interruption
from minigpt.training.log import TrainingLog
from minigpt.training.loss import evaluate
from minigpt.training.processes import Processes
from minigpt.training.recipe import Recipe
from minigpt.training.run_folder import claim_folder
from minigpt.training.state import load_latest, save_state
from minigpt.training.trainer import Trainer
from minigpt.training.windows import check_long_enough


class Interrupted(Exception):
    """The run was asked to stop, and has kept its state; `signal_number` says by what."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.signal_number = signal_number


@dataclass(frozen=True)
class Intervals:
    """How often a run does what else it does, in steps.

    Args:
        log: between lines of the log.
        evaluate: between evaluations; the best model so far is saved then.
        checkpoint: between states to go on from.
        evaluation_tokens: of the validation text, from its start, that an evaluation reads. After
            the last step the whole text is read as well.

    Raises:
        ValueError: one below 1.
    """

    log: int = 10
    evaluate: int = 250
    checkpoint: int = 250
    evaluation_tokens: int = 65_536

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not is_whole(value, 1):
                raise ValueError(f"{name} is {value!r}; it must be a whole number of at least 1")


def train(
    folder: str | Path,
    model: GPT,
    recipe: Recipe,
    training: Tensor,
    validation: Tensor,
    tokenizer: BPETokenizer | CharTokenizer | None = None,
    intervals: Intervals | None = None,
    processes: Processes | None = None,
    compiled: bool = False,
    tensorboard: bool = False,
    report: Callable[[str], None] = lambda line: None,
) -> float:
    """Train a model in a folder, or go on with the run that is there.

    Args:
        folder: of this run alone; made if it is not there, the folder above it must be.
        model: as it is to start; a run that goes on gives it the weights that it had.
        recipe, training, processes, compiled: as of `Trainer`.
        validation: the tokens that the model is judged by, and never learns from.
        tokenizer: saved beside the model.
        intervals: how often what happens.
        tensorboard: also log into the folder ``tensorboard``.
        report: is told in words what happens.

    Returns:
        The loss on the whole validation text after the last step, in nats per token.

    Raises:
        ValueError: a text too short, another run in the folder, a loss that is not finite.
        OSError: a file cannot be written; the last checkpoint is whole.
        Interrupted: on Ctrl-C or SIGTERM, after the step at hand, with its state kept.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    intervals, processes = intervals or Intervals(), processes or Processes()
    length = model.config.context_length
    check_long_enough(validation, length, "the validation text")
    trainer = Trainer(model, training, recipe, processes, compiled)
    folder = Path(folder)
    processes.first(lambda: claim_folder(folder, model.config, recipe, training, validation))
    best = math.inf
    if (state := load_latest(folder / "states")) is not None:
        trainer.load_state(*state)
        best = state[1]["best"] if state[1]["best"] is not None else math.inf
        del state  # three times the model, and on some systems a file that cannot be deleted
        if processes.rank == 0:
            report(f"{folder}: going on after step {trainer.steps_taken} of {recipe.steps}")
    run = _Run(folder, trainer, validation, tokenizer, intervals, best, report, tensorboard)
    try:
        with Interruption() as interruption:
            return run.to_the_end(interruption)
    except OSError as error:
        if error.errno is None:  # one of ours, which says what to do
            raise
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise OSError(
            error.errno,
            f"{error.strerror}, at step {trainer.steps_taken}. "
            f"{'Make room' if full else 'Mend that'}, and the same command goes on from the last "
            f"whole checkpoint in {folder / 'states'}",
            error.filename,
        ) from error
    finally:
        run.close()


class _Run:
    """The loop of `train`: steps, and between them what the intervals ask for."""

    def __init__(
        self,
        folder: Path,
        trainer: Trainer,
        validation: Tensor,
        tokenizer: BPETokenizer | CharTokenizer | None,
        intervals: Intervals,
        best: float,
        report: Callable[[str], None],
        tensorboard: bool,
    ) -> None:
        self.folder, self.trainer, self.intervals = folder, trainer, intervals
        self.validation, self.tokenizer, self.best = validation, tokenizer, best
        self.writes = trainer.processes.rank == 0
        self.report = report if self.writes else lambda line: None
        self.log = None
        if self.writes:
            board = folder / "tensorboard" if tensorboard else None
            self.log = TrainingLog(folder / "log.jsonl", trainer.steps_taken, board)
        self.saved = trainer.steps_taken  # the step of the newest state
        self.since = (time.perf_counter(), trainer.steps_taken)  # of the last line of the log

    def to_the_end(self, interruption: Interruption) -> float:
        trainer, steps = self.trainer, self.trainer.recipe.steps
        tokens = trainer.tokens_per_step
        if trainer.steps_taken == 0:
            self._evaluate()
        with tqdm(
            total=steps * tokens,
            initial=trainer.steps_taken * tokens,
            unit=" tokens",
            unit_scale=True,
            disable=None if self.writes else True,
        ) as bar:
            while trainer.steps_taken < steps:
                loss = trainer.step()
                bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
                bar.update(tokens)
                self._after(loss)
                self._stop_if_asked(interruption)
        whole = self._loss(self.validation)
        self.report(f"after the last step, on the whole text: {whole:.4f} nats per token")
        return whole

    def _after(self, loss: float) -> None:
        step, steps = self.trainer.steps_taken, self.trainer.recipe.steps
        if step % self.intervals.log == 0:
            self._log_step(step, loss)
        begin = time.perf_counter()
        if step % self.intervals.evaluate == 0 or step == steps:
            self._evaluate()
        if step % self.intervals.checkpoint == 0 or step == steps:
            self._save()
        then, since = self.since  # the speed in the log is that of the steps alone
        self.since = (then + time.perf_counter() - begin, since)

    def _log_step(self, step: int, loss: float) -> None:
        now, (then, since) = time.perf_counter(), self.since
        self.since = (now, step)
        norm = self.trainer.gradient_norm
        if self.log is not None:
            self.log.write(
                step=step,
                loss=loss,
                learning_rate=self.trainer.optimizers[-1].param_groups[0]["lr"],
                gradient_norm=norm if math.isfinite(norm) else None,
                tokens_per_second=round(
                    (step - since) * self.trainer.tokens_per_step / (now - then)
                ),
            )

    def _evaluate(self) -> None:
        step = self.trainer.steps_taken
        most = max(self.intervals.evaluation_tokens, self.trainer.windows.length) + 1
        loss = self._loss(self.validation[:most])
        self.report(f"step {step}: validation loss {loss:.4f} nats per token")
        if self.log is not None:
            self.log.write(step=step, validation_loss=loss)
        if loss < self.best:
            self.best = loss
            if self.writes:
                checkpoint.save(self.trainer.model, self.folder, self.tokenizer)

    def _loss(self, ids: Tensor) -> float:
        trainer, recipe = self.trainer, self.trainer.recipe
        part = recipe.batch_size // (recipe.accumulate * trainer.processes.count)  # what fits
        return evaluate(trainer.model, ids, trainer.windows.length, part, trainer.processes)

    def _save(self) -> None:
        if self.writes:
            tensors, numbers = self.trainer.state()
            best = self.best if math.isfinite(self.best) else None
            save_state(self.folder / "states", tensors, numbers | {"best": best})
        self.saved = self.trainer.steps_taken

    def _stop_if_asked(self, interruption: Interruption) -> None:
        asked = torch.tensor(interruption.signal_number or 0)
        if (number := int(self.trainer.processes.most(asked))) == 0:
            return
        step, steps = self.trainer.steps_taken, self.trainer.recipe.steps
        if self.saved < step:
            self._save()
        raise Interrupted(
            f"stopped after step {step} of {steps}, with its state in {self.folder / 'states'}: "
            "the same command goes on from there",
            number,
        )

    def close(self) -> None:
        if self.log is not None:
            self.log.close()
