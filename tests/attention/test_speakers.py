"""Speakers' names are found where the plays have them, and nowhere else."""

from __future__ import annotations

import torch

from minigpt.data import shakespeare, train_validation_split
from minigpt.lessons.attention.speakers import speakers
from minigpt.tokenizer import BPETokenizer

TOKENIZER = BPETokenizer.shakespeare()


def found(text: str):
    ids = TOKENIZER.encode(text)
    is_name, is_due = speakers(TOKENIZER.decode, [ids])
    shown = [TOKENIZER.decode([i]) for i in ids]
    return (
        [token for token, yes in zip(shown, is_name[0], strict=True) if yes],
        is_due[0].nonzero().flatten().tolist(),
        shown,
    )


def test_names_are_those_on_a_line_of_their_own():
    text = "good.\n\nHAMLET:\nTo him:\nLook.\n\nFirst Witch:\nHail!\n\nHORATIO:\nMy lord!\n\n"
    names, due, shown = found(text)
    assert "".join(names) == "HAMLETFirst WitchHORATIO"
    assert [shown[place + 1] for place in due] == ["First", "HORATIO"]  # not the first name
    assert all(shown[place] == "\n" for place in due)


def test_a_text_without_names_has_none():
    assert found("To be: or not\nto be.\n\nThat is")[:2] == ([], [])


def test_every_place_of_the_plays_is_before_a_name():
    _, text = train_validation_split(shakespeare())
    ids = torch.tensor(TOKENIZER.encode(text[:20_000]))[: 16 * 128].view(16, 128)
    is_name, is_due = speakers(TOKENIZER.decode, ids.tolist())
    assert is_due.sum() > 10
    assert is_name.roll(-1, dims=1)[is_due].all() and not is_name[is_due].any()
    row, place = is_due.nonzero()[0].tolist()
    assert is_name[row, :place].any()
