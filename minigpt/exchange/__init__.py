"""A model on disk and between programs."""

from minigpt.exchange.checkpoint import load, save

__all__ = [
    "load",
    "save",
]
