"""Training: show the model a batch, measure its loss, move every weight a little; again.

What is here needs no files: `minigpt.training.run` adds a folder, a log and checkpoints.
"""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from minigpt.model import GPT
from minigpt.training.batches import Batches, TextBatches
from minigpt.training.muon import Muon
from minigpt.training.optimizer import make_optimizers, set_rates
from minigpt.training.processes import Processes
from minigpt.training.recipe import Recipe
from minigpt.training.windows import Ids

# What an optimiser keeps of every number that it moves, besides the step of AdamW.
KEPT_BY = {Muon: ("momentum_buffer",), torch.optim.AdamW: ("step", "exp_avg", "exp_avg_sq")}


class Trainer:
    """A model on its way: it knows how many steps it took, and takes the next one.

    What a step does follows from the weights, the optimisers' averages, the recipe and the step's
    number, and from nothing else. So a trainer that is given another's `state` goes on as that
    one would have, to the bit (on the same CPU, with as many threads and processes).

    Args:
        model: trained in place, on the device it is on.
        source: the tokens of the training text, (n,), which may be a mapped file
            (`minigpt.data.token_file`); or any `Batches`.
        recipe: how.
        processes: of which this is one; a batch is shared out among them.
        compiled: compile model and loss first (`torch.compile`): slow to start, then faster.

    Raises:
        ValueError: a text shorter than a window, a batch that cannot be shared out, a model whose
            parameters are all frozen.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """

    def __init__(
        self,
        model: GPT,
        source: Ids | Batches,
        recipe: Recipe,
        processes: Processes | None = None,
        compiled: bool = False,
    ) -> None:
        self.model, self.recipe = model, recipe
        self.processes = processes or Processes()
        parts = self.processes.count * recipe.accumulate
        if recipe.batch_size % parts:
            raise ValueError(
                f"a batch_size of {recipe.batch_size} cannot be shared out among "
                f"{self.processes.count} processes, in {recipe.accumulate} parts each "
                f"(accumulate): choose a multiple of {parts}"
            )
        length = model.config.context_length
        text = not isinstance(source, Batches)
        self.windows = TextBatches(source, length, recipe.seed) if text else source
        self.device = next(model.parameters()).device
        self.optimizers = make_optimizers(model, recipe)
        dropouts = [module.p for module in model.modules() if isinstance(module, nn.Dropout)]
        self._draws = any(dropouts)
        # float16 has no room for small gradients, so the loss is scaled up, and they back down.
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=recipe.precision == "float16")
        self._shared = self.processes.share_gradients(model)
        self._loss = torch.compile(self._batch_loss) if compiled else self._batch_loss
        self.steps_taken = 0
        self.gradient_norm = math.nan  # of the last step, before clipping

    @property
    def tokens_per_step(self) -> int:
        """Tokens that a step reads, over all processes; their mean where steps differ."""
        return round(self.recipe.batch_size * self.windows.tokens_per_row)

    def step(self) -> float:
        """Take the next step.

        Returns:
            The loss of its batch, from before the weights moved, in nats per token.

        Raises:
            ValueError: a loss or gradient that is not finite; the weights have not moved.
        """
        batch = self.windows.batch(self.steps_taken, self.recipe.batch_size)
        batch = [self.processes.mine(x).to(self.device) for x in batch]
        self.model.train()
        self.model.zero_grad()  # whatever a step that was broken off has left
        with self._own_randomness():
            loss = self._add_gradients(batch)
        loss = self.processes.mean(loss).item()
        set_rates(self.optimizers, self.recipe, self.steps_taken)
        self._move_weights(loss)
        self.steps_taken += 1
        return loss

    def _batch_loss(self, *batch: Tensor) -> Tensor:
        return self.windows.loss(self._shared, *batch)

    def _add_gradients(self, batch: list[Tensor]) -> Tensor:
        """The batch in parts: gradients add up, so each part's loss counts as its share."""
        parts = [*zip(*(x.chunk(self.recipe.accumulate) for x in batch), strict=True)]
        weights = [self.windows.weight(*part) for part in parts]
        all_weights = self.processes.mean(torch.tensor(sum(weights), dtype=torch.float64)).item()
        total = torch.zeros((), device=self.device)
        for i, (part, weight) in enumerate(zip(parts, weights, strict=True)):
            last = i == len(parts) - 1
            with self.processes.hold_back(self._shared, until=last), self._precision():
                loss = self._loss(*part) / (all_weights / weight)
                self.scaler.scale(loss).backward()
            total += loss.detach()
        return total

    def _move_weights(self, loss: float) -> None:
        for optimizer in self.optimizers:
            self.scaler.unscale_(optimizer)
        limit = math.inf if self.recipe.clip is None else self.recipe.clip
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), limit).item()
        # A scaled gradient may overflow: the scaler leaves that step out, and scales less.
        if not math.isfinite(loss if self.scaler.is_enabled() else loss + norm):
            self.scaler.update()  # this step is over, so that another can be tried
            self.model.zero_grad()
            raise ValueError(
                f"at step {self.steps_taken} the loss is {loss} and its gradient {norm} long: "
                "training has diverged, and this step is not taken. Start a new run, with a lower "
                f"learning_rate (now {self.recipe.learning_rate}) and "
                f"muon_learning_rate (now {self.recipe.muon_learning_rate}), or a longer warm-up "
                f"(warmup), now {self.recipe.warmup} steps"
            )
        if math.isfinite(norm):  # all optimisers leave a step out, or none
            for optimizer in self.optimizers:
                self.scaler.step(optimizer)
        self.scaler.update()
        self.model.zero_grad()
        self.gradient_norm = norm

    def _precision(self) -> contextlib.AbstractContextManager:
        if self.recipe.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, getattr(torch, self.recipe.precision))

    @contextlib.contextmanager
    def _own_randomness(self) -> Iterator[None]:
        """Dropout draws from torch's global generator: lend it one that only this step has."""
        if not self._draws:  # nothing is drawn, and lending costs 1 ms
            yield
            return
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            name = f"{self.recipe.seed} {self.steps_taken} {self.processes.rank}"
            torch.manual_seed(random.Random(name).getrandbits(32))
            yield

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that the next steps depend on: tensors by name, and numbers for JSON."""
        tensors = {f"model.{name}": p.detach() for name, p in self._parameters().items()}
        names = {p: name for name, p in self._parameters().items()}
        for optimizer in self.optimizers:
            for parameter, kept in optimizer.state.items():
                for key, value in kept.items():
                    tensors[f"optimizer.{key}.{names[parameter]}"] = value
        return tensors, {"steps_taken": self.steps_taken, "scaler": self.scaler.state_dict()}

    def load_state(self, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
        """Go on from another trainer's `state`, of the same model, text and recipe.

        Raises:
            ValueError: a state of another model, or of another optimiser; this trainer is as it
                was.
        """
        parameters = self._parameters()
        start = "model."
        found = {k.removeprefix(start): x for k, x in tensors.items() if k.startswith(start)}
        for name in sorted(parameters.keys() | found.keys()):
            here, there = parameters.get(name), found.get(name)
            if here is None or there is None or here.shape != there.shape:
                shapes = [None if x is None else tuple(x.shape) for x in (here, there)]
                raise ValueError(
                    f"{name} is {shapes[0]} in the model and {shapes[1]} in the state: go on with "
                    "the model and the recipe that the run was started with"
                )
        kept = {k.split(".", 1)[1]: x for k, x in tensors.items() if k.startswith("optimizer.")}
        expected = {
            f"{key}.{name}": optimizer.state[parameter]
            for name, parameter, optimizer in self._owners()
            for key in KEPT_BY[type(optimizer)]
        }
        if kept.keys() - expected.keys() or (kept and expected.keys() - kept.keys()):
            raise ValueError(
                "the state holds the averages of other optimisers than the recipe's, "
                f"{self.recipe.optimizer!r}: go on with the recipe that the run was started with"
            )
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.copy_(found[name])
        for state in expected.values():
            state.clear()
        for full_name, value in kept.items():
            key = full_name.split(".", 1)[0]
            expected[full_name][key] = value.to(self.device).clone()
        self.steps_taken = numbers["steps_taken"]
        self.scaler.load_state_dict(numbers["scaler"])

    def _owners(self) -> Iterator[tuple[str, Tensor, torch.optim.Optimizer]]:
        """Every parameter's name, itself, and the optimiser that moves it."""
        names = {p: name for name, p in self._parameters().items()}
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    yield names[parameter], parameter, optimizer

    def _parameters(self) -> dict[str, Tensor]:
        return dict(self.model.named_parameters())
