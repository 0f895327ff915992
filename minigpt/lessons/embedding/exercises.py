"""Checks for the exercises of the chapter on embeddings."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable

import torch
from torch import Tensor

from minigpt.lessons.judge import Case, Verdict, judge

# Names of the steps that autograd records when a row is picked rather than computed.
LOOK_UPS = ("Index", "Embedding", "Gather", "Take")
ONE_ROW = ("Select", "Slice", "Unbind")  # fair as a part of a product, row by row
PRODUCTS = ("Mm", "Mv", "Mul", "Dot", "Bmm")


def table_parameters(function: Callable[[int, int, int], int]) -> Verdict:
    """Check `table_parameters(vocab_size, context_length, n_embd) -> int`: both tables' numbers."""
    hint = "a row of n_embd numbers for each token, and one for each position"
    product = "the tables stand side by side: add their rows, then multiply by the width"
    forgotten = "that is the token table alone: positions have rows too"
    cases = [
        Case((5, 3, 2), 16, hint, [(30, product), (10, forgotten)]),
        Case((50257, 1024, 768), 39_383_808, hint, [(38_597_376, forgotten)]),
    ]
    return judge(function, cases)


def one_hot_lookup(function: Callable[[Tensor, Tensor], Tensor]) -> Verdict:
    """Check `one_hot_lookup(ids, table) -> (T, C)`: rows of a table by a matrix product."""
    table = torch.tensor([[0.5, 1.0], [2.0, -3.0], [4.0, 0.25], [-1.0, 8.0]])
    hint = (
        "for each id make as many zeros as the table has rows, put a 1.0 at the id's place, and "
        "multiply by the table"
    )
    cases = [
        Case(
            (torch.tensor([2, 0, 2]), table),
            table[[2, 0, 2]],
            hint,
            [
                (
                    torch.tensor([[0.0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 1, 0]]),
                    "that is the one-hot matrix; multiply it by the table",
                ),
                (table[[2, 0, 2]].T, "that is the transpose: one row for each id, in their order"),
                (table[[0, 2]], "an id that occurs twice gets two rows"),
                (table[[2, 0, 2]].sum(dim=0), "that is the sum: each id keeps a row of its own"),
            ],
        ),
        Case((torch.tensor([1]), table), table[[1]], hint),
    ]
    verdict = judge(function, cases)
    if verdict.passed and _picks_rows(function, table):
        return Verdict(
            False,
            "Not yet. one_hot_lookup picked the rows by their numbers, which is the look-up."
            "\nHint: compute them, as a product of a one-hot matrix and the table.",
        )
    return verdict


def _picks_rows(function: Callable[[Tensor, Tensor], Tensor], table: Tensor) -> bool:
    """Whether a look-up leads from the table to the answer, by what autograd recorded."""
    with contextlib.suppress(Exception):  # one that copies into numpy, say, leaves no trace
        answer = function(torch.tensor([2, 0]), table.clone().requires_grad_())
        steps = [(answer.grad_fn, False, False)]
        while steps:
            step, picked, computed = steps.pop()
            if step is None:
                continue
            picked |= step.name().startswith(ONE_ROW)
            computed |= step.name().startswith(PRODUCTS)
            if step.name().startswith(LOOK_UPS):
                return True
            if picked and not computed and not step.next_functions:  # this is the table itself
                return True
            steps += [(before, picked, computed) for before, _ in step.next_functions]
    return False


def nearest(function: Callable[[Tensor, int, int], list[int]]) -> Verdict:
    """Check `nearest(table, i, k) -> list[int]`: the k other rows of smallest angle to row i."""
    table = torch.tensor(
        [[1.0, 0.0], [10.0, 10.0], [0.5, 0.1], [2.0, 1.0], [0.6, 0.8], [-1.0, 0.2]]
    )
    hint = "divide every row by its length; dot products are then cosines, and the largest wins"
    cases = [
        Case(
            (table, 0, 2),
            [2, 3],
            hint,
            [
                ([0, 2], "a row is closest to itself: leave row i out"),
                ([0, 2, 3], "a row is closest to itself: leave row i out, and return k"),
                ([1, 3], "those have the largest dot products: divide by the lengths first"),
                ([2, 4], "those have the smallest distances: compare directions, not places"),
                ([5, 4], "those are the farthest: the largest cosine comes first"),
                ([3, 2], "right rows, wrong order: the closest comes first"),
                ([1, 2], "numbers shift when row i is taken out of the table: mask it instead"),
            ],
        ),
        Case(
            (table, 3, 2),
            [2, 1],
            hint,
            [([3, 2], "leave out row i, not row 0")],
        ),
        Case(
            (table, 5, 1),
            [4],
            "cosines may all be negative: leave row i out with -inf, as 0 would be the largest",
        ),
    ]
    return judge(function, cases)


def sinusoid(function: Callable[[int, int, float], list[float] | Tensor]) -> Verdict:
    """Check `sinusoid(position, n_embd, base)`: the vector of one position, sin and cos in turn."""
    hint = "dimension 2i is sin(position / base ** (2 * i / n_embd)), dimension 2i + 1 its cosine"
    (sin, cos), (slow_sin, slow_cos) = _sin_cos(1.0), _sin_cos(0.1)
    (degree_sin, degree_cos), (slow_degree_sin, slow_degree_cos) = (
        _sin_cos(math.radians(angle)) for angle in (1.0, 0.1)
    )
    other_sin, other_cos = _sin_cos(100 ** (-1 / 4))
    cases = [
        Case(
            (1, 4, 100.0),
            torch.tensor([sin, cos, slow_sin, slow_cos]),
            hint,
            [
                (
                    torch.tensor([degree_sin, degree_cos, slow_degree_sin, slow_degree_cos]),
                    "angles are radians: do not convert to degrees or from them",
                ),
                (
                    torch.tensor([sin, slow_sin, cos, slow_cos]),
                    "sines and cosines take turns; you put all sines first",
                ),
                (torch.tensor([cos, sin, slow_cos, slow_sin]), "the sine comes before the cosine"),
                (
                    torch.tensor([sin, cos, other_sin, other_cos]),
                    "the exponent of pair i is 2 * i / n_embd, not i / n_embd",
                ),
                (
                    torch.tensor([sin, other_cos, slow_sin, math.cos(100 ** (-3 / 4))]),
                    "the two of a pair share an angle: count pairs, not dimensions",
                ),
            ],
        ),
        Case((0, 6, 100.0), torch.tensor([0.0, 1, 0, 1, 0, 1]), hint),
        Case(
            (7, 2, 10_000.0),
            torch.tensor(_sin_cos(7.0)),
            "the first pair turns by one radian per position, whatever the base",
        ),
    ]
    return judge(function, cases)


def shift_matrix(function: Callable[[int, int, float], Tensor]) -> Verdict:
    """Check `shift_matrix(offset, n_embd, base)`: M @ p(t) = p(t + offset) for every t."""
    hint = "sin(a + b) = sin a cos b + cos a sin b, and cos(a + b) = cos a cos b - sin a sin b"
    one, fast, slow = _turn(1.0), _turn(3.0), _turn(0.3)
    halves = torch.block_diag(fast, slow)[[0, 2, 1, 3]][:, [0, 2, 1, 3]]  # all sines first
    cases = [
        Case(
            (1, 2, 100.0),
            one,
            hint,
            [
                (one.T, "that one goes back: -offset, or the transpose"),
                (torch.eye(2), "the identity stays where it is: it needs the offset's angle"),
            ],
        ),
        Case(
            (3, 4, 100.0),
            torch.block_diag(fast, slow),
            "each pair of dimensions has a 2 x 2 block of its own, with its own angle",
            [
                (torch.block_diag(fast.T, slow.T), "that one goes back: -offset, or the transpose"),
                (torch.block_diag(fast, fast), "every pair turns at its own rate"),
                (
                    torch.block_diag(_turn(1.0), _turn(0.1)),
                    "the angle of a pair is the offset times its rate",
                ),
                (halves, "sines and cosines take turns in p: a block stands on the diagonal"),
            ],
        ),
        Case((0, 4, 100.0), torch.eye(4), "a shift by nothing changes nothing"),
        Case((-1, 2, 100.0), one.T, "a shift back is a rotation in the other direction"),
    ]
    return judge(function, cases)


def _sin_cos(angle: float) -> tuple[float, float]:
    return math.sin(angle), math.cos(angle)


def _turn(angle: float) -> Tensor:
    """What turns (sin a, cos a) into (sin(a + angle), cos(a + angle))."""
    sin, cos = _sin_cos(angle)
    return torch.tensor([[cos, sin], [-sin, cos]])
