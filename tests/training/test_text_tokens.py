"""A text becomes a run's token files in little memory, once, and as the whole text would give."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
import torch
from torch import Tensor

from minigpt.data import text_file, train_validation_split
from minigpt.data.token_file import open_tokens, source_of
from minigpt.tokenizer import BPETokenizer, CharTokenizer
from minigpt.training import text_tokens as module
from minigpt.training.text_tokens import TextSurvey, survey_text, text_tokens

TEXT = "To be, or not to be:\n\nthat is the question. Caf\u00e9 \U0001f600 isn't 1609!\n" * 7
TOKENIZERS = {
    "characters": CharTokenizer.train(TEXT),
    "shakespeare": BPETokenizer.shakespeare(),
    "whole": BPETokenizer.train(TEXT, 280, pattern=None, progress=False),
}


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda number: None)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch) -> None:
    monkeypatch.setattr(text_file, "BLOCK", 16)


def tokens(folder: Path, text, tokenizer, fraction: float = 0.1, check=lambda *parts: None):
    return text_tokens(folder, text, survey_text(text), tokenizer, fraction, check)


def written(folder: Path, data: bytes, name: str = "mine.txt") -> Path:
    (folder / name).write_bytes(data)
    return folder / name


@pytest.mark.parametrize("fraction", [0.1, 0.37, 0.5])
@pytest.mark.parametrize("name", TOKENIZERS)
def test_the_files_are_those_of_the_whole_text(tmp_path, name, fraction):
    tokenizer = TOKENIZERS[name]
    path = written(tmp_path, TEXT.replace("\n", "\r\n").encode("utf-8-sig"))
    expected = [tokenizer.encode(part) for part in train_validation_split(TEXT, fraction)]
    for folder, text in (("file", path), ("text", TEXT)):
        (tmp_path / folder).mkdir()
        found = tokens(tmp_path / folder, text, tokenizer, fraction)
        assert [part.tolist() for part in found] == expected
        assert all(part.dtype == torch.uint16 for part in found)
    for name in ("training.safetensors", "validation.safetensors"):
        one, two = (tmp_path / folder / "tokens" / name for folder in ("file", "text"))
        assert one.read_bytes() == two.read_bytes()


def test_a_survey_finds_length_digest_and_alphabet(tmp_path):
    path = written(tmp_path, TEXT.encode())
    digest = hashlib.sha256(TEXT.encode()).hexdigest()
    alphabet = CharTokenizer.train(TEXT).vocab
    assert survey_text(path) == survey_text(TEXT) == TextSurvey(len(TEXT), digest)
    assert survey_text(path, alphabet=True) == TextSurvey(len(TEXT), digest, alphabet)


def test_a_text_is_tokenized_once_and_another_one_anew(tmp_path, monkeypatch):
    made, tokenizer = [], TOKENIZERS["characters"]
    work = module._tokenize

    def tokenize(*arguments) -> None:
        made.append(arguments[-2])  # the digest of what they are made from
        work(*arguments)

    monkeypatch.setattr(module, "_tokenize", tokenize)
    first = [part.tolist() for part in tokens(tmp_path, TEXT, tokenizer)]
    # The same characters in a file, with other line ends.
    path = written(tmp_path, TEXT.replace("\n", "\r").encode())
    assert [part.tolist() for part in tokens(tmp_path, path, tokenizer)] == first
    assert len(made) == 1
    tokens(tmp_path, TEXT + "!", tokenizer)
    tokens(tmp_path, TEXT, tokenizer)
    tokens(tmp_path, TEXT, CharTokenizer.train(TEXT + "~"))
    tokens(tmp_path, TEXT, tokenizer, 0.2)
    monkeypatch.setattr(module, "FORMAT", 2)
    tokens(tmp_path, TEXT, tokenizer, 0.2)
    assert len(made) == 6 and len({*made}) == 5
    part = tmp_path / "tokens" / "validation.safetensors"
    part.write_bytes(part.read_bytes()[:-1])  # no longer whole
    assert tokens(tmp_path, TEXT, tokenizer, 0.2)[1].tolist() == tokenizer.encode(
        train_validation_split(TEXT, 0.2)[1]
    )
    assert len(made) == 7


def test_what_a_run_must_not_have_leaves_the_files_as_they_are(tmp_path):
    seen: list[list[Tensor]] = []

    def refuse(*parts: Tensor) -> None:
        seen.append([part.clone() for part in parts])
        raise ValueError("another training text")

    tokenizer = TOKENIZERS["shakespeare"]
    with pytest.raises(ValueError, match=r"^another training text$"):
        tokens(tmp_path, TEXT, tokenizer, check=refuse)
    assert not any(tmp_path.iterdir())
    tokens(tmp_path, TEXT, tokenizer)
    before = {path: path.read_bytes() for path in (tmp_path / "tokens").iterdir()}
    with pytest.raises(ValueError, match=r"^another training text$"):
        tokens(tmp_path, TEXT * 2, tokenizer, check=refuse)
    assert {path: path.read_bytes() for path in (tmp_path / "tokens").iterdir()} == before
    expected = [tokenizer.encode(part) for part in train_validation_split(TEXT * 2)]
    assert [part.tolist() for part in seen[1]] == expected


def test_files_by_hand_are_of_no_known_source(tmp_path):
    tokens(tmp_path, TEXT, TOKENIZERS["characters"])
    path = tmp_path / "tokens" / "training.safetensors"
    assert len(source_of(path)) == 64 and source_of(tmp_path / "nothing") is None
    assert source_of(written(tmp_path, b"no tokens")) is None
    assert len(open_tokens(path, TOKENIZERS["characters"].vocab_size)) == int(0.9 * len(TEXT))


@pytest.mark.parametrize(
    ("text", "fraction", "message"),
    [
        (TEXT, 1.5, r"validation_fraction is 1\.5; it must lie between 0 and 1"),
        ("a", 0.1, r"1 characters leave 0 for training and 1 for validation"),
        (TEXT + "~", 0.1, rf"character '~' at index {len(TEXT) - int(0.9 * len(TEXT + '~'))} is"),
    ],
)
def test_what_cannot_be_tokenized_is_refused_and_nothing_is_left(tmp_path, text, fraction, message):
    with pytest.raises(ValueError, match=message):
        tokens(tmp_path, text, TOKENIZERS["characters"], fraction)
    assert not any(tmp_path.iterdir())


def test_too_little_memory_is_an_error_in_words(tmp_path, monkeypatch):
    def fail(self, text):
        raise MemoryError

    monkeypatch.setattr(BPETokenizer, "encode", fail)
    match = rf"^there is not enough memory to tokenize the text of {len(TEXT)} characters: break it"
    with pytest.raises(ValueError, match=match):
        tokens(tmp_path, TEXT, TOKENIZERS["whole"])
    assert not any(tmp_path.iterdir())


def test_bars_count_every_character(tmp_path, monkeypatch, capfd):
    bars = []

    class Bar(module.tqdm):
        def __init__(self, **options):
            assert options.pop("disable") is None and options.pop("delay") == 1
            super().__init__(disable=False, **options)
            bars.append(self)

    tokens(tmp_path, TEXT, TOKENIZERS["shakespeare"])
    assert capfd.readouterr() == ("", "")  # where there is no terminal
    monkeypatch.setattr(module, "tqdm", Bar)
    tokens(tmp_path, TEXT + "!", TOKENIZERS["shakespeare"])
    count = len(TEXT) + 1
    assert [(bar.desc, bar.n, bar.total) for bar in bars] == [
        ("reading", count, None),
        ("tokenizing", count, count),
    ]
