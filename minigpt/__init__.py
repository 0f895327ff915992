"""A small GPT in PyTorch, derived step by step in the book https://minigpt-book.github.io/minigpt/."""

__version__ = "0.1.0"


def load(name: str, int8: bool = False):
    """The model that comes with the package, and its tokenizer: see `exchange.shipped.load`."""
    from minigpt.exchange import shipped

    return shipped.load(name, int8)
