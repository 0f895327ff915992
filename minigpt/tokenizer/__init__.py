"""From text to token ids and back."""

from minigpt.tokenizer.bpe_tokenizer import BPETokenizer
from minigpt.tokenizer.char_tokenizer import CharTokenizer
from minigpt.tokenizer.tokenizer_file import open_tokenizer

__all__ = [
    "BPETokenizer",
    "CharTokenizer",
    "open_tokenizer",
]
