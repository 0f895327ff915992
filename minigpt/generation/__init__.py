"""The model writes: tokens are chosen one after the other."""

from minigpt.generation.decoding import generate, stream
from minigpt.generation.reader import Reader
from minigpt.generation.sampling import Sampling
from minigpt.generation.text_stream import stream_text

__all__ = [
    "Reader",
    "Sampling",
    "generate",
    "stream",
    "stream_text",
]
