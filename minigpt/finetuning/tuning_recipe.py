"""A recipe for tuning: fewer steps than training, from where a model stands."""

from __future__ import annotations

from minigpt.training import Recipe

TUNING = Recipe(
    steps=100,
    batch_size=16,
    learning_rate=1e-3,
    weight_decay=0.0,
    schedule="trapezoid",
    warmup=10,
    decay=0.5,
)
# Of an adapter, whose product of two matrices starts at 0 and must grow.
ADAPTER_RATE = 5e-3
