"""The check of the windows of a text and their targets."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from minigpt.lessons.judge import Case, Verdict, judge
from minigpt.lessons.training.exercises.tensors import Tensors, several


def inputs_and_targets(
    function: Callable[[Tensor, list[int], int], tuple[Tensor, Tensor]],
) -> Verdict:
    """Check `inputs_and_targets(ids, starts, length)`: windows, and the same one token later."""
    ids = torch.tensor([5, 3, 8, 1, 9, 2, 7, 4])
    x, y = torch.tensor([[8, 1, 9]]), torch.tensor([[1, 9, 2]])
    rows = torch.tensor([[9, 2, 7], [5, 3, 8], [1, 9, 2]])
    later = torch.tensor([[2, 7, 4], [3, 8, 1], [9, 2, 7]])
    hint = (
        "a window and its targets are length + 1 tokens of the text: row = ids[start : start + "
        "length + 1], inputs row[:-1], targets row[1:]"
    )
    back = "that is one token earlier: the target is the token that comes next"
    wrapped = (
        "roll brings the window's first token back at its end: the last target is the token "
        "after the window, ids[start + length]"
    )
    short = (
        "every input has a target, the last one too: cut length + 1 tokens out of the text, then "
        "inputs row[:-1] and targets row[1:]"
    )
    alone = "one start makes a batch of one window: its shape is (1, 3)"
    cases = [
        Case(
            (ids, [2], 3),
            Tensors([x, y]),
            hint,
            [
                (Tensors([x, x]), "the targets are the inputs: shift them by one token"),
                (Tensors([x, torch.tensor([[3, 8, 1]])]), back),
                (Tensors([y, x]), back + ". Inputs come first"),
                (Tensors([x, x.roll(-1, dims=1)]), wrapped),
                (Tensors([x, x.roll(1, dims=1)]), back),
                (Tensors([x, y[:, :-1]]), short),
                (Tensors([x[:, :-1], y[:, :-1]]), short),
                (
                    Tensors([torch.tensor([[8, 1, 9, 2]]), y]),
                    "inputs are length tokens: the window's last token is only a target",
                ),
                (
                    Tensors([torch.tensor([[8, 1, 9, 2]]), torch.tensor([[1, 9, 2, 7]])]),
                    "both are length tokens wide",
                ),
                (Tensors([x, y[:, -1]]), "a target at every place, not only at the last"),
                (Tensors([x, y[:, -1:]]), "a target at every place, not only at the last"),
                (
                    Tensors([x, torch.tensor([[1, 8, 9]])]),
                    "the targets are one token later in the text",
                ),
                (
                    Tensors([x, torch.tensor([[2, 7, 4]])]),
                    "shift by one token, not by a whole window",
                ),
                (
                    Tensors([torch.tensor([[2, 3, 4]]), torch.tensor([[3, 4, 5]])]),
                    "those are places in the text: look up the ids that stand there",
                ),
                (Tensors([x[0], y[0]]), alone),
                (Tensors([x[0]]), "return two tensors, inputs and targets"),
            ],
        ),
        Case(
            (ids, [4, 0, 3], 3),
            Tensors([rows, later]),
            "one row a start, in the order of starts; the first window ends with the text",
            [
                (Tensors([rows[[1, 2, 0]], later[[1, 2, 0]]]), "in the order of starts"),
                (Tensors([rows.T, later.T]), "one row a start: torch.stack(rows) has dim=0"),
                (Tensors([rows[:1], later[:1]]), "every start makes a row, not only the first"),
                (
                    Tensors([rows.flatten(), later.flatten()]),
                    "one row a start: torch.stack, not torch.cat",
                ),
                (
                    Tensors([rows, rows.roll(-1)]),
                    "roll takes all rows for one, and wraps at the end",
                ),
            ],
        ),
        Case(
            (ids, [6, 6], 1),
            Tensors([torch.tensor([[7], [7]]), torch.tensor([[4], [4]])]),
            "windows of one token, twice the same: inputs and targets are of shape (2, 1)",
        ),
    ]
    return judge(several(function), cases)
