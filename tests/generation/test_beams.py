"""Beam search held to a search of everything, to greedy, and to transformers'."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from small_models import awake
from torch.testing import assert_close
from transformers import GPT2Config, GPT2LMHeadModel

from minigpt.exchange.gpt2_format import gpt2_settings, gpt2_weights
from minigpt.generation import Sampling, generate
from minigpt.generation.beams import beam_search
from minigpt.model import GPT, GPTConfig

CONFIG = GPTConfig(vocab_size=4, context_length=8, n_layer=1, n_head=2, n_embd=8)
SEEDS = range(4)
GREEDY = Sampling(0.0)
pytestmark = pytest.mark.usefixtures("one_thread")

Found = list[tuple[list[int], float]]


def made(config: GPTConfig = CONFIG, seed: int = 0) -> GPT:
    """Every part moves the scores; in float64, where no two are level by rounding."""
    model = awake(GPT(config), seed)
    with torch.no_grad():
        model.position_embedding.weight *= 2
    return model.double().eval()


def pairs(probabilities: list[list[float]]) -> GPT:
    """A GPT that looks at the newest token alone: row i says what follows token i.

    Blocks that add nothing, a norm that gives back each token's unit vector, and a head that
    holds the logarithms.
    """
    size = len(probabilities)
    model = GPT(GPTConfig(size, 32, n_layer=1, n_head=1, n_embd=size, tied=False)).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.token_embedding.weight.copy_(torch.eye(size))
        spread = math.sqrt((1 - 1 / size) / size + model.final_norm.eps)
        model.final_norm.weight.fill_(spread)
        model.final_norm.bias.fill_(1 / size)
        table = torch.tensor(probabilities, dtype=torch.float64)
        model.lm_head.weight.copy_(table.log().T)
        assert_close(model(torch.arange(size)[:, None])[:, 0].exp(), table)
    return model


@torch.no_grad()
def everything(
    model: GPT,
    prompt: list[int],
    count: int,
    stop_tokens: set[int] = frozenset(),
    length_penalty: float = 0.0,
) -> Found:
    """All texts, best first, with the logarithm of their probability: each read as a whole."""
    length, alive, done = model.config.context_length, [([], list(prompt), 0.0)], []
    for number in range(1, count + 1):
        scores = model(torch.tensor([window for _, window, _ in alive]))[:, -1].log_softmax(-1)
        grown = []
        for (text, window, score), row in zip(alive, scores.tolist(), strict=True):
            for token, more in enumerate(row):
                if token in stop_tokens:
                    done.append((text, score + more, number))
                else:
                    seen = [*window, token]
                    if len(seen) > length:
                        seen = seen[-max(1, length // 2) :]
                    grown.append(([*text, token], seen, score + more))
        if not (alive := grown):
            break
    done += [(text, score, count) for text, _, score in alive]
    done.sort(key=lambda found: -found[1] / found[2] ** length_penalty)
    assert sum(math.exp(score) for _, score, _ in done) == pytest.approx(1)
    return [(text, score) for text, score, _ in done]


def assert_same(ours: Found, theirs: Found, rel: float = 1e-10) -> None:
    assert [text for text, _ in ours] == [text for text, _ in theirs]
    assert [score for _, score in ours] == pytest.approx([score for _, score in theirs], rel=rel)


# A search of everything.


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("stop_tokens", [set(), {2}, {0, 3}, {0, 1, 2, 3}], ids=str)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_with_enough_beams_it_finds_everything_in_order(count, stop_tokens, seed):
    model, beams = made(seed=seed), 4 ** (count - 1)
    for length_penalty in (0.0, 0.7, 1.0, 2.0, -1.0):
        best = everything(model, [1, 3], count, stop_tokens, length_penalty)
        ours = beam_search(model, [1, 3], count, beams, stop_tokens, length_penalty)
        assert_same(ours, best[:beams])


def test_four_tokens_of_five():
    model = made(GPTConfig(5, 8, n_layer=2, n_head=2, n_embd=8), seed=1)
    assert_same(beam_search(model, [2], 4, 125), everything(model, [2], 4)[:125])
    ours = beam_search(model, [2], 4, 125, stop_tokens=[3])
    assert_same(ours, everything(model, [2], 4, {3})[:125])


@pytest.mark.parametrize("length", [1, 2, 3])
def test_beyond_the_context_the_older_half_is_forgotten(length):
    config = GPTConfig(4, length, n_layer=1, n_head=2, n_embd=8)
    for seed in SEEDS:
        model, prompt = made(config, seed), [1, 3, 0][:length]
        best = everything(model, prompt, 4)
        ours = beam_search(model, prompt, 4, 64)
        scores = [score for _, score in best[:64]]
        assert [score for _, score in ours] == pytest.approx(scores)
        of = {tuple(text): score for text, score in best}  # some are level, in any order
        assert [of[tuple(text)] for text, _ in ours] == pytest.approx(scores)


def test_more_beams_than_texts_give_all_texts():
    ours = beam_search(made(), [1], 2, beams=1000)
    assert_same(ours, everything(made(), [1], 2))
    assert len(ours) == 16


# One beam is greedy.


def greedy(model: GPT, prompt: list[int], count: int, stop_tokens=()) -> list[int]:
    return generate(model, [prompt], count, GREEDY, stop_tokens)[0]


@pytest.mark.parametrize("stop_tokens", [(), {2}, {0, 3}], ids=str)
def test_one_beam_is_greedy(stop_tokens):
    for seed in range(8):
        model = made(seed=seed)
        for prompt in ([0], [1, 3]):
            ((text, _),) = beam_search(model, prompt, 12, 1, stop_tokens)
            assert text == greedy(model, prompt, 12, stop_tokens)


def test_one_beam_does_not_turn_back_to_an_end_that_it_passed():
    """3 stops: less probable than 1 after 0, and more than all that comes later."""
    model = pairs([[0.1, 0.5, 0.1, 0.3], [0.3, 0.3, 0.39, 0.01], [0.6, 0.2, 0.1, 0.1], [0.25] * 4])
    ((text, score),) = beam_search(model, [0], 3, 1, stop_tokens={3})
    assert text == greedy(model, [0], 3, {3}) == [1, 2, 0]
    assert score == pytest.approx(math.log(0.5 * 0.39 * 0.6))


# By hand.

TABLE = [
    [0.1, 0.5, 0.35, 0.05],  # greedy takes 1 after 0 ...
    [0.3, 0.3, 0.3, 0.1],  # ... where nothing is likely
    [0.02, 0.9, 0.05, 0.03],
    [0.25, 0.25, 0.25, 0.25],
]


def test_greedy_is_beaten_by_one_who_keeps_a_second_text():
    model = pairs(TABLE)
    best, second = beam_search(model, [0], 2, beams=2)
    assert best[0] == [2, 1] and best[1] == pytest.approx(math.log(0.35 * 0.9))
    assert second[0][0] == 1 and second[1] == pytest.approx(math.log(0.5 * 0.3))
    assert greedy(model, [0], 2)[0] == 1
    ((_, score),) = beam_search(model, [0], 2, beams=1)
    assert score == pytest.approx(math.log(0.5 * 0.3))


def test_more_beams_find_what_fewer_miss():
    """Two beams lose the text that starts worst and is best in the end; three find it."""
    likely = [[0.02, 0.44, 0.3, 0.24], [0.25] * 4, [0.3, 0.3, 0.2, 0.2], [0.01, 0.01, 0.01, 0.97]]
    model = pairs(likely)
    assert [beam_search(model, [0], 2, beams)[0][0] for beams in (2, 3)] != [[3, 3]] * 2
    assert beam_search(model, [0], 2, 3)[0] == ([3, 3], pytest.approx(math.log(0.24 * 0.97)))


STOPPING = [[0.02, 0.6, 0.08, 0.3], [0.01, 0.9, 0.05, 0.04], [0.25] * 4, [0.25] * 4]


def test_a_length_penalty_above_0_favours_the_long_and_below_the_short():
    """Token 3 stops: at once, or after three times token 1."""
    short, long = ([], math.log(0.4)), ([1, 1, 1], math.log(0.5 * 0.8 * 0.8))
    model = pairs([[0.02, 0.5, 0.08, 0.4], [0.04, 0.8, 0.12, 0.04], [0.25] * 4, [0.25] * 4])
    assert long[1] < short[1] < long[1] / 3
    assert_same(beam_search(model, [0], 3, 2, {3}, 0.0), [short, long])
    assert_same(beam_search(model, [0], 3, 2, {3}, 1.0)[:1], [long])

    short, long = ([], math.log(0.3)), ([1, 1, 1], math.log(0.6 * 0.9 * 0.9))
    assert short[1] < long[1] and long[1] * 3 < short[1]
    assert_same(beam_search(pairs(STOPPING), [0], 3, 2, {3}, 0.0), [long, short])
    assert_same(beam_search(pairs(STOPPING), [0], 3, 2, {3}, -1.0)[:1], [short])


def test_the_probability_of_stopping_counts_and_the_stop_is_not_given_out():
    model = pairs(STOPPING)
    found = {tuple(text): score for text, score in beam_search(model, [0], 3, 16, {3})}
    assert found[()] == pytest.approx(math.log(0.3))
    assert found[(1,)] == pytest.approx(math.log(0.6 * 0.04))
    assert not any(3 in text for text in found)


# What it gives.


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("beams", [1, 3, 5])
def test_the_score_is_the_models_own(beams, dtype):
    config = GPTConfig(11, 16, n_layer=2, n_head=2, n_embd=8)
    for seed in SEEDS:
        model, prompt = made(config, seed).to(dtype), [1, 3]
        found = beam_search(model, prompt, 9, beams)
        assert len(found) == len({tuple(text) for text, _ in found}) == beams
        assert [score for _, score in found] == sorted((s for _, s in found), reverse=True)
        for text, score in found:
            ids = torch.tensor([prompt + text])
            with torch.no_grad():
                logs = model(ids)[0, 1:-1].double().log_softmax(-1)
            own = logs.gather(1, ids[0, 2:, None]).sum().item()
            assert score == pytest.approx(own, rel=1e-12 if dtype == torch.float64 else 1e-5)


def test_beams_are_never_worse_than_greedy_here_and_sometimes_better():
    config, better = GPTConfig(11, 16, n_layer=2, n_head=2, n_embd=8), 0
    for seed in range(8):
        (best, *_) = beam_search(made(config, seed), [1, 3], 6, 4)
        ((_, alone),) = beam_search(made(config, seed), [1, 3], 6, 1)
        assert best[1] >= alone - 1e-12
        better += best[1] > alone + 1e-3
    assert better >= 2


def test_it_stops_reading_when_nothing_can_overtake():
    model, seen = pairs([STOPPING[0], [0.01, 0.01, 0.01, 0.97], *STOPPING[2:]]), []
    model.register_forward_pre_hook(lambda model, inputs: seen.append(inputs[0].shape[0]))
    found = beam_search(model, [0], 30, 2, {3})
    assert_same(found, [([1], math.log(0.6 * 0.97)), ([], math.log(0.3))])
    assert len(seen) < 5
    assert_same(found, everything(model, [0], 6, {3})[:2])


def test_it_reads_on_while_a_text_may_still_be_better_than_those_that_ended():
    model = pairs([STOPPING[0], [0.01, 0.9, 0.01, 0.08], *STOPPING[2:]])
    found = beam_search(model, [0], 5, 2, {3})  # two have ended after two tokens: 0.3 and 0.048
    assert_same(found, [([1] * 5, math.log(0.6 * 0.9**4)), ([], math.log(0.3))])
    assert_same(found, everything(model, [0], 5, {3})[:2])


def test_with_a_length_penalty_a_longer_text_may_always_overtake():
    """After three tokens it is less probable than both that have ended, and in the end best."""
    table = [[0.02, 0.3, 0.1, 0.58], [0.01, 0.01, 0.55, 0.43], [0.13, 0.1, 0.75, 0.02], [0.25] * 4]
    found = beam_search(pairs(table), [0], 6, 2, {3}, length_penalty=1.0)
    long = [1, 2, 2, 2, 2, 2], math.log(0.3 * 0.55 * 0.75**4)
    assert_same(found, [long, ([], math.log(0.58))])


def test_the_model_and_the_global_generator_are_as_before():
    model = made(GPTConfig(4, 8, n_layer=1, n_head=2, n_embd=8, dropout=0.5))
    expected, state = beam_search(model, [1, 3], 12), torch.get_rng_state()
    model.train()
    assert beam_search(model, [1, 3], 12) == expected
    assert all(module.training for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(torch.get_rng_state(), state)


# transformers.


@pytest.mark.parametrize("stop_token", [None, 5])
@pytest.mark.parametrize("beams", [2, 4])
def test_the_beams_are_those_of_transformers(beams, stop_token):
    """With the settings that they call canonical: early_stopping "never", no length penalty."""
    config = GPTConfig(11, 24, n_layer=2, n_head=2, n_embd=8)
    for seed, prompt in itertools.product(SEEDS[:3], ([1, 3], [7])):
        model = made(config, seed)
        names = gpt2_settings(config)
        del names["architectures"], names["model_type"]
        theirs = GPT2LMHeadModel(GPT2Config(**names, bos_token_id=None, eos_token_id=None))
        theirs.double().eval().load_state_dict(gpt2_weights(model), strict=False)
        ids = torch.tensor([prompt])
        out = theirs.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=10,
            do_sample=False,
            num_beams=beams,
            num_return_sequences=beams,
            length_penalty=0.0,
            early_stopping="never",
            eos_token_id=stop_token,
            pad_token_id=config.vocab_size - 1 if stop_token is None else stop_token,
            return_dict_in_generate=True,
            output_scores=True,
        )
        texts = [text[len(prompt) :] for text in out.sequences.tolist()]
        if stop_token is not None:
            texts = [list(itertools.takewhile(lambda t: t != stop_token, text)) for text in texts]
        expected = list(zip(texts, out.sequences_scores.tolist(), strict=True))
        ours = beam_search(model, prompt, 10, beams, () if stop_token is None else [stop_token])
        assert_same(ours, expected, rel=1e-5)  # they add up in single precision


# Errors.


@pytest.mark.parametrize("beams", [0, -1, 2.0, True, "4", None], ids=repr)
def test_a_number_of_beams_that_is_none_is_refused(beams, as_readers_run_it):
    with pytest.raises(
        ValueError, match=f"^beams is {beams!r}; it must be a whole number of at least 1$"
    ):
        beam_search(made(), [1], 3, beams)


def test_what_generate_refuses_is_refused():
    model = made()
    for match, arguments in {
        "^prompt 0 has no tokens": ([], 3),
        "^prompt 0 has 9 tokens and the model sees 8": ([1] * 9, 3),
        "^token of prompt 0 4 is none of the model's": ([4], 3),
        "^max_new_tokens is 0; it must be a whole number above 0$": ([1], 0),
        "^stop token -1 is none of the model's": ([1], 3, 4, [-1]),
    }.items():
        with pytest.raises(ValueError, match=match):
            beam_search(model, *arguments)
    with torch.no_grad():
        model.blocks[0].mlp.up.weight[0, 0] = torch.nan
    with pytest.raises(ValueError, match=r"^the model's scores are not finite \(NaN or ∞\)"):
        beam_search(model, [1], 3)
