"""A classifier: a score for each class in place of each token, read off a text's last vector."""

from __future__ import annotations

import copy

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from minigpt.attention.linear import linear
from minigpt.data.numbers import is_whole
from minigpt.model import GPT


class Classifier(nn.Module):
    """A GPT with a linear layer on the vector of each text's last token (Radford et al. 2018,
    section 3.2).

    Only that token has seen the whole text. Where texts of different lengths are filled up with
    padding, it is not the row's last; and as no token sees a later one, what the padding is does
    not matter.

    Args:
        model: the GPT, used as it is and without its head; the same object stays in `model`.
        classes: how many there are.
        generator: where the new layer's numbers are drawn from.

    Raises:
        ValueError: fewer than two classes.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """

    def __init__(self, model: GPT, classes: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        if not is_whole(classes, 2):
            raise ValueError(f"classes is {classes!r}; it must be a whole number of at least 2")
        self.model = model
        weight = model.token_embedding.weight
        head = linear(model.config.n_embd, classes, generator=generator)
        self.head = head.to(weight.device, weight.dtype)
        self.train(model.training)

    def forward(
        self, ids: Int[Tensor, "B T"], keep: Bool[Tensor, "B T"] | None = None
    ) -> Float[Tensor, "B classes"]:
        """A score (logit) for every class.

        Args:
            ids: a text a row.
            keep: False where a token is padding, which must be at the end; None: nothing is.

        Raises:
            ValueError: as of `GPT`; a `keep` of another shape, padding before a token, a row that
                is padding throughout.
        """
        vectors = _without_head(self.model)(ids)  # (B, T, C)
        if keep is None:
            return self.head(vectors[:, -1])
        last = _last_tokens(ids, keep)
        return self.head(vectors[torch.arange(len(ids), device=ids.device), last])  # (B, classes)


def class_loss(scores: Float[Tensor, "B classes"], labels: Int[Tensor, " B"]) -> Float[Tensor, ""]:
    """The mean surprise at the right class, -ln of its probability, in nats per text.

    Raises:
        ValueError: labels that are none of the classes.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < scores.shape[1]:
        raise ValueError(
            f"labels go from {int(labels.min())} to {int(labels.max())}; with {scores.shape[1]} "
            f"classes they are whole numbers from 0 to {scores.shape[1] - 1}"
        )
    return F.cross_entropy(scores.to(torch.promote_types(scores.dtype, torch.float32)), labels)


def _without_head(model: GPT) -> nn.Module:
    """A double with the very layers of the model, and nothing done to what the last norm gives."""
    double = copy.copy(model)
    double._modules = model._modules | {"lm_head": nn.Identity()}
    return double


def _last_tokens(ids: Int[Tensor, "B T"], keep: Bool[Tensor, "B T"]) -> Int[Tensor, " B"]:
    """The place of each text's last token."""
    if keep.dtype != torch.bool or keep.shape != ids.shape:
        raise ValueError(
            f"keep has the shape {tuple(keep.shape)} and holds {keep.dtype}; it must have one True "
            f"or False a token, {tuple(ids.shape)}"
        )
    lengths = keep.sum(dim=1)
    if not lengths.all():
        raise ValueError(
            f"text {int(lengths.argmin())} is padding throughout (all {ids.shape[1]} tokens): "
            "leave it out"
        )
    for row, length in enumerate(lengths.tolist()):
        if not keep[row, :length].all():
            raise ValueError(
                f"text {row} has padding before its last token: fill texts up at their ends, so "
                "that their tokens stand at the positions that the model knows"
            )
    return lengths - 1
