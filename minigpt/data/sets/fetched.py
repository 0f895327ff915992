"""Texts that are fetched when first asked for, kept, and held to the digest on their card."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

from minigpt.data.sets.data_set import DataSet

VARIABLE = "MINIGPT_DATA"


def kept_in() -> Path:
    """The folder of fetched texts: what the variable MINIGPT_DATA says, or one in the home."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path.home() / ".cache" / "minigpt"


def fetch(card: DataSet) -> str:
    """A text, from the folder of fetched texts or, the first time, from its address.

    Raises:
        FileNotFoundError: pooch is not installed, or the address cannot be reached.
        ValueError: the file there, or the one that is kept, is another one.
    """
    path = kept_in() / f"{card.name}.txt"
    if not path.exists():
        _download(card, path)
    data = path.read_bytes()
    if (digest := hashlib.sha256(data).hexdigest()) != card.sha256:
        raise ValueError(
            f"{path} has the SHA-256 {digest}, not {card.sha256}: it is not {card.title}, or not "
            "all of it; remove it, and it is fetched again"
        )
    return data.decode()


def _download(card: DataSet, path: Path) -> None:
    by_hand = f"or save {card.url} as {path}"
    try:
        import pooch
    except ImportError:
        raise FileNotFoundError(
            f"{card.name} is fetched with pooch, which is not installed: pip install pooch, "
            f"{by_hand}"
        ) from None
    pooch.get_logger().setLevel(logging.WARNING)  # or it tells of every download
    try:
        pooch.retrieve(card.url, f"sha256:{card.sha256}", path.name, path.parent)
    except ValueError as error:
        raise ValueError(
            f"{card.url} no longer holds {card.title}: what came has another SHA-256 than "
            f"{card.sha256}; look for a copy that has it, and save it as {path}"
        ) from error
    except OSError as error:  # requests' errors are of this kind too
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FileNotFoundError(
            f"{card.name} could not be fetched ({reason}): try again online, {by_hand}"
        ) from error
