"""An explorer of attention weights, for the chapter on attention."""

from __future__ import annotations

from typing import Any

import torch

from minigpt.lessons.attention.weight_table import WeightTable, weight_table
from minigpt.lessons.drawing.token_text import token_text
from minigpt.lessons.explorer import Explorer, Sentence

MOST_TOKENS = 32  # more make a table that nobody reads


def head_explorer(model: Any, tokenizer: Any, text: str, layer: int = 1, head: int = 1) -> Explorer:
    """Where each token of a text looks, in one head of a model.

    With a kernel, a text box takes the text, and sliders choose layer and head. A text that the
    model cannot read is answered with a sentence.

    Args:
        model: anything with ``attention_maps(ids)``, (B, T) ids to (L, B, H, T, T) weights.
        tokenizer: the model's own.
        text: what to start with, at most 32 tokens.
        layer: the layer to start with, from 1 on.
        head: the head to start with, from 1 on.

    Raises:
        ValueError: a text to start with that cannot be shown; a layer or head that is not there.

    Used in https://minigpt-book.github.io/minigpt/attention.html
    """

    def maps(text: str) -> tuple[list[str], torch.Tensor]:
        ids = tokenizer.encode(text)
        if not 1 <= len(ids) <= MOST_TOKENS:
            raise ValueError(
                f"the text has {len(ids)} tokens; the table shows 1 to {MOST_TOKENS}: "
                f"{'shorten it' if ids else 'type something'}"
            )
        weights = model.attention_maps(torch.tensor([ids]))[:, 0]
        return [token_text(tokenizer, i) for i in ids], weights  # (L, H, T, T)

    n_layer, n_head = maps(text)[1].shape[:2]
    for what, number, most in (("layer", layer, n_layer), ("head", head, n_head)):
        if not 1 <= number <= most:
            raise ValueError(f"{what} is {number}; the model has {what}s 1 to {most}")

    def draw(text: str, layer: int, head: int) -> WeightTable | Sentence:
        try:
            tokens, weights = maps(text)
        except ValueError as error:
            return Sentence(f"There is nothing to show: {error}.")
        told = f"Layer {layer}, head {head}: who looks at whom"
        return weight_table(tokens, weights[layer - 1, head - 1], caption=told)

    def controls(text: str, layer: int, head: int) -> dict[str, Any]:
        import ipywidgets

        wide = {"width": "36em", "max_width": "100%"}
        return {
            "text": ipywidgets.Textarea(text, description="Text", rows=2, layout=wide),
            "layer": ipywidgets.IntSlider(layer, min=1, max=n_layer, description="Layer"),
            "head": ipywidgets.IntSlider(head, min=1, max=n_head, description="Head"),
        }

    return Explorer(draw, {"text": text, "layer": layer, "head": head}, controls)
