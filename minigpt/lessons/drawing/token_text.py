"""Tokens as readers see and type them: a space is ·, a newline ↵, a tab →."""

from __future__ import annotations

from typing import Any

VISIBLE = str.maketrans({" ": "·", "\n": "↵", "\t": "→"})
_MEANT = str.maketrans({"·": " ", "↵": "\n", "→": "\t"})


def token_text(tokenizer: Any, token_id: int) -> str:
    """One token of a `BPETokenizer` or `CharTokenizer`, its white space visible."""
    read = getattr(tokenizer, "token_repr", None) or tokenizer.vocab.__getitem__
    return read(token_id).translate(VISIBLE)


def typed(text: str) -> str:
    """The text that is meant by one in which white space may be written visibly."""
    return text.translate(_MEANT)
