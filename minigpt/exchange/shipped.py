"""The models that come with the package: trained by the book, and used by its chapters."""

from __future__ import annotations

from pathlib import Path

from minigpt.exchange.checkpoint import load as load_folder
from minigpt.exchange.checkpoint import read_config
from minigpt.exchange.int8_file import load_int8
from minigpt.model import GPT
from minigpt.tokenizer import BPETokenizer

PRETRAINED = Path(__file__).parents[1] / "pretrained"
NAMES = ("shakespeare", "play-finder")
TUNED = {"play-finder": "shakespeare"}  # adapters, and the model that each is for


def load(name: str, int8: bool = False) -> tuple[GPT, BPETokenizer]:
    """A model that comes with the package, in evaluation mode, and its tokenizer.

    What it was trained on, how, and what it is bad at, is in its card,
    ``minigpt/pretrained/<name>/README.md``.

    Args:
        name: "shakespeare" (2.55 M parameters, 256 tokens of context, all the plays).
        int8: from the file of half the size (`minigpt.exchange.int8_file`), a little less exact.

    Raises:
        ValueError: a name that is not in `NAMES`, or one in `TUNED`, which `minigpt.load` opens.

    Used in https://minigpt-book.github.io/minigpt/generation.html
    """
    if name not in NAMES:
        raise ValueError(
            f"no model {name!r} comes with minigpt; there are {', '.join(NAMES)}. A folder of your "
            "own opens with minigpt.exchange.load"
        )
    if name in TUNED:
        raise ValueError(
            f"{name!r} is an adapter, for {TUNED[name]}: minigpt.load puts it on that model"
        )
    folder = PRETRAINED / name
    if int8:
        model = load_int8(read_config(folder), folder / "int8.safetensors")
    else:
        model = load_folder(folder)
    return model, BPETokenizer.load(folder / "tokenizer.json")
