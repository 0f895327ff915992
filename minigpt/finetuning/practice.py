"""A model that learns from its own answers: sampled, checked and learned from, a batch a step."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from minigpt.finetuning.groups import Reward, rewards_of, sample_groups
from minigpt.finetuning.logprobs import token_logprobs
from minigpt.finetuning.order import rows_of_step
from minigpt.finetuning.policy_gradient import group_advantages, policy_gradient_loss
from minigpt.finetuning.rewards import shuffled
from minigpt.generation.reader import Texts, checked_prompts
from minigpt.model import GPT
from minigpt.training import IGNORED, Batches


@dataclass(eq=False)
class Practice(Batches):
    """Answers of a model and their rewards, as a source of batches for `minigpt.training.Trainer`.

    What a step samples follows from the weights, the seed and the step's number. Train a model
    without dropout: the answers are sampled without it.

    Args:
        model: that is trained: the very one that the trainer is given.
        prompts: the tokens of each prompt.
        reward, decode: as of `rewards_of`.
        samples: answers to a prompt; a batch is so many times fewer prompts.
        tokens_each: the most of an answer, the end mark included.
        end: the token that ends an answer.
        temperature: above 0.
        divide: as of `group_advantages`.
        shuffle: deal the rewards out anew over each batch (`shuffled`), the control in which
            nothing may be learned.
        seed: decides the order of the prompts, the samples and the shuffling.

    Attributes:
        rewards: of the last batch, (G, S), as the checker gave them.

    Raises:
        ValueError: as `sample_groups`, or a prompt that does not fit; fewer than 2 samples.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """

    model: GPT
    prompts: Texts
    reward: Reward
    samples: int
    tokens_each: int
    end: int | None = None
    decode: Callable[[list[int]], str] | None = None
    temperature: float = 1.0
    divide: bool = False
    shuffle: bool = False
    seed: int = 1

    def __post_init__(self) -> None:
        if self.samples < 2:
            raise ValueError(
                f"samples is {self.samples}; at least 2 are needed: alone, a sample is its group's "
                "mean and teaches nothing"
            )
        self.prompts = checked_prompts(self.prompts, self.model)
        self.rewards = torch.zeros(0, self.samples)

    @property
    def tokens(self) -> int:
        """The most that are sampled when every prompt is asked once."""
        return len(self.prompts) * self.samples * self.tokens_each

    @property
    def tokens_per_row(self) -> float:
        """The most, of an answer."""
        return float(self.tokens_each)

    def batch(self, step: int, batch_size: int) -> tuple[Tensor, Tensor, Tensor]:
        """A step's samples: inputs and targets (B, T), advantages (B,).

        Args:
            step: from 0.
            batch_size: B, answers a step: `samples` to each prompt.

        Raises:
            ValueError: a batch that cannot be cut into groups; a reward that is not finite.
        """
        if batch_size % self.samples:
            raise ValueError(
                f"a batch_size of {batch_size} cannot be cut into groups of {self.samples} answers "
                f"to a prompt: choose a multiple of {self.samples}"
            )
        rows = rows_of_step(step, batch_size // self.samples, len(self.prompts), self.seed)
        return self._sampled(rows, f"{self.seed} {step}")

    def all(
        self, batch_size: int, first: int = 0, every: int = 1
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Samples for all prompts once, in order, or from the first on every so many."""
        rows = [*range(first, len(self.prompts), every)]
        count = max(1, batch_size // self.samples)
        for at in range(0, len(rows), count):
            yield self._sampled(rows[at : at + count], f"{self.seed} all {rows[at]}")

    def loss(self, model: nn.Module, *batch: Tensor) -> Float[Tensor, ""]:
        """`policy_gradient_loss` of a batch."""
        inputs, targets, advantages = batch
        logprobs = token_logprobs(model, inputs, targets, self.temperature)
        return policy_gradient_loss(logprobs, advantages, targets != IGNORED)

    def weight(self, *batch: Tensor) -> int:
        """Tokens that were sampled: the loss is a mean over them."""
        return int((batch[1] != IGNORED).sum())

    def part(self, tokens: int) -> Practice:
        """The first prompts, with about so many tokens to be sampled, and at least one."""
        count = max(1, tokens // (self.samples * self.tokens_each))
        return replace(self, prompts=self.prompts[:count])

    def digest(self) -> str:
        """SHA-256 of the prompts and settings, hexadecimal. The reward is code, and not in it."""
        settings = (self.samples, self.tokens_each, self.end, self.temperature, self.divide)
        told = repr((self.prompts, *settings, self.shuffle))
        return hashlib.sha256(told.encode()).hexdigest()

    def _sampled(self, rows: list[int], name: str) -> tuple[Tensor, Tensor, Tensor]:
        device = next(self.model.parameters()).device
        # One number of 32 bits, which is all that torch's generator takes in.
        mixed = random.Random(name).getrandbits(32)
        generator = torch.Generator(device).manual_seed(mixed)
        asked = [self.prompts[row] for row in rows]
        sizes = (self.samples, self.tokens_each, self.temperature)
        groups = sample_groups(self.model, asked, *sizes, generator, self.end)
        self.rewards = rewards_of(groups, self.reward, self.decode)
        dealt = self.rewards
        if self.shuffle:
            dealt = shuffled(dealt, torch.Generator().manual_seed(mixed))
        advantages = group_advantages(dealt, self.divide)
        return *groups.tensors(), advantages.flatten()
