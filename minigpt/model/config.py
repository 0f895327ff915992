"""The sizes of a GPT, and the sets of them that have names."""

from __future__ import annotations

from dataclasses import dataclass

from minigpt.attention.causal_self_attention import check_heads
from minigpt.data.numbers import is_whole, make_plain


@dataclass(frozen=True)
class GPTConfig:
    """The sizes of a GPT. `dataclasses.replace` makes a copy with other values.

    Args:
        vocab_size: tokens V.
        context_length: the most tokens T of a sequence.
        n_layer: blocks L.
        n_head: heads H of attention in a block.
        n_embd: width C of a token's vector.
        dropout: the share of numbers set to 0 while training, in three places: the sum of the two
            tables, the weights of attention, and what a block adds.
        bias: learned vectors added in linear layers and norms, as in GPT-2.
        tied: the scores use the token table itself, as in GPT-2 (Press and Wolf 2017).

    Raises:
        ValueError: a size that is no whole number or below 1, heads that do not divide `n_embd`,
            a dropout outside [0, 1), a switch that is not True or False.

    Derived in https://minigpt-book.github.io/minigpt/model.html
    """

    vocab_size: int
    context_length: int
    n_layer: int
    n_head: int
    n_embd: int
    dropout: float = 0.0
    bias: bool = True
    tied: bool = True

    def __post_init__(self) -> None:
        make_plain(self)
        for name in ("vocab_size", "context_length", "n_layer", "n_head", "n_embd"):
            value = getattr(self, name)
            if not is_whole(value, 1):
                raise ValueError(f"{name} is {value!r}; it must be a whole number of at least 1")
        for name in ("bias", "tied"):
            if not isinstance(value := getattr(self, name), bool):
                raise ValueError(f"{name} is {value!r}; it must be True or False")
        check_heads(self.n_embd, self.n_head, self.n_head, self.dropout)

    @classmethod
    def preset(cls, name: str) -> GPTConfig:
        """A size by its name: GPT-2's four, as on the Hugging Face hub, and the book's own.

        Raises:
            ValueError: a name that is not in `PRESETS`.
        """
        if name not in PRESETS:
            raise ValueError(f"there is no preset {name!r}; choose one of {', '.join(PRESETS)}")
        return PRESETS[name]


PRESETS = {
    "gpt2": GPTConfig(50257, 1024, n_layer=12, n_head=12, n_embd=768),
    "gpt2-medium": GPTConfig(50257, 1024, n_layer=24, n_head=16, n_embd=1024),
    "gpt2-large": GPTConfig(50257, 1024, n_layer=36, n_head=20, n_embd=1280),
    "gpt2-xl": GPTConfig(50257, 1024, n_layer=48, n_head=25, n_embd=1600),
    "shakespeare": GPTConfig(4096, 256, n_layer=6, n_head=5, n_embd=160),
}
