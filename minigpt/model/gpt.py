"""The GPT: vectors for tokens and positions, blocks that add to them, and a score for each token.

Small enough to read in one sitting, and equal to GPT-2 (Radford et al. 2019).
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from minigpt.attention import CausalSelfAttention, KVCache, LayerCache
from minigpt.attention.linear import linear
from minigpt.embedding import PositionEmbedding, TokenEmbedding
from minigpt.embedding.tables import check_ids
from minigpt.model.config import GPTConfig


class MLP(nn.Module):
    """Four times as wide, a GELU (Hendrycks and Gimpel 2016), and back: each token on its own.

    Derived in https://minigpt-book.github.io/minigpt/model.html
    """

    def __init__(self, config: GPTConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.up = linear(config.n_embd, 4 * config.n_embd, config.bias, generator)
        self.down = linear(4 * config.n_embd, config.n_embd, config.bias, generator)

    def forward(self, x: Float[Tensor, "*batch C"]) -> Float[Tensor, "*batch C"]:
        return self.down(F.gelu(self.up(x), approximate="tanh"))


class Block(nn.Module):
    """Attention, then an MLP. Each reads a normalised copy of the vectors and adds what it found.

    The norms stand before what they serve ("pre-norm"; Radford et al. 2019, section 2.3).

    Derived in https://minigpt-book.github.io/minigpt/model.html
    """

    def __init__(self, config: GPTConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.norm_1 = nn.LayerNorm(config.n_embd, bias=config.bias)
        self.attention = CausalSelfAttention(
            config.n_embd,
            config.n_head,
            dropout=config.dropout,
            bias=config.bias,
            generator=generator,
        )
        self.norm_2 = nn.LayerNorm(config.n_embd, bias=config.bias)
        self.mlp = MLP(config, generator)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, x: Float[Tensor, "B T C"], cache: LayerCache | None = None
    ) -> Float[Tensor, "B T C"]:
        given = {} if cache is None else {"cache": cache}
        x = x + self.dropout(self.attention(self.norm_1(x), **given))
        return x + self.dropout(self.mlp(self.norm_2(x)))


class GPT(nn.Module):
    """GPT-2, for any sizes (Radford et al. 2019).

    Matrices and tables start as draws from N(0, 0.02²); what ends a branch that is added to the
    vectors starts smaller, by 1 / √(2 L), since 2 L of them are added up (section 2.3).

    Args:
        config: the sizes.
        generator: where the starting numbers are drawn from. Dropout, while training, draws from
            torch's global generator.

    Raises:
        ValueError: when called: ids that are not (B, T), that are no integers or no tokens of the
            vocabulary, or longer than the context.

    Derived in https://minigpt-book.github.io/minigpt/model.html
    """

    def __init__(self, config: GPTConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = TokenEmbedding(config.vocab_size, config.n_embd, generator)
        self.position_embedding = PositionEmbedding(config.context_length, config.n_embd, generator)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config, generator) for _ in range(config.n_layer))
        self.final_norm = nn.LayerNorm(config.n_embd, bias=config.bias)
        self.lm_head = linear(config.n_embd, config.vocab_size, bias=False, generator=generator)
        if config.tied:
            self.lm_head.weight = self.token_embedding.weight
        with torch.no_grad():
            for block in self.blocks:
                for last in (block.attention.projection, block.mlp.down):
                    last.weight /= math.sqrt(2 * config.n_layer)

    def forward(
        self, ids: Int[Tensor, "B T"], cache: KVCache | None = None
    ) -> Float[Tensor, "B T V"]:
        """A score (logit) for every token that could come next, at every position.

        Args:
            ids: the tokens; with a cache, those that it has not got yet.
            cache: of the tokens before; `ids` join it.
        """
        check_ids(ids)
        x = self.token_embedding(ids)  # (B, T, C)
        if cache is None:
            x = x + self.position_embedding(ids.shape[1])
            layers = [None] * len(self.blocks)
        else:
            positions, layers = cache.next(*ids.shape)
            x = x + self.position_embedding.weight[positions]
        x = self.dropout(x)
        for block, layer in zip(self.blocks, layers, strict=True):
            x = block(x) if layer is None else block(x, layer)
        return self.lm_head(self.final_norm(x))  # (B, T, V)
