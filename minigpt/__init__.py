"""A small GPT in PyTorch, derived step by step in the book https://minigpt-book.github.io/minigpt/."""

__version__ = "0.1.0"
