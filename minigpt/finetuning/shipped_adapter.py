"""The adapters that come with the package, each merged into the model that it was trained on."""

from __future__ import annotations

from minigpt.exchange import shipped
from minigpt.finetuning.adapter_folder import load_adapter
from minigpt.finetuning.lora import merge_and_unload
from minigpt.model import GPT
from minigpt.tokenizer import BPETokenizer


def load_tuned(name: str, int8: bool = False) -> tuple[GPT, BPETokenizer]:
    """A tuned model that comes with the package, in evaluation mode, and its tokenizer.

    On disk it is the adapter alone, a twentieth of the model's numbers. `minigpt.load` calls this.

    Args:
        name: "play-finder", which answers in which of Shakespeare's plays a character is.
        int8: put it on the model of 8 bits, for which it was not trained: a little less exact.

    Raises:
        ValueError: a name that is not in `minigpt.exchange.shipped.TUNED`.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if name not in shipped.TUNED:
        raise ValueError(
            f"no tuned model {name!r} comes with minigpt; there is {', '.join(shipped.TUNED)}. An "
            "adapter of your own goes on its model with minigpt.finetuning.load_adapter"
        )
    model, tokenizer = shipped.load(shipped.TUNED[name], int8)
    load_adapter(model, shipped.PRETRAINED / name, other_base=int8)
    merge_and_unload(model)
    return model.requires_grad_(True), tokenizer
