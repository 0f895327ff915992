"""Reading on with a cache held to reading everything again, whatever became of the cache."""

from __future__ import annotations

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import awake, seeded
from torch import Tensor
from torch.testing import assert_close

from minigpt.attention import CausalSelfAttention, KVCache, LayerCache
from minigpt.model import GPT, GPTConfig
from minigpt.model.ledger import kv_cache_bytes

CONFIG = GPTConfig(vocab_size=13, context_length=9, n_layer=2, n_head=2, n_embd=8)
CONFIGS = [
    CONFIG,
    GPTConfig(11, 7, n_layer=1, n_head=1, n_embd=6),
    GPTConfig(11, 6, n_layer=3, n_head=3, n_embd=12, bias=False),
    GPTConfig(11, 5, n_layer=1, n_head=4, n_embd=16, tied=False),
    GPTConfig(11, 1, n_layer=1, n_head=2, n_embd=4, bias=False, tied=False),
]
configs = pytest.mark.parametrize("config", CONFIGS, ids=range(len(CONFIGS)))
EXACT = {torch.float64: {"rtol": 1e-12, "atol": 1e-12}, torch.float32: {}}
dtypes = pytest.mark.parametrize("dtype", EXACT, ids=str)


@pytest.fixture(autouse=True)
def without_gradients(one_thread):
    with torch.no_grad():
        yield


def made(config: GPTConfig = CONFIG, dtype: torch.dtype = torch.float64) -> GPT:
    return awake(GPT(config)).to(dtype)


def cache_for(model: GPT, batch: int) -> KVCache:
    return KVCache(model.config, batch, model.lm_head.weight.dtype)


def some_ids(config: GPTConfig, batch: int, tokens: int, seed: int = 0) -> Tensor:
    return torch.randint(config.vocab_size, (batch, tokens), generator=seeded(seed))


def assert_reads_on(model: GPT, cache: KVCache, texts: list[list[int]], tokens: int = 1) -> None:
    """New tokens get the scores that the whole text gives them. The cache is left as it was."""
    lengths = [len(text) for text in texts]
    assert cache.lengths == lengths
    new = some_ids(model.config, len(texts), tokens, seed=99)
    scores = model(new, cache)
    assert cache.lengths == [length + tokens for length in lengths]
    for row, text in enumerate(texts):
        whole = model(torch.tensor([text + new[row].tolist()]))[:, -tokens:]
        assert_close(scores[row : row + 1], whole, **EXACT[scores.dtype])
    cache.cut(lengths)


def filled(model: GPT, texts: list[list[int]]) -> KVCache:
    """A cache that holds texts of different lengths: the shorter ones filled up, then cut."""
    lengths = [len(text) for text in texts]
    ids = torch.zeros(len(texts), max(lengths), dtype=torch.long)
    for row, text in zip(ids, texts, strict=True):
        row[: len(text)] = torch.tensor(text, dtype=torch.long)
    cache = cache_for(model, len(texts))
    model(ids, cache)
    cache.cut(lengths)
    return cache


def some_texts(*lengths: int, config: GPTConfig = CONFIG) -> list[list[int]]:
    return [some_ids(config, 1, n, seed)[0].tolist() for seed, n in enumerate(lengths)]


# The scores are those without a cache.


@dtypes
@configs
def test_every_step_after_every_prompt_has_the_scores_of_the_whole(
    config, dtype, as_readers_run_it
):
    model = made(config, dtype)
    for batch in (1, 2, 3, 4):
        ids = some_ids(config, batch, config.context_length, seed=batch)
        whole = model(ids)
        for prompt in range(1, config.context_length + 1):
            cache = cache_for(model, batch)
            assert_close(model(ids[:, :prompt], cache), whole[:, :prompt], **EXACT[dtype])
            for t in range(prompt, config.context_length):
                scores = model(ids[:, t : t + 1], cache)
                assert scores.dtype == dtype
                assert_close(scores, whole[:, t : t + 1], **EXACT[dtype])
            assert cache.lengths == [config.context_length] * batch


@dtypes
@pytest.mark.parametrize("pieces", [[9], [1] * 9, [2, 3, 4], [4, 1, 1, 3], [1, 8], [8, 1]], ids=str)
def test_a_text_may_be_read_in_pieces(pieces, dtype):
    model, ids = made(dtype=dtype), some_ids(CONFIG, 3, 9)
    cache = cache_for(model, 3)
    scores = torch.cat([model(piece, cache) for piece in ids.split(pieces, dim=1)], dim=1)
    assert_close(scores, model(ids), **EXACT[dtype])


@dtypes
@configs
def test_rows_may_differ_in_length(config, dtype):
    model, room = made(config, dtype), config.context_length
    for lengths in [(room - 1, 0), (0, room - 1, room // 2), (1, room // 2, 0, room // 3)]:
        texts = some_texts(*(min(n, room - 1) for n in lengths), config=config)
        if any(texts):
            cache = filled(model, texts)
            for tokens in range(1, room - max(map(len, texts)) + 1):
                assert_reads_on(model, cache, texts, tokens)


def test_rows_of_different_lengths_go_on_to_the_end_of_the_longest():
    model, texts = made(), some_texts(2, 5, 1)
    cache = filled(model, texts)
    for number in range(4):
        assert_reads_on(model, cache, texts)
        new = some_ids(CONFIG, 3, 1, seed=number)
        model(new, cache)
        texts = [[*text, token] for text, (token,) in zip(texts, new.tolist(), strict=True)]
    with pytest.raises(ValueError, match="the cache holds 9 tokens and has no room for 1 more"):
        model(new, cache)
    cache.cut([6, 8, 5])  # its last token forgotten, the longest has room again
    assert_reads_on(model, cache, [texts[0], texts[1][:-1], texts[2]])


def test_what_lies_behind_a_row_is_not_looked_at():
    model, texts = made(), some_texts(2, 5, 0)
    cache = filled(model, texts)
    for row, text in enumerate(texts):
        cache.keys[:, row, :, len(text) :] = 1e3
        cache.values[:, row, :, len(text) :] = -1e3
    assert_reads_on(model, cache, texts, tokens=2)


@pytest.mark.parametrize("n_kv_head", [1, 2, 4])
def test_attention_with_fewer_heads_of_keys_reads_on_too(n_kv_head):
    attention = CausalSelfAttention(8, 4, n_kv_head, generator=seeded()).double()
    x = torch.randn(2, 5, 8, generator=seeded(1), dtype=torch.float64)
    keys = torch.zeros(2, n_kv_head, 6, 2, dtype=torch.float64)
    values, whole = torch.zeros_like(keys), attention(x)
    for t in range(5):
        layer = LayerCache(keys, values, torch.tensor([t]), t + 1, None)
        assert_close(attention(x[:, t : t + 1], cache=layer), whole[:, t : t + 1])
    assert not keys[:, :, 5:].any() and keys[:, :, :5].all()


# Cut, select, replace.


def test_a_cut_forgets_the_end():
    model, texts = made(), some_texts(6, 6, 6)
    cache = filled(model, texts)
    for lengths in ([6, 6, 6], [3, 6, 4], [3, 2, 0], [0, 0, 0]):
        cache.cut(lengths)
        texts = [text[:length] for text, length in zip(texts, lengths, strict=True)]
        assert_reads_on(model, cache, texts)
        assert_reads_on(model, cache, texts, tokens=3)


@pytest.mark.parametrize("rows", [[0], [2], [2, 0], [1, 1, 1], [0, 1, 2, 2, 0]], ids=str)
@pytest.mark.parametrize("lengths", [(4, 4, 4), (2, 5, 3)], ids=str)
def test_a_selection_goes_on_by_itself(rows, lengths):
    model, texts = made(), some_texts(*lengths)
    cache = filled(model, texts)
    chosen = cache.select(rows)
    assert isinstance(chosen, KVCache) and chosen.room == cache.room
    new = some_ids(CONFIG, len(rows), 1)
    model(new, chosen)
    pairs = zip(rows, new.tolist(), strict=True)
    assert_reads_on(model, chosen, [texts[row] + token for row, token in pairs])
    assert_reads_on(model, cache, texts)  # the original has not moved


def test_rows_are_replaced_by_those_of_another_cache():
    model, texts, others = made(), some_texts(3, 3, 3, 3), some_texts(7, 2)
    cache = filled(model, texts)
    cache.replace([3, 1], filled(model, others))
    assert_reads_on(model, cache, [texts[0], others[1], texts[2], others[0]])


a_change = st.one_of(
    st.tuples(st.just("add"), st.integers(1, 3)),
    st.tuples(st.just("cut"), st.lists(st.integers(0, 9), min_size=4, max_size=4)),
    st.tuples(st.just("select"), st.lists(st.integers(0, 3), min_size=1, max_size=4)),
    st.tuples(st.just("replace"), st.lists(st.integers(0, 3), unique=True, min_size=1)),
)


@settings(max_examples=25)
@given(st.lists(a_change, max_size=6))
def test_whatever_was_done_to_it_a_cache_holds_what_it_says(changes):
    model, texts = made(), some_texts(2, 2, 2)
    cache = filled(model, texts)
    for number, (what, value) in enumerate(changes):
        if what == "add" and max(map(len, texts)) + value <= 9:
            new = some_ids(CONFIG, len(texts), value, seed=number)
            model(new, cache)
            texts = [text + more for text, more in zip(texts, new.tolist(), strict=True)]
        elif what == "cut":
            texts = [text[:n] for text, n in zip(texts, value, strict=False)]
            cache.cut([len(text) for text in texts])
        elif what == "select":
            rows = [row % len(texts) for row in value]
            texts, cache = [list(texts[row]) for row in rows], cache.select(rows)
        elif what == "replace":
            rows = [row for row in value if row < len(texts)]
            others = some_texts(*range(1, len(rows) + 1))
            if rows:
                cache.replace(rows, filled(model, others))
            for row, other in zip(rows, others, strict=True):
                texts[row] = other
    if max(map(len, texts)) < 9:
        assert_reads_on(model, cache, texts)
    assert cache.lengths == [len(text) for text in texts]


# What it costs.


@dtypes
@configs
def test_it_takes_the_bytes_that_the_ledger_says(config, dtype):
    for batch in (1, 3):
        cache = KVCache(config, batch, dtype)
        size = cache.keys.numel() * cache.keys.itemsize + cache.values.numel() * dtype.itemsize
        assert size == kv_cache_bytes(config, config.context_length, batch, dtype.itemsize)
        assert cache.room == config.context_length and cache.lengths == [0] * batch


def test_a_cache_has_pytorchs_default_dtype(in_64_bits):
    cache, model = KVCache(CONFIG), made()
    assert cache.keys.dtype == cache.values.dtype == torch.float64
    ids = torch.randint(13, (1, 5), generator=seeded())
    assert_close(model(ids, cache), model(ids), **EXACT[torch.float64])


def test_a_new_token_moves_nothing():
    """Its room was there from the start, and what was there before is not written again."""
    model = made()
    cache = cache_for(model, 2)
    places = cache.keys.data_ptr(), cache.values.data_ptr()
    model(some_ids(CONFIG, 2, 3), cache)
    for t in range(3, 9):
        before = cache.keys.clone(), cache.values.clone()
        model(some_ids(CONFIG, 2, 1, seed=t), cache)
        for kept, now in zip(before, (cache.keys, cache.values), strict=True):
            changed = (kept != now).any(dim=(0, 1, 2, 4))
            assert changed.nonzero().tolist() == [[t]]
    cache.cut([4, 6])
    model(some_ids(CONFIG, 2, 2), cache)
    assert (cache.keys.data_ptr(), cache.values.data_ptr()) == places


def test_only_the_new_tokens_are_computed():
    model, widths = made(), []
    model.blocks[0].mlp.register_forward_pre_hook(lambda _, x: widths.append(x[0].shape[1]))
    cache = cache_for(model, 1)
    for tokens in (4, 1, 1, 2):
        model(some_ids(CONFIG, 1, tokens), cache)
    assert widths == [4, 1, 1, 2]


def test_without_a_cache_nothing_is_kept_and_gradients_flow():
    model, ids = made(), some_ids(CONFIG, 2, 5)
    with torch.enable_grad():
        model(ids).square().sum().backward()
    assert all(parameter.grad.any() for parameter in model.parameters())
    assert torch.equal(model(ids), model(ids, None))


# Errors. A call that is refused leaves the cache as it was.


@pytest.mark.parametrize("batch", [0, -1])
def test_a_cache_has_a_row(batch):
    with pytest.raises(ValueError, match=f"^batch is {batch}; it must be at least 1 row$"):
        KVCache(CONFIG, batch)


@pytest.mark.parametrize(("held", "more"), [(9, 1), (8, 2), (1, 9), (0, 10)])
def test_there_is_room_for_a_context_and_no_more(held, more):
    model, texts = made(), some_texts(held, held // 2)
    cache = filled(model, texts) if held else cache_for(model, 2)
    match = (
        rf"^the cache holds {held} tokens and has no room for {more} more: context_length is 9. "
        "Read a part of the text anew, with a fresh cache$"
    )
    with pytest.raises(ValueError, match=match):
        model(some_ids(CONFIG, 2, more), cache)
    assert cache.lengths == [held, held // 2]


def test_another_batch_is_refused():
    model, texts = made(), some_texts(3, 3)
    cache = filled(model, texts)
    match = re.escape(
        "ids has 3 rows and the cache 2: each row of a batch needs its own, KVCache(config, batch)"
    )
    with pytest.raises(ValueError, match=match):
        model(some_ids(CONFIG, 3, 1), cache)
    assert_reads_on(model, cache, texts)


@pytest.mark.parametrize("bad", [13, -1])
def test_a_token_that_is_none_leaves_the_cache_as_it_was(bad):
    model, texts = made(), some_texts(3, 2)
    cache = filled(model, texts)
    with pytest.raises(ValueError, match=f"token id {bad} has no row"):
        model(torch.tensor([[1], [bad]]), cache)
    assert_reads_on(model, cache, texts)


def test_nothing_is_learned_through_a_cache():
    model, texts = made(), some_texts(3, 2)
    cache = filled(model, texts)
    match = "^a cache holds numbers and not where .* call the model within `with torch.no_grad"
    with torch.enable_grad(), pytest.raises(ValueError, match=match):
        model(some_ids(CONFIG, 2, 1), cache)
    assert_reads_on(model, cache, texts)
    with torch.inference_mode():
        assert_reads_on(model, cache, texts)


@pytest.mark.parametrize(("lengths", "row", "old"), [([4, 3], 0, 3), ([3, -1], 1, 3)])
def test_a_cut_adds_nothing(lengths, row, old):
    cache = filled(made(), some_texts(3, 3))
    match = f"^row {row} of the cache holds {old} tokens: not cut to {lengths[row]}$"
    with pytest.raises(ValueError, match=match):
        cache.cut(lengths)
    assert cache.lengths == [3, 3]


def test_padding_and_a_cache_cannot_both_be_given():
    attention, x = CausalSelfAttention(8, 2), torch.zeros(1, 1, 8)
    layer = LayerCache(torch.zeros(1, 2, 9, 4), torch.zeros(1, 2, 9, 4), torch.tensor([0]), 1, None)
    match = "^keep and cache cannot both be given: a cache knows no padding$"
    with pytest.raises(ValueError, match=match):
        attention(x, keep=torch.ones(1, 1, dtype=torch.bool), cache=layer)
