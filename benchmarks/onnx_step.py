"""A GPT as an ONNX graph that reads one token, given the keys and values of those before it."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from minigpt.model import GPT


class Growing:
    """One block's cache, as `minigpt.attention.LayerCache`, save that it grows: a graph that wrote
    into its inputs would not be one of pure functions."""

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        self.keys, self.values = keys, values

    def add(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, None]:
        self.keys = torch.cat([self.keys, k], dim=2)
        self.values = torch.cat([self.values, v], dim=2)
        return self.keys, self.values, None


class Step(nn.Module):
    """ids (1, 1), and of every block keys and values (1, H, t, D): the scores (1, 1, V), and of
    every block keys and values (1, H, t + 1, D)."""

    def __init__(self, model: GPT) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        model = self.model
        caches = [Growing(*pair) for pair in zip(past[::2], past[1::2], strict=True)]
        x = model.token_embedding(ids) + model.position_embedding.weight[past[0].shape[2]]
        for block, cache in zip(model.blocks, caches, strict=True):
            x = block(x, cache)
        scores = model.lm_head(model.final_norm(x))
        return scores, *[tensor for cache in caches for tensor in (cache.keys, cache.values)]


def write_onnx(model: GPT, path: Path) -> None:
    """Write the graph: inputs ids, past0, past1 …; outputs scores, present0, present1 …

    Requires the packages onnx and onnxscript.
    """
    config = model.config
    shape = (1, config.n_head, 3, config.n_embd // config.n_head)
    # A tensor of its own for each: the exporter takes one that is given twice for one input.
    past = [torch.randn(shape) for _ in range(2 * config.n_layer)]
    length = torch.export.Dim("length", min=0, max=config.context_length - 1)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # else it tells of torchvision
    with warnings.catch_warnings(action="ignore"):  # of its own code, and of axes' names
        program = torch.onnx.export(
            Step(model).eval(),
            (torch.zeros(1, 1, dtype=torch.long), *past),
            input_names=["ids", *[f"past{i}" for i in range(len(past))]],
            output_names=["scores", *[f"present{i}" for i in range(len(past))]],
            dynamic_shapes={"ids": None, "past": tuple({2: length} for _ in past)},
            dynamo=True,
            verbose=False,
        )
        program.save(path)
