"""Sentences of the small language whose rules, and so the least possible loss, are known."""

from __future__ import annotations

import torch

from minigpt.data.grammar import LANGUAGE

CHARACTERS, SEED = 300_000, 1


def text() -> str:
    """One sentence a line; the last may be cut."""
    return LANGUAGE.text(CHARACTERS, torch.Generator().manual_seed(SEED))
