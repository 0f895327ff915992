"""Models from the Hugging Face hub, where the network allows."""

from __future__ import annotations

from pathlib import Path


def download(name: str) -> Path:
    """The folder of a model on the hub, for `minigpt.exchange.load`; fetched once, then kept.

    Args:
        name: as on the hub, such as ``openai-community/gpt2`` (about 550 MB).

    Raises:
        ImportError: huggingface_hub, which knows how to fetch and where to keep, is missing.
        FileNotFoundError: the hub has no such model, or cannot be reached and nothing is kept.

    Used in https://minigpt-book.github.io/minigpt/model.html
    """
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise ImportError(
            "fetching from the hub needs huggingface_hub: pip install huggingface_hub"
        ) from None
    try:
        return Path(
            snapshot_download(name, allow_patterns=["*.json", "merges.txt", "model*.safetensors"])
        )
    except Exception as error:  # the network fails in more ways than one library has names for
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise FileNotFoundError(
            f"{name!r} could not be fetched from the hub, and is not kept on this machine: check "
            f"the name and the network ({reason})"
        ) from error
