"""How often at least one of k answers is right."""

from __future__ import annotations

import math

from minigpt.data.numbers import is_whole


def pass_at_k(samples: int, right: int, k: int) -> float:
    """The probability that one of k answers is right, estimated from more of them, without bias.

    Of all choices of k among the samples, the share in which not all are wrong (Chen et al. 2021,
    equation 1). `1 - (1 - right / samples) ** k` would be too low on average.

    Args:
        samples: answers that were drawn for one prompt.
        right: of them, those that passed.
        k: answers that one may try.

    Raises:
        ValueError: numbers that are not whole, more right ones than samples, or a `k` that is not
            from 1 to `samples`.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if not is_whole(samples, 1) or not is_whole(right, 0) or right > samples:
        raise ValueError(
            f"{right!r} of {samples!r} samples are right; both must be whole numbers, at least 1 "
            "sample, and no more right ones than samples"
        )
    if not is_whole(k, 1) or k > samples:
        raise ValueError(
            f"k is {k!r}; it must be from 1 to {samples}, the samples of the prompt: draw more of "
            "them, or choose a smaller k"
        )
    return 1 - math.comb(samples - right, k) / math.comb(samples, k)
