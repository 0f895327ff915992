"""Direct preference optimisation: of two answers to a prompt, make the chosen one likelier.

The reward that people's choices imply is β times the logarithm of how much likelier the model
finds an answer than a reference does; the loss is the surprise at their choices (Bradley and
Terry 1952; Rafailov et al. 2023).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from minigpt.finetuning.logprobs import sequence_logprobs
from minigpt.finetuning.order import rows_of_step
from minigpt.training import IGNORED, Batches

Chosen = tuple[Int[Tensor, "N T"], Int[Tensor, "N T"]]  # inputs, targets
Rejected = tuple[Int[Tensor, "N U"], Int[Tensor, "N U"]]


def dpo_loss(
    policy_chosen: Float[Tensor, " B"],
    policy_rejected: Float[Tensor, " B"],
    reference_chosen: Float[Tensor, " B"],
    reference_rejected: Float[Tensor, " B"],
    beta: float = 0.1,
) -> tuple[Float[Tensor, ""], Float[Tensor, " B"], Float[Tensor, " B"]]:
    """How surprised the implicit rewards are at the choices, in nats a pair.

    Rafailov et al. 2023, equation 7. Where policy and reference agree it is ln 2.

    Args:
        policy_chosen, policy_rejected: logarithms of the answers' probabilities
            (`sequence_logprobs`) by the model that is trained.
        reference_chosen, reference_rejected: by the one that is not (`reference_logprobs`).
        beta: how much a reward weighs; the larger, the nearer the model stays to the reference.

    Returns:
        The mean loss, and the implicit rewards of the chosen and of the rejected answers, which
        carry no gradient.

    Raises:
        ValueError: a `beta` that is not a finite number above 0.

    Derived in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    _check_beta(beta)
    chosen = beta * (policy_chosen - reference_chosen)
    rejected = beta * (policy_rejected - reference_rejected)
    return -F.logsigmoid(chosen - rejected).mean(), chosen.detach(), rejected.detach()


class Preferences(Batches):
    """Pairs of answers as a source of batches for `minigpt.training.Trainer`, with DPO's loss.

    Train a model without dropout: with it, a step would compare the reference with another model
    than the one that was asked, and the first loss would not be ln 2.

    Args:
        chosen: inputs and targets of the better answers, with their prompts, (N, T) each.
        rejected: those of the worse ones to the same prompts, in the same order, (N, U) each.
        reference: `reference_logprobs` of both, (N,) each, by the model as it is before its first
            step. A run that goes on needs the same numbers, and not those of the trained model.
        beta: as of `dpo_loss`.
        seed: decides the order of the pairs.

    Attributes:
        tokens: that count, in all pairs.

    Raises:
        ValueError: not as many rows of each, a row in which nothing counts, or a `beta` as in
            `dpo_loss`.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """

    def __init__(
        self,
        chosen: Chosen,
        rejected: Rejected,
        reference: tuple[Float[Tensor, " N"], Float[Tensor, " N"]],
        beta: float = 0.1,
        seed: int = 1,
    ) -> None:
        _check_beta(beta)
        counts = [len(x) for x in (*chosen, *rejected, *reference)]
        if len(set(counts)) > 1 or not counts[0]:
            raise ValueError(
                "inputs and targets of the chosen and rejected answers, and the reference's "
                f"logarithms of both, have {', '.join(map(str, counts))} rows: give one a pair, "
                "and at least one pair"
            )
        for name, (inputs, targets) in {"chosen": chosen, "rejected": rejected}.items():
            _check_rows(name, inputs, targets)
        length = max(chosen[0].shape[1], rejected[0].shape[1])
        self.tokens = sum(int((y != IGNORED).sum()) for _, y in (chosen, rejected))
        inputs = [F.pad(x, (0, length - x.shape[1])) for x, _ in (chosen, rejected)]
        targets = [F.pad(y, (0, length - y.shape[1]), value=IGNORED) for _, y in (chosen, rejected)]
        self.inputs, self.targets = torch.stack(inputs, 1), torch.stack(targets, 1)  # (N, 2, T)
        self.reference = torch.stack(reference, 1)  # (N, 2)
        self.beta, self.seed = beta, seed

    @property
    def tokens_per_row(self) -> float:
        """The mean, of a pair."""
        return self.tokens / len(self)

    def __len__(self) -> int:
        return len(self.inputs)

    def batch(self, step: int, batch_size: int) -> tuple[Tensor, Tensor, Tensor]:
        """A step's pairs: inputs and targets (B, 2, T), the reference's logarithms (B, 2)."""
        return self._rows(rows_of_step(step, batch_size, len(self), self.seed))

    def all(
        self, batch_size: int, first: int = 0, every: int = 1
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """All pairs once, in order, or from the first on every so many."""
        rows = [*range(first, len(self), every)]
        for at in range(0, len(rows), batch_size):
            yield self._rows(rows[at : at + batch_size])

    def loss(self, model: nn.Module, *batch: Tensor) -> Float[Tensor, ""]:
        """`dpo_loss` of a batch."""
        return self.loss_and_rewards(model, *batch)[0]

    def loss_and_rewards(
        self, model: nn.Module, inputs: Tensor, targets: Tensor, reference: Tensor
    ) -> tuple[Float[Tensor, ""], Float[Tensor, " B"], Float[Tensor, " B"]]:
        """All that `dpo_loss` returns, of a batch; both answers are read in one pass."""
        policy = sequence_logprobs(model, inputs.flatten(0, 1), targets.flatten(0, 1))
        return dpo_loss(*policy.view(reference.shape).unbind(1), *reference.unbind(1), self.beta)

    def weight(self, *batch: Tensor) -> int:
        """Pairs: the loss is a mean over them, however long the answers are."""
        return len(batch[0])

    def part(self, tokens: int) -> Preferences:
        """The first pairs, with about so many tokens that count, and at least one."""
        sums = (self.targets != IGNORED).sum((1, 2)).cumsum(0)
        rows = slice(max(1, int((sums <= tokens).sum())))
        pairs = [(self.inputs[rows, i], self.targets[rows, i]) for i in (0, 1)]
        reference = (self.reference[rows, 0], self.reference[rows, 1])
        return Preferences(*pairs, reference, self.beta, self.seed)

    def digest(self) -> str:
        """SHA-256 of the pairs, the reference's logarithms and β, hexadecimal."""
        digest = hashlib.sha256(repr((tuple(self.inputs.shape), self.beta)).encode())
        for part in (self.inputs.int(), self.targets.int(), self.reference.double()):
            digest.update(part.cpu().contiguous().numpy())
        return digest.hexdigest()

    def _rows(self, rows: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        inputs, targets = self.inputs[rows], self.targets[rows]
        used = int((targets != IGNORED).any(0).any(0).nonzero().max()) + 1  # the rest fills up
        return inputs[..., :used], targets[..., :used], self.reference[rows]


def _check_beta(beta: float) -> None:
    if not 0 < beta < math.inf:
        raise ValueError(f"beta is {beta}; it must be a finite number above 0, such as 0.1")


def _check_rows(name: str, inputs: Tensor, targets: Tensor) -> None:
    if inputs.shape != targets.shape:
        raise ValueError(
            f"{name} inputs {tuple(inputs.shape)} and targets {tuple(targets.shape)}: give a "
            f"target for each input, {IGNORED} where it does not count"
        )
    empty = (targets != IGNORED).sum(1) == 0
    if empty.any():
        raise ValueError(
            f"in the {name} answer of pair {int(empty.nonzero()[0])} no target counts: each needs "
            "at least its end mark; a long prompt may have been cut off together with its answer"
        )
