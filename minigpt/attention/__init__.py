"""Tokens look at tokens before them, with a cache of what was read."""

from minigpt.attention.attention_only import AttentionOnly, normalised
from minigpt.attention.causal_self_attention import CausalSelfAttention
from minigpt.attention.kv_cache import KVCache, LayerCache
from minigpt.attention.scaled_dot_product import (
    attention_weights,
    causal_mask,
    scaled_dot_product_attention,
)

__all__ = [
    "AttentionOnly",
    "CausalSelfAttention",
    "KVCache",
    "LayerCache",
    "attention_weights",
    "causal_mask",
    "normalised",
    "scaled_dot_product_attention",
]
