"""Several answers of a model to each prompt, and what a checker makes of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from minigpt.data.numbers import is_number, is_whole, plain
from minigpt.finetuning.answer_tensors import Example, answer_tensors, answered
from minigpt.generation import Sampling, generate
from minigpt.generation.reader import Texts, checked_prompts
from minigpt.model import GPT

Reward = Callable[[Any, Any], float]  # of a prompt and an answer, as texts or as ids


@dataclass(frozen=True)
class Groups:
    """G prompts, each with a group of S sampled answers.

    Args:
        prompts: the tokens of each.
        answers: of each prompt, the tokens of its S answers, without the end mark.
        ended: of each answer, whether the model ended it; else it was cut off.
        end: the end mark, or None where no answer can end.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """

    prompts: list[list[int]]
    answers: list[list[list[int]]]
    ended: list[list[bool]]
    end: int | None = None

    def examples(self) -> list[list[Example]]:
        """Each sample with its prompt: what the model sampled counts, its end mark too."""
        return [
            [
                answered(prompt, [*answer, self.end] if ended else answer)
                for answer, ended in zip(*group, strict=True)
            ]
            for prompt, *group in zip(self.prompts, self.answers, self.ended, strict=True)
        ]

    def tensors(self) -> tuple[Int[Tensor, "B T"], Int[Tensor, "B T"]]:
        """`answer_tensors` of all samples, group after group: B = G * S rows."""
        return answer_tensors([example for group in self.examples() for example in group])


def sample_groups(
    model: GPT,
    prompts: Texts,
    samples: int,
    tokens: int,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
    end: int | None = None,
) -> Groups:
    """Let a model answer each prompt several times.

    Args:
        model: as of `minigpt.generation.Reader`.
        prompts: the tokens of each prompt.
        samples: S, answers to each.
        tokens: the most of an answer, the end mark included.
        temperature: above 0; where it is not 1, `token_logprobs` must be told.
        generator: where chance comes from; None is torch's global one.
        end: the token that ends an answer.

    Raises:
        ValueError: as `minigpt.generation.generate`; `samples` below 1, a temperature of 0, or a
            prompt that with its answer is longer than the model sees: its beginning would be
            forgotten while the answer is sampled, but not when it is learned from.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if not is_whole(samples := plain(samples), 1):
        raise ValueError(f"samples is {samples!r}; it must be a whole number of at least 1")
    if not is_whole(tokens := plain(tokens), 1):
        raise ValueError(f"tokens is {tokens!r}; it must be a whole number of at least 1")
    if temperature == 0:
        raise ValueError(
            "temperature is 0, at which all answers to a prompt are the same: give 1, or another "
            "number above 0"
        )
    asked, length = checked_prompts(prompts, model), model.config.context_length
    for number, prompt in enumerate(asked):
        if len(prompt) + tokens - 1 > length:  # the last token is not read
            raise ValueError(
                f"prompt {number} has {len(prompt)} tokens, and {tokens} more do not fit: the "
                f"model sees {length} (context_length): shorten it, or ask for fewer"
            )
    repeated = [prompt for prompt in asked for _ in range(samples)]
    stop = () if end is None else (end,)
    flat = generate(model, repeated, tokens, Sampling(temperature), stop, generator)
    answers = [flat[i : i + samples] for i in range(0, len(flat), samples)]
    ended = [[len(answer) < tokens for answer in group] for group in answers]
    return Groups(asked, answers, ended, end)


def rewards_of(
    groups: Groups, reward: Reward, decode: Callable[[list[int]], str] | None = None
) -> Float[Tensor, "G S"]:
    """What a checker gives each sample.

    Args:
        groups: the samples.
        reward: of a prompt and an answer, the end mark left out: any function that gives a finite
            number; True counts as 1, False as 0.
        decode: of a tokenizer, where `reward` reads texts; None where it reads ids.

    Raises:
        ValueError: a reward that is not a finite number.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    shown = decode or list
    rewards = []
    for number, (prompt, answers) in enumerate(zip(groups.prompts, groups.answers, strict=True)):
        question = shown(prompt)
        found = [plain(reward(question, shown(answer))) for answer in answers]
        for place, value in enumerate(found):
            if not (isinstance(value, bool) or is_number(value)) or not math.isfinite(value):
                raise ValueError(
                    f"the reward of sample {place} of prompt {number} is {value!r}; it must be a "
                    "finite number: give 0 where an answer cannot be judged"
                )
        rewards.append([float(value) for value in found])
    return torch.tensor(rewards)
