"""The checks of the chapter on training, held to right, empty and wrong submissions."""

from __future__ import annotations

import copy
import functools
import math

import torch
from submissions import Submissions, wrong
from torch import nn
from torch.nn import functional as F

from minigpt.lessons.training import exercises as check
from minigpt.lessons.training.exercises.gradients import Small
from minigpt.training import next_token_loss
from minigpt.training.schedule import warmup_cosine


def cross_entropy(logits, targets, dim=-1, turn=lambda logs: logs, mean=torch.mean):
    logs = logits - logits.logsumexp(dim, keepdim=True)
    return -mean(turn(logs).gather(-1, targets[..., None])[..., 0])


def cross_entropy_overflowing(logits, targets, largest=0.0):
    powers = (logits - largest).exp()
    logs = logits - largest - powers.sum(dim=-1, keepdim=True).log()
    return -logs.gather(-1, targets[..., None]).mean()


def cross_entropy_of_probabilities(logits, targets):
    return -logits.softmax(dim=-1).gather(-1, targets[..., None]).log().mean()


def cross_entropy_in_place(logits, targets):
    logits -= logits.amax(dim=-1, keepdim=True)
    return cross_entropy(logits, targets)


def inputs_and_targets(ids, starts, length, shift=1, longer=0):
    rows = [ids[i : i + length + longer] for i in starts]
    later = [ids[i + shift : i + shift + length] for i in starts]
    return torch.stack(rows), torch.stack(later)


def windows_by_arange(ids, starts, length):
    places = torch.tensor(starts)[:, None] + torch.arange(length + 1)
    return ids[places][:, :-1], ids[places][:, 1:]


def windows_changed(change):
    return lambda *given: change(*inputs_and_targets(*given))


def half_cosine(way):
    return (1 + math.cos(math.pi * way)) / 2


def learning_rate(
    step,
    steps,
    highest,
    warmup,
    final,
    rise=lambda step, warmup, final: (step + 1) / warmup,
    way=lambda step, steps, warmup: (step - warmup) / (steps - warmup),
    fall=lambda way, final: final + (1 - final) * half_cosine(way),
):
    if step < warmup:
        return highest * rise(step, warmup, final)
    return highest * fall(way(step, steps, warmup), final)


def learning_rate_with_final_as_a_rate(step, steps, highest, warmup, final):
    if step < warmup:
        return highest * (step + 1) / warmup
    return final + (highest - final) * half_cosine((step - warmup) / (steps - warmup))


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


def adamw_step(
    weight,
    gradient,
    mean,
    square,
    step,
    lr,
    beta_1,
    beta_2,
    eps,
    weight_decay,
    corrections=lambda step, beta_1, beta_2: (1 - beta_1**step, 1 - beta_2**step),
    divide=lambda mean, square, eps: mean / (square.sqrt() + eps),
    squared=torch.square,
):
    mean = beta_1 * mean + (1 - beta_1) * gradient
    square = beta_2 * square + (1 - beta_2) * squared(gradient)
    by_1, by_2 = corrections(step, beta_1, beta_2)
    move = divide(mean / by_1, square / by_2, eps)
    return weight - lr * (move + weight_decay * weight), mean, square


def adamw_of_torch(weight, gradient, mean, square, step, lr, beta_1, beta_2, eps, weight_decay):
    weight = nn.Parameter(weight.clone())
    weight.grad = gradient
    optimizer = torch.optim.AdamW([weight], lr, (beta_1, beta_2), eps, weight_decay)
    averages = {"exp_avg": mean.clone(), "exp_avg_sq": square.clone()}
    optimizer.state[weight] = {"step": torch.tensor(step - 1.0), **averages}
    optimizer.step()
    return weight, averages["exp_avg"], averages["exp_avg_sq"]


def adam_with_l2(weight, gradient, mean, square, *settings):
    *settings, weight_decay = settings
    return adamw_step(weight, gradient + weight_decay * weight, mean, square, *settings, 0.0)


def adamw_decaying(kept):
    """AdamW that does something else to the weight: kept(weight, move, lr, weight_decay)."""

    def step(weight, *rest):
        *rest, weight_decay = rest
        lr = rest[4]
        moved, mean, square = adamw_step(weight, *rest, 0.0)
        return kept(weight, (weight - moved) / lr, lr, weight_decay), mean, square

    return step


def adamw_with_eps_before_correction(*given):
    step, _, _, beta_2, eps, _ = given[4:]
    scaled = eps / (1 - beta_2**step) ** 0.5
    return adamw_step(*given[:8], scaled, given[9])


def adamw_without_the_mean(weight, gradient, mean, square, *settings):
    _, m, v = adamw_step(weight, gradient, mean, square, *settings)
    step, lr, _, beta_2, eps, weight_decay = settings
    move = gradient / ((v / (1 - beta_2**step)).sqrt() + eps)
    return weight - lr * (move + weight_decay * weight), m, v


def adamw_with_another_square(average):
    """AdamW that keeps `average(gradient, mean, square, beta_2)` as its square."""

    def step(weight, gradient, mean, square, step, lr, beta_1, beta_2, eps, weight_decay):
        mean = beta_1 * mean + (1 - beta_1) * gradient
        square = average(gradient, mean, square, beta_2)
        move = mean / (1 - beta_1**step) / ((square / (1 - beta_2**step)).sqrt() + eps)
        return weight - lr * (move + weight_decay * weight), mean, square

    return step


def adamw_in_place(weight, gradient, mean, square, *settings):
    mean.mul_(0.9).add_(gradient, alpha=0.1)
    return adamw_step(weight, gradient, mean, square, *settings)


CORRECT = {
    "cross_entropy": cross_entropy,
    "inputs_and_targets": inputs_and_targets,
    "learning_rate": learning_rate,
    "accumulated_gradient": accumulated_gradient,
    "adamw_step": adamw_step,
}

OTHERWISE_CORRECT = [
    ("cross_entropy", next_token_loss),
    ("cross_entropy", lambda *given: cross_entropy(*given).item()),
    ("cross_entropy", lambda logits, targets: cross_entropy(logits.double(), targets)),
    ("inputs_and_targets", windows_by_arange),
    ("inputs_and_targets", lambda *given: torch.stack(inputs_and_targets(*given))),
    ("inputs_and_targets", lambda *given: [x.tolist() for x in inputs_and_targets(*given)]),
    ("inputs_and_targets", lambda *given: [[*rows] for rows in inputs_and_targets(*given)]),
    ("inputs_and_targets", lambda *given: (x.numpy() for x in inputs_and_targets(*given))),
    (
        "learning_rate",
        lambda step, steps, highest, *rest: highest * warmup_cosine(step, steps, *rest),
    ),
    ("learning_rate", lambda *given: torch.tensor(learning_rate(*given))),
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
    ("adamw_step", adamw_of_torch),
    ("adamw_step", lambda *given: [x.double() for x in adamw_step(*given)]),
    ("adamw_step", lambda *given: torch.stack(adamw_step(*given))),
]

WRONG = [  # check, submission, a part of the hint that it must earn
    *wrong(
        "cross_entropy",
        (lambda *given: cross_entropy(*given, turn=torch.exp), "take the logarithm of each"),
        (lambda *given: -cross_entropy(*given, turn=torch.exp), "take the logarithm of each"),
        (lambda *given: 1 + cross_entropy(*given, turn=torch.exp), "that is 1 - p"),
        (lambda *given: -(-cross_entropy(*given, turn=torch.exp)).log(), "first the logarithm"),
        (lambda *given: -cross_entropy(*given), "the sign"),
        (lambda *given: cross_entropy(*given) / math.log(2), "those are bits"),
        (lambda *given: cross_entropy(*given).item() / math.log(10), "for nats"),
        (lambda *given: cross_entropy(*given, mean=torch.sum), "divide by all B * T"),
        (lambda x, y: cross_entropy(x, y, mean=torch.sum) / len(x), "not by B or T"),
        (lambda *given: cross_entropy(*given, mean=lambda x: x.mean(1)), "whole batch"),
        (lambda *given: cross_entropy(*given, mean=lambda x: x.mean(0)), "whole batch"),
        (lambda *given: cross_entropy(*given, mean=lambda x: x), "whole batch"),
        (lambda *given: cross_entropy(*given).exp(), "the perplexity"),
        (lambda x, y: cross_entropy(x, y) / x.shape[-1], "not once a score"),
        (F.cross_entropy, "takes dimension 1 for the vocabulary"),
        (lambda *given: cross_entropy(*given, dim=1), "of its own: along the last"),
        (lambda *given: cross_entropy(*given, dim=0), "of its own: along the last"),
        (lambda *given: cross_entropy(*given, dim=(0, 1, 2)), "of its own: along the last"),
        (lambda x, y: -x.gather(-1, y[..., None]).mean(), "the softmax is missing"),
        (lambda x, y: next_token_loss(x.softmax(-1), y), "softmax was taken twice"),
        (lambda x, y: -(y * x.log_softmax(-1)).sum(-1).mean(), "no probabilities"),
        (
            lambda x, y: -(y[..., None] * x.log_softmax(-1)).sum(-1).mean(),
            "no probabilities",
        ),
        (lambda x, y: -x.log_softmax(-1).mean(), "has its own target"),
        (lambda x, y: -x.log_softmax(-1)[..., y].mean(), "has its own target"),
        (cross_entropy_overflowing, "exp(1000) is too large"),
        (lambda x, y: -(x.exp() / x.exp().sum(-1, True)).log().mean(), "has its own target"),
        (
            lambda x, y: cross_entropy_overflowing(x, y, largest=x.max()),
            "largest score of its own",
        ),
        (cross_entropy_of_probabilities, "ln 0 is -inf"),
        (cross_entropy_in_place, "build a new tensor"),
        (lambda x, y: cross_entropy(x, y, mean=torch.sum) / 4, "Here B is 1"),
    ),
    *wrong(
        "inputs_and_targets",
        (lambda *given: inputs_and_targets(*given, shift=0), "shift them by one token"),
        (lambda *given: inputs_and_targets(*given, shift=-1), "one token earlier"),
        (lambda *given: inputs_and_targets(*given)[::-1], "Inputs come first"),
        (windows_changed(lambda x, y: (x, x.roll(-1, dims=1))), "roll brings the window's"),
        (windows_changed(lambda x, y: (x, x.roll(-1))), "roll brings the window's"),
        (windows_changed(lambda x, y: (x, x.roll(1, dims=1))), "one token earlier"),
        (windows_changed(lambda x, y: (x, y[:, :-1])), "every input has a target"),
        (windows_changed(lambda x, y: (x[:, :-1], y[:, :-1])), "every input has a target"),
        (lambda *given: inputs_and_targets(*given, longer=1), "only a target"),
        (
            lambda ids, starts, length: inputs_and_targets(ids, starts, length + 1),
            "both are length tokens wide",
        ),
        (windows_changed(lambda x, y: (x, y[:, -1])), "a target at every place"),
        (windows_changed(lambda x, y: (x, y[:, -1:])), "a target at every place"),
        (windows_changed(lambda x, y: (x, x.sort().values)), "one token later in the text"),
        (
            lambda ids, starts, length: inputs_and_targets(ids, starts, length, shift=length),
            "not by a whole window",
        ),
        (
            lambda ids, *rest: inputs_and_targets(torch.arange(len(ids)), *rest),
            "look up the ids",
        ),
        (
            lambda ids, starts, n: [x[0] for x in inputs_and_targets(ids, starts, n)],
            "a batch of one window",
        ),
        (lambda *given: inputs_and_targets(*given)[0], "return two tensors"),
        (
            lambda ids, starts, length: inputs_and_targets(ids, sorted(starts), length),
            "in the order of starts",
        ),
        (
            lambda ids, starts, n: [
                x.T if len(starts) > 1 else x for x in inputs_and_targets(ids, starts, n)
            ],
            "torch.stack(rows) has dim=0",
        ),
        (
            lambda ids, starts, length: inputs_and_targets(ids, starts[:1], length),
            "every start makes a row",
        ),
        (
            lambda ids, starts, n: [
                x.flatten() if len(starts) > 1 else x for x in inputs_and_targets(ids, starts, n)
            ],
            "not torch.cat",
        ),
        (
            lambda ids, starts, n: (
                (x := windows_by_arange(ids, starts, n))[0],
                x[0].roll(-1) if len(starts) > 1 else x[1],
            ),
            "all rows for one",
        ),
        (lambda ids, starts, n: inputs_and_targets(ids.fill_(0), starts, n), "build a new"),
        (lambda ids, starts, n: (starts.sort(), windows_by_arange(ids, starts, n))[1], "chang"),
        (lambda *given: [x.float() for x in inputs_and_targets(*given)], "returned ([[8.0, 1."),
        (lambda *given: [], "length + 1 tokens of the text"),
    ),
    *(
        ("learning_rate", functools.partial(learning_rate, **how), hint)
        for how, hint in (
            ({"rise": lambda step, warmup, final: step / warmup}, "a step for nothing"),
            ({"rise": lambda step, warmup, final: 1.0}, "rises for warmup steps"),
            ({"rise": lambda step, warmup, final: (step + 1) / (warmup + 1)}, "divide by warmup"),
            (
                {"rise": lambda step, warmup, final: final + (1 - final) * step / warmup},
                "not at final",
            ),
            ({"rise": lambda step, warmup, final: max(step, 1) / warmup}, "is the first at the"),
            ({"way": lambda step, steps, warmup: step / steps}, "runs over all steps"),
            ({"way": lambda step, steps, warmup: (step - warmup) / steps}, "from the end of warm"),
            (
                {"way": lambda step, steps, warmup: (step + 1 - warmup) / (steps - warmup)},
                "has way 0",
            ),
            (
                {"way": lambda step, steps, warmup: (step - warmup) / (steps - 1 - warmup)},
                "which is never taken",
            ),
            (
                {"way": lambda step, steps, warmup: 2 * (step - warmup) / (steps - warmup)},
                "half a cosine",
            ),
            ({"fall": lambda way, final: half_cosine(way)}, "not at 0"),
            ({"fall": lambda way, final: max(final, half_cosine(way))}, "not at 0"),
            ({"fall": lambda way, final: 1 - (1 - final) * way}, "but along a cosine"),
            (
                {"fall": lambda way, final: final + (1 - final) * half_cosine(1 - way)},
                "upside down",
            ),
            ({"fall": lambda way, final: final + half_cosine(way)}, "from 1 - final to 0"),
            (
                {"fall": lambda way, final: final + (1 - final) * 2 * half_cosine(way)},
                "divide by 2",
            ),
            (
                {"fall": lambda way, final: final + (1 - final) * math.cos(math.pi * way)},
                "goes from 1 to -1",
            ),
        )
    ),
    ("learning_rate", learning_rate_with_final_as_a_rate, "a share of the highest rate"),
    ("learning_rate", lambda t, n, high, *rest: learning_rate(t, n, 1.0, *rest), "multiply it by"),
    (
        "learning_rate",
        lambda t, n, high, *rest: learning_rate(t, n, high if t < 4 else 1.0, *rest),
        "multiply it by highest",
    ),
    (
        "learning_rate",
        lambda t, n, high, w, f: min((t + 1) / w, 1) * learning_rate(t, n, high, min(w, t), f),
        "raised ZeroDivisionError",
    ),
    ("learning_rate", lambda t, n, high, w, f: learning_rate(t, n, high, w, 0.1), "Hint"),
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
        "adamw_step",
        *(
            (functools.partial(adamw_step, corrections=corrections), hint)
            for corrections, hint in (
                (lambda step, b_1, b_2: (1, 1), "averages that start at 0"),
                (lambda step, b_1, b_2: (1 - b_1**step, 1), "averages that start at 0"),
                (lambda step, b_1, b_2: (1, 1 - b_2**step), "averages that start at 0"),
                (lambda step, b_1, b_2: (1 - b_1, 1 - b_2), "1 - beta**step, a power"),
                (
                    lambda step, b_1, b_2: (1 - b_1 ** (step + 1), 1 - b_2 ** (step + 1)),
                    "this step's number",
                ),
                (
                    lambda step, b_1, b_2: (1 - b_1 ** (step - 1), 1 - b_2 ** (step - 1)),
                    "where step counts from 1",
                ),
                (lambda step, b_1, b_2: (1 - b_2**step, 1 - b_1**step), "beta_1 corrects the"),
            )
        ),
        *(
            (functools.partial(adamw_step, divide=divide), hint)
            for divide, hint in (
                (lambda m, v, eps: m / (v + eps).sqrt(), "eps stands outside the root"),
                (lambda m, v, eps: m / v.sqrt(), "eps keeps the denominator from 0"),
                (lambda m, v, eps: m / (v + eps), "divide by the root of the square"),
                (lambda m, v, eps: m, "its own step size"),
                (lambda m, v, eps: -m / (v.sqrt() + eps), "against the gradient"),
                (lambda m, v, eps: m / (v.sqrt() + 1e-8), "eps keeps the denominator from 0"),
            )
        ),
        *(
            (adamw_decaying(kept), hint)
            for kept, hint in (
                (lambda w, move, lr, decay: w - lr * move, "the weight decay is missing"),
                (lambda w, move, lr, decay: w * (1 - decay) - lr * move, "is times lr too"),
                (lambda w, move, lr, decay: w * (1 + lr * decay) - lr * move, "smaller: minus"),
                (
                    lambda w, move, lr, decay: (w - lr * move) * (1 - lr * decay),
                    "as it was before the step",
                ),
                (lambda w, move, lr, decay: w * (1 - lr * decay) - move, "the step is times"),
            )
        ),
        (adam_with_l2, "is Adam with L2"),
        (
            adamw_with_another_square(lambda g, m, v, beta: beta * v + (1 - beta) * m**2),
            "not the square of the mean",
        ),
        (
            adamw_with_another_square(lambda g, m, v, beta: v + g**2),
            "square is an average",
        ),
        (adamw_with_eps_before_correction, "eps comes last"),
        (functools.partial(adamw_step, squared=lambda g: g), "root of a negative number"),
        (
            lambda w, g, m, v, *rest: (
                (right := adamw_step(w, g, m, v, *rest))[0],
                right[1] / (1 - rest[2] ** rest[0]),
                right[2] / (1 - rest[3] ** rest[0]),
            ),
            "before the bias correction",
        ),
        (lambda w, g, m, v, *rest: (adamw_step(w, g, m, v, *rest)[0], m, v), "new averages"),
        (lambda *given: (*adamw_step(*given)[1:], adamw_step(*given)[0]), "in the order"),
        (lambda *given: adamw_step(*given)[0], "the next step needs all three"),
        (
            lambda *given: adamw_step(*given[:6], given[7], given[6], *given[8:]),
            "beta_1 is the mean's",
        ),
        (
            lambda *given: adamw_step(*given[:6], 1 - given[6], 1 - given[7], *given[8:]),
            "the share of the old average",
        ),
        (adamw_without_the_mean, "the mean moves the weight"),
        (adamw_in_place, "build a new tensor"),
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


def test_the_steps_of_adamw_follow_one_another():
    weights = []

    def record(weight, gradient, mean, square, step, *settings):
        answer = adamw_of_torch(weight, gradient, mean, square, step, *settings)
        if step > 1:
            for given, before in zip((weight, mean, square), weights[-1], strict=True):
                torch.testing.assert_close(given, before)
        weights.append([x.detach() for x in answer])
        return answer

    assert check.adamw_step(record).passed
    assert len(weights) == 5
