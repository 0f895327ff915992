"""The checks of the chapter on fine-tuning, held to right, empty and wrong submissions."""

from __future__ import annotations

import copy
import itertools

import torch
from submissions import Submissions, wrong

from minigpt.lessons.finetuning import exercises as check
from my_tuning import play


def last_answer(messages):
    places = [place for place, (name, _) in enumerate(messages) if name == "MINIGPT"]
    return places[-1] if places else None


def play_last(messages):
    last = last_answer(messages)
    pieces = []
    for place, message in enumerate(messages):
        pieces += [(text, learn and place == last) for text, learn in play([message])]
    return pieces


def only_if_the_last_turn(messages):
    last = len(messages) - 1
    pieces = []
    for place, message in enumerate(messages):
        pieces += [(text, learn and place == last) for text, learn in play([message])]
    return pieces


def by_what_is_said(messages):
    place = last_answer(messages)
    said = None if place is None else messages[place]
    return [(t, learn and m == said) for m in messages for t, learn in play([m])]


def only_biases(model):
    count = 0
    for name, parameter in model.named_parameters():
        parameter.requires_grad = name.endswith("bias")
        count += parameter.numel() if parameter.requires_grad else 0
    return count


def biases_without_thaw(model):
    learned = []
    for name, p in model.named_parameters():
        if not name.endswith("bias"):
            p.requires_grad_(False)
        elif p.requires_grad:
            learned.append(p.numel())
    return sum(learned)


def biases_without_freezing(model):
    return sum(p.numel() for n, p in model.named_parameters() if n.endswith("bias"))


def biases_by_name(model):
    only_biases(model)
    return sum(n.endswith("bias") for n, _ in model.named_parameters())


def all_counted(model):
    only_biases(model)
    return sum(p.numel() for p in model.parameters())


def merged_layer(lora, scale=None, times=1, bias=True):
    layer = copy.deepcopy(lora.layer)
    with torch.no_grad():
        layer.weight += times * (lora.scale if scale is None else scale) * lora.B @ lora.A
        if layer.bias is not None and not bias:
            layer.bias.zero_()
    return layer


def merged_in_place(lora):
    with torch.no_grad():
        lora.layer.weight += lora.scale * lora.B @ lora.A
    return lora.layer


def ipo_loss(chosen, rejected, beta, goal=None):
    wanted = 1 / (2 * beta) if goal is None else goal(beta)
    return ((chosen - rejected - wanted) ** 2).mean()


def fair_reward(question, answered):
    if sorted(question) != sorted(answered):
        return 0.0
    pairs = list(itertools.pairwise(answered))
    return sum(a <= b for a, b in pairs) / len(pairs)


def without_digits(question, answered):
    pairs = list(itertools.pairwise(answered))
    return sum(a <= b for a, b in pairs) / len(pairs)


def by_the_set(question, answered):
    return without_digits(question, answered) if set(question) == set(answered) else 0.0


def all_or_nothing(question, answered):
    return float(answered == "".join(sorted(question)))


def strictly(question, answered):
    if sorted(question) != sorted(answered):
        return 0.0
    pairs = list(itertools.pairwise(answered))
    return sum(a < b for a, b in pairs) / len(pairs)


CORRECT = {
    "play_last": play_last,
    "only_biases": only_biases,
    "merged_layer": merged_layer,
    "ipo_loss": ipo_loss,
    "fair_reward": fair_reward,
}
WRONG = [
    *wrong(
        "play_last",
        (play, "an earlier answer is only read"),
        (lambda m: [p for p in play_last(m) if p[1]], "that are read too"),
        (only_if_the_last_turn, "need not be the last turn"),
        (by_what_is_said, "the same words may come twice"),
    ),
    *wrong(
        "only_biases",
        (biases_without_freezing, "freeze all other parameters"),
        (biases_by_name, "count the numbers of each bias"),
        (all_counted, "count only their numbers"),
        (biases_without_thaw, "that was frozen is to learn too"),
    ),
    *wrong(
        "merged_layer",
        (lambda lora: copy.deepcopy(lora.layer), "add the change to its matrix"),
        (lambda lora: merged_layer(lora, scale=1), "multiplied with lora.scale"),
        (lambda lora: merged_layer(lora, times=2), "in it twice"),
        (lambda lora: merged_layer(lora, bias=False), "the bias of the layer"),
        (merged_in_place, "change a copy only"),
    ),
    *wrong(
        "ipo_loss",
        (lambda c, r, b: ((b * (c - r) - 1 / (2 * b)) ** 2).mean(), "in the goal alone"),
        (lambda c, r, b: ipo_loss(c, r, b, lambda b: 1 / b), "the goal is 1 / (2 * beta)"),
        (lambda c, r, b: ipo_loss(c, r, b, lambda b: b / 2), "not beta / 2"),
        (lambda c, r, b: ipo_loss(c, r, b) * len(c), "the mean over the pairs"),
        (lambda c, r, b: (c - r - 1 / (2 * b)).abs().mean(), "the squared distance"),
    ),
    *wrong(
        "fair_reward",
        (without_digits, "gets 0, however well it is ordered"),
        (by_the_set, "each digit as often"),
        (all_or_nothing, "how many are in order"),
        (strictly, "equal ones too"),
    ),
]


class TestSubmissions(Submissions):
    """Every check of the chapter, and all of the submissions above."""

    exercises, correct, wrong = check, CORRECT, WRONG
