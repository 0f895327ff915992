"""The checks of the chapter on generation, held to right, empty and wrong submissions."""

from __future__ import annotations

import functools
import math

import torch
from submissions import Submissions, wrong
from torch.nn import functional as F

from minigpt.generation import Sampling
from minigpt.generation.sampling import penalise_repetitions
from minigpt.generation.text_stream import _until
from minigpt.lessons.generation import exercises as check
from my_gpt import choose, generate


def choose_by_min_p(scores, temperature, min_p, keeps=None, p=None):
    """`keeps` says by the probabilities which stay, `p` what they are."""
    probabilities = (p or (lambda s, t: (s / t).softmax(dim=-1)))(scores, temperature)
    stays = (keeps or (lambda q: q >= min_p * q.max()))(probabilities)
    return torch.multinomial(probabilities * stays, 1)[0]


def min_p_by_absolute(scores, temperature, min_p):
    p = (scores / temperature).softmax(dim=-1)
    stays = p >= min_p if (p >= min_p).any() else p == p.max()
    return torch.multinomial(p * stays, 1)[0]


def min_p_as_top_p(scores, temperature, min_p):
    return choose(scores, temperature, top_p=min_p)


def min_p_before_temperature(scores, temperature, min_p):
    plain = scores.softmax(dim=-1)
    stays = plain >= min_p * plain.max()
    return choose_by_min_p(scores, temperature, min_p, keeps=lambda q: stays)


def min_p_by_scores(scores, temperature, min_p):
    divided = scores / temperature
    far = divided < divided.max() + math.log(min_p)
    return torch.multinomial(divided.masked_fill(far, -math.inf).softmax(dim=-1), 1)[0]


def min_p_sorted_places(scores, temperature, min_p):
    p = (scores / temperature).softmax(dim=-1).sort(descending=True).values
    return torch.multinomial(p * (p >= min_p * p[0]), 1)[0]


def min_p_in_place(scores, temperature, min_p):
    scores /= temperature
    return choose_by_min_p(scores, 1.0, min_p)


def penalised(scores, ids, penalty):
    lowered, old = scores.clone(), scores[ids]
    lowered[ids] = torch.where(old > 0, old / penalty, old * penalty)
    return lowered


def penalised_in_place(scores, ids, penalty):
    scores[ids] = penalised(scores, ids, penalty)[ids]
    return scores


def penalised_each_time(scores, ids, penalty):
    for i in ids:
        scores = penalised(scores, i[None], penalty)
    return scores


def penalised_where(change, everywhere=False):
    def submission(scores, ids, penalty):
        has = torch.zeros(len(scores), dtype=torch.bool)
        has[ids] = True
        return torch.where(has | everywhere, change(scores, penalty), scores)

    return submission


def generate_cached(model, ids, n_tokens, place_of=lambda i: i, read_last=False):
    caches, ids = [{} for _ in model.blocks], ids.tolist()
    wanted, place = len(ids) + n_tokens, 0
    while len(ids) < wanted + read_last:
        while place < len(ids):
            scores = read_one(model, ids[place], place_of(place), caches)
            place += 1
        ids.append(scores.argmax().item())
    return torch.tensor(ids[:wanted])


@torch.no_grad()
def read_one(model, token, place, caches):
    x = model.token_embedding(torch.tensor(token)) + model.position_embedding(torch.tensor(place))
    x = x.view(1, 1, -1)
    for block, kept in zip(model.blocks, caches, strict=True):
        own = block.attention
        q, k, v = map(own.split, own.qkv(block.norm_1(x)).chunk(3, dim=-1))
        for name, new in (("k", k), ("v", v)):
            kept[name] = torch.cat([kept[name], new], dim=2) if name in kept else new
        found = F.scaled_dot_product_attention(q, kept["k"], kept["v"])
        x = x + own.projection(found.transpose(1, 2).flatten(2))
        x = x + block.mlp(block.norm_2(x))
    return (model.final_norm(x) @ model.token_embedding.weight.T)[0, 0]


def generate_uncached(model, ids, n_tokens):
    return generate(model, ids, n_tokens, temperature=0)


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
    "choose_by_min_p": choose_by_min_p,
    "penalised": penalised,
    "write_until": write_until,
    "generate_cached": generate_cached,
    "accept_or_replace": accept_or_replace,
}

OTHERWISE_CORRECT = [
    ("choose_by_min_p", lambda *given: choose_by_min_p(*given).item()),
    ("choose_by_min_p", min_p_by_scores),
    (
        "choose_by_min_p",
        lambda scores, t, p: Sampling(temperature=t, min_p=p).choose(scores[None])[0],
    ),
    ("penalised", lambda *given: penalised(*given).tolist()),
    (
        "penalised",
        lambda scores, ids, penalty: penalise_repetitions(
            scores[None], F.one_hot(ids, len(scores)).amax(dim=0)[None].bool(), penalty
        )[0],
    ),
    ("generate_cached", lambda *given: generate_cached(*given).tolist()),
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
        "choose_by_min_p",
        (lambda s, t, p: choose_by_min_p(s, t, 0.0), "nothing was cut"),
        (lambda s, t, p: choose(s, t), "nothing was cut"),
        (min_p_by_absolute, "not a probability"),
        (min_p_as_top_p, "only the best ever came"),
        (
            lambda s, t, p: min_p_as_top_p(s, t, p) if p == 0.7 else choose_by_min_p(s, t, p),
            "top-p",
        ),
        (min_p_before_temperature, "which comes first"),
        (lambda s, t, p: choose_by_min_p(s, 1.0, p), "the temperature does nothing"),
        (
            lambda s, t, p: choose_by_min_p(s, t, p, lambda q: q > p * q.max()),
            "raised RuntimeError",
        ),
        (lambda s, t, p: (s / t).argmax(), "only the best ever came"),
        (
            lambda s, t, p: choose_by_min_p(s, t, p, lambda q: q < p * q.max()),
            "the other way round",
        ),
        (
            lambda s, t, p: torch.multinomial(
                ((q := (s / t).softmax(-1)) >= p * q.max()).to(q.dtype), 1
            )[0],
            "draw by probabilities",
        ),
        (min_p_sorted_places, "keep what has at least"),
        (min_p_in_place, "build a new tensor"),
        (lambda s, t, p: (s / t).softmax(-1), "it must be one token"),
        (lambda s, t, p: (s / t).softmax(-1).max(), "a whole number"),
        (lambda s, t, p: 7, "the tokens are 0 to 4"),
    ),
    *wrong(
        "penalised",
        (lambda s, ids, penalty: s, "nothing was lowered"),
        (penalised_each_time, "however often it has it"),
        (penalised_in_place, "build a new tensor"),
        (penalised_where(lambda s, p: s / p), "a score below 0, divided, goes up"),
        (penalised_where(lambda s, p: s * p), "a score above 0, multiplied, goes up"),
        (penalised_where(lambda s, p: s - p), "do not subtract"),
        (
            penalised_where(lambda s, p: torch.where(s > 0, s * p, s / p)),
            "the other way round",
        ),
        (
            penalised_where(lambda s, p: torch.where(s > 0, s / p, s * p), everywhere=True),
            "only the tokens that the text has",
        ),
        (lambda s, ids, p: penalised(s, ids, p)[ids], "not of the text's alone"),
    ),
    *wrong(
        "generate_cached",
        (generate_uncached, "all was read again for each token"),
        (lambda *given: generate_cached(*given, read_last=True), "the last token is read"),
        (lambda m, ids, n: generate_cached(m, ids, n)[len(ids) :], "return the prompt before"),
        (lambda *given: generate_cached(*given)[:-1], "one token more"),
        (lambda *given: generate_cached(*given, place_of=lambda i: 0), "at its own place"),
    ),
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
