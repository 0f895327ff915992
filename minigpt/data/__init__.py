"""Text to learn from, and files on disk. A language with a known entropy is in `data.grammar`,
tokens on disk in `data.token_file`.
"""

from minigpt.data.corpus import package_path, shakespeare, train_validation_split
from minigpt.data.text_file import decode_text, read_text

__all__ = [
    "decode_text",
    "package_path",
    "read_text",
    "shakespeare",
    "train_validation_split",
]
