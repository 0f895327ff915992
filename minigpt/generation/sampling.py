"""From scores to the next token: steps that change the scores, and the draw.

Each step takes and gives scores (B, V); a token that it rules out gets a score of -∞. They have
the names and the meaning of transformers' logits processors.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from minigpt.data.numbers import is_number, is_whole, make_plain

COLDEST = 1e-30  # float32 has no room for the inverse of much less


def penalise_repetitions(
    logits: Float[Tensor, "B V"], seen: Bool[Tensor, "B V"], penalty: float
) -> Float[Tensor, "B V"]:
    """Lower the scores of tokens that the text has: above 0 divided, below 0 multiplied.

    Keskar et al. 2019, section 4.1. A penalty below 1 raises them instead.

    Derived in https://minigpt-book.github.io/minigpt/generation.html
    """
    return torch.where(seen, torch.where(logits < 0, logits * penalty, logits / penalty), logits)


def apply_temperature(logits: Float[Tensor, "B V"], temperature: float) -> Float[Tensor, "B V"]:
    """Divide the distances from the best score: below 1 the likely gain, above 1 the unlikely.

    Derived in https://minigpt-book.github.io/minigpt/generation.html
    """
    best = logits.amax(dim=-1, keepdim=True)  # stays 0, however small the temperature
    return (logits - best) / max(temperature, COLDEST)


def keep_top_k(logits: Float[Tensor, "B V"], k: int) -> Float[Tensor, "B V"]:
    """Rule out all but the k best (Fan et al. 2018); those level with the k-th stay.

    Derived in https://minigpt-book.github.io/minigpt/generation.html
    """
    last = logits.topk(min(k, logits.shape[-1])).values[:, -1:]
    return logits.masked_fill(logits < last, -math.inf)


def keep_top_p(logits: Float[Tensor, "B V"], p: float) -> Float[Tensor, "B V"]:
    """Rule out all but the fewest best whose probabilities add up to p (Holtzman et al. 2020).

    Derived in https://minigpt-book.github.io/minigpt/generation.html
    """
    if p == 1:  # a rounded sum may be 1 before the last
        return logits
    ordered, order = logits.sort(descending=True, stable=True)
    better = ordered.softmax(dim=-1).cumsum(dim=-1)[:, :-1]  # what the ones before it add up to
    ruled_out = F.pad(better >= p, (1, 0))  # the best always stays
    return logits.scatter(-1, order, ordered.masked_fill(ruled_out, -math.inf))


def keep_min_p(logits: Float[Tensor, "B V"], p: float) -> Float[Tensor, "B V"]:
    """Rule out what is less than p times as probable as the best (Nguyen et al. 2024).

    Derived in https://minigpt-book.github.io/minigpt/generation.html
    """
    best = logits.amax(dim=-1, keepdim=True)
    return logits.masked_fill(logits < best + math.log(p), -math.inf)


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen. `dataclasses.replace` makes a copy with other values.

    Args:
        temperature: of `apply_temperature`; 0 takes the best token always (greedy).
        top_k: of `keep_top_k`, or None.
        top_p: of `keep_top_p`, or None.
        min_p: of `keep_min_p`, or None.
        repetition_penalty: of `penalise_repetitions`; 1 changes nothing.

    Raises:
        ValueError: a temperature below 0 or not finite, a `top_k` below 1, a `top_p` or `min_p`
            outside (0, 1], a penalty outside [0.001, 1000].

    Derived in https://minigpt-book.github.io/minigpt/generation.html
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        make_plain(self)
        fine = is_number(self.temperature) and 0 <= self.temperature < math.inf
        self._check("temperature", fine, "0, for the best token always, or a finite number above")
        if self.top_k is not None:
            self._check("top_k", is_whole(self.top_k, 1), "a whole number of at least 1")
        for name in ("top_p", "min_p"):
            if (value := getattr(self, name)) is not None:
                self._check(name, is_number(value) and 0 < value <= 1, "above 0 and at most 1")
        penalty = self.repetition_penalty
        fine = is_number(penalty) and 0.001 <= penalty <= 1000
        self._check("repetition_penalty", fine, "from 0.001 to 1000; 1 changes nothing")

    def _check(self, name: str, fine: bool, limit: str) -> None:
        if not fine:
            raise ValueError(f"{name} is {getattr(self, name)!r}; it must be {limit}")

    def steps(
        self, logits: Float[Tensor, "B V"], seen: Bool[Tensor, "B V"] | None = None
    ) -> Iterator[tuple[str, Float[Tensor, "B V"]]]:
        """The scores after each step that changes something, with the step's name.

        Args:
            logits: the model's scores.
            seen: which tokens the text has; needed only with a penalty.
        """
        if self.repetition_penalty != 1:
            if seen is None:
                raise ValueError(
                    f"repetition_penalty is {self.repetition_penalty}, but `seen` is missing, "
                    "which says what tokens the text has"
                )
            logits = penalise_repetitions(logits, seen, self.repetition_penalty)
            yield "repetition_penalty", logits
        if self.temperature != 1:
            yield "temperature", (logits := apply_temperature(logits, self.temperature))
        if self.top_k is not None:
            yield "top_k", (logits := keep_top_k(logits, self.top_k))
        if self.top_p is not None:
            yield "top_p", (logits := keep_top_p(logits, self.top_p))
        if self.min_p is not None:
            yield "min_p", (logits := keep_min_p(logits, self.min_p))

    def choose(
        self,
        logits: Float[Tensor, "B V"],
        seen: Bool[Tensor, "B V"] | None = None,
        generator: torch.Generator | None = None,
    ) -> Int[Tensor, " B"]:
        """One token for each row.

        Args:
            logits: the model's scores.
            seen: which tokens the text has; needed only with a penalty.
            generator: where chance comes from; None is torch's global one.

        Raises:
            ValueError: scores that are not finite.
        """
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        check_finite(logits)
        for _, changed in self.steps(logits, seen):
            logits = changed
        if self.temperature == 0:
            return logits.argmax(dim=-1)
        return torch.multinomial(logits.softmax(dim=-1), 1, generator=generator)[:, 0]


def check_finite(logits: Float[Tensor, "B V"]) -> None:
    """Raise ValueError if a score is NaN or ∞."""
    # What is not finite stays so in a sum, and float64 has room for the others.
    if not math.isfinite(logits.sum(dtype=torch.float64)):
        raise ValueError(
            "the model's scores are not finite (NaN or ∞), so nothing can be chosen by them: its "
            "weights are damaged, or its training diverged"
        )
