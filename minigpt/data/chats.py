"""Chats of one's own: a file with a conversation a line, as JSON, as other programs write it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from minigpt.data.text_file import read_text

ROLES = ("system", "user", "assistant")
LINE = (
    '{"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]}'
)


def read_chats(path: str | Path) -> list[list[dict[str, str]]]:
    """The conversations of a file, each as its messages ``{"role": ..., "content": ...}``, in turn.

    A line is a JSON object with the field ``messages``; other fields are left out, and so are
    empty lines. A conversation may begin with the words of the role ``system``; then ``user`` and
    ``assistant`` take turns, and the last word is the assistant's, which there is to learn.

    Raises:
        FileNotFoundError: no such file. IsADirectoryError: a folder.
        ValueError: a line that holds no such conversation, with its number and what is wrong.
    """
    chats = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            try:
                chats.append(_chat(line))
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: {error}") from None
    if not chats:
        raise ValueError(f"{path} holds no chats: write one a line, as {LINE}")
    return chats


def _chat(line: str) -> list[dict[str, str]]:
    """The messages of a line."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON ({error}): a whole chat stands in one line") from None
    messages = found.get("messages") if isinstance(found, dict) else None
    if not isinstance(messages, list) or not messages:
        raise ValueError(f"it has no messages: write it as {LINE}")
    chat = [_message(message, place) for place, message in enumerate(messages, 1)]
    check_turns([message["role"] for message in chat])
    return chat


def _message(message: Any, place: int) -> dict[str, str]:
    if not isinstance(message, dict):
        raise ValueError(f"message {place} is {message!r}, without a role and content")
    role, content = message.get("role"), message.get("content")
    if role not in ROLES:
        raise ValueError(
            f"message {place} has the role {role!r}; it must be one of {', '.join(ROLES)}"
        )
    if not isinstance(content, str) or not content.strip():
        raise ValueError(
            f"message {place}, of the {role}, has no content but {content!r}: give it text"
        )
    return {"role": role, "content": content}


def check_turns(roles: list[str]) -> None:
    """Refuse roles that do not take turns as `read_chats` says.

    Raises:
        ValueError: two in a row, a system later than at the start, the assistant first, or no
            answer at the end.
    """
    turns = roles[1:] if roles[:1] == ["system"] else roles
    first = 1 + len(roles) - len(turns)
    for place, role in enumerate(turns, first):
        wanted = ("user", "assistant")[(place - first) % 2]
        if role == "system":
            raise ValueError(f"message {place} is the system's, which can only be the first")
        if role != wanted and place == first:
            raise ValueError(
                f"message {place} is the assistant's, with nothing to answer: the user is first"
            )
        if role != wanted:
            raise ValueError(
                f"messages {place - 1} and {place} are both the {role}'s: join them, or answer"
            )
    if not turns or turns[-1] != "assistant":
        raise ValueError("it has no answer at its end: the assistant has the last word")
