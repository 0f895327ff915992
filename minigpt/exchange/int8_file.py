"""A model in a quarter of the bytes: matrices as whole numbers from -127 to 127, times a scale.

Each row of a matrix or table has its own scale, its largest number / 127, so that one large row
does not cost the others their precision (Dettmers et al. 2022, section 2.1, "absmax"). Computing
is still done in floating point: this is a form of file, for a short download.
"""

from __future__ import annotations

from pathlib import Path

import torch
from jaxtyping import Float, Int8
from torch import Tensor

from minigpt.data.whole_file import write_whole
from minigpt.exchange.digests import HEADS, check_heads, with_digests
from minigpt.exchange.plain_weights import plain_weights
from minigpt.exchange.weight_files import metadata, stored_tensors
from minigpt.model import GPT, GPTConfig

SCALE = ".scale"


def to_int8(matrix: Float[Tensor, "n m"]) -> tuple[Int8[Tensor, "n m"], Float[Tensor, " n"]]:
    """The whole numbers, and each row's scale; a row of zeros has a scale of 1.

    Raises:
        ValueError: numbers that are not finite as float32.
    """
    largest = matrix.abs().amax(dim=1).float()
    if not largest.isfinite().all():
        raise ValueError("the matrix holds numbers that are not finite: has training diverged?")
    scale = largest / 127
    # Numbers near the smallest of float32 count as zeros: so small a scale is itself too coarse.
    scale = torch.where(scale < torch.finfo(torch.float32).tiny, 1.0, scale)
    return (matrix / scale[:, None]).round().to(torch.int8), scale


def save_int8(model: GPT, path: str | Path) -> None:
    """Write the weights: ``<name>`` and ``<name>.scale`` of a matrix, a vector as float32.

    Names and layout are those of `GPT.named_parameters`, so a tied head is left out. An adapter
    that is on is merged in. The file is written whole or not at all.

    Raises:
        ValueError: weights that are not finite as float32, by their name.

    Used in https://minigpt-book.github.io/minigpt/generation.html
    """
    tensors = {}
    for name, tensor in plain_weights(model).items():
        weights = tensor.float()
        if not weights.isfinite().all():
            raise ValueError(
                f"{name} holds numbers that are not finite as float32: has training diverged?"
            )
        if weights.dim() == 2:
            tensors[name], tensors[name + SCALE] = to_int8(weights)
        else:
            tensors[name] = weights.clone()
    write_whole(Path(path), with_digests(tensors, {HEADS: str(model.config.n_head)}))


def load_int8(config: GPTConfig, path: str | Path) -> GPT:
    """The model that `save_int8` wrote, with float32 weights again, in evaluation mode.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a file that is cut short, or of another kind or model, or holds numbers that
            are not finite; a tensor or number of heads that is not what `save_int8` wrote.

    Used in https://minigpt-book.github.io/minigpt/generation.html
    """
    path = Path(path)
    tensors = {name: tensor for name, tensor, _ in stored_tensors([path])}
    model = GPT(config, torch.Generator()).eval()
    for name, parameter in model.named_parameters():
        weights, scale = tensors.pop(name, None), None
        fine = _is(weights, torch.float32, parameter.shape)
        if parameter.dim() == 2:
            scale = tensors.pop(name + SCALE, None)
            fine = _is(weights, torch.int8, parameter.shape)
            fine &= _is(scale, torch.float32, parameter.shape[:1])
        if not fine:
            raise ValueError(
                f"{path} does not hold {name} as save_int8 writes it for these sizes: is it "
                "another model's, or no int8 file?"
            )
        with torch.no_grad():
            parameter.copy_(weights if scale is None else weights * scale[:, None])
        if not parameter.isfinite().all():
            raise ValueError(f"{name} in {path} holds numbers that are not finite")
    if tensors:
        raise ValueError(f"{path} holds {min(tensors)}, which a GPT of these sizes does not have")
    check_heads(config, metadata(path), path)
    return model


def _is(tensor: Tensor | None, dtype: torch.dtype, shape: torch.Size) -> bool:
    return tensor is not None and tensor.dtype == dtype and tensor.shape == shape
