"""What sampling in the page is held to: the package's, with chance from the page's definition."""

from __future__ import annotations

import math

import torch

from minigpt.generation import Sampling

OFF = {"temperature": 1.0, "top_k": None, "top_p": None, "min_p": None}


def by_python(scores: torch.Tensor, settings: dict) -> dict:
    """What the package makes of scores (V,): who is removed by what, and what is left."""
    sampling = Sampling(**settings)
    removed = ["kept"] * len(scores)
    logits = scores[None]
    for name, changed in sampling.steps(logits):
        logits = changed
        if name == "temperature" and sampling.temperature == 0:
            # `choose` takes the best one then, whatever the other steps leave.
            logits = torch.full_like(changed, -math.inf)
            logits[0, sampling.choose(scores[None])] = 0
        for token in (logits[0] == -math.inf).nonzero()[:, 0].tolist():
            if removed[token] == "kept":
                removed[token] = name
    probabilities = logits.softmax(-1)[0]
    return {
        "removed": removed,
        "left": removed.count("kept"),
        "probabilities": probabilities,
        "entropy": torch.special.entr(probabilities).sum().item(),
    }


def mulberry32(seed: int):
    """Written from its definition, in 32-bit arithmetic."""
    mask = 0xFFFFFFFF
    while True:
        seed = (seed + 0x6D2B79F5) & mask
        x = ((seed ^ (seed >> 15)) * (seed | 1)) & mask
        x ^= (x + (((x ^ (x >> 7)) * (x | 61)) & mask)) & mask
        yield (x ^ (x >> 14)) / 2**32


def decimals(p: float) -> str:
    return "< 0.001" if 0 < p < 0.0005 else f"{p:.3f}"
