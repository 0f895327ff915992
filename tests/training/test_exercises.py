"""The checks of the chapter on training, held to right, empty and wrong submissions."""

from __future__ import annotations

import copy
import math

import torch
from submissions import Submissions, wrong
from torch import nn
from torch.nn import functional as F

from minigpt.lessons.training import exercises as check
from minigpt.lessons.training.exercises.gradients import Small
from minigpt.training import next_token_loss
from minigpt.training.muon import Muon
from minigpt.training.schedule import warmup_cosine, warmup_trapezoid


def accumulated_gradient(
    model,
    inputs,
    targets,
    parts,
    share=lambda y, targets, parts: y.numel() / targets.numel(),
    split=torch.Tensor.chunk,
    reduction="mean",
    empty_first=True,
    empty_each=False,
):
    if empty_first:
        model.zero_grad()
    for x, y in zip(split(inputs, parts), split(targets, parts), strict=True):
        if empty_each:
            model.zero_grad()
        logits = model(x).flatten(0, 1)
        loss = F.cross_entropy(logits, y.flatten(), reduction=reduction)
        (loss * share(y, targets, parts)).backward()
    return [p.grad for p in model.parameters()]


def accumulated_without_grad_fields(model, inputs, targets, parts):
    total = [torch.zeros_like(p) for p in model.parameters()]
    for x, y in zip(inputs.split(1), targets.split(1), strict=True):
        loss = next_token_loss(model(x), y) / len(inputs)
        for sum_, gradient in zip(
            total, torch.autograd.grad(loss, model.parameters()), strict=True
        ):
            sum_ += gradient
    yield from total


def accumulated_leaving_the_rest(model, inputs, targets, parts):
    size = len(inputs) // parts
    whole = slice(size * parts)
    return accumulated_gradient(model, inputs[whole], targets[whole], parts)


def accumulated_returning_early(model, inputs, targets, parts):
    return accumulated_gradient(model, inputs.chunk(parts)[0], targets.chunk(parts)[0], 1)


def accumulated_and_stepped(model, *given):
    gradients = accumulated_gradient(model, *given)
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    return gradients


def accumulated_and_emptied(model, *given):
    gradients = accumulated_gradient(model, *given)
    model.zero_grad(set_to_none=False)
    return gradients


def equal_shares(y, targets, parts):
    return 1 / parts


def trapezoid(step, steps, warmup, fall, first=1, lowest=0.1):
    if step < warmup:
        return (step + 1) / warmup
    done = step - (steps - fall) + first
    return 1 - (1 - lowest) * max(0, done) / fall


def early_stop(losses, patience, lower=lambda loss, best: loss < best, of_all=False):
    best, at, waited = math.inf, 0, 0
    for place, loss in enumerate(losses):
        if lower(loss, best):
            best, at, waited = loss, place, 0 if not of_all else waited
        else:
            waited += 1
        if waited == patience:
            break
    return at


def stopped_by_the_one_before(losses, patience):
    worse = 0
    for place in range(1, len(losses)):
        worse = worse + 1 if losses[place] >= losses[place - 1] else 0
        if worse == patience:
            return losses.index(min(losses[: place + 1]))
    return losses.index(min(losses))


def evened(x, rounds=5):
    x = x / x.norm()
    for _ in range(rounds):
        square = x @ x.T
        x = 3.4445 * x - 4.775 * square @ x + 2.0315 * square @ square @ x
    return x


def muon_step(
    weight,
    gradient,
    mean,
    rate,
    ahead=lambda mean, gradient: 0.95 * mean + 0.05 * gradient,
    scale=lambda rows, columns: max(1, rows / columns) ** 0.5,
    even=evened,
    new=0.05,
):
    mean = 0.95 * mean + new * gradient
    return weight - rate * scale(*weight.shape) * even(ahead(mean, gradient)), mean


def muon_of_torch(weight, gradient, mean, rate):
    """The package's, which a test holds to torch's."""
    parameter = nn.Parameter(weight.clone())
    parameter.grad = gradient
    optimizer = Muon([parameter], lr=rate, weight_decay=0.0)
    optimizer.state[parameter]["momentum_buffer"] = kept = mean.clone()
    optimizer.step()
    return parameter, kept


def muon_in_place(weight, gradient, mean, rate):
    mean.lerp_(gradient, 0.05)
    return weight, mean


CORRECT = {
    "accumulated_gradient": accumulated_gradient,
    "early_stop": early_stop,
    "muon_step": muon_step,
    "trapezoid": trapezoid,
}

OTHERWISE_CORRECT = [
    ("accumulated_gradient", accumulated_without_grad_fields),
    (
        "accumulated_gradient",
        lambda *given: accumulated_gradient(*given, split=torch.Tensor.tensor_split),
    ),
    (
        "accumulated_gradient",
        lambda *given: accumulated_gradient(
            *given, reduction="sum", share=lambda y, targets, parts: 1 / targets.numel()
        ),
    ),
    ("early_stop", lambda *given: torch.tensor(early_stop(*given))),
    ("muon_step", muon_of_torch),
    ("muon_step", lambda *given: [*muon_step(*given)]),
    ("trapezoid", lambda *given: torch.tensor(trapezoid(*given))),
]

WRONG = [  # check, submission, a part of the hint that it must earn
    *wrong(
        "accumulated_gradient",
        (
            lambda *given: accumulated_gradient(*given, share=lambda y, targets, parts: 1.0),
            "do not add up to a mean",
        ),
        (
            lambda *given: accumulated_gradient(
                *given, share=lambda y, targets, parts: y.numel() / targets.numel() / parts
            ),
            "add up to 1",
        ),
        (lambda *given: accumulated_gradient(*given, empty_each=True), "only the last part"),
        (
            lambda *given: accumulated_gradient(
                *given, empty_each=True, share=lambda y, targets, parts: 1.0
            ),
            "only the last part",
        ),
        (accumulated_returning_early, "only the first part"),
        (
            lambda *given: [g / 2 for g in accumulated_returning_early(*given)],
            "only the first part",
        ),
        (lambda *given: accumulated_gradient(*given, reduction="sum"), "sums over tokens"),
        (
            lambda *given: accumulated_gradient(
                *given, reduction="sum", share=lambda y, targets, parts: 1.0
            ),
            "sums over tokens",
        ),
        (lambda *given: [-g for g in accumulated_gradient(*given)], "the minus belongs"),
        (lambda *given: accumulated_gradient(*given)[::-1], "in the order of"),
        (accumulated_and_emptied, "emptied before they were returned"),
        (accumulated_and_emptied, "accumulated_and_emptied(Small(room=2), tensor("),
        (lambda *given: accumulated_gradient(*given, share=equal_shares), "1 / parts"),
        (
            lambda model, inputs, targets, parts: accumulated_gradient(
                model,
                inputs,
                targets,
                parts,
                split=lambda x, parts: x.split(len(x) // parts),
                share=equal_shares,
            ),
            "1 / parts",
        ),
        (
            lambda *given: [
                g * 2 / len(given[1].split(2)) if len(given[1]) == 5 else g
                for g in accumulated_gradient(
                    *given, split=lambda x, n: x.split(len(x) // n), share=equal_shares
                )
            ],
            "1 / parts",
        ),
        (accumulated_leaving_the_rest, "the fifth window is missing"),
        (
            lambda model, inputs, targets, parts: [
                g * (len(inputs) // parts * parts / len(inputs))
                for g in accumulated_leaving_the_rest(model, inputs, targets, parts)
            ],
            "the fifth window is missing",
        ),
        (lambda *given: accumulated_gradient(*given, empty_first=False), "an earlier batch"),
        (
            lambda *given: [
                g / given[3]
                for g in accumulated_gradient(
                    *given,
                    empty_first=False,
                    share=lambda y, targets, parts: parts * y.numel() / targets.numel(),
                )
            ],
            "an earlier batch",
        ),
        (
            lambda model, inputs, targets, parts: accumulated_gradient(model, inputs, targets, 1),
            "raised MemoryError: 4 windows at once, with room for 2",
        ),
        (accumulated_and_stepped, "leave the model as it was"),
        (lambda model, *given: [p.grad for p in model.parameters()], "returned (None, None, None)"),
        (lambda *given: [g[0] for g in accumulated_gradient(*given)], "part by part"),
    ),
    *wrong(
        "trapezoid",
        (lambda *given: trapezoid(*given, lowest=0.0), "not at 0"),
        (lambda *given: trapezoid(*given, first=0), "is already below 1"),
        (lambda step, *rest: trapezoid(step - 1, *rest), "a step for nothing"),
        (lambda step, steps, *rest: warmup_cosine(step, steps, rest[0]), "the share is 1"),
        (
            lambda step, steps, warmup, fall: warmup_trapezoid(step, steps, warmup, fall / steps),
            "is already below 1",
        ),
        (
            lambda step, steps, warmup, fall: 1.0 if step < steps - fall else 0.1,
            "(step + 1) / warmup",
        ),
    ),
    *wrong(
        "early_stop",
        (lambda losses, patience: losses.index(min(losses)), "is never seen"),
        (lambda losses, patience: early_stop(losses, patience) + patience, "where the run stopped"),
        (lambda losses, patience: early_stop(losses, 2), "patience is 3"),
        (lambda *given: early_stop(*given, lower=lambda a, b: a <= b), "no lower one"),
        (lambda *given: early_stop(*given, of_all=True), "back to 0"),
        (stopped_by_the_one_before, "not with the one before"),
        (lambda losses, patience: losses[early_stop(losses, patience)], "the place, not the loss"),
        (lambda *given: 0, "go through the losses"),
    ),
    *wrong(
        "muon_step",
        (lambda *given: muon_step(*given, ahead=lambda mean, g: mean), "looks one step ahead"),
        (lambda *given: muon_step(*given, ahead=lambda mean, g: g), "not the gradient"),
        (lambda *given: muon_step(*given, scale=lambda r, k: 1.0), "times as far"),
        (lambda *given: muon_step(*given, scale=lambda r, k: (r / k) ** 0.5), "max(1, rows"),
        (lambda *given: muon_step(*given, scale=lambda r, k: max(1, r / k)), "the root of"),
        (
            lambda *given: muon_step(*given, scale=lambda r, k: min(1, k / r) ** 0.5),
            "not columns / rows",
        ),
        (lambda *given: muon_step(*given, even=lambda x: x), "the step is evened"),
        (lambda *given: muon_step(*given, even=lambda x: -evened(x)), "against the gradient"),
        (lambda *given: muon_step(*given, new=1.0), "mean = 0.95 * mean + 0.05 * gradient"),
        (lambda *given: muon_step(*given)[::-1], "in the order weight, mean"),
        (lambda *given: muon_step(*given)[:1], "the next step needs both"),
        (lambda w, g, m, rate: (muon_step(w, g, m, rate)[0], m), "return the new mean"),
        (lambda w, g, m, rate: muon_step(w, g, m, 1.0), "times the rate"),
        (muon_in_place, "changed what it was given"),
    ),
]


class TestSubmissions(Submissions):
    """Every check of the chapter, and all of the submissions above."""

    exercises, correct, wrong = check, CORRECT, WRONG
    otherwise_correct = OTHERWISE_CORRECT


def test_the_check_of_a_gradient_hands_over_what_was_left_of_an_earlier_one():
    seen = []

    def record(model, inputs, targets, parts):
        seen.append([p.grad for p in model.parameters()])
        return accumulated_gradient(model, inputs, targets, parts)

    assert check.accumulated_gradient(record).passed
    assert seen[:2] == [[None] * 3] * 2
    assert all(bool((gradient == 1).all()) for gradient in seen[2])
    kept = copy.deepcopy(Small(1, left_over=2.0))
    assert [p.grad.unique().tolist() for p in kept.parameters()] == [[2.0]] * 3
    assert repr(kept) == "Small(room=1, left_over=2.0)"
