"""Shakespeare's plays as ids of characters, as the experiments train and measure on them."""

from __future__ import annotations

import torch
from torch import Tensor

from minigpt.data import shakespeare, train_validation_split
from minigpt.tokenizer import CharTokenizer


def play_characters(measured_on: int) -> list[Tensor]:
    """The training text, and the first characters of the validation text."""
    tokenizer = CharTokenizer.train(shakespeare())
    parts = train_validation_split(shakespeare())
    training, validation = (torch.tensor(tokenizer.encode(text)) for text in parts)
    return [training, validation[:measured_on]]
