"""Text as it comes: joined it is the whole text, cut before a stop string, and no piece is late."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from minigpt.generation import Sampling, generate, stream_text, text_stream
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import BPETokenizer, CharTokenizer

END = "<|endoftext|>"
CHARACTERS = CharTokenizer.train("abc é世\n")
PLAY = "ROMEO:\nBut soft, what light through yonder window breaks? It is the east.\n" * 3
BPE = BPETokenizer.train(PLAY, 300, special_tokens=("<|user|>", END), progress=False)
BARE = BPETokenizer.train(PLAY, 290, progress=False)  # without <|endoftext|>
BARER = BPETokenizer([bytes([byte]) for byte in range(256)], [], {})


def made(vocab_size: int, seed: int = 0) -> GPT:
    """A model whose scores differ, so that its texts do too."""
    config = GPTConfig(vocab_size, context_length=8, n_layer=1, n_head=1, n_embd=8)
    model = GPT(config, torch.Generator().manual_seed(seed)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(seed))
    return model


MODELS = {tokenizer.vocab_size: made(tokenizer.vocab_size) for tokenizer in (CHARACTERS, BPE, BARE)}


class Pieces(BPETokenizer):
    """A tokenizer whose tokens are the given bytes, and whose every prompt is its first token."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.vocab = list(pieces)
        self.special_tokens = {}

    def encode(self, text: str, allowed_special=()) -> list[int]:
        return [0]


@dataclass
class Told:
    """What came out, and what had come out before each further token was asked for."""

    pieces: list[str]
    after: list[str]
    tokens: int


def tell(tokenizer, ids: Sequence[int], stop: Sequence[str] = ()) -> Told:
    """A text of these tokens, through the public function."""
    told = Told([], [], 0)

    def chosen(*arguments):
        for token in ids:
            told.tokens += 1
            yield token
            told.after.append("".join(told.pieces))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_stream, "stream", chosen)
        for piece in stream_text(MODELS[CHARACTERS.vocab_size], tokenizer, "a", 9, stop=stop):
            told.pieces.append(piece)
    return told


def tell_bytes(*pieces: bytes, stop: Sequence[str] = ()) -> Told:
    return tell(Pieces(pieces), range(len(pieces)), stop)


def cut(text: str, stop: Sequence[str]) -> str:
    """Before the stop string that is complete first; of two, before the one that began first."""
    for end in range(len(text) + 1):
        for start in range(end):
            if text[start:end] in stop:
                return text[:start]
    return text


PROBES = [
    b"",
    b"a",
    *(bytes([x]) * n for x in (0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF) for n in (1, 2, 3)),
]


def decided(data: bytes) -> str:
    """The characters that stay the same whatever bytes come next."""
    texts = [(data + more).decode("utf-8", "replace") for more in PROBES]
    same = takewhile(lambda characters: len({*characters}) == 1, zip(*texts, strict=False))
    text = "".join(characters[0] for characters in same)
    # Half of a surrogate is no character, but Python's decoder looks at the third byte to tell.
    return text[:-2] if re.search(rb"\xed[\xa0-\xbf]\Z", data) else text


def safe(data: bytes, stop: Sequence[str]) -> str:
    """Of these, all but an end that a stop string begins with."""
    text = decided(data)
    begun = [n for s in stop for n in range(1, len(s)) if text.endswith(s[:n])]
    return text[: len(text) - max(begun, default=0)]


# Letters that recur, so that stop strings are found, begun in vain and overlap; characters of two,
# three and four bytes, some with the same first byte; bytes that are no character.
ALPHABET = ["a", "b", "ab", "é", "è", "€", "世", "🙂", "🙃", "\ufffd"]
PARTS = [b"\xe2\x82", b"\xf0\x9f", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80"]
BYTES = st.lists(
    st.sampled_from(ALPHABET).map(str.encode)
    | st.sampled_from(ALPHABET[:3]).map(str.encode)
    | st.integers(0, 255).map(lambda byte: bytes([byte]))
    | st.sampled_from(PARTS),
    max_size=12,
).map(b"".join)
STOPS = st.lists(
    st.lists(st.sampled_from(ALPHABET), min_size=1, max_size=4).map("".join), max_size=3
)


@st.composite
def cut_bytes(draw) -> list[bytes]:
    data = draw(BYTES)
    at = sorted(draw(st.sets(st.integers(1, max(1, len(data) - 1)))))
    return [data[i:j] for i, j in zip([0, *at], [*at, len(data)], strict=True) if i < j]


# Whole texts, cut into tokens in every way.


@given(cut_bytes())
@example([b"\xe2", b"\x82", b"\xac"])
@example([b"\xe2\x82", b"a"])
@example([b"\xed", b"\xa0", b"\x80"])
@example([b"\xf0\x9f\x99"])
def test_the_text_is_that_of_all_bytes_together(pieces):
    told = tell_bytes(*pieces)
    assert "".join(told.pieces) == b"".join(pieces).decode("utf-8", "replace")


@given(cut_bytes(), STOPS)
@example([b"abcd"], ["abcd", "c"])
@example([b"ab", b"ab", b"abc"], ["ababc"])
@example([b"xabc"], ["bc", "abc", "c"])
def test_the_text_ends_before_the_first_stop_string(pieces, stop):
    told = tell_bytes(*pieces, stop=stop)
    whole = b"".join(pieces).decode("utf-8", "replace")
    assert "".join(told.pieces) == cut(whole, stop)
    assert not any(s in "".join(told.pieces) for s in stop)


@given(cut_bytes(), STOPS)
@example([b"ab", b"c", b"a", b"b"], ["abd"])
def test_every_character_comes_as_soon_as_it_is_sure_and_not_before(pieces, stop):
    told = tell_bytes(*pieces, stop=stop)
    for number, text in enumerate(told.after, start=1):
        assert text == safe(b"".join(pieces[:number]), stop)
    # No token is asked for once a stop string is there.
    complete = [
        n for n in range(len(pieces)) if cut(t := decided(b"".join(pieces[: n + 1])), stop) != t
    ]
    assert told.tokens == (complete[0] + 1 if complete else len(pieces))


@given(st.lists(st.sampled_from(CHARACTERS.vocab), max_size=12), STOPS)
def test_characters_are_tokens_of_their_own(letters, stop):
    told = tell(CHARACTERS, CHARACTERS.encode("".join(letters)), stop)
    assert "".join(told.pieces) == cut("".join(letters), stop)
    for number, text in enumerate(told.after, start=1):
        assert text == safe("".join(letters[:number]).encode(), stop)


# The same by hand.


def test_a_character_of_three_tokens_is_one_piece():
    told = tell_bytes(b"a", b"\xe2", b"\x82", b"\xac", b"b")
    assert [piece for piece in told.pieces if piece] == ["a", "€", "b"]
    assert told.after == ["a", "a", "a", "a€", "a€b"]


def test_bytes_that_are_no_character_come_as_such_and_at_the_end_too():
    assert tell_bytes(b"a", b"\xff", b"b").after == ["a", "a\ufffd", "a\ufffdb"]
    told = tell_bytes(b"a", b"\xe2\x82", b"b", b"\xf0\x9f")
    assert told.after == ["a", "a", "a\ufffdb", "a\ufffdb"]
    assert "".join(told.pieces) == "a\ufffdb\ufffd"


@pytest.mark.parametrize(
    ("pieces", "stop", "after"),
    [
        (["one", " tw", "o"], ["two"], ["one", "one ", "one "]),
        (["one", "stop", "two"], ["stop"], ["one", "one"]),
        (["ab", "c", "d"], ["abcd", "c"], ["", "ab"]),
        (["abcd"], ["abcd", "c"], ["ab"]),
        (["abc"], ["bc", "abc"], [""]),  # complete at once: the longer one began first
        (["x\n", "\n", "y"], ["\n\n"], ["x", "x"]),
        (["x\n", "y\n", "z"], ["\n\n"], ["x", "x\ny", "x\ny\nz"]),
        (["aa", "a", "b"], ["aab"], ["", "a", "a"]),  # the stop string begins anew within itself
        (["cafe", "\u0301!"], ["é"], ["cafe", "cafe\u0301!"]),  # not the same characters
    ],
)
def test_stop_strings_by_hand(pieces, stop, after):
    told = tell_bytes(*(piece.encode() for piece in pieces), stop=stop)
    assert "".join(told.pieces) == after[-1]
    unfinished = told.after[: len(after)]
    assert unfinished == after[: len(unfinished)] and told.tokens == len(after)


def test_the_beginning_of_a_stop_string_comes_at_the_end():
    told = tell_bytes(b"to be ", b"or", stop=["or not"])
    assert told.after == ["to be ", "to be "] and "".join(told.pieces) == "to be or"


def test_a_stop_string_may_end_within_a_token():
    assert "".join(tell_bytes(b"a.", b" B: c", stop=[" B:"]).pieces) == "a."
    assert "".join(tell_bytes("a€".encode(), "€b".encode(), stop=["€€"]).pieces) == "a"


# With a model, against `generate`.


def both(tokenizer, prompt: str, number: int, stop=(), seed: int = 0, **named) -> tuple[str, str]:
    """What comes in pieces, and what `generate` gives, decoded whole and cut."""
    model = MODELS[tokenizer.vocab_size]
    ids = tokenizer.encode(prompt)[-model.config.context_length :]
    ends = [tokenizer.special_tokens[END]] if tokenizer is BPE else []
    ours, theirs = (torch.Generator().manual_seed(seed) for _ in range(2))
    pieces = stream_text(model, tokenizer, prompt, number, stop=stop, generator=ours, **named)
    text = "".join(pieces)
    (ids,) = generate(model, [ids], number, stop_tokens=ends, generator=theirs, **named)
    return text, cut(tokenizer.decode(ids), stop)


@pytest.mark.parametrize("name", ["characters", "bpe", "bare"])
@pytest.mark.parametrize("stop", [(), ("e",), ("\n", "é"), ("th", "the")])
def test_pieces_are_what_generate_writes(name, stop):
    tokenizer = {"characters": CHARACTERS, "bpe": BPE, "bare": BARE}[name]
    texts = set()
    for seed in range(8):
        ours, theirs = both(tokenizer, "ab c", 24, stop, seed=seed)
        assert ours == theirs
        texts.add(ours)
    assert len(texts) > 1


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize(
    "sampling", [None, Sampling(temperature=0.0), Sampling(top_k=3, repetition_penalty=1.3)]
)
def test_sampling_and_the_cache_arrive(sampling, cached):
    ours, theirs = both(BARE, "But soft", 16, sampling=sampling, cached=cached)
    assert ours == theirs != ""


def test_all_arguments_arrive(monkeypatch):
    told = []

    def chosen(*arguments):
        told.extend(arguments)
        return iter([])

    monkeypatch.setattr(text_stream, "stream", chosen)
    model, generator = MODELS[BPE.vocab_size], torch.Generator()
    sampling = Sampling(temperature=0.5)
    rest = stream_text(model, BPE, "soft", 7, sampling, ["x"], generator, cached=False)
    assert [*rest] == []
    end = BPE.special_tokens[END]
    assert told == [model, BPE.encode("soft"), 7, sampling, [end], generator, False, 300]
    stream_text(MODELS[BARE.vocab_size], BARE, "soft", 7)
    assert told[11:13] == [None, []] and told[-2:] == [True, 290]


def test_of_a_long_prompt_the_model_sees_the_end(monkeypatch):
    told = []
    monkeypatch.setattr(text_stream, "stream", lambda model, ids, *rest: told.append(ids) or [])
    model = MODELS[BPE.vocab_size]
    for prompt in (PLAY, "a" * 9, "a" * 8, "a"):
        stream_text(model, BPE, prompt, 1)
        assert told[-1] == BPE.encode(prompt)[-model.config.context_length :]
    assert [len(ids) for ids in told] == [8, 8, 8, 1]


def always(tokenizer: BPETokenizer, token: int) -> GPT:
    """A model that scores one token best after every text."""
    model = made(tokenizer.vocab_size)
    with torch.no_grad():
        model.final_norm.weight.zero_()
        model.final_norm.bias.fill_(1)
        model.lm_head.weight.zero_()
        model.lm_head.weight[token] = 1
    return model


def test_the_end_of_text_ends_it_where_the_tokenizer_has_one():
    def text(tokenizer: BPETokenizer, token: int) -> str:
        greedy = Sampling(temperature=0.0)
        return "".join(stream_text(always(tokenizer, token), tokenizer, "a", 3, greedy))

    assert text(BPE, BPE.special_tokens[END]) == ""
    assert text(BPE, BPE.special_tokens["<|user|>"]) == "<|user|>" * 3  # text like any other
    assert text(BARE, BARE.encode("z")[0]) == "zzz"


def test_each_token_is_computed_when_its_piece_is_asked_for():
    """The first letter does not wait for the last."""
    model = MODELS[CHARACTERS.vocab_size]
    calls = []
    handle = model.register_forward_hook(lambda *arguments: calls.append(1))
    try:
        pieces = stream_text(model, CHARACTERS, "a", 6)
        for number in range(1, 7):
            assert len(next(pieces)) == 1 and len(calls) == number
        assert next(pieces, None) is None
    finally:
        handle.remove()


def test_the_same_seed_gives_the_same_text():
    def text(seed: int) -> str:
        generator = torch.Generator().manual_seed(seed)
        return "".join(stream_text(MODELS[BARE.vocab_size], BARE, "a", 20, generator=generator))

    assert text(3) == text(3) != text(4)
    torch.manual_seed(3)
    assert "".join(stream_text(MODELS[BARE.vocab_size], BARE, "a", 20)) == text(3)


# Errors: before the first piece is asked for.


@pytest.mark.parametrize(
    ("prompt", "number", "stop", "match"),
    [
        ("a", 5, [""], r"stop is \[''\]; it must be a list of strings, none of them empty"),
        ("a", 5, ["a", ""], r"stop is \['a', ''\]; it must be"),
        ("a", 5, "\n", r"stop is '\\n'; it must be a list of strings"),
        ("a", 5, "", r"stop is ''; it must be a list of strings"),
        ("", 5, [], r"prompt 0 has no tokens, so there is nothing to continue"),
        ("xa", 5, [], r"character 'x' at index 0 is not among the 7"),
        ("a", 0, [], r"max_new_tokens is 0; it must be a whole number above 0"),
    ],
)
def test_what_cannot_be_is_refused_at_once(prompt, number, stop, match):
    with pytest.raises(ValueError, match=match):
        stream_text(MODELS[CHARACTERS.vocab_size], CHARACTERS, prompt, number, stop=stop)


def test_a_prompts_token_that_the_model_lacks_is_named_with_both_sizes():
    """Not if it stands so far back that the model does not see it."""
    model = MODELS[CHARACTERS.vocab_size]
    match = r"^the prompt has 'u', token 117 of the tokenizer's 256; the model knows 7 \(vocab_size"
    with pytest.raises(ValueError, match=match):
        stream_text(model, BARER, "But", 5)
    far = "u" + "\x00" * model.config.context_length
    assert len([*stream_text(model, BARER, far, 5)]) == 5


# The model's rows and the tokenizer's tokens need not be one set.


def test_what_has_no_text_is_never_chosen():
    """Rows are often rounded up, to a multiple of 64; the more, the likelier one is drawn."""
    model = made(BARE.vocab_size + 4000)
    for seed in range(5):
        generator = torch.Generator().manual_seed(seed)
        assert "".join(stream_text(model, BARE, "a", 20, generator=generator))


def test_an_end_that_the_model_lacks_ends_nothing():
    """Its rows end before the special tokens: no stop token is refused that nobody gave."""
    model = made(BPE.special_tokens[END])
    greedy = Sampling(temperature=0.0)
    assert len("".join(stream_text(model, BPE, "a", 12, greedy)).encode()) >= 12
