"""Checks for the exercises of the chapter on training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from minigpt.attention.linear import linear
from minigpt.lessons.judge import TOLERANCE, Case, Verdict, judge
from minigpt.training.schedule import warmup_cosine


def cross_entropy(function: Callable[[Tensor, Tensor], Tensor]) -> Verdict:
    """Check `cross_entropy(logits, targets)`: the mean of -ln softmax(logits)[target]."""
    shares = [[[1, 3], [2, 2]], [[9, 1], [1, 4]]]
    logits = torch.tensor(shares, dtype=torch.float32).log()
    targets = torch.tensor([[1, 1], [0, 1]])
    given = torch.tensor([[3 / 4, 1 / 2], [9 / 10, 4 / 5]])  # what the softmax gives the targets
    logs = logits.log_softmax(dim=-1)
    hint = (
        "the mean of -ln p, where p is the target's number in softmax(logits): .gather(-1, "
        "targets[..., None]) picks one number of every vector"
    )
    across = "each vector of scores is a softmax of its own: along the last dimension, dim=-1"
    no_shares = "targets are ids, which pick one number of each vector; they are no probabilities"
    twice = "softmax was taken twice: F.cross_entropy and log_softmax want the scores"
    one = "one number for the whole batch: the mean of all"
    every = "each place has its own target: .gather(-1, targets[..., None])"
    middle = (
        "F.cross_entropy takes dimension 1 for the vocabulary, and here T is as large as V: "
        "flatten(0, 1) makes (B * T, V) of the logits"
    )
    wide = torch.tensor([[[0.0, math.log(2), 0.0, 0.0], [0.0, 0.0, 0.0, math.log(5)], [0.0] * 4]])
    surprises = -given.log()
    loss = surprises.mean()
    large = "exp(1000) is too large for a float: subtract the largest score of each vector first"
    small = (
        "exp(-1000) is 0 as a float, and ln 0 is -inf: never take the softmax, but its logarithm, "
        "scores - logsumexp(scores)"
    )
    own = "every vector has a largest score of its own: amax(dim=-1, keepdim=True)"
    cases = [
        Case(
            (logits, targets),
            loss.item(),
            hint,
            _as_floats(
                [
                    (given.mean(), "those are probabilities: take the logarithm of each"),
                    (-given.mean(), "those are probabilities: take the logarithm of each"),
                    (1 - given.mean(), "that is 1 - p: the loss is -ln p"),
                    (-given.mean().log(), "first the logarithm of each, then the mean"),
                    (-loss, "the sign: logarithms of probabilities are negative"),
                    (loss / math.log(2), "those are bits: the natural logarithm makes nats"),
                    (loss / math.log(10), "use the natural logarithm, for nats"),
                    (surprises.sum(), "that is the sum: divide by all B * T predictions"),
                    (surprises.sum() / 2, "divide by all B * T predictions, not by B or T"),
                    (surprises, one),
                    (surprises.mean(dim=1), one),
                    (surprises.mean(dim=0), one),
                    (surprises.sum(dim=1), one),
                    (loss.exp(), "that is the perplexity, exp of the loss"),
                    (loss / 2, "a prediction counts once, not once a score: divide by B * T"),
                    (F.cross_entropy(logits, targets), middle),
                    (_picked(logits.log_softmax(dim=1), targets), across),
                    (_picked(logits.log_softmax(dim=0), targets), across),
                    (_picked(logits - logits.logsumexp((0, 1, 2)), targets), across),
                    (_picked(logits, targets), "those are scores: the softmax is missing"),
                    (_picked(logs.exp().log_softmax(dim=-1), targets), twice),
                    (-(targets * logs).sum(dim=-1).mean(), no_shares),
                    (-(targets[..., None] * logs).sum(dim=-1).mean(), no_shares),
                    (-(targets[..., None] * logs).mean(), no_shares),
                    (-logs.mean(), every),
                    (-logs.sum(dim=-1).mean(), every),
                    (-logs[..., targets].mean(), every),
                ]
            ),
        ),
        Case(
            (wide, torch.tensor([[1, 3, 2]])),
            (math.log(5 / 2) + math.log(8 / 5) + math.log(4)) / 3,
            hint + ". Here B is 1, T is 3 and V is 4",
        ),
        Case(
            (torch.tensor([[[1000.0, 1000.0], [0.0, 0.0]]]), torch.tensor([[0, 1]])),
            math.log(2),
            large,
            [(math.nan, large), (math.inf, large), (-math.inf, own)],
        ),
        Case(
            (torch.tensor([[[1000.0, 0.0]]]), torch.tensor([[1]])),
            1000.0,
            small,
            [(math.nan, large), (math.inf, small)],
        ),
    ]
    return judge(function, cases)


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
    return judge(_several(function), cases)


def learning_rate(function: Callable[[int, int, float, int, float], float]) -> Verdict:
    """Check `learning_rate(step, steps, highest, warmup, final)`: a line up, half a cosine down."""
    steps, highest, warmup, final = 12, 0.2, 4, 0.1
    rise = "during warm-up, highest * (step + 1) / warmup"
    fall = (
        "after warm-up, highest * (final + (1 - final) * (1 + cos(pi * way)) / 2), where way is "
        "the share done of the steps after warm-up"
    )
    still = "a rate of 0 is a step for nothing: step 0 is the first of warmup steps, 1 / warmup"
    one_more = "step + 1, so that step warmup - 1 is the first at the highest rate"
    scaled = "that is a share: multiply it by highest"
    cases = [
        Case(
            (0, steps, highest, warmup, final),
            0.05,
            rise,
            [
                (0.0, still),
                (0.25, scaled),
                (highest, "the rate starts low and rises for warmup steps"),
                (0.04, "divide by warmup: step warmup - 1 is at the highest rate"),
                (0.02, "warm-up starts near 0, not at final"),
            ],
        ),
        Case((1, steps, highest, warmup, final), 0.1, rise, [(0.05, one_more)]),
        Case(
            (3, steps, highest, warmup, final),
            0.2,
            "the last step of warm-up, warmup - 1, has the highest rate",
            [(0.15, one_more)],
        ),
        *(
            Case(
                (step, steps, highest, warmup, final),
                highest * warmup_cosine(step, steps, warmup, final),
                fall,
                _falls(step, steps, highest, warmup, final),
            )
            for step in (4, 7, 8, 11)
        ),
        Case(
            (0, steps, highest, 0, final),
            highest,
            "warmup may be 0: the rate then starts at the highest, and nothing is divided by 0",
        ),
        Case((9, 10, 0.5, 0, 0.0), 0.5 * warmup_cosine(9, 10, 0, 0.0), fall),
        Case((7, 10, 0.5, 2, 1.0), 0.5, "final may be 1: after warm-up the rate then stays"),
    ]
    return judge(function, cases)


def _falls(
    step: int, steps: int, highest: float, warmup: int, final: float
) -> list[tuple[float, str]]:
    """The mistakes of a step after warm-up."""

    def half(way: float) -> float:
        return (1 + math.cos(math.pi * way)) / 2

    def rate(way: float) -> float:
        return highest * (final + (1 - final) * half(way))

    after = "way counts from the end of warm-up: (step - warmup) / (steps - warmup)"
    to_final = "the cosine ends at final * highest, not at 0: final + (1 - final) * ..."
    way = (step - warmup) / (steps - warmup)
    return [
        (rate(step / steps), "the cosine starts when warm-up ends; yours runs over all steps"),
        (rate((step - warmup) / steps), after),
        (rate((step + 1 - warmup) / (steps - warmup)), "the first step after warm-up has way 0"),
        (
            rate((step - warmup) / (steps - 1 - warmup)),
            "divide by steps - warmup: the last step comes close to final, and step number steps, "
            "which is never taken, would be there",
        ),
        (highest * half(way), to_final),
        (highest * max(final, half(way)), to_final),
        (
            final + (highest - final) * half(way),
            "final is a share of the highest rate, not a rate: the end is final * highest",
        ),
        (rate(2 * way), "half a cosine, from 1 down to -1: cos(pi * way), not 2 pi"),
        (highest * (1 - (1 - final) * way), "a line goes down as far, but along a cosine"),
        (rate(1 - way), "upside down: the cosine starts at 1"),
        (highest * (final + half(way)), "the cosine falls from 1 - final to 0, on top of final"),
        (
            highest * (final + (1 - final) * 2 * half(way)),
            "1 + cos goes from 2 to 0: divide by 2",
        ),
        (
            highest * (final + (1 - final) * math.cos(math.pi * way)),
            "a cosine goes from 1 to -1: (1 + cos) / 2 goes from 1 to 0",
        ),
        (rate(way) / highest, "that is a share: multiply it by highest"),
    ]


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
    return judge(_several(function), cases)


def adamw_step(function: Callable[..., tuple[Tensor, Tensor, Tensor]]) -> Verdict:
    """Check `adamw_step(weight, gradient, mean, square, step, lr, beta_1, beta_2, eps, decay)`.

    Returned are the new weight, mean and square.
    """
    weight, gradient, zeros = torch.tensor([1.0, -2.0]), torch.tensor([2.0, -4.0]), torch.zeros(2)
    first = (weight, gradient, zeros, zeros, 1, 0.1, 0.9, 0.96, 0.0, 0.0)
    with_eps = (weight, torch.tensor([0.5, 0.0]), zeros, zeros, 1, 0.1, 0.9, 0.96, 0.5, 0.0)
    with_decay = (*first[:-1], 0.5)
    hint = (
        "mean = beta_1 * mean + (1 - beta_1) * gradient; square likewise, with beta_2 and "
        "gradient**2; both divided by 1 - beta**step, for this step only; then weight - lr * mean "
        "/ (sqrt(square) + eps). Return weight, mean, square"
    )
    not_a_number = (
        "nan comes from the root of a negative number (square averages gradient**2), or from 0 / 0 "
        "(1 - beta**step, where step counts from 1)"
    )
    denominator = "eps keeps the denominator from 0: sqrt(square) + eps, after the bias correction"
    cases = [
        Case(first, _adamw(*first), hint, [*_slips(*first), (math.nan, not_a_number)]),
        Case(
            with_eps,
            _adamw(*with_eps),
            denominator,
            [*_slips(*with_eps), (math.nan, denominator)],
        ),
        Case(
            with_decay,
            _adamw(*with_decay),
            "decoupled: lr * weight_decay * weight is taken off as well, apart from the averages",
            _slips(*with_decay),
        ),
    ]
    state = _adamw(*with_decay)
    for step, now in ((2, [-1.0, 1.0]), (3, [0.5, 3.0])):
        given = (state[0], torch.tensor(now), *state[1:], step, 0.1, 0.9, 0.96, 0.001, 0.5)
        cases.append(Case(given, _adamw(*given), f"step {step}. " + hint, _slips(*given)))
        state = _adamw(*given)
    return judge(_several(function), cases)


def _adamw(
    weight: Tensor,
    gradient: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    beta_1: float,
    beta_2: float,
    eps: float,
    weight_decay: float,
) -> Tensors:
    """Weight, mean and square after a step of Loshchilov and Hutter (2019), algorithm 2.

    As in PyTorch, the decay too is times the learning rate.
    """
    mean = beta_1 * mean + (1 - beta_1) * gradient
    square = beta_2 * square + (1 - beta_2) * gradient**2
    move = mean / (1 - beta_1**step) / ((square / (1 - beta_2**step)).sqrt() + eps)
    return Tensors([weight - lr * move - lr * weight_decay * weight, mean, square])


def _slips(
    weight: Tensor,
    gradient: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    beta_1: float,
    beta_2: float,
    eps: float,
    weight_decay: float,
) -> list[tuple[Any, str]]:
    """The mistakes of one step."""
    given = (weight, gradient, mean, square, step, lr, beta_1, beta_2, eps)
    right = _adamw(*given, weight_decay)
    _, m, v = right
    rest = [m, v]
    c_1, c_2 = 1 - beta_1**step, 1 - beta_2**step
    kept = weight - lr * weight_decay * weight

    def moved(move: Tensor, kept: Tensor = kept) -> Tensors:
        return Tensors([kept - lr * move, *rest])

    def corrected(by_1: float, by_2: float) -> Tensors:
        return moved(m / by_1 / ((v / by_2).sqrt() + eps))

    move = m / c_1 / ((v / c_2).sqrt() + eps)
    bias = (
        "bias correction: averages that start at 0 are too small, so divide mean by 1 - "
        "beta_1**step and square by 1 - beta_2**step"
    )
    power = "1 - beta**step, a power: step counts from 1 and is this step's number"
    inside = "eps stands outside the root: sqrt(square) + eps"
    l2 = (
        "weight_decay * weight in the gradient is Adam with L2, and goes through the averages: "
        "AdamW takes lr * weight_decay * weight off the weight alone"
    )
    mixed = "beta is the share of the old average, 1 - beta that of the new gradient"
    slips = [
        (_adamw(weight, gradient + weight_decay * weight, *given[2:], 0.0), l2),
        (moved(move, weight), "the weight decay is missing"),
        (moved(move, weight - weight_decay * weight), "the decay is times lr too"),
        (moved(move, weight + lr * weight_decay * weight), "decay makes weights smaller: minus"),
        (
            Tensors([(weight - lr * move) * (1 - lr * weight_decay), *rest]),
            "the decay is of the weight as it was before the step",
        ),
        (corrected(1.0, 1.0), bias),
        (corrected(c_1, 1.0), bias),
        (corrected(1.0, c_2), bias),
        (corrected(1 - beta_1, 1 - beta_2), power),
        (corrected(1 - beta_1 ** (step + 1), 1 - beta_2 ** (step + 1)), power),
        (corrected(c_2, c_1), "beta_1 corrects the mean, beta_2 the square"),
        (moved(m / c_1 / (v / c_2 + eps).sqrt()), inside),
        (moved(m / c_1 / ((v + eps) / c_2).sqrt()), inside),
        (
            moved(m / c_1 / ((v.sqrt() + eps) / c_2**0.5)),
            "eps comes last: correct the square, take its root, then add eps",
        ),
        (moved(m / c_1 / (v / c_2 + eps)), "divide by the root of the square"),
        (moved(gradient / ((v / c_2).sqrt() + eps)), "the mean moves the weight, not the gradient"),
        (moved(m / c_1), "divide by the root of the square: every weight has its own step size"),
        (moved(-move), "the sign: a step goes against the gradient, weight - lr * ..."),
        (Tensors([kept - move, *rest]), "the step is times lr"),
        (
            Tensors([right[0], m / c_1, v / c_2]),
            "the weight is right; return the averages as they are, before the bias correction",
        ),
        (Tensors([right[0], mean, square]), "the weight is right; return the new averages"),
        (Tensors([m, v, right[0]]), "in the order weight, mean, square"),
        (Tensors([right[0]]), "return weight, mean and square: the next step needs all three"),
        (_adamw(*given[:6], beta_2, beta_1, eps, weight_decay), "beta_1 is the mean's"),
        (_adamw(*given[:6], 1 - beta_1, 1 - beta_2, eps, weight_decay), mixed),
    ]
    squares = [
        (beta_2 * square + (1 - beta_2) * m**2, "gradient**2, not the square of the mean"),
        (square + gradient**2, "square is an average: (1 - beta_2) * gradient**2"),
    ]
    for wrong, hint in squares:
        slips.append(
            (Tensors([kept - lr * m / c_1 / ((wrong / c_2).sqrt() + eps), m, wrong]), hint)
        )
    return slips


class Tensors(tuple):
    """Tensors of different shapes as one answer, equal to another up to rounding."""

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Tensors)
            and len(self) == len(other)
            and all(_close(*pair) for pair in zip(self, other, strict=True))
        )

    def times(self, factor: float) -> Tensors:
        """Every number times a factor."""
        return Tensors(tensor * factor for tensor in self)

    def plus(self, other: Iterable[Tensor]) -> Tensors:
        """Tensor by tensor, the sum."""
        return Tensors(a + b for a, b in zip(self, other, strict=True))


def _close(a: Any, b: Any) -> bool:
    if not (isinstance(a, Tensor) and isinstance(b, Tensor) and a.shape == b.shape):
        return False
    same_kind = a.is_floating_point() == b.is_floating_point()
    return same_kind and torch.allclose(a.detach().double(), b.detach().double(), **TOLERANCE)


def _several(function: Callable) -> Callable:
    """The function, with the tensors that it returns as one answer, which `judge` can compare."""

    def call(*arguments: Any) -> Any:
        answer = function(*arguments)
        if isinstance(answer, Tensor):
            answer = list(answer) if answer.dim() > 1 else [answer]
        answer = list(answer) if hasattr(answer, "__next__") else answer
        return Tensors(map(_tensor, answer)) if isinstance(answer, list | tuple) else answer

    call.__name__ = getattr(function, "__name__", "your function")
    return call


def _tensor(part: Any) -> Any:
    """Numbers in lists and arrays as a tensor, and rows of a batch as one; anything else as is."""
    if isinstance(part, Tensor):
        return part
    if isinstance(part, Sequence) and part and all(map(torch.is_tensor, part)):
        return torch.stack([*part])
    return torch.tensor(part) if isinstance(part, list) or hasattr(part, "__array__") else part


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


def _picked(logs: Tensor, targets: Tensor) -> Tensor:
    """Minus the mean of the targets' numbers."""
    return -logs.gather(-1, targets[..., None]).mean()


def _as_floats(mistakes: list[tuple[Tensor, str]]) -> list[tuple[Any, str]]:
    """Where one number is expected, a mistake may be a float or a tensor of it, as answers may."""
    return [(wrong if wrong.dim() else wrong.item(), hint) for wrong, hint in mistakes]
