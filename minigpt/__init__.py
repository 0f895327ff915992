"""A small GPT in PyTorch, derived step by step in the book https://minigpt-book.github.io/minigpt/."""

__version__ = "0.1.0"


def load(name: str, int8: bool = False):
    """A model that comes with the package, in evaluation mode, and its tokenizer.

    Args:
        name: "shakespeare", the book's own model, which goes on with a text; or "play-finder", the
            same tuned to say in which play a character is. Their cards,
            ``minigpt/pretrained/<name>/README.md``, say how they were made and how good they are.
        int8: the weights from the file of half the size, a little less exact.

    Raises:
        ValueError: another name.

    Used in https://minigpt-book.github.io/minigpt/generation.html
    """
    from minigpt.exchange import shipped

    if name in shipped.TUNED:  # by what stands above `exchange`
        from minigpt.finetuning.shipped_adapter import load_tuned

        return load_tuned(name, int8)
    return shipped.load(name, int8)
