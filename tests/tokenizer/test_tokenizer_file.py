"""A tokenizer.json of either kind opens as what it is; anything else is refused by name."""

from __future__ import annotations

import json

import pytest
import tokenizers
from damages import INTERNAL, damages
from transformers import GPT2Tokenizer

from minigpt.tokenizer import BPETokenizer, CharTokenizer, open_tokenizer

TEXT = "But soft, what light through yonder window breaks? It is the east.\n" * 3


def test_characters_open_as_characters(tmp_path):
    saved = CharTokenizer.train(TEXT + "é世")
    saved.save(tmp_path / "t.json")
    for path in (tmp_path / "t.json", str(tmp_path / "t.json")):
        opened = open_tokenizer(path)
        assert type(opened) is CharTokenizer and opened.vocab == saved.vocab


@pytest.mark.parametrize("pattern", [None, r"\w+|\W+"])
def test_byte_pairs_open_as_byte_pairs(tmp_path, pattern):
    special = ("<|endoftext|>",)
    saved = BPETokenizer.train(TEXT, 280, special_tokens=special, pattern=pattern, progress=False)
    saved.save(tmp_path / "t.json")
    for path in (tmp_path / "t.json", str(tmp_path / "t.json")):
        opened = open_tokenizer(path)
        assert type(opened) is BPETokenizer
        assert (opened.vocab, opened.merges) == (saved.vocab, saved.merges)
        assert (opened.special_tokens, opened.pattern) == (saved.special_tokens, pattern)


def test_what_transformers_saves_opens(tmp_path):
    BPETokenizer.shakespeare().save(tmp_path / "tokenizer.json")
    GPT2Tokenizer.from_pretrained(tmp_path).save_pretrained(tmp_path / "theirs")
    opened = open_tokenizer(tmp_path / "theirs" / "tokenizer.json")
    assert type(opened) is BPETokenizer and opened.vocab == BPETokenizer.shakespeare().vocab


def test_an_old_file_without_a_type_opens_as_byte_pairs(tmp_path):
    saved = BPETokenizer.train(TEXT, 280, progress=False)
    saved.save(tmp_path / "t.json")
    contents = json.loads((tmp_path / "t.json").read_text("utf-8"))
    del contents["model"]["type"]
    (tmp_path / "t.json").write_text(json.dumps(contents), "utf-8")
    assert open_tokenizer(tmp_path / "t.json").vocab == saved.vocab


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*t\.json: check the name"):
        open_tokenizer(tmp_path / "t.json")


@pytest.mark.parametrize("data", [b"", b'{"model": {"type"', b"\xff", b"hello"])
def test_what_is_no_whole_json_is_refused_by_name(tmp_path, data):
    (tmp_path / "t.json").write_bytes(data)
    with pytest.raises(ValueError, match=r"t\.json is no whole JSON file"):
        open_tokenizer(tmp_path / "t.json")


@pytest.mark.parametrize(
    "contents",
    [[], 3, None, "BPE", {}, {"model": None}, {"model": "BPE"}, {"model": {}}]
    + [{"model": {"type": kind}} for kind in ("Unigram", "WordPiece", None, ["WordLevel"])],
)
def test_another_kind_of_file_is_refused_by_name(tmp_path, contents):
    (tmp_path / "t.json").write_text(json.dumps(contents))
    with pytest.raises(ValueError, match=r"t\.json is no tokenizer\.json with a BPE model"):
        open_tokenizer(tmp_path / "t.json")


@pytest.mark.parametrize("kind", ["WordLevel", "BPE"])
def test_a_damaged_one_is_refused_by_name(tmp_path, kind):
    contents = {"model": {"type": kind, "vocab": {"whole": 0, "words": 1}, "merges": []}}
    (tmp_path / "t.json").write_text(json.dumps(contents))
    with pytest.raises(ValueError, match=r"t\.json is no (tokenizer of single|byte-level BPE)"):
        open_tokenizer(tmp_path / "t.json")


def meaning(tokenizer: BPETokenizer | CharTokenizer) -> list:
    """All that ids and texts depend on."""
    names = ("vocab", "merges", "special_tokens", "pattern")
    return [type(tokenizer), *(getattr(tokenizer, name, None) for name in names)]


@pytest.mark.parametrize(
    "pattern", ["characters", pytest.param(r"\w+|\W+", marks=pytest.mark.slow)]
)
def test_whatever_is_damaged_is_refused_in_words_or_opens_as_everywhere(tmp_path, pattern):
    """What opens is the same tokenizer, or the one that Hugging Face's library reads there."""
    path = tmp_path / "t.json"
    if pattern == "characters":
        saved = CharTokenizer.train(TEXT)
    else:
        specials = ["<|endoftext|>"]
        saved = BPETokenizer.train(
            TEXT, 270, special_tokens=specials, pattern=pattern, progress=False
        )
    saved.save(path)
    refused = 0
    for where, contents in damages(json.loads(path.read_text("utf-8"))):
        path.write_text(json.dumps(contents), "utf-8")
        try:
            opened = open_tokenizer(path)
            if meaning(opened) == meaning(saved):
                continue
            text = "".join(opened.vocab) if pattern == "characters" else TEXT + "é<|endoftext|>"
            how = {} if pattern == "characters" else {"allowed_special": "all"}
            ids = opened.encode(text, **how)
        except ValueError as error:
            refused += 1
            assert not INTERNAL.search(str(error)), where
        else:
            assert ids == tokenizers.Tokenizer.from_file(str(path)).encode(text).ids, where
    assert refused > 100
