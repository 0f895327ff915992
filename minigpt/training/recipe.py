"""How to train: every choice of a run but the model and the text, and two good sets of choices."""

from __future__ import annotations

import math
from dataclasses import dataclass

from minigpt.data.numbers import is_number, is_whole, make_plain

PRECISIONS = ("float32", "bfloat16", "float16")
OPTIMIZERS = ("adamw", "muon")
SCHEDULES = ("cosine", "trapezoid")


@dataclass(frozen=True)
class Recipe:
    """How a model is trained. `dataclasses.replace` makes a copy with other values.

    Args:
        steps: how often the weights change.
        batch_size: windows a step, over all processes.
        accumulate: parts that a batch is cut into, to be computed one after the other.
        optimizer: "adamw" for every parameter (Loshchilov and Hutter 2019), or "muon" for the
            matrices in the blocks (Jordan et al. 2024) with AdamW for the rest.
        learning_rate: the highest, of AdamW.
        muon_learning_rate: the highest, of Muon.
        beta_1: how much of the past AdamW's mean gradient keeps, at every step.
        beta_2: the same for the mean square.
        weight_decay: share of a matrix or table that is taken off a step, times the learning rate.
        schedule: "cosine" or "trapezoid", see `minigpt.training.schedule`.
        warmup: steps in which the learning rate rises.
        final: share of the highest rate that a cosine ends at.
        decay: share of the steps over which a trapezoid falls.
        clip: the longest gradient; a longer one is shortened to it. None: as long as it is.
        precision: of the products: "float32", "bfloat16" or "float16"; weights are float32.
        seed: decides the order of the windows, and dropout.

    Raises:
        ValueError: a value out of its range.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """

    steps: int = 2000
    batch_size: int = 16
    accumulate: int = 1
    optimizer: str = "adamw"
    learning_rate: float = 1e-3
    muon_learning_rate: float = 0.02
    beta_1: float = 0.9
    beta_2: float = 0.99
    weight_decay: float = 0.1
    schedule: str = "cosine"
    warmup: int = 100
    final: float = 0.1
    decay: float = 0.6
    clip: float | None = 1.0
    precision: str = "float32"
    seed: int = 1

    def __post_init__(self) -> None:
        make_plain(self)
        for name in ("steps", "batch_size", "accumulate"):
            self._whole(name, 1)
        for name in ("warmup", "seed"):
            self._whole(name, 0)
        self._check("seed", self.seed < 2**63, "below 2**63")
        for name in ("learning_rate", "muon_learning_rate", "clip"):
            if (value := getattr(self, name)) is not None or name != "clip":
                fine = is_number(value) and 0 < value < math.inf
                self._check(name, fine, "a finite number above 0")
        for name in ("beta_1", "beta_2"):
            value = getattr(self, name)
            self._check(name, is_number(value) and 0 <= value < 1, "from 0 up to, not with, 1")
        for name in ("weight_decay", "final"):
            value = getattr(self, name)
            self._check(name, is_number(value) and 0 <= value <= 1, "from 0 to 1")
        self._check("decay", is_number(self.decay) and 0 < self.decay <= 1, "above 0, at most 1")
        choices = {"optimizer": OPTIMIZERS, "schedule": SCHEDULES, "precision": PRECISIONS}
        for name, allowed in choices.items():
            self._check(name, getattr(self, name) in allowed, "one of " + ", ".join(allowed))
        if self.warmup > self.steps:
            raise ValueError(f"warmup is {self.warmup} steps, of {self.steps}: shorten it")
        if self.batch_size % self.accumulate:
            raise ValueError(
                f"batch_size is {self.batch_size}, which cannot be cut into {self.accumulate} "
                "equal parts (accumulate): choose a number that divides it"
            )

    def _whole(self, name: str, least: int) -> None:
        fine = is_whole(getattr(self, name), least)
        self._check(name, fine, f"a whole number of at least {least}")

    def _check(self, name: str, fine: bool, limit: str) -> None:
        if not fine:
            raise ValueError(f"{name} is {getattr(self, name)!r}; it must be {limit}")

    @classmethod
    def named(cls, name: str) -> Recipe:
        """A recipe by its name.

        Raises:
            ValueError: a name that is not in `RECIPES`.
        """
        if name not in RECIPES:
            raise ValueError(f"there is no recipe {name!r}; choose one of {', '.join(RECIPES)}")
        return RECIPES[name]


RECIPES = {
    "adamw": Recipe(),
    "fast": Recipe(
        optimizer="muon",
        learning_rate=0.01,
        beta_1=0.8,
        beta_2=0.95,
        weight_decay=0.0,
        schedule="trapezoid",
        warmup=0,
        clip=None,
    ),
}
