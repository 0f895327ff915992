"""The checks of the chapter on generation, held to right, empty and wrong submissions."""

from __future__ import annotations

import functools

import pytest
import torch
from submissions import Submissions, wrong

from minigpt.generation import generate
from minigpt.generation.sampling import apply_temperature, keep_top_p
from minigpt.generation.text_stream import _until
from minigpt.lessons.generation import exercises as check
from minigpt.model import GPT, GPTConfig


def sharpened(probabilities, temperature):
    powers = (probabilities / probabilities.max()) ** (1 / temperature)
    return powers / powers.sum()


def sharpened_in_place(probabilities, temperature):
    probabilities /= probabilities.max()
    return sharpened(probabilities, temperature)


def top_p(probabilities, p, enough=lambda total, p: total >= p):
    kept, total = [], 0.0
    for i in probabilities.argsort(descending=True).tolist():
        kept.append(i)
        total += probabilities[i].item()
        if enough(total, p):
            break
    return kept


def top_p_without_crossing(probabilities, p):
    order = probabilities.argsort(descending=True)
    return order[probabilities[order].cumsum(dim=0) < p].tolist()


def top_p_from_the_first(probabilities, p):
    count = int((probabilities.cumsum(dim=0) < p).sum()) + 1
    return list(range(count))


def top_p_from_the_worst(probabilities, p):
    order = probabilities.argsort()
    count = int((probabilities[order].cumsum(dim=0) < p).sum()) + 1
    return order[:count].tolist()


def tokens_read(n_prompt, n_new):
    return sum(n_prompt + i for i in range(n_new)), n_prompt + n_new - 1


def tokens_read_wrongly(without=None, cached=None):
    def submission(n_prompt, n_new):
        right = tokens_read(n_prompt, n_new)
        wrong = [f and f(n_prompt, n_new) for f in (without, cached)]
        return tuple(r if w is None else w for r, w in zip(right, wrong, strict=True))

    return submission


def write_until(pieces, stop):
    held = ""
    for piece in pieces:
        text, found, _ = (held + piece).partition(stop)
        if found:
            yield text
            return
        cut = next(i for i in range(len(text) + 1) if stop.startswith(text[i:]))
        yield text[:cut]
        held = text[cut:]
    yield held


def write_by_letters(pieces, stop):
    held = ""
    for piece in pieces:
        for letter in piece:
            held += letter
            if held == stop:
                return
            while not stop.startswith(held):
                yield held[0]
                held = held[1:]
    yield from held


def write_checking_pieces(pieces, stop):
    for piece in pieces:
        if stop in piece:
            yield piece[: piece.index(stop)]
            return
        yield piece


def write_checking_for_equal(pieces, stop):
    for piece in pieces:
        if piece == stop:
            return
        yield piece


def write_dropping_the_piece(pieces, stop):
    for piece in pieces:
        if stop in piece:
            return
        yield piece


def write_all_at_the_end(pieces, stop):
    yield "".join(pieces).split(stop)[0]


def write_as_a_list(pieces, stop):
    return [*write_until(pieces, stop)]


def write_as_a_string(pieces, stop):
    return "".join(write_until(pieces, stop))


def write_when_complete(pieces, stop):
    text = ""
    for piece in pieces:
        text += piece
        if stop in text:
            break
    yield text.partition(stop)[0]


def write_looking_ahead(pieces, stop):
    waiting = ""
    for piece in write_until(pieces, stop):
        yield waiting
        waiting = piece
    yield waiting


def write_and_take_the_rest(pieces, stop):
    yield from write_until(pieces, stop)
    for _ in pieces:
        pass


def write_with_the_stop(pieces, stop):
    taken = []
    yield from write_until((taken.append(piece) or piece for piece in pieces), stop)
    if stop in "".join(taken):
        yield stop


def write_going_on(pieces, stop):
    for piece in pieces:
        yield piece.replace(stop, "")


def write_everything(pieces, stop):
    yield from pieces


def write_until_the_last(pieces, stop):
    for piece in pieces:
        text, found, rest = piece.rpartition(stop)
        yield text or rest
        if found:
            return


def write_noticing_too_late(pieces, stop):
    written = ""
    for piece in pieces:
        before, written = len(written), written + piece
        if stop in written:
            yield written[before : written.index(stop)]
            return
        yield piece


def write_holding(count):
    def submission(pieces, stop):
        held = ""
        for piece in pieces:
            held, found, _ = (held + piece).partition(stop)
            if found:
                break
            cut = max(0, len(held) - count(stop))
            yield held[:cut]
            held = held[cut:]
        yield held

    return submission


def write_holding_pieces(pieces, stop):
    held = ""
    for piece in pieces:
        held, found, _ = (held + piece).partition(stop)
        if found:
            break
        if not any(held.endswith(stop[:i]) for i in range(1, len(stop))):
            yield held
            held = ""
    yield held


def write_losing(middle, end):
    def submission(pieces, stop):
        held = ""
        for piece in pieces:
            text, found, _ = (held + piece).partition(stop)
            if found:
                yield text
                return
            cut = next(i for i in range(len(text) + 1) if stop.startswith(text[i:]))
            false_start = len(held) if middle and cut >= len(held) else 0
            yield text[false_start:cut]
            held = text[cut:]
        if not end:
            yield held

    return submission


def write_by_a_counter(pieces, stop):
    matched = 0
    for piece in pieces:
        for letter in piece:
            if letter == stop[matched]:
                matched += 1
                if matched == len(stop):
                    return
                continue
            yield stop[:matched]
            matched = 1 if letter == stop[0] else 0
            if not matched:
                yield letter
    yield stop[:matched]


def write_none(pieces, stop):
    for _ in pieces:
        yield None


def write_for_ever(pieces, stop):
    while True:
        yield next(pieces, "")


def accept_or_replace(
    p,
    q,
    accepted=lambda p, q: torch.where(q > 0, p / q, 1.0).clamp(max=1),
    replaced=lambda p, q: (p - q).clamp(min=0),
    shares=lambda missing: missing / missing.sum(),
):
    same = torch.equal(p, q)
    return accepted(p, q), p if same else shares(replaced(p, q))


def accept_by_loops(p, q):
    p, q = p.tolist(), q.tolist()
    accepted = [min(1.0, a / b) if b else 0.0 for a, b in zip(p, q, strict=True)]
    missing = [max(0.0, a - b) for a, b in zip(p, q, strict=True)]
    return accepted, [m / (sum(missing) or 1.0) for m in missing]


CORRECT = {
    "sharpened": sharpened,
    "top_p": top_p,
    "tokens_read": tokens_read,
    "write_until": write_until,
    "accept_or_replace": accept_or_replace,
}

OTHERWISE_CORRECT = [
    ("sharpened", lambda p, t: (p.log() / t).softmax(dim=-1)),
    ("sharpened", lambda p, t: apply_temperature(p.log()[None], t)[0].softmax(dim=-1)),
    ("sharpened", lambda *given: sharpened(*given).tolist()),
    ("top_p", lambda *given: (i for i in top_p(*given))),
    ("top_p", lambda *given: [torch.tensor(i) for i in top_p(*given)]),
    (
        "top_p",
        lambda probabilities, p: sorted(
            keep_top_p(probabilities.log()[None], p)[0].isfinite().nonzero()[:, 0].tolist(),
            key=lambda i: -probabilities[i],
        ),
    ),
    ("tokens_read", lambda n, m: (n * m + m * (m - 1) / 2, n + m - 1)),
    ("tokens_read", lambda *given: [*tokens_read(*given)]),
    ("write_until", write_by_letters),
    ("write_until", lambda pieces, stop: _until([stop], pieces)),
    ("accept_or_replace", accept_by_loops),
    ("accept_or_replace", lambda *given: torch.stack(accept_or_replace(*given))),
    ("accept_or_replace", lambda *given: (x.double() for x in accept_or_replace(*given))),
    (
        "accept_or_replace",
        lambda *given: accept_or_replace(
            *given, accepted=lambda p, q: (p / (q + 1e-9)).clamp(max=1)
        ),
    ),
]

WRONG = [  # check, submission, a part of the hint that it must earn
    *wrong(
        "sharpened",
        (lambda p, t: p / t, "of probabilities, take a power"),
        (lambda p, t: p / t / (p / t).sum(), "changes nothing once they sum to 1"),
        (lambda p, t: (p / t).softmax(dim=-1), "softmax takes logits"),
        (lambda p, t: p.softmax(dim=-1), "softmax takes logits"),
        (lambda p, t: (p ** (1 / t)).softmax(dim=-1), "takes exp once more"),
        (lambda p, t: p ** (1 / t), "divide the powers by their sum"),
        (lambda p, t: p**t, "1 / temperature is the exponent"),
        (lambda p, t: p**t / (p**t).sum(), "1 / temperature is the exponent"),
        (lambda p, t: (p.log() * t).softmax(dim=-1), "1 / temperature is the exponent"),
        (lambda p, t: p.log() / t, "those are logits"),
        (lambda p, t: p ** (1 / t) / (p ** (1 / t)).sum(), "divide by the largest probability"),
        (lambda p, t: sharpened(p + 1e-6, t), "stays 0 at every temperature"),
        (sharpened_in_place, "build a new tensor"),
        (lambda p, t: sharpened(p, 0.5), "returned [0.76, 0.24]"),
    ),
    *wrong(
        "top_p",
        (top_p_without_crossing, "so that one stays at least"),
        (lambda probabilities, p: top_p(probabilities, p)[:-1], "so that one stays at least"),
        (
            lambda *given: top_p_without_crossing(*given) or top_p(*given),
            "so that one stays at least",
        ),
        (
            lambda probabilities, p: top_p(probabilities, p, lambda total, p: total > p),
            "equals p has reached it",
        ),
        (
            lambda probabilities, p: probabilities.argsort(descending=True).tolist()[
                : len(top_p(probabilities, p)) + 1
            ],
            "stop when the sum has reached p",
        ),
        (lambda *given: sorted(top_p(*given)), "in the order of their ids"),
        (lambda *given: top_p(*given)[::-1], "begin with the least likely"),
        (lambda *given: [*range(len(top_p(*given)))], "places in the sorted order"),
        (top_p_from_the_first, "not with id 0"),
        (top_p_from_the_worst, "descending=True"),
        (lambda q, p: q[top_p(q, p)].tolist(), "return the tokens' ids"),
        (lambda q, p: [i for i in top_p(q, 1.0) if q[i] >= p], "not every token's own"),
        (
            lambda q, p: top_p(q, p) if p == 0.9 else [i for i in top_p(q, 1) if q[i] > p],
            "at least",
        ),
        (
            lambda q, p: top_p(q, p) if p >= 0.5 else [i for i in top_p(q, 1.0) if q[i] >= p],
            "not every token's own",
        ),
        (lambda q, p: [i for i in top_p(q, 1.0) if q[i] >= p * q.max()], "that is min-p"),
        (lambda q, p: torch.tensor(top_p(q, p)), ".tolist()"),
        (lambda q, p: top_p(q, p) if p < 1 else q.argsort(descending=True).tolist(), "not needed"),
    ),
    *(
        ("tokens_read", tokens_read_wrongly(*functions), hint)
        for functions, hint in (
            (
                (lambda n, m: sum(n + i for i in range(m + 1)), lambda n, m: n + m),
                "is written, but never read",
            ),
            ((lambda n, m: sum(n + i for i in range(m + 1)),), "is written, but never read"),
            ((None, lambda n, m: n + m), "is written, but never read"),
            ((lambda n, m: sum(range(m)), lambda n, m: m - 1), "the prompt is read too"),
            ((lambda n, m: sum(range(m + 1)), lambda n, m: m), "the prompt is read too"),
            ((None, lambda n, m: m), "the prompt is read too"),
            ((lambda n, m: (n + m) ** 2,), "add up the lengths"),
            ((lambda n, m: (n + m) ** 2 / 2,), "add up the lengths"),
            ((lambda n, m: (n + m) * m, lambda n, m: n + m), "add up the lengths"),
            ((lambda n, m: (n + m) * m,), "add up the lengths"),
            ((lambda n, m: n * m,), "not the prompt alone"),
            ((lambda n, m: sum(range(n + m)),), "not token by token"),
            ((lambda n, m: sum(range(n + m + 1)),), "not token by token"),
            (
                (
                    lambda n, m: sum((n + i) ** 2 for i in range(m)),
                    lambda n, m: n * n + sum(range(n + 1, n + m)),
                ),
                "not the pairs of tokens",
            ),
            ((None, lambda n, m: tokens_read(n, m)[0]), "no token is read twice"),
            ((lambda n, m: n + m - 1, lambda n, m: tokens_read(n, m)[0]), "in the order without"),
            ((lambda n, m: n + m - 1,), "everything is read again for each new token"),
            ((lambda n, m: -1,), "one token longer"),
        )
    ),
    ("tokens_read", lambda n, m: n + m - 1, "one token longer"),
    *wrong(
        "write_until",
        (write_checking_for_equal, "in the middle of a piece"),
        (write_checking_pieces, "look for it in what is kept back plus the new piece"),
        (write_dropping_the_piece, "before stop in the same piece is part of the text"),
        (write_all_at_the_end, "kept to the end: yield"),
        (
            lambda *given: (text for text in [*write_all_at_the_end(*given)]),
            "kept to the end: yield",
        ),
        (write_as_a_list, "before you take the next piece"),
        (write_as_a_string, "before you take the next piece"),
        (write_when_complete, "before you take the next piece"),
        (write_looking_ahead, "before you take the next piece"),
        (write_and_take_the_rest, "return when stop is complete"),
        (write_with_the_stop, "stop itself is not part of the text"),
        (write_going_on, "the text ends at the first stop"),
        (write_everything, "the text ends at the first stop"),
        (write_until_the_last, "not the last"),
        (write_noticing_too_late, "before it was sure to be no stop"),
        (write_holding(len), "no more than needed"),
        (write_holding(lambda stop: len(stop) - 1), "no more than needed"),
        (write_holding_pieces, "no more than needed"),
        (write_losing(middle=True, end=False), "turned out to be no stop"),
        (write_losing(middle=True, end=True), "turned out to be no stop"),
        (write_losing(middle=False, end=True), "stop cannot come any more"),
        (write_by_a_counter, "inside a false beginning"),
        (write_none, "raised TypeError: gave out None, which is no string"),
        (write_for_ever, "raised RuntimeError: asked for pieces again and again"),
        (lambda pieces, stop: iter([]), "returned nothing, and took no piece; expected 'To ' for"),
        (lambda pieces, stop: iter(["To be"]), "returned 'To be' before the first piece; expect"),
    ),
    *(
        ("accept_or_replace", functools.partial(accept_or_replace, **how), hint)
        for how, hint in (
            ({"accepted": lambda p, q: (q / p).clamp(max=1)}, "where q is larger than p"),
            ({"accepted": lambda p, q: q / p}, "where q is larger than p"),
            ({"accepted": lambda p, q: p / q}, "a probability is at most 1"),
            ({"accepted": torch.minimum}, "drawn by q already"),
            ({"accepted": lambda p, q: p}, "drawn by q already"),
            ({"accepted": lambda p, q: torch.ones_like(p)}, "tokens come out as q has them"),
            ({"accepted": lambda p, q: (p >= q).float()}, "keep a share of p / q"),
            ({"accepted": lambda p, q: 1 - (p / q).clamp(max=1)}, "not rejected"),
            ({"accepted": lambda p, q: (p / q).clamp(max=1)}, "p / q is nan"),
            (
                {
                    "accepted": lambda p, q: (q / p).clamp(max=1),
                    "replaced": lambda p, q: p - q,
                    "shares": lambda missing: missing,
                },
                "where q is larger than p",
            ),
            (
                {
                    "accepted": lambda p, q: torch.zeros_like(p),
                    "replaced": lambda p, q: p,
                },
                "more of the drafts can be accepted",
            ),
            (
                {
                    "accepted": lambda p, q: p / q / (p / q).max(),
                    "replaced": lambda p, q: p,
                },
                "more of the drafts can be accepted",
            ),
            ({"shares": lambda missing: missing}, "a distribution sums to 1"),
            ({"replaced": lambda p, q: p}, "come too often"),
            ({"replaced": lambda p, q: q}, "q has proposed already"),
            ({"replaced": lambda p, q: (q - p).clamp(min=0)}, "what q has too seldom"),
            ({"replaced": lambda p, q: p - q}, "no probability is negative"),
            (
                {"replaced": lambda p, q: p - q, "shares": lambda missing: missing},
                "no probability is negative",
            ),
            ({"replaced": lambda p, q: (p - q).abs()}, "no probability is negative"),
            ({"shares": lambda missing: missing.softmax(dim=-1)}, "tokens that need none"),
            (
                {"replaced": lambda p, q: p - q, "shares": lambda m: m.softmax(dim=-1)},
                "tokens that need none",
            ),
        )
    ),
    *wrong(
        "accept_or_replace",
        (
            lambda p, q: (accept_or_replace(p, q)[0], (m := (p - q).clamp(min=0)) / m.sum()),
            "return any distribution then",
        ),
        (lambda *given: accept_or_replace(*given)[::-1], "in the order accepted, residual"),
        (lambda *given: accept_or_replace(*given)[0], "return two tensors"),
        (lambda p, q: (p[0], q[0]), "return two tensors"),
        (lambda p, q: accept_or_replace(p.div_(p.max()), q), "build a new tensor"),
        (
            lambda *given: accept_or_replace(*given, replaced=lambda p, q: p),
            "Put together, tokens come out with [0.266, 0.391,",
        ),
    ),
]


class TestSubmissions(Submissions):
    """Every check of the chapter, and all of the submissions above."""

    exercises, correct, wrong = check, CORRECT, WRONG
    otherwise_correct = OTHERWISE_CORRECT


@pytest.mark.parametrize(("n_prompt", "n_new"), [(5, 3), (8, 1)])
def test_tokens_read_are_those_of_the_package(n_prompt, n_new, monkeypatch):
    read = []
    forward = GPT.forward
    counted = lambda model, ids, *rest: read.append(ids.numel()) or forward(model, ids, *rest)  # noqa: E731
    monkeypatch.setattr(GPT, "forward", counted)
    model = GPT(GPTConfig(5, 8, n_layer=1, n_head=1, n_embd=2), torch.Generator().manual_seed(0))
    for cached, tokens in zip((False, True), tokens_read(n_prompt, n_new), strict=True):
        read.clear()
        generate(model, [[1] * n_prompt], n_new, cached=cached)
        assert sum(read) == tokens


def test_the_check_of_a_stream_counts_the_pieces_that_were_taken():
    taken = []

    def record(pieces, stop):
        pieces = iter(pieces)
        taken.append(0)

        def counted():
            for piece in pieces:
                taken[-1] += 1
                yield piece

        return write_until(counted(), stop)

    assert check.write_until(record).passed
    assert taken == [3, 1, 3, 3, 2, 8, 0]
    said = check.write_until(write_all_at_the_end).message
    assert (
        "returned '' for 'To ', '' for 'be', '' for '\\n', '' for 'or', 'To be' at the end;" in said
    )


def test_speculative_decoding_comes_out_as_the_model_itself():
    seen = []

    def record(p, q):
        accepted, residual = accept_or_replace(p, q)
        kept = q * accepted
        torch.testing.assert_close(kept + (1 - kept.sum()) * residual, p)
        torch.testing.assert_close(kept.sum(), torch.minimum(p, q).sum())
        seen.append(kept.sum().item())
        return accepted, residual

    verdict = check.accept_or_replace(record)
    assert verdict.passed
    assert seen == [0.625, 0.625, 0.5, 1.0]
    assert "with [0.375, 0.375, 0.125, 0.125], which is p, and 0.625 of" in verdict.message
    never = check.accept_or_replace(lambda p, q: (torch.zeros_like(p), p))
    assert "come out right" in never.message
    assert "Put together" not in never.message
