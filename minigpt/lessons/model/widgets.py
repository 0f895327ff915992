"""An explorer of a model's sizes, for the chapter on the model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from minigpt.lessons.explorer import Explorer, Sentence
from minigpt.lessons.model.architecture import Architecture, architecture
from minigpt.model import GPT, GPTConfig

TOKENS = 8  # that the shapes are for, where the context has room
VOCABULARIES = (65, 256, 1024, 4096, 16384, 50257)


def model_explorer(config: GPTConfig) -> Explorer:
    """The parts of a GPT, built anew for every choice of its sizes.

    With a kernel, sliders choose blocks, heads, width and vocabulary. The model is built on the
    meta device, so that a large one costs no memory. Sizes that do not fit one another are
    answered with a sentence.

    Args:
        config: the sizes to start with, and what the sliders leave as it is.

    Used in https://minigpt-book.github.io/minigpt/model.html
    """

    def draw(**sizes: int) -> Architecture | Sentence:
        try:
            chosen = replace(config, **sizes)
        except ValueError as error:
            return Sentence(f"There is no such model: {error}.")
        with torch.device("meta"):
            model = GPT(chosen)
        return architecture(model, min(TOKENS, chosen.context_length))

    def controls(n_layer: int, n_head: int, n_embd: int, vocab_size: int) -> dict[str, Any]:
        import ipywidgets

        def slider(value: int, most: int, description: str) -> ipywidgets.IntSlider:
            return ipywidgets.IntSlider(value, min=1, max=max(value, most), description=description)

        width = ipywidgets.IntSlider(
            n_embd, min=min(n_embd, 16), max=max(n_embd, 1600), step=16, description="Width"
        )
        if n_embd % 16:
            width.min, width.step = 1, 1  # else the slider could not come back to it
        return {
            "n_layer": slider(n_layer, 48, "Blocks"),
            "n_head": slider(n_head, 25, "Heads"),
            "n_embd": width,
            "vocab_size": ipywidgets.SelectionSlider(
                options=sorted({*VOCABULARIES, vocab_size}),
                value=vocab_size,
                description="Vocabulary",
            ),
        }

    start = ("n_layer", "n_head", "n_embd", "vocab_size")
    return Explorer(draw, {name: getattr(config, name) for name in start}, controls)
