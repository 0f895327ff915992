"""The check of a gradient that is gathered part by part, and the model that it runs on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from minigpt.attention.linear import linear
from minigpt.lessons.judge import Case, Verdict, judge
from minigpt.lessons.training.exercises.tensors import Tensors, several


def accumulated_gradient(
    function: Callable[[nn.Module, Tensor, Tensor, int], list[Tensor]],
) -> Verdict:
    """Check `accumulated_gradient(model, inputs, targets, parts)`: as of the whole batch at once.

    Returned is a list, one gradient a parameter. What `.grad` holds afterwards does not matter.
    """
    inputs = torch.tensor([[0, 1], [2, 2], [1, 0], [1, 2], [0, 2]])
    targets = torch.tensor([[1, 2], [2, 0], [0, 0], [2, 1], [2, 1]])
    model = Small(room=2)

    def mean(*windows: int) -> Tensors:
        """The gradient of the mean loss over some of the windows."""
        rows = list(windows)
        loss = F.cross_entropy(model.logits(inputs[rows]).flatten(0, 1), targets[rows].flatten())
        return Tensors(torch.autograd.grad(loss, list(model.parameters())))

    with torch.enable_grad():
        four, five = mean(0, 1, 2, 3), mean(0, 1, 2, 3, 4)
        first, second, last = mean(0, 1), mean(2, 3), mean(4)
        three, two = mean(0, 1, 2), mean(3, 4)
    hint = (
        "part by part: the mean loss times the part's share of all tokens, then backward(), which "
        "adds to .grad; at the end [p.grad for p in model.parameters()]"
    )
    total = "means do not add up to a mean: each part's loss counts with its share of all tokens"
    twice = "the gradient is too short: the shares of the parts add up to 1"
    zeroed = (
        "only the last part is left: backward() adds to .grad, so empty it once, before the first"
    )
    early = "only the first part is in it: return after the last"
    summed = "those are sums over tokens: the loss is their mean"
    weighted = (
        "3 windows and 2: weigh each part's mean by its tokens, y.numel() / targets.numel(), not "
        "by 1 / parts"
    )
    dropped = "the fifth window is missing: parts may be of unequal length"
    left = "gradients of an earlier batch were still in .grad: model.zero_grad() first"
    cases = [
        Case(
            (model, inputs[:4], targets[:4], 2),
            four,
            hint,
            [
                (four.times(2.0), total),
                (four.times(0.5), twice),
                (four.times(0.25), twice),
                (second.times(0.5), zeroed),
                (second, zeroed),
                (first.times(0.5), early),
                (first, early),
                (four.times(4.0), summed),
                (four.times(8.0), summed),
                (four.times(0.0), "the gradients were emptied before they were returned"),
                (four.times(-1.0), "the gradient itself: the minus belongs to the step"),
                (Tensors(four[::-1]), "in the order of model.parameters()"),
            ],
        ),
        Case(
            (Small(room=3), inputs, targets, 2),
            five,
            weighted,
            [
                (three.plus(two).times(0.5), weighted),
                (three.plus(two), weighted),
                (first.plus(second).plus(last).times(0.5), weighted),
                (first.plus(second).plus(last).times(1 / 3), weighted),
                (four, dropped),
                (four.times(0.8), dropped),
            ],
        ),
        Case(
            (Small(room=1, left_over=1.0), inputs[:4], targets[:4], 4),
            four,
            "4 parts of one window each. " + left,
            [
                (Tensors(g + share for g in four), left)
                for share in (1.0, 0.25)  # added at the start, or averaged with the parts
            ],
        ),
    ]
    return judge(several(function), cases)


class Small(nn.Module):
    """A model of 15 numbers that raises MemoryError for more windows at once than it has room for.

    Args:
        room: the windows that it takes at once.
        left_over: what its gradients start at, each number of them; 0 for none at all.
    """

    def __init__(self, room: int, left_over: float = 0.0) -> None:
        super().__init__()
        self.room, self.left_over = room, left_over
        table = torch.tensor([[0.5, -1.0], [1.0, 0.5], [-0.5, 2.0]])
        self.table = nn.Embedding.from_pretrained(table, freeze=False)
        self.head = linear(2, 3, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            self.head.weight.copy_(torch.tensor([[1.0, -0.5], [0.5, 1.0], [-1.0, 0.5]]))
        if left_over:
            for p in self.parameters():
                p.grad = torch.full_like(p, left_over)

    def __deepcopy__(self, memo: dict[int, Any]) -> Small:
        """The same model, with its gradients, which a copied parameter leaves behind."""
        return Small(self.room, self.left_over)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits (B, T, 3) of ids (B, T)."""
        if len(ids) > self.room:
            raise MemoryError(f"{len(ids)} windows at once, with room for {self.room}")
        return self.logits(ids)

    def logits(self, ids: Tensor) -> Tensor:
        """The same, with room for any number of windows."""
        return self.head(self.table(ids))

    def __repr__(self) -> str:
        left = f", left_over={self.left_over}" if self.left_over else ""
        return f"Small(room={self.room}{left})"
