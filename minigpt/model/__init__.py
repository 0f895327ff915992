"""The GPT, its sizes, and what it costs."""

from minigpt.model.config import PRESETS, GPTConfig
from minigpt.model.gpt import GPT, MLP, Block

__all__ = [
    "GPT",
    "MLP",
    "PRESETS",
    "Block",
    "GPTConfig",
]
