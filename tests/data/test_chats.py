"""Chats of one's own: what is read, and what is said of a line that holds none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigpt.data.chats import read_chats

YOU = {"role": "user", "content": "Who are you?"}
ME = {"role": "assistant", "content": "A small model."}
RULES = {"role": "system", "content": "Answer in verse."}


def line(*messages: object, **more: object) -> str:
    return json.dumps({"messages": messages} | more)


def read(tmp_path, text: str) -> list:
    (tmp_path / "chats.jsonl").write_text(text, "utf-8")
    return read_chats(tmp_path / "chats.jsonl")


def test_chats_by_hand(tmp_path):
    text = f"{line(YOU, ME)}\n\n{line(RULES, YOU, ME, YOU | {'name': 'x'}, ME, id=3)}\r\n"
    assert read(tmp_path, text) == [[YOU, ME], [RULES, YOU, ME, YOU, ME]]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1))
def test_any_text_comes_back(tmp_path_factory, texts):
    texts = [f"{text}." for text in texts]  # not of spaces alone
    chats = [[YOU | {"content": text}, ME | {"content": text[::-1]}] for text in texts]
    folder = tmp_path_factory.mktemp("chats")
    for as_ascii in (True, False):
        lines = [json.dumps({"messages": chat}, ensure_ascii=as_ascii) for chat in chats]
        assert read(folder, "\n".join(lines)) == chats


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("Hello", "it is not JSON .*: a whole chat stands in one line"),
        (line(YOU, ME)[:-3], "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[]", "it has no messages: write it as {.messages"),
        ('{"message": []}', "it has no messages"),
        (line(), "it has no messages"),
        ('{"messages": "Hello"}', "it has no messages"),
        (line("Hello", ME), "message 1 is 'Hello', without a role and content"),
        (line(YOU, ME | {"role": "bot"}), "message 2 has the role 'bot'; it must be one of system"),
        (line({"content": "x"}, ME), "message 1 has the role None"),
        (line({"role": ["user"], "content": "x"}, ME), r"message 1 has the role \['user'\]"),
        (line(YOU | {"content": " "}, ME), "message 1, of the user, has no content but ' '"),
        (line(YOU, {"role": "assistant"}), "message 2, of the assistant, has no content but None"),
        (line(YOU, YOU, ME), "messages 1 and 2 are both the user's: join them, or answer"),
        (line(RULES, YOU, ME, ME), "messages 3 and 4 are both the assistant's"),
        (line(YOU, RULES, ME), "message 2 is the system's, which can only be the first"),
        (line(RULES, RULES, YOU, ME), "message 2 is the system's"),
        (line(ME), "message 1 is the assistant's, with nothing to answer: the user is first"),
        (line(RULES, ME), "message 2 is the assistant's, with nothing to answer"),
        (line(YOU), "it has no answer at its end: the assistant has the last word"),
        (line(RULES), "it has no answer at its end"),
        (line(YOU, ME, YOU), "it has no answer at its end"),
    ],
)
def test_a_line_that_is_no_chat_is_named(tmp_path, wrong, message):
    with pytest.raises(ValueError, match=rf"chats\.jsonl, line 3: {message}"):
        read(tmp_path, f"{line(YOU, ME)}\n\n{wrong}\n")


def test_a_file_without_chats_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"holds no chats: write one a line, as {.messages"):
        read(tmp_path, "\n \n")
    with pytest.raises(ValueError, match=r"is empty"):
        read(tmp_path, "")
    with pytest.raises(FileNotFoundError, match=r"no file .*none\.jsonl"):
        read_chats(tmp_path / "none.jsonl")
