"""Generation held to a loop that reads everything again, to transformers', and to its promises."""

from __future__ import annotations

import dataclasses
import itertools
import re
import threading

import numpy as np
import pytest
import torch
from small_models import awake, seeded
from torch import Tensor
from torch.testing import assert_close
from transformers import GPT2Config, GPT2LMHeadModel, RepetitionPenaltyLogitsProcessor

from minigpt.exchange.gpt2_format import gpt2_settings, gpt2_weights
from minigpt.generation import Reader, Sampling, generate, stream
from minigpt.generation.beams import beam_search
from minigpt.generation.decoding import stream_with_logprobs
from minigpt.model import GPT, GPTConfig

CONFIG = GPTConfig(vocab_size=13, context_length=12, n_layer=2, n_head=2, n_embd=8)
GREEDY = Sampling(0.0)
PROMPTS = [[3, 1, 4], [1], [5, 9, 2, 6, 5, 3, 5], [8, 9]]
both_ways = pytest.mark.parametrize("cached", [True, False], ids=["cached", "uncached"])
samplings = pytest.mark.parametrize(
    "sampling",
    [GREEDY, None, Sampling(1.5, top_k=6), Sampling(0.8, top_p=0.9, min_p=0.02)],
    ids=str,
)
pytestmark = pytest.mark.usefixtures("one_thread")


def made(config: GPTConfig = CONFIG, seed: int = 0) -> GPT:
    """Every part moves the scores, and positions so much that greedy texts do not stand still.

    In float64, where no two scores are level by rounding.
    """
    model = awake(GPT(config), seed, spread=1.5)
    with torch.no_grad():
        model.position_embedding.weight *= 3
    return model.double().eval()


def sized(context_length: int, **other) -> GPTConfig:
    return dataclasses.replace(CONFIG, context_length=context_length, **other)


def forgotten(text: list[int], length: int) -> list[int]:
    """What a model sees of a text that one more token has made too long: its newer half."""
    return text if len(text) <= length else text[len(text) - max(1, length // 2) :]


def plainly(
    model: GPT,
    prompts: list[list[int]],
    count: int,
    sampling: Sampling | None = None,
    generator: torch.Generator | None = None,
) -> list[list[int]]:
    """Read every text anew for each of `count` tokens."""
    windows, new = [list(prompt) for prompt in prompts], [[] for _ in prompts]
    for _ in range(count):
        with torch.no_grad():
            scores = torch.cat([model(torch.tensor([window]))[:, -1] for window in windows])
        for _, changed in (sampling or Sampling()).steps(scores):
            scores = changed
        if sampling and sampling.temperature == 0:
            tokens = scores.argmax(dim=-1).tolist()
        else:
            tokens = torch.multinomial(scores.softmax(-1), 1, generator=generator)[:, 0].tolist()
        for row, token in enumerate(tokens):
            new[row].append(token)
            windows[row] = forgotten([*windows[row], token], model.config.context_length)
    return new


def until(text: list[int], stop_tokens: set[int]) -> list[int]:
    return list(itertools.takewhile(lambda token: token not in stop_tokens, text))


# The plain loop.


@both_ways
@samplings
def test_the_texts_are_those_of_a_plain_loop(sampling, cached):
    model = made()
    for prompts, count in ((PROMPTS[:1], 9), (PROMPTS[2:3], 1), (PROMPTS, 30)):
        ours = generate(model, prompts, count, sampling, generator=seeded(7), cached=cached)
        assert ours == plainly(model, prompts, count, sampling, seeded(7))
        assert [len(text) for text in ours] == [count] * len(prompts)


def test_texts_are_different_enough_to_tell_something():
    for sampling, tokens in ((None, 8), (GREEDY, 4)):
        texts = generate(made(), PROMPTS, 40, sampling, generator=seeded(7))
        assert len({tuple(text) for text in texts}) == 4
        assert all(len(set(text)) >= tokens for text in texts)


def test_a_batch_gives_greedy_the_texts_of_one_by_one():
    model = made()
    together = generate(model, PROMPTS, 20, GREEDY)
    assert together == [generate(model, [prompt], 20, GREEDY)[0] for prompt in PROMPTS]


@both_ways
@pytest.mark.parametrize(
    "config",
    [
        sized(9, bias=False, n_head=1),
        sized(5, tied=False),
        sized(4, n_layer=1, n_embd=16, n_head=4),
    ],
    ids=["no bias", "untied", "four heads"],
)
def test_models_of_other_shapes(config, cached):
    model, prompts = made(config), [[3, 1, 4], [1], [5, 9, 2, 6]]
    expected = plainly(model, prompts, 20, None, seeded())
    assert generate(model, prompts, 20, generator=seeded(), cached=cached) == expected


@both_ways
def test_a_model_in_single_precision_chooses_the_same(cached):
    model = made().float()
    assert generate(model, PROMPTS, 30, GREEDY, cached=cached) == plainly(
        model, PROMPTS, 30, GREEDY
    )


@both_ways
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_model_in_half_precision_generates(dtype, cached):
    model = made().to(dtype)
    for text in generate(model, PROMPTS, 20, Sampling(top_p=0.9), (), seeded(), cached):
        assert len(text) == 20 and all(0 <= token < 13 for token in text)


# Beyond the context.


@both_ways
@pytest.mark.parametrize("length", [1, 2, 3, 4, 7])
def test_beyond_the_context_the_older_half_is_forgotten(length, cached, as_readers_run_it):
    """The rows of a batch fill up at different steps."""
    model = made(sized(length))
    prompts = [[(3 * i + j) % 13 for j in range(i)] for i in range(1, length + 1)]
    for some in (prompts, prompts[-1:], [prompts[-1], prompts[0]]):
        count = 2 * length + 3
        ours = generate(model, some, count, GREEDY, cached=cached)
        assert ours == plainly(model, some, count, GREEDY)
        ours = generate(model, some, count, generator=seeded(), cached=cached)
        assert ours == plainly(model, some, count, generator=seeded())


@pytest.mark.parametrize(
    ("length", "seen"),
    [
        (1, [1, 1, 1, 1, 1, 1]),
        (2, [1, 2, 1, 2, 1, 2]),
        (3, [1, 2, 3, 1, 2, 3]),
        (4, [1, 2, 3, 4, 2, 3]),
        (5, [1, 2, 3, 4, 5, 2]),
    ],
)
def test_how_much_of_a_text_is_seen(length, seen):
    reader, found = Reader(made(sized(length)), [[1]]), []
    for token in range(6):
        found.append(len(reader.windows[0]))
        assert reader.windows[0] == [1, *range(token)][-found[-1] :]
        reader.append([token])
    assert found == seen


@both_ways
@pytest.mark.parametrize("length", [1, 2, 3, 6, 7])
def test_a_reader_scores_what_the_model_scores(length, cached):
    model = made(sized(length))
    texts = [[5] * length, [1], [2] * max(1, length - 1)]
    reader = Reader(model, texts, cached)
    for number in range(3 * length):
        if number == 2 * length:
            texts = [texts[row] for row in (2, 0, 2, 1)]
            reader.select([2, 0, 2, 1])
        assert reader.windows == texts
        with torch.no_grad():
            whole = torch.cat([model(torch.tensor([text]))[:, -1] for text in texts])
        assert_close(reader.logits, whole, rtol=1e-11, atol=1e-11)
        tokens = [(number + 4 * row) % 13 for row in range(len(texts))]
        reader.append(tokens)
        texts = [
            forgotten([*text, token], length) for text, token in zip(texts, tokens, strict=True)
        ]


def test_a_reader_does_not_change_the_prompts_it_was_given():
    prompts = [[1, 2], [3]]
    reader = Reader(made(), prompts)
    reader.append([4, 5])
    reader.select([0, 0])
    reader.append([6, 7])
    assert reader.windows == [[1, 2, 4, 6], [1, 2, 4, 7]]
    generate(made(), prompts, 20)
    assert prompts == [[1, 2], [3]]


# What is read.


def widths_read(model: GPT) -> list[tuple[int, ...]]:
    seen: list[tuple[int, ...]] = []
    model.register_forward_pre_hook(lambda model, inputs: seen.append(tuple(inputs[0].shape)))
    return seen


def test_with_a_cache_each_token_is_read_once():
    model = made(sized(8))
    seen = widths_read(model)
    generate(model, [[1, 2, 3], [1]], 4)
    assert seen == [(2, 3), (2, 1), (2, 1), (2, 1)]
    seen.clear()
    generate(model, [[1, 2, 3], [1]], 4, cached=False)
    assert seen == [(2, 3), (2, 4), (2, 5), (2, 6)]


def test_only_the_row_that_is_full_is_read_again():
    model = made(sized(4))
    seen = widths_read(model)
    generate(model, [[1, 2, 3], [1]], 4)
    assert seen == [(2, 3), (2, 1), (1, 1), (2, 1), (2, 1)]


# The end.


@both_ways
@pytest.mark.parametrize("sampling", [GREEDY, None], ids=str)
def test_a_stop_token_ends_its_text_alone(sampling, cached):
    model = made()
    whole = plainly(model, PROMPTS, 30, sampling, seeded(3))
    for stop_tokens in ({0}, {5, 9}, set(range(7)), set(range(13)), ()):
        expected = [until(text, set(stop_tokens)) for text in whole]
        found = generate(model, PROMPTS, 30, sampling, stop_tokens, seeded(3), cached)
        assert found == expected
        if stop_tokens == {5, 9}:  # they end at different steps, so there is something to see
            assert len({len(text) for text in found}) > 2


def test_a_text_may_end_before_it_begins_or_with_its_last_token():
    model = made()
    (text,) = plainly(model, [[3, 1, 4]], 8, GREEDY)
    late = next(token for token in reversed(text) if text.index(token) > 1)
    assert generate(model, [[3, 1, 4]], 8, GREEDY, {text[0]}) == [[]]
    assert generate(model, [[3, 1, 4]], 8, GREEDY, [late]) == [text[: text.index(late)]]
    assert generate(model, [[3, 1, 4]], text.index(late) + 1, GREEDY, (late,)) == [
        until(text, {late})
    ]
    in_prompt = plainly(model, [[3, 1, late]], 3, GREEDY)
    assert late not in in_prompt[0]
    assert generate(model, [[3, 1, late]], 3, GREEDY, {late}) == in_prompt


def test_when_all_texts_have_ended_the_model_is_not_asked_again():
    model = made()
    lengths = [len(text) for text in generate(model, PROMPTS, 50, None, {0, 1}, seeded(3))]
    seen = widths_read(model)
    generate(model, PROMPTS, 50, None, {0, 1}, seeded(3))
    longest = max(lengths)
    assert longest < 50 and sum(rows == 4 for rows, _ in seen) == longest + 1


# One at a time.


@both_ways
@pytest.mark.parametrize("sampling", [GREEDY, None], ids=str)
@pytest.mark.parametrize("stop_tokens", [(), {0}, set(range(13))], ids=str)
def test_a_stream_gives_what_generate_gives(stop_tokens, sampling, cached):
    model = made()
    for prompt in PROMPTS[:2]:
        streamed = list(stream(model, prompt, 16, sampling, stop_tokens, seeded(4), cached))
        whole = generate(model, [prompt], 16, sampling, stop_tokens, seeded(4), cached)
        assert [streamed] == whole


def test_a_stream_gives_a_token_as_soon_as_it_is_chosen():
    model = made()
    seen = widths_read(model)
    tokens = stream(model, [3, 1, 4], 5)
    for number in range(1, 6):
        next(tokens)
        assert len(seen) == number
    with pytest.raises(StopIteration):
        next(tokens)
    assert len(seen) == 5  # the last token is not read: nothing comes after it


# Chance.


def test_the_same_seed_writes_the_same_text():
    model = made()
    first, same, other = (
        generate(model, PROMPTS, 30, generator=seeded(seed)) for seed in (1, 1, 2)
    )
    assert first == same != other
    torch.manual_seed(1)
    assert generate(model, PROMPTS, 30) == first  # without a generator, torch's own


@both_ways
def test_the_global_generator_is_left_alone(cached):
    model = made(sized(6, dropout=0.5)).train()
    state = torch.get_rng_state()
    generate(model, PROMPTS[:2], 20, generator=seeded(), cached=cached)
    generate(model, PROMPTS[:2], 20, GREEDY, cached=cached)
    assert torch.equal(torch.get_rng_state(), state)


# The model afterwards.


@both_ways
def test_dropout_is_off_and_the_mode_is_put_back(cached):
    model, plain = made(sized(12, dropout=0.5)), made()
    expected = generate(plain, PROMPTS, 20, GREEDY)
    for training in (True, False):
        model.train(training)
        assert generate(model, PROMPTS, 20, GREEDY, cached=cached) == expected
        assert all(module.training == training for module in model.modules())
        for _ in stream(model, [1], 4, cached=cached):
            assert all(module.training == training for module in model.modules())


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_stays_even_if_reading_fails(training):
    model = made().train(training)
    reads = itertools.count()

    def fail(module, *_):
        assert not module.training
        if next(reads) == 2:
            raise KeyboardInterrupt

    model.final_norm.register_forward_hook(fail)
    with pytest.raises(KeyboardInterrupt):
        generate(model, PROMPTS, 9)
    assert next(reads) == 3
    assert all(module.training == training for module in model.modules())


@both_ways
def test_no_gradient_is_kept(cached):
    model, followed = made(), []
    model.register_forward_hook(lambda model, ids, scores: followed.append(scores.requires_grad))
    generate(model, PROMPTS, 9, cached=cached)
    assert followed and not any(followed)
    assert all(parameter.grad is None for parameter in model.parameters())
    model(torch.tensor(PROMPTS[:1])).sum().backward()  # and training goes on as before
    assert all(parameter.grad is not None for parameter in model.parameters())


# transformers.

LONG = GPTConfig(vocab_size=41, context_length=64, n_layer=2, n_head=2, n_embd=16)


def gpt2(model: GPT) -> GPT2LMHeadModel:
    """transformers' model with the same weights."""
    names = gpt2_settings(model.config)
    del names["architectures"], names["model_type"]
    theirs = GPT2LMHeadModel(GPT2Config(**names, bos_token_id=None, eos_token_id=None)).double()
    result = theirs.load_state_dict(gpt2_weights(model), strict=False)
    assert not result.unexpected_keys and result.missing_keys in ([], ["lm_head.weight"])
    return theirs.eval()


def their_text(theirs: GPT2LMHeadModel, prompt: list[int], count: int, **settings) -> list[int]:
    ids = torch.tensor([prompt])
    out = theirs.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=count,
        do_sample=False,
        pad_token_id=0,
        **settings,
    )
    return out[0, len(prompt) :].tolist()


@pytest.mark.parametrize("penalty", [1.0, 1.3, 0.8])
def test_greedy_texts_are_those_of_transformers(penalty):
    """Their penalty, too, counts the prompt and all that was written."""
    model = made(LONG)
    theirs = gpt2(model)
    prompts = PROMPTS[1:3]
    expected = [their_text(theirs, prompt, 40, repetition_penalty=penalty) for prompt in prompts]
    for cached in (True, False):
        sampling = Sampling(0.0, repetition_penalty=penalty)
        assert generate(model, prompts, 40, sampling, cached=cached) == expected
    if penalty != 1:
        assert expected != generate(model, prompts, 40, GREEDY)


@both_ways
def test_the_penalty_counts_what_the_model_has_forgotten(cached):
    model, penalty = made(sized(4)), RepetitionPenaltyLogitsProcessor(4.0)
    texts = [[1, 2, 3], [4]]
    windows = [list(text) for text in texts]
    for _ in range(25):
        for row, window in enumerate(windows):
            with torch.no_grad():
                scores: Tensor = model(torch.tensor([window]))[:, -1]
            texts[row].append(penalty(torch.tensor([texts[row]]), scores).argmax().item())
            windows[row] = forgotten([*window, texts[row][-1]], 4)
    sampling = Sampling(0.0, repetition_penalty=4.0)
    ours = generate(model, [[1, 2, 3], [4]], 25, sampling, cached=cached)
    assert ours == [texts[0][3:], texts[1][1:]]


# What a user of PyTorch passes, and a model that others use too.


@pytest.mark.parametrize("kind", [torch.tensor, np.array, tuple], ids=["tensor", "array", "tuple"])
def test_tokens_may_come_in_tensors_arrays_and_tuples(kind, as_readers_run_it):
    model, text = made(), [3, 1, 4]
    expected = generate(model, [text], 4, GREEDY)
    count = kind([4, 4])[0]  # a number of that kind
    assert generate(model, kind([text]), count, GREEDY) == expected
    assert generate(model, [kind(text)], count, GREEDY, stop_tokens=kind([])) == expected
    assert list(stream(model, kind(text), count, GREEDY)) == expected[0]
    stop = kind([expected[0][2]])
    assert generate(model, [text], 4, GREEDY, stop) == [until(expected[0], {*map(int, stop)})]
    assert beam_search(model, kind(text), count, kind([1, 1])[0])[0][0] == expected[0]


def test_a_tensor_of_tokens_is_not_changed():
    model, prompts = made(), torch.tensor([[3, 1, 4], [1, 5, 9]])
    texts = generate(model, prompts, 20, Sampling(0.0, repetition_penalty=1.5))
    assert prompts.tolist() == [[3, 1, 4], [1, 5, 9]]
    assert texts == generate(model, prompts.tolist(), 20, Sampling(0.0, repetition_penalty=1.5))


@both_ways
def test_a_model_in_training_is_read_without_dropout_and_left_in_training(cached):
    """Also while another thread uses it: a barrier has both in the middle of a text at once."""
    model = made(sized(12, dropout=0.5))
    expected = generate(model, PROMPTS, 20, GREEDY)
    model.train()
    meet, modes, texts = threading.Barrier(2, timeout=30), [], []

    def write() -> None:
        text = list(itertools.islice(stream(model, [1], 20, GREEDY, cached=cached), 5))
        meet.wait()
        modes.append({module.training for module in model.modules()})
        texts.append((text, generate(model, PROMPTS, 20, GREEDY, cached=cached)))

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert texts == [(expected[1][:5], expected)] * 2 and modes == [{True}] * 2
    assert all(module.training for module in model.modules())


def test_nothing_of_a_model_in_training_is_touched_while_it_is_read():
    """Threads may meet anywhere, so not for a moment."""
    model = made(sized(12, dropout=0.5)).train()
    model.blocks[0].eval()  # frozen, as when the others are tuned
    before = [module.training for module in model.modules()]
    seen = []
    hook = model.lm_head.register_forward_hook(
        lambda *_: seen.append([module.training for module in model.modules()])
    )
    generate(model, PROMPTS, 3, GREEDY)
    hook.remove()
    assert seen == [before] * 3
    with torch.no_grad():
        model.lm_head.weight.zero_()  # the very parameters
    assert generate(model, [[1]], 3, GREEDY) == [[0, 0, 0]]


# A model with more scores than its tokenizer has tokens.


@both_ways
@pytest.mark.parametrize("penalty", [1.0, 1.3])
def test_only_tokens_of_the_vocabulary_are_chosen(cached, penalty):
    model = made()
    with torch.no_grad():
        model.lm_head.weight[9:] *= 8  # so that the others come first nearly always
    sampling = Sampling(3.0, repetition_penalty=penalty)
    prompts = [[3, 1, 11], [2]]  # a prompt may hold what is not to be written
    free = generate(model, prompts, 40, sampling, generator=seeded(), cached=cached)
    held = generate(model, prompts, 40, sampling, generator=seeded(), cached=cached, vocab_size=9)
    assert max(map(max, free)) > 8 >= max(map(max, held))
    whole = generate(model, prompts, 40, sampling, generator=seeded(), vocab_size=13)
    assert whole == generate(model, prompts, 40, sampling, generator=seeded(), vocab_size=99)
    assert all(max(text) < 9 for text, _ in beam_search(model, [1], 6, 3, vocab_size=9))
    assert any(max(text) > 8 for text, _ in beam_search(model, [1], 6, 3))


@pytest.mark.parametrize("size", [0, -2, 1.5, True])
def test_a_vocabulary_that_is_none_is_refused(size, as_readers_run_it):
    assert_refused(f"^vocab_size is {size}; it must be", [[1]], vocab_size=size)


def test_log_probabilities_are_the_models_own():
    """Whatever the sampling; what may not be chosen has none."""
    model = made()
    found = list(
        stream_with_logprobs(model, [3, 1], 6, Sampling(0.3, 2), (), seeded(), vocab_size=11)
    )
    tokens = [token for token, _ in found]
    assert tokens == list(stream(model, [3, 1], 6, Sampling(0.3, 2), (), seeded(), vocab_size=11))
    with torch.no_grad():
        scores = model(torch.tensor([[3, 1, *tokens]]))[0, 1:-1, :11].log_softmax(-1)
    expected = scores[range(6), tokens]
    assert_close(torch.tensor([p for _, p in found]).double(), expected, rtol=0, atol=1e-6)


# Errors. They are raised where the mistake is, not when the first token is asked for.


def assert_refused(match: str, prompts=(), count=5, model: GPT | None = None, **other) -> None:
    """By all that take the same arguments."""
    model = model or made()
    with pytest.raises(ValueError, match=match):
        generate(model, prompts, count, **other)
    if len(prompts) == 1:
        with pytest.raises(ValueError, match=match):
            stream(model, prompts[0], count, **other)
    if not other and count == 5:
        with pytest.raises(ValueError, match=match):
            Reader(model, prompts)


@both_ways
def test_no_prompt_is_refused(cached):
    match = "^there is no prompt: give a list of lists of tokens, one a text$"
    with pytest.raises(ValueError, match=match):
        generate(made(), [], 5, cached=cached)


def test_a_prompt_without_tokens_is_refused():
    assert_refused("^prompt 0 has no tokens, so there is nothing to continue: begin with", [[]])
    assert_refused("^prompt 1 has no tokens", [[1], [], [2]])


def test_a_prompt_longer_than_the_context_is_refused():
    match = (
        "prompt 0 has 13 tokens and the model sees 12 (context_length): give its last 12, "
        "prompt[-12:]"
    )
    assert_refused(f"^{re.escape(match)}$", [[1] * 13])
    assert_refused("^prompt 2 has 14 tokens", [[1], [1] * 12, [1] * 14])
    assert len(generate(made(), [[1] * 12], 5)[0]) == 5


@pytest.mark.parametrize("token", [13, -1, 50256, True, 1.0, "a", None], ids=repr)
def test_what_is_no_token_is_refused(token, as_readers_run_it):
    rest = (
        rf"{re.escape(repr(token))} is none of the model's, which are whole numbers from 0 to 12 "
        r"\(vocab_size is 13\): encode with the tokenizer that it was trained with$"
    )
    assert_refused(f"^token of prompt 0 {rest}", [[1, token]])
    assert_refused(f"^token of prompt 1 {rest}", [[1], [token]])
    assert_refused(f"^stop token {rest}", [[1]], stop_tokens=[2, token])


def test_one_list_of_tokens_is_no_list_of_texts(as_readers_run_it):
    match = "^prompt 0 is 3; it must be a list of tokens: give a list of lists, one a text$"
    with pytest.raises(ValueError, match=match):
        generate(made(), [3, 1, 4], 5)


@pytest.mark.parametrize("count", [0, -1, 2.0, True, "3", None], ids=repr)
def test_a_number_of_tokens_that_is_none_is_refused(count, as_readers_run_it):
    match = f"^max_new_tokens is {count!r}; it must be a whole number above 0$"
    assert_refused(match, [[1]], count)


@both_ways
@pytest.mark.parametrize("sampling", [None, GREEDY], ids=str)
def test_weights_that_are_not_finite_are_refused(sampling, cached):
    model = made()
    with torch.no_grad():
        model.blocks[1].mlp.up.weight[0, 0] = torch.nan
    match = r"^the model's scores are not finite \(NaN or ∞\)"
    with pytest.raises(ValueError, match=match):
        generate(model, PROMPTS, 5, sampling, cached=cached)
    with pytest.raises(ValueError, match=match):
        next(stream(model, [1], 5, sampling, cached=cached))
