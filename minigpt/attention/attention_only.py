"""The smallest model that attends: tokens, positions, and layers of attention, nothing else.

The chapters on embeddings and attention take its trained weights apart. What it lacks of a GPT,
the MLP above all, comes with the chapter on the model.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from jaxtyping import Float, Int
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from minigpt.attention.causal_self_attention import CausalSelfAttention
from minigpt.embedding import PositionEmbedding, TokenEmbedding
from minigpt.embedding.tables import check_ids

# Written by experiments/attention_only.py, from the seed to the loss that config.json records.
PRETRAINED = Path(__file__).parents[1] / "pretrained" / "attention-only"


class AttentionOnly(nn.Module):
    """Token and position vectors, then layers of attention that each add what they gathered.

    Every layer reads its vectors with mean 0 and variance 1 (`F.layer_norm`), and so does the end.

    The scores of the next token are dot products with the token table itself (Press and Wolf
    2017). Elhage et al. (2021) study models of this kind.

    Args:
        vocab_size: tokens V.
        context_length: the most tokens T of a sequence.
        n_embd: width C.
        n_head: heads a layer.
        n_layer: layers of attention.
        generator: where the starting numbers are drawn from.

    Raises:
        ValueError: `n_layer` below 1, and what `CausalSelfAttention` and the tables refuse; when
            called, ids that are not (B, T).

    Used in https://minigpt-book.github.io/minigpt/attention.html
    """

    def __init__(
        self,
        vocab_size: int,
        context_length: int,
        n_embd: int,
        n_head: int,
        n_layer: int,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if n_layer < 1:
            raise ValueError(f"n_layer is {n_layer}; the model needs at least 1 layer of attention")
        self.context_length = context_length
        self.token_embedding = TokenEmbedding(vocab_size, n_embd, generator)
        self.position_embedding = PositionEmbedding(context_length, n_embd, generator)
        self.layers = nn.ModuleList(
            CausalSelfAttention(n_embd, n_head, bias=False, generator=generator)
            for _ in range(n_layer)
        )

    @classmethod
    def untrained(cls) -> AttentionOnly:
        """The shipped model as it was before its first training step."""
        config = json.loads((PRETRAINED / "config.json").read_text("utf-8"))
        generator = torch.Generator().manual_seed(config["seed"])
        sizes = ("vocab_size", "context_length", "n_embd", "n_head", "n_layer")
        default = torch.get_default_dtype()
        torch.set_default_dtype(torch.float32)  # another dtype draws other numbers
        try:
            model = cls(**{name: config[name] for name in sizes}, generator=generator)
        finally:
            torch.set_default_dtype(default)
        return model.to(default)

    @classmethod
    def pretrained(cls) -> AttentionOnly:
        """The shipped model, trained on Shakespeare's plays.

        Stored as float16, used in PyTorch's default dtype. Its tokens are those of
        `pretrained/shakespeare/tokenizer.json`.
        """
        model = cls.untrained()
        weights = load_file(PRETRAINED / "model.safetensors")
        model.load_state_dict(weights)
        return model.eval()

    def forward(self, ids: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        """A score (logit) for every token that could come next, at every position."""
        check_ids(ids)
        x = self.token_embedding(ids) + self.position_embedding(ids.shape[1])  # (B, T, C)
        for attention in self.layers:
            x = x + attention(normalised(x))
        return F.linear(normalised(x), self.token_embedding.weight)  # (B, T, V)

    @torch.no_grad()
    def attention_maps(self, ids: Int[Tensor, "B T"]) -> Float[Tensor, "L B H T T"]:
        """The weights of every head of every layer."""
        check_ids(ids)
        maps = []
        x = self.token_embedding(ids) + self.position_embedding(ids.shape[1])
        for attention in self.layers:
            maps.append(attention.weights(normalised(x)))
            x = x + attention(normalised(x))
        return torch.stack(maps)


def normalised(x: Float[Tensor, "*batch C"]) -> Float[Tensor, "*batch C"]:
    """Each vector with mean 0 and variance 1 (Ba et al. 2016, without learned numbers)."""
    return F.layer_norm(x, x.shape[-1:])
