"""Each step held to transformers' processor of the same name, and the draw to its distribution."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_models import seeded
from torch import Tensor
from torch.testing import assert_close
from transformers import (
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from minigpt.generation import Sampling
from minigpt.generation.sampling import (
    apply_temperature,
    check_finite,
    keep_min_p,
    keep_top_k,
    keep_top_p,
    penalise_repetitions,
)

SHAPES = [(1, 1), (1, 7), (4, 13), (3, 4096)]
shapes = pytest.mark.parametrize("shape", SHAPES, ids=str)
FILTERS = {"top_k": keep_top_k, "top_p": keep_top_p, "min_p": keep_min_p}
THEIRS = {
    "repetition_penalty": RepetitionPenaltyLogitsProcessor,
    "temperature": TemperatureLogitsWarper,
    "top_k": TopKLogitsWarper,
    "top_p": TopPLogitsWarper,
    "min_p": MinPLogitsWarper,
}


def scores(shape: tuple[int, int], seed: int = 0, spread: float = 3.0) -> Tensor:
    """In float64, where no sum is so near a limit that rounding decides."""
    return spread * torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def some_text(shape: tuple[int, int], seed: int = 1) -> Tensor:
    """Tokens (B, 5) that each row has seen."""
    return torch.randint(shape[1], (shape[0], 5), generator=seeded(seed))


def seen_of(text: Tensor, logits: Tensor) -> Tensor:
    return torch.zeros_like(logits, dtype=torch.bool).scatter(1, text, True)


def left(logits: Tensor) -> list[int]:
    """The tokens of the only row that are not ruled out."""
    (row,) = logits.isfinite()
    return row.nonzero()[:, 0].tolist()


def chosen(sampling: Sampling, logits: Tensor, seed: int = 0) -> list[int]:
    return sampling.choose(logits, generator=seeded(seed)).tolist()


# Each step is transformers'.


@shapes
@pytest.mark.parametrize("temperature", [0.05, 0.7, 1.0, 1.3, 40.0])
def test_temperature_is_theirs(shape, temperature):
    """Ours are shifted, which a softmax takes no notice of."""
    logits = scores(shape)
    ours = apply_temperature(logits, temperature)
    theirs = THEIRS["temperature"](temperature)(None, logits)
    assert_close(ours.softmax(-1), theirs.softmax(-1), rtol=1e-12, atol=0)
    assert ours.max(dim=-1).values.tolist() == [0] * shape[0]


@shapes
@pytest.mark.parametrize("k", [1, 2, 6, 13, 50, 10**9])
def test_top_k_is_theirs(shape, k):
    logits = scores(shape)
    ours = keep_top_k(logits, k)
    assert torch.equal(ours, THEIRS["top_k"](k)(None, logits))
    assert ours.isfinite().sum(dim=-1).tolist() == [min(k, shape[1])] * shape[0]


@shapes
@pytest.mark.parametrize("spread", [0.1, 3.0, 12.0])
@pytest.mark.parametrize("p", [1e-9, 0.1, 0.5, 0.9, 0.95, 0.999])
def test_top_p_is_theirs(shape, p, spread):
    logits = scores(shape, spread=spread)
    assert torch.equal(keep_top_p(logits, p), THEIRS["top_p"](p)(None, logits))


@shapes
@pytest.mark.parametrize("spread", [0.1, 3.0, 12.0])
@pytest.mark.parametrize("p", [1e-9, 0.02, 0.1, 0.5, 0.999, 1.0])
def test_min_p_is_theirs(shape, p, spread):
    logits = scores(shape, spread=spread)
    assert torch.equal(keep_min_p(logits, p), THEIRS["min_p"](p)(None, logits))


@shapes
@pytest.mark.parametrize("penalty", [0.5, 0.9, 1.0, 1.2, 3.0])
def test_the_penalty_is_theirs(shape, penalty):
    logits, text = scores(shape), some_text(shape)
    ours = penalise_repetitions(logits, seen_of(text, logits), penalty)
    assert torch.equal(ours, THEIRS["repetition_penalty"](penalty)(text, logits))


@shapes
@pytest.mark.parametrize(
    "settings",
    [
        {"top_k": 5, "top_p": 0.8, "min_p": 0.1},
        {"temperature": 1.7, "top_p": 0.9},
        {"temperature": 0.6, "top_k": 9, "min_p": 0.05},
        {"repetition_penalty": 1.4, "temperature": 1.5, "top_k": 11, "top_p": 0.7, "min_p": 0.2},
        {"repetition_penalty": 0.7, "top_p": 0.6},
    ],
    ids=str,
)
def test_all_steps_together_are_theirs(shape, settings):
    logits, text = scores(shape), some_text(shape)
    steps = list(Sampling(**settings).steps(logits, seen_of(text, logits)))
    assert [name for name, _ in steps] == list(settings)
    theirs = logits
    for (name, value), (_, ours) in zip(settings.items(), steps, strict=True):
        theirs = THEIRS[name](value)(text, theirs)
        assert_close(ours.softmax(-1), theirs.softmax(-1), rtol=1e-12, atol=0)
        assert torch.equal(ours.isfinite(), theirs.isfinite())


# By hand.

KNOWN = torch.tensor([[0.5, 0.25, 0.125, 0.0625, 0.0625]]).log()


@pytest.mark.parametrize(
    ("step", "value", "tokens"),
    [
        (keep_top_k, 1, [0]),
        (keep_top_k, 2, [0, 1]),
        (keep_top_k, 4, [0, 1, 2, 3, 4]),  # the last two are level
        (keep_top_k, 5, [0, 1, 2, 3, 4]),
        (keep_top_p, 0.4, [0]),
        (keep_top_p, 0.49, [0]),
        (keep_top_p, 0.51, [0, 1]),
        (keep_top_p, 0.74, [0, 1]),
        (keep_top_p, 0.8, [0, 1, 2]),
        (keep_top_p, 1.0, [0, 1, 2, 3, 4]),
        (keep_min_p, 1.0, [0]),
        (keep_min_p, 0.6, [0]),
        (keep_min_p, 0.4, [0, 1]),
        (keep_min_p, 0.2, [0, 1, 2]),
        (keep_min_p, 0.1, [0, 1, 2, 3, 4]),
    ],
)
def test_what_five_known_tokens_keep(step, value, tokens):
    for shift in (0.0, -7.5, 100.0):  # only differences between scores mean anything
        assert left(step(KNOWN + shift, value)) == tokens
    backwards = step(KNOWN.flip(-1), value)
    assert left(backwards.flip(-1)) == tokens


def test_a_temperature_by_hand():
    changed = apply_temperature(KNOWN, 0.5).softmax(-1)  # probabilities squared
    squares = torch.tensor([[64.0, 16, 4, 1, 1]])
    assert_close(changed, squares / 86)
    roots = KNOWN.exp().sqrt()
    assert_close(apply_temperature(KNOWN, 2.0).softmax(-1), roots / roots.sum())


def test_a_penalty_by_hand():
    logits, seen = torch.tensor([[4.0, -4, 0, 6, -6]]), torch.tensor([[True] * 3 + [False] * 2])
    assert penalise_repetitions(logits, seen, 2.0).tolist() == [[2, -8, 0, 6, -6]]
    assert penalise_repetitions(logits, seen, 0.5).tolist() == [[8, -2, 0, 6, -6]]
    assert penalise_repetitions(logits, ~seen, 2.0).tolist() == [[4, -4, 0, 3, -12]]


def test_equal_scores_stay_together_except_under_top_p():
    level = torch.zeros(2, 8)
    assert torch.equal(keep_top_k(level, 1), level)
    assert torch.equal(keep_min_p(level, 1.0), level)
    assert keep_top_p(level, 0.5).isfinite().sum(dim=-1).tolist() == [4, 4]
    assert keep_top_p(level, 0.51).isfinite().sum(dim=-1).tolist() == [5, 5]
    assert keep_top_p(level, 1e-300).isfinite().sum(dim=-1).tolist() == [1, 1]


@pytest.mark.parametrize("spread", [0.1, 3.0, 12.0])
def test_top_p_of_1_rules_nothing_out(spread):
    """The sum rounds to 1 long before the last of so many."""
    logits = scores((2, 50257), spread=spread).float()
    assert torch.equal(keep_top_p(logits, 1.0), logits)


def test_the_rows_of_a_batch_do_not_meet():
    logits, text = scores((6, 50)), some_text((6, 50))
    sampling = Sampling(0.8, top_k=20, top_p=0.9, min_p=0.01, repetition_penalty=1.3)
    seen = seen_of(text, logits)
    for row in range(6):
        alone = sampling.steps(logits[row : row + 1], seen[row : row + 1])
        for (name, ours), (_, one) in zip(sampling.steps(logits, seen), alone, strict=True):
            assert torch.equal(ours[row : row + 1], one), name


def test_nothing_is_changed_in_place_and_no_step_is_none():
    logits = scores((3, 9))
    before, seen = logits.clone(), seen_of(some_text((3, 9)), logits)
    sampling = Sampling(0.8, top_k=4, top_p=0.9, min_p=0.01, repetition_penalty=1.3)
    assert len(list(sampling.steps(logits, seen))) == 5
    sampling.choose(logits, seen)
    assert torch.equal(logits, before)
    assert list(Sampling().steps(logits)) == []


# Properties.

rows_of_scores = st.lists(
    st.floats(-50, 50, width=32) | st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=30
).map(lambda row: torch.tensor([row]))
a_filter = st.one_of(
    st.tuples(st.just("top_k"), st.integers(1, 40)),
    st.tuples(st.sampled_from(["top_p", "min_p"]), st.floats(0.0, 1.0, exclude_min=True)),
)


@given(rows_of_scores, a_filter)
def test_a_filter_only_removes_and_the_worst_first(logits, setting):
    name, value = setting
    filtered = FILTERS[name](logits, value)
    stays = filtered.isfinite()
    assert torch.equal(filtered[stays], logits[stays])
    assert (filtered[~stays] == -math.inf).all()
    assert (stays & (logits == logits.max())).any()  # a best one is always left
    if not stays.all():
        worst, best = logits[stays].min(), logits[~stays].max()
        assert worst > best or (name == "top_p" and worst == best)


@given(rows_of_scores, a_filter)
def test_top_k_and_min_p_do_nothing_the_second_time(logits, setting):
    name, value = setting
    once = FILTERS[name](logits, value)
    twice = FILTERS[name](once, value)
    if name == "top_p":  # what is left adds up to 1 again, so it may go on removing
        assert not (twice.isfinite() & ~once.isfinite()).any() and twice.isfinite().any()
    else:
        assert torch.equal(twice, once)


@given(rows_of_scores, a_filter, a_filter)
def test_a_wider_filter_keeps_at_least_as_much(logits, first, second):
    if first[0] == second[0]:
        name = first[0]
        narrow, wide = sorted((first[1], second[1]), reverse=name == "min_p")
        step = FILTERS[name]
        assert set(left(step(logits, narrow))) <= set(left(step(logits, wide)))


@given(rows_of_scores, st.floats(1e-3, 1e3))
def test_a_temperature_reorders_nothing(logits, temperature):
    changed = apply_temperature(logits, temperature)
    order = logits[0].argsort(stable=True)
    assert (changed[0, order].diff() >= 0).all()
    assert left(changed == changed.max()) == left(logits == logits.max())


@given(rows_of_scores, st.floats(1, 10), st.randoms(use_true_random=False))
def test_a_penalty_above_1_raises_no_score_and_one_below_lowers_none(logits, penalty, random):
    seen = torch.tensor([[random.random() < 0.5 for _ in logits[0]]])
    assert (penalise_repetitions(logits, seen, penalty) <= logits).all()
    assert (penalise_repetitions(logits, seen, 1 / penalty) >= logits).all()
    assert torch.equal(penalise_repetitions(logits, seen, penalty)[~seen], logits[~seen])


# The temperature's ends.

COLD = [0.0, 1e-30, 1e-45, 1e-300, 5e-324]


@pytest.mark.parametrize("temperature", COLD)
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e30])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_next_to_no_temperature_takes_the_best(temperature, scale, dtype):
    logits = (scale * scores((64, 50))).to(dtype)
    for seed in range(3):
        assert chosen(Sampling(temperature), logits, seed) == logits.argmax(-1).tolist()


@pytest.mark.parametrize("temperature", COLD)
def test_filters_do_not_mind_the_cold(temperature):
    logits = scores((64, 50))
    sampling = Sampling(temperature, top_k=10, top_p=0.9, min_p=0.1)
    assert chosen(sampling, logits) == logits.argmax(-1).tolist()


def test_greedy_does_not_draw():
    state = torch.get_rng_state()
    generator = seeded(3)
    before = generator.get_state()
    Sampling(0.0).choose(scores((4, 9)))
    Sampling(0.0).choose(scores((4, 9)), generator=generator)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(generator.get_state(), before)


def test_greedy_takes_the_first_of_equals():
    assert chosen(Sampling(0.0), torch.tensor([[1.0, 2, 2], [3, 3, 3]])) == [1, 0]


def test_a_penalty_also_changes_what_greedy_takes():
    logits, seen = torch.tensor([[3.0, 2.0]]), torch.tensor([[True, False]])
    assert Sampling(0.0, repetition_penalty=2.0).choose(logits, seen).tolist() == [1]
    assert Sampling(0.0).choose(logits, seen).tolist() == [0]


def test_a_temperature_of_1_leaves_the_distribution_alone_and_is_no_step():
    logits = scores((4, 50))
    assert_close(apply_temperature(logits, 1.0).softmax(-1), logits.softmax(-1), rtol=1e-12, atol=0)
    assert list(Sampling(1.0).steps(logits)) == []


def test_the_hotter_the_nearer_to_uniform():
    logits = scores((1, 50))
    distances = [
        (apply_temperature(logits, t).softmax(-1) - 1 / 50).abs().max().item()
        for t in (1.0, 3.0, 10.0, 1e3, 1e9)
    ]
    assert distances == sorted(distances, reverse=True) and distances[-1] < 1e-9
    assert_close(apply_temperature(logits.float(), 1e300).softmax(-1), torch.full((1, 50), 0.02))


# The draw.

FAILURE = 1e-6  # how often the test below would fail if it drew other numbers each time
DRAWS = 60_000


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"temperature": 0.6},
        {"temperature": 2.5},
        {"top_k": 5},
        {"top_p": 0.8},
        {"min_p": 0.1},
        {"temperature": 1.5, "top_k": 12, "top_p": 0.95, "min_p": 0.02, "repetition_penalty": 1.5},
    ],
    ids=str,
)
def test_what_is_drawn_has_the_distribution(settings):
    """Pearson's chi-square over tokens that are expected at least five times."""
    logits, sampling = scores((1, 20), spread=1.0), Sampling(**settings)
    seen = seen_of(some_text((1, 20)), logits)
    expected = logits
    for name in [name for name in THEIRS if name in settings]:
        expected = THEIRS[name](settings[name])(some_text((1, 20)), expected)
    counts = DRAWS * expected.softmax(-1)[0]
    many = sampling.choose(logits.expand(DRAWS, -1), seen.expand(DRAWS, -1), seeded(11))
    found = many.bincount(minlength=20).double()
    assert not found[counts == 0].any()  # what is ruled out is never drawn
    counts, found = counts[counts > 0], found[counts > 0]
    assert counts.min() > 5
    statistic = ((found - counts) ** 2 / counts).sum()
    freedom = torch.tensor(len(counts) - 1.0, dtype=torch.float64)
    assert torch.special.gammaincc(freedom / 2, statistic / 2) > FAILURE  # chance of so much


def test_the_same_seed_draws_the_same_and_another_seed_something_else():
    logits, sampling = scores((50, 40)), Sampling(1.2, top_p=0.95)
    assert chosen(sampling, logits, 5) == chosen(sampling, logits, 5) != chosen(sampling, logits, 6)
    torch.manual_seed(5)
    assert sampling.choose(logits).tolist() == chosen(sampling, logits, 5)


def test_a_generator_of_ones_own_leaves_the_global_one_alone():
    state = torch.get_rng_state()
    generator = seeded(2)
    first = Sampling().choose(scores((50, 40)), generator=generator).tolist()
    assert torch.equal(torch.get_rng_state(), state)
    assert Sampling().choose(scores((50, 40)), generator=generator).tolist() != first  # went on


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_scores_of_any_precision(dtype):
    logits = scores((300, 500)).to(dtype)
    seen = seen_of(some_text((300, 500)), logits)
    sampling = Sampling(0.7, top_k=20, top_p=0.9, min_p=0.01, repetition_penalty=1.2)
    tokens = sampling.choose(logits, seen, seeded())
    assert tokens.dtype == torch.long and tokens.shape == (300,)
    if dtype != torch.float64:  # 16 bits are enough to store scores, and too few to add them up
        assert torch.equal(tokens, sampling.choose(logits.float(), seen, seeded()))
    assert torch.equal(Sampling(0.0).choose(logits), logits.argmax(-1))
    for _, changed in sampling.steps(logits, seen):
        assert changed.dtype == dtype and not changed.isnan().any()


def test_one_token_is_always_drawn():
    for sampling in (Sampling(), Sampling(0.0), Sampling(3.0, 1, 0.1, 0.1, 2.0)):
        only = sampling.choose(torch.tensor([[-4.0]]), torch.tensor([[True]]))
        assert only.tolist() == [0]


# Errors.


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("sampling", [Sampling(), Sampling(0.0), Sampling(top_k=1)], ids=str)
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_scores_that_are_not_finite_are_refused(bad, sampling, dtype):
    logits = scores((3, 5)).to(dtype)
    logits[1, 2] = bad
    match = r"^the model's scores are not finite \(NaN or ∞\).*weights are damaged"
    with pytest.raises(ValueError, match=match):
        sampling.choose(logits)
    with pytest.raises(ValueError, match=match):
        check_finite(logits)
    check_finite(logits[[0, 2]])


TEMPERATURE = "it must be 0, for the best token always, or a finite number above"
WHOLE, SHARE = "it must be a whole number of at least 1", r"it must be above 0 and at most 1"
PENALTY = "it must be from 0.001 to 1000; 1 changes nothing"
BAD = [
    *(("temperature", x, TEMPERATURE) for x in (-0.1, -1, math.inf, math.nan, True, "1", None)),
    *(("top_k", x, WHOLE) for x in (0, -1, 2.0, True, "5", math.nan)),
    *(("top_p", x, SHARE) for x in (0, 0.0, -0.1, 1.0001, 2, math.nan, True, "0.9")),
    *(("min_p", x, SHARE) for x in (0, 0.0, -0.1, 1.0001, 2, math.nan, True, "0.9")),
    *(
        ("repetition_penalty", x, PENALTY)
        for x in (0, 0.0009, 1001, -1.0, math.inf, math.nan, True, "1", None)
    ),
]


@pytest.mark.parametrize(("name", "value", "limit"), BAD)
def test_settings_that_mean_nothing_are_refused(name, value, limit, as_readers_run_it):
    with pytest.raises(ValueError, match=rf"^{name} is {value!r}; {limit}$"):
        Sampling(**{name: value})
    with pytest.raises(ValueError, match=rf"^{name} is {value!r}; {limit}$"):
        dataclasses.replace(Sampling(), **{name: value})


def test_settings_at_their_limits_are_taken(as_readers_run_it):
    whole = Sampling(0, top_k=1, top_p=1, min_p=1, repetition_penalty=1)  # numbers, if not floats
    assert whole.choose(torch.tensor([[1.0, 2]])).tolist() == [1]
    Sampling(1e300, 10**9, 1e-300, 1e-300, 1e-3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Sampling().temperature = 2.0


def test_a_penalty_needs_to_know_the_text():
    match = r"^repetition_penalty is 1.2, but `seen` is missing, which says what tokens the text"
    with pytest.raises(ValueError, match=match):
        list(Sampling(repetition_penalty=1.2).steps(scores((1, 3))))
    with pytest.raises(ValueError, match=match):
        Sampling(0.0, repetition_penalty=1.2).choose(scores((1, 3)))
