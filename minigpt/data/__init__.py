"""Text to learn from, and files on disk. Texts and tasks by name are in `data.sets`, a language
with a known entropy in `data.grammar`, chats in `data.chats`, tokens on disk in `data.token_file`.
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
