"""Checks for the exercises of the chapter on embeddings."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from minigpt.lessons.judge import Case, Verdict, judge


def nearest(function: Callable[[Tensor, Tensor, int, Sequence[int]], list[int]]) -> Verdict:
    """Check `nearest(table, vector, k, without) -> list[int]`: rows of the smallest angle."""
    table = torch.tensor(
        [[1.0, 0.0], [10.0, 10.0], [0.5, 0.1], [2.0, 1.0], [0.6, 0.8], [-1.0, 0.2]]
    )
    hint = "divide every row by its length; dot products are then cosines, and the largest wins"
    cases = [
        Case(
            (table, table[0], 2, [0]),
            [2, 3],
            hint,
            [
                ([0, 2], "row 0 was to be left out"),
                ([1, 3], "those have the largest dot products: divide by the lengths first"),
                ([2, 4], "those have the smallest distances: compare directions, not places"),
                ([5, 4], "those are the farthest: the largest cosine comes first"),
                ([3, 2], "right rows, wrong order: the closest comes first"),
                ([1, 2], "numbers shift when rows are taken out of the table: mask them instead"),
            ],
        ),
        Case((table, torch.tensor([3.0, 4.0]), 2, []), [4, 1], hint),
        Case(
            (table, table[0], 2, [2, 0]),
            [3, 1],
            "every row number in `without` is left out, not only the first",
        ),
        Case(
            (table, table[5], 1, [5, 4]),
            [1],
            "cosines may all be negative: leave rows out with -inf, as 0 would be the largest",
            [([4], "every row number in `without` is left out, not only the first")],
        ),
    ]
    return judge(function, cases)


def placed(make: Callable[[int, int, int], nn.Module]) -> Verdict:
    """Check `Placed(rows, length, n_embd)`: a token's row plus its position's, both learned."""
    tokens = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    positions = torch.tensor([[10.0, 20.0], [30.0, 40.0], [50.0, 60.0], [70.0, 80.0]])

    def fill(model: nn.Module) -> str:
        """Put these numbers into its two tables; what is wrong with them, if anything."""
        wanted, found = [(3, 2), (4, 2)], [tuple(p.shape) for p in model.parameters()]
        if sorted(found) != wanted:
            return f"Placed(3, 4, 2) learns numbers of the shapes {found}; expected {wanted}"
        for weight in model.parameters():
            weight.data.copy_(tokens if tuple(weight.shape) == wanted[0] else positions)
        return ""

    ids = torch.tensor([[2, 0, 2], [1, 1, 0]])
    hint = "the row of each id, plus the first T rows of the second table; T is ids.shape[1]"
    by_id = "a position is where a token stands, not which token it is"
    cases = [
        Case(
            (ids,),
            tokens[ids] + positions[:3],
            hint,
            [
                (tokens[ids], "that is the token's row alone: add the position's"),
                (tokens[ids] + positions[ids], by_id),
                (tokens[ids] * positions[:3], "the two rows are added, not multiplied"),
            ],
        ),
        Case((torch.tensor([[1]]),), (tokens[1] + positions[0]).view(1, 1, 2), hint),
    ]
    return _judge_built(make, (3, 4, 2), cases, fill)


def triple_counts(function: Callable[[Tensor, int], Tensor]) -> Verdict:
    """Check `triple_counts(ids, size) -> (size, size, size)`: what followed each two."""
    ids = torch.tensor([0, 1, 0, 1, 0, 0])
    expected = torch.zeros(2, 2, 2, dtype=torch.long)
    expected[0, 1, 0], expected[1, 0, 1], expected[1, 0, 0] = 2, 1, 1
    pairs = torch.tensor([[1, 2], [2, 0]])
    reversed_ = expected.permute(2, 1, 0).contiguous()
    hint = "number each triple as (first * size + second) * size + third, then count the numbers"
    long = torch.tensor([2, 2, 2, 2])
    all_same = torch.zeros(3, 3, 3, dtype=torch.long)
    all_same[2, 2, 2] = 2
    cases = [
        Case(
            (ids, 2),
            expected,
            hint,
            [
                (pairs, "those are the pairs: count three in a row"),
                (reversed_, "the first of the three is the first index"),
                (expected.double(), "right, but as floats: counts are whole numbers"),
            ],
        ),
        Case((long, 3), all_same, "triples overlap: of four equal ids there are two"),
    ]
    return judge(function, cases)


def clock(make: Callable[[int, int], nn.Module]) -> Verdict:
    """Check `Clock(rows, n_embd)`: vectors of positions, all sines first, then all cosines."""

    def parts(base: int) -> tuple[Tensor, Tensor]:
        angles = torch.tensor([[t, t / base] for t in (1.0, 2.0, 5.0)])
        return angles.sin(), angles.cos()

    def learns_nothing(model: nn.Module) -> str:
        learned = sum(p.numel() for p in model.parameters())
        return f"Clock(4, 4) has {learned} learned numbers; expected none" if learned else ""

    sin, cos = parts(100)
    wanted = torch.cat([sin, cos], dim=1)
    hint = "hand i turns by 10000 ** (-2 * i / n_embd) a position: multiply positions by turns"
    in_turns = "there sines and cosines take turns: here all sines come first"
    cases = [
        Case(
            (torch.tensor([1, 2, 5]),),
            wanted,
            hint,
            [
                (torch.stack([sin, cos], dim=-1).flatten(1), in_turns),
                (torch.cat([cos, sin], dim=1), "the sines come first, then the cosines"),
                (torch.cat(parts(10), dim=1), "the exponent of hand i is -2 * i / n_embd"),
                (torch.cat(parts(10_000), dim=1), "hand i of 2 has i = 0 or 1, not 0 or 2"),
            ],
        ),
        Case((torch.tensor([0]),), torch.tensor([[0.0, 0, 1, 1]]), hint),
        Case(
            (torch.tensor([[1, 5]]),),
            wanted[[0, 2]][None],
            "ids may have any shape: a dimension comes at the end, as with a Table",
        ),
    ]
    return _judge_built(make, (4, 4), cases, learns_nothing)


def _judge_built(
    make: Callable[..., nn.Module],
    sizes: tuple[int, ...],
    cases: Sequence[Case],
    fault: Callable[[nn.Module], str],
) -> Verdict:
    """Judge what the reader's class makes, once its learned numbers are as they should be."""
    found = []

    def model(ids: Tensor) -> Tensor | None:
        state = torch.get_rng_state()  # a table begins with random numbers
        made = make(*sizes)
        torch.set_rng_state(state)
        if made is None or made(ids * 0) is None:  # nothing is written yet
            return None
        found.append(fault(made))
        return made(ids)

    whole = functools.partial(model)  # without a line of its own, where the reader's class raises
    whole.__name__ = "model"
    verdict = judge(whole, cases)
    wrong = next(filter(None, found), "")
    return Verdict(False, f"Not yet. {wrong}.") if wrong else verdict
