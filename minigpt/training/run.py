"""A run in a folder: it can be stopped at any moment, even by a power cut, and goes on the same.

run.json       what the run was started with; another run is refused
log.jsonl      losses, rates and speed, a line each; the same in tensorboard/ if wanted
.minigpt.lock  while a run is at work; no other may be
states/        checkpoints of the last steps, to go on from
tokens/        the text, where the command line started the run
config.json, model.safetensors, tokenizer.json, tokenizer_config.json
               (and chat_template.jinja, and adapter/, of a run of minigpt finetune)
               the model with the lowest validation loss, for `minigpt.exchange.load` and
               for transformers; `model_of` tells of which step it is
"""

from __future__ import annotations

import errno
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from minigpt.model import GPT
from minigpt.model.ledger import parameter_count
from minigpt.tokenizer import BPETokenizer, CharTokenizer
from minigpt.training.batches import Batches, TextBatches
from minigpt.training.evaluation import measure
from minigpt.training.intervals import Intervals
from minigpt.training.kept_model import keep_model, model_of, put_back, set_aside
from minigpt.training.log import TrainingLog
from minigpt.training.processes import Processes
from minigpt.training.recipe import Recipe
from minigpt.training.report import Report, in_words, indent
from minigpt.training.run_folder import claim_folder, own_folder
from minigpt.training.state import load_latest, save_state
from minigpt.training.trainer import Trainer
from minigpt.training.windows import check_long_enough

TIMED = 4  # steps, from which the time of all is judged


class Interrupted(Exception):
    """The run was asked to stop, and has kept its state; `signal_number` says by what."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.signal_number = signal_number


def train(
    folder: str | Path,
    model: GPT,
    recipe: Recipe,
    training: Tensor | Batches,
    validation: Tensor | Batches,
    tokenizer: BPETokenizer | CharTokenizer | None = None,
    intervals: Intervals | None = None,
    processes: Processes | None = None,
    compiled: bool = False,
    tensorboard: bool = False,
    report: Callable[[str], None] = lambda line: None,
    sample: Callable[[], str] | None = None,
    progress: bool = True,
    origin: str | None = None,
    command: str = "",
    tuning: Mapping[str, Any] | None = None,
    keep: Callable[[], None] = lambda: None,
) -> float:
    """Train a model in a folder, or go on with the run that is there.

    Args:
        folder: of this run alone; made if it is not there.
        model: as it is to start; a run that goes on gives it the weights that it had.
        recipe, training, processes, compiled: as of `Trainer`.
        validation: what the model is judged by, and never learns from: tokens, or any `Batches`.
        tokenizer: saved beside the model.
        intervals: how often what happens.
        tensorboard: also log into the folder ``tensorboard``.
        report: is told in words what happens. If it raises OSError, it is told no more, and the
            run goes on; but after BrokenPipeError, as before ``| head``, it stops.
        sample: has the model write, where `intervals` ask for that.
        progress: show bars, where there is a terminal.
        origin: a digest of the weights that the model starts with, where these are not random: a
            run goes on only from the same.
        command: that started the run, for who looks at its folder later.
        tuning: what else decides how the run goes, such as which parameters learn; JSON.
        keep: is called when an evaluation that was planned has kept the model, to keep what goes
            with it; in the first process alone.

    Returns:
        The loss on the validation text after the last step, in nats per token: on the whole of
        it, or on its beginning where that takes some tenth of the run already.

    Raises:
        ValueError: a text too short, another run in the folder, a loss that is not finite.
        BlockingIOError: a run that is at work in the folder.
        FileExistsError: a folder with files that a run would write over.
        OSError: a file cannot be written; the last checkpoint is whole.
        Interrupted: on Ctrl-C or another signal that asks to stop, after the step at hand, with
            its state kept (`minigpt.training.interruption` lists them).

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """
    intervals, processes = intervals or Intervals(), processes or Processes()
    if not isinstance(validation, Batches):
        length = model.config.context_length
        check_long_enough(validation, length, "the validation text")
        validation = TextBatches(validation, length, recipe.seed)
    trainer = Trainer(model, training, recipe, processes, compiled)
    folder, told = Path(folder), Report(report if processes.rank == 0 else lambda line: None)
    with own_folder(folder, processes):
        processes.first(
            lambda: claim_folder(
                folder,
                model.config,
                recipe,
                trainer.windows,
                validation,
                origin,
                command,
                tuning,
            )
        )
        best = _go_on(folder, trainer, told)
        run = _Run(
            folder,
            trainer,
            validation,
            tokenizer,
            intervals,
            best,
            told,
            tensorboard,
            sample,
            progress,
            starts_trained=origin is not None,
            keep=keep,
        )
        try:
            with told.interruption:
                run.take_steps()
            return run.finish()
        except OSError as error:
            if error.errno is None:  # one of ours, which says what to do
                raise
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            raise OSError(
                error.errno,
                f"{error.strerror}, at step {trainer.steps_taken}. "
                f"{'Make room' if full else 'Mend that'}, and the same command goes on from the "
                f"last whole checkpoint in {folder / 'states'}",
                error.filename,
            ) from error
        finally:
            run.close()


def _go_on(folder: Path, trainer: Trainer, told: Report) -> float:
    """Take up the run from its newest state, if it has one; its lowest validation loss so far."""
    if (state := load_latest(folder / "states")) is None:
        return math.inf
    trainer.load_state(*state)
    best = state[1]["best"]
    kept = model_of(folder)
    del state  # three times the model, and on some systems a file that cannot be deleted
    trainer.processes.first(lambda: put_back(folder))
    taken, steps = trainer.steps_taken, trainer.recipe.steps
    if taken < steps:
        told(f"{folder}: going on after step {taken} of {steps}")
    else:
        told(f"{folder}: all {steps} steps were taken before")
    if kept is not None and kept.validation_loss != best:
        told(
            f"the model of step {kept.step}, with a validation loss of {kept.validation_loss:.4f}, "
            "was kept where the run stopped, and gives way to those of the run's own evaluations"
        )
    return math.inf if best is None else best


class _Run:
    """The loop of `train`: steps, and between them what the intervals ask for."""

    def __init__(
        self,
        folder: Path,
        trainer: Trainer,
        validation: Batches,
        tokenizer: BPETokenizer | CharTokenizer | None,
        intervals: Intervals,
        best: float,
        told: Report,
        tensorboard: bool,
        sample: Callable[[], str] | None,
        progress: bool,
        starts_trained: bool,
        keep: Callable[[], None],
    ) -> None:
        self.folder, self.trainer, self.best, self.told = folder, trainer, best, told
        self.validation, self.tokenizer = validation, tokenizer
        steps, tokens = trainer.recipe.steps, trainer.tokens_per_step
        self.intervals = intervals.of_run(steps, tokens, validation.tokens)
        self.writes = trainer.processes.rank == 0
        self.log = None
        if self.writes:
            board = folder / "tensorboard" if tensorboard else None
            self.log = TrainingLog(folder / "log.jsonl", trainer.steps_taken, board)
        self.sample, self.progress = sample, progress and self.writes
        self.starts_trained, self.keep = starts_trained, keep
        self.saved = trainer.steps_taken  # the step of the newest state
        self.evaluated: tuple[int, float | None] = (trainer.steps_taken, None)  # its step and loss
        self.since = (time.perf_counter(), trainer.steps_taken)  # of the last line of the log

    def take_steps(self) -> None:
        trainer, steps = self.trainer, self.trainer.recipe.steps
        if trainer.steps_taken < steps:
            self._tell_what_begins()
        if trainer.steps_taken == 0:
            self._evaluate()
        first, begin = trainer.steps_taken, 0.0
        with tqdm(
            total=steps,
            initial=trainer.steps_taken,
            unit=" steps",
            disable=None if self.progress else True,
        ) as bar:
            while trainer.steps_taken < steps:
                loss = trainer.step()
                if trainer.steps_taken - first == 1:  # which is slower than all others
                    begin = time.perf_counter()
                elif trainer.steps_taken - first == 1 + TIMED:
                    self._tell_how_long((time.perf_counter() - begin) / TIMED)
                bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
                bar.update()
                self._after(loss)
                self._stop_if_asked()

    def _tell_what_begins(self) -> None:
        trainer = self.trainer
        tokens, read = trainer.windows.tokens, trainer.recipe.steps * trainer.tokens_per_step
        times = f"{read / tokens:,.0f}" if read > 10 * tokens else f"{read / tokens:.2g}"
        times = "once" if times == "1" else f"{times} times"
        count = parameter_count(trainer.model.config)
        learns = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
        part = "" if learns == count else f", tuned by {learns:,} numbers that learn"
        self.told(
            f"{count:,} parameters{part}; {tokens:,} tokens to learn "
            f"from, {self.validation.tokens:,} to be judged by; {trainer.recipe.steps:,} steps of "
            f"{trainer.tokens_per_step:,} tokens read the text {times}"
        )

    def _tell_how_long(self, seconds: float) -> None:
        """For who has no bar to look at, before it matters."""
        left = self.trainer.recipe.steps - self.trainer.steps_taken
        if (rest := seconds * left) > 10:
            self.told(f"about {in_words(rest)} for the {left:,} steps to come")

    def finish(self) -> float:
        """A last look, which takes about as long as a ninth of the run's steps at most."""
        trained = self.trainer.recipe.steps * self.trainer.tokens_per_step
        part = self.validation.part(max(self._part_to_read().tokens, trained // 3) - 1)
        _, loss = self.evaluated
        if loss is None or part.tokens != self._part_to_read().tokens:
            loss = self._loss(part)
        first = f"first {part.tokens:,} validation tokens"
        told = first if part.tokens < self.validation.tokens else "whole validation text"
        self.told(f"after the last step, on the {told}: {loss:.4f} nats per token")
        if self.writes and not (self.folder / "model.safetensors").exists():  # removed by hand
            step = self.trainer.steps_taken
            keep_model(self.trainer.model, self.folder, self.tokenizer, step, loss)
            self.keep()
        self._tell_what_is_kept()
        return loss

    def _after(self, loss: float) -> None:
        step, steps = self.trainer.steps_taken, self.trainer.recipe.steps
        if step % self.intervals.log == 0:
            self._log_step(step, loss)
        begin = time.perf_counter()
        if step % self.intervals.evaluate == 0 or step == steps:
            self._evaluate()
        if step % self.intervals.checkpoint == 0 or step == steps:
            self._save()
        if self.intervals.sample is not None and step % self.intervals.sample == 0:
            self._show_sample()
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

    def _evaluate(self, planned: bool = True) -> float:
        """Measure the model, and keep it in the folder if it is the best so far.

        One that is not `planned` leaves no trace but that model, which is put back when the run
        goes on, so that it ends as one that was never stopped.
        """
        step, loss = self.trainer.steps_taken, self._loss(self._part_to_read())
        self.told(f"step {step}: validation loss {loss:.4f} nats per token")
        if self.log is not None and planned:
            self.log.write(step=step, validation_loss=loss)
        if (step > 0 or self.starts_trained) and loss < self.best:
            if self.writes and not planned and math.isfinite(self.best):
                set_aside(self.folder)
            if self.writes:
                keep_model(self.trainer.model, self.folder, self.tokenizer, step, loss)
                if planned:
                    self.keep()
            self.best = loss
        self.evaluated = (step, loss)
        return loss

    def _show_sample(self) -> None:
        if self.sample is not None and self.writes:
            self.told(f"step {self.trainer.steps_taken} writes:{indent(self.sample())}")

    def _part_to_read(self) -> Batches:
        """Of the validation text, in an evaluation."""
        return self.validation.part(self.intervals.evaluation_tokens)

    def _loss(self, validation: Batches) -> float:
        trainer, recipe = self.trainer, self.trainer.recipe
        part = recipe.batch_size // (recipe.accumulate * trainer.processes.count)  # what fits
        return measure(trainer.model, validation, part, trainer.processes, self.progress)

    def _tell_what_is_kept(self, step: int = 0, loss: float = 0.0) -> None:
        """Which model is in the folder; `loss` at `step` is one that the log does not have."""
        if self.writes and (kept := model_of(self.folder)) is not None:
            if step > kept.step:
                kept = replace(kept, later=(step, loss))
            self.told(f"the model in {self.folder} is {kept}")

    def _save(self) -> None:
        if self.writes:
            tensors, numbers = self.trainer.state()
            best = self.best if math.isfinite(self.best) else None
            save_state(self.folder / "states", tensors, numbers | {"best": best})
        self.saved = self.trainer.steps_taken

    def _stop_if_asked(self) -> None:
        asked = torch.tensor(self.told.interruption.signal_number or 0)
        if (number := int(self.trainer.processes.most(asked))) == 0:
            return
        step, steps = self.trainer.steps_taken, self.trainer.recipe.steps
        if self.saved < step:
            self._save()
        if self.evaluated[0] < step:
            self._tell_what_is_kept(step, self._evaluate(planned=False))
        else:
            self._tell_what_is_kept()
        raise Interrupted(
            f"stopped after step {step} of {steps}, with its state in {self.folder / 'states'}: "
            "the same command goes on from there",
            number,
        )

    def close(self) -> None:
        if self.log is not None:
            self.log.close()
