"""Which examples a step gets."""

from __future__ import annotations

import functools
import random


def rows_of_step(step: int, batch_size: int, count: int, seed: int) -> list[int]:
    """The numbers of a step's examples: every epoch deals out all of them, in an order of its own.

    They follow from the arguments alone: a run that goes on after a break needs no memory of what
    it has read.

    Args:
        step: from 0.
        batch_size: examples a step.
        count: examples that there are.
        seed: any whole number.

    Raises:
        ValueError: a step below 0, a batch without examples, or none to choose from.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if step < 0 or batch_size < 1 or count < 1:
        raise ValueError(
            f"step {step} with a batch_size of {batch_size} from {count} examples: steps start at "
            "0, and a batch has at least 1 example"
        )
    first = step * batch_size
    places = [divmod(number, count) for number in range(first, first + batch_size)]
    return [_order_of_epoch(epoch, count, seed)[place] for epoch, place in places]


@functools.lru_cache(maxsize=2)  # a batch may begin in one epoch and end in the next
def _order_of_epoch(epoch: int, count: int, seed: int) -> list[int]:
    order = [*range(count)]
    random.Random(f"{seed} {epoch}").shuffle(order)
    return order
