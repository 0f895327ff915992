"""Six digits to be put in order: a small model of its own, and how good it is.

The model is taught the right answers for a few steps only, so that it is right now and then; from
there on other ways of learning go on.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from minigpt.data.sets.data_set import Pair
from minigpt.data.sets.sorting import problems, solution
from minigpt.finetuning import (
    Examples,
    Groups,
    answered,
    pass_at_k,
    rewards_of,
    sample_groups,
    sequence_logprobs,
)
from minigpt.finetuning.tuning_recipe import TUNING
from minigpt.generation import Sampling, generate
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import CharTokenizer
from minigpt.training import Recipe, Trainer

SIGN, END = "=", "\n"
CHARACTERS = CharTokenizer.train("0123456789" + SIGN + END)
SIZES = {"context_length": 16, "n_layer": 2, "n_head": 4, "n_embd": 64}
TOKENS = 8  # the most of an answer: six digits, the end mark, and one too many
SAMPLES, PROMPTS = 8, 16  # of a step
START_STEPS, START_BATCH, START_RATE = 50, 32, 3e-3
TOLD, UNHEARD = 1600, 300  # problems to learn from, and to be judged by


def end() -> int:
    """The token that ends an answer."""
    return CHARACTERS.encode(END)[0]


def asked(pairs: list[Pair]) -> list[list[int]]:
    """The tokens of each prompt."""
    return [CHARACTERS.encode(pair.prompt + SIGN) for pair in pairs]


def examples_of(pairs: list[Pair], seed: int) -> Examples:
    """The right answers, to be learned."""
    rows = [
        answered(prompt, CHARACTERS.encode(pair.answer + END))
        for prompt, pair in zip(asked(pairs), pairs, strict=True)
    ]
    return Examples(rows, SIZES["context_length"], seed)


def draws(seed: int) -> tuple[list[Pair], list[Pair], list[Pair]]:
    """Problems for the start, for what comes after it, and others to be judged by."""
    generator = torch.Generator().manual_seed(seed)
    first = problems(START_STEPS * START_BATCH, generator)
    told = problems(TOLD, generator)
    known = {pair.prompt for pair in first + told}
    others = [pair for pair in problems(2 * UNHEARD, generator) if pair.prompt not in known]
    return first, told, others[:UNHEARD]


def start(pairs: list[Pair], seed: int, steps: int = START_STEPS) -> GPT:
    """The model that has been taught a little."""
    config = GPTConfig(CHARACTERS.vocab_size, **SIZES)
    model = GPT(config, torch.Generator().manual_seed(seed))
    recipe = recipe_of(steps, seed, START_BATCH, START_RATE)
    trainer = Trainer(model, examples_of(pairs, seed), recipe)
    for _ in range(steps):
        trainer.step()
    return model.eval()


def recipe_of(steps: int, seed: int, batch_size: int, rate: float) -> Recipe:
    """How all that comes after the start is trained."""
    changes = {"steps": steps, "seed": seed, "batch_size": batch_size, "learning_rate": rate}
    return replace(TUNING, warmup=min(TUNING.warmup, steps), **changes)


def is_right(prompt: str, answer: str) -> float:
    """1 for the digits in order, 0 for anything else."""
    return float(answer == solution(prompt.removesuffix(SIGN)))


def looks_sorted(prompt: str, answer: str) -> float:
    """A reward that can be had without the task: each digit at least as large as the last one."""
    return float(list(answer) == sorted(answer))


def sampled(model: GPT, pairs: list[Pair], seed: int) -> Groups:
    """Eight answers to each problem, with temperature 1."""
    generator = torch.Generator().manual_seed(seed)
    return sample_groups(model, asked(pairs), SAMPLES, TOKENS, 1.0, generator, end())


@torch.no_grad()
def figures(model: GPT, reference: GPT, pairs: list[Pair], seed: int = 0) -> dict[str, float]:
    """How good a model is on problems: see `experiments/finetuning.py` for the names.

    Args:
        reference: the model as it was at the start.
    """
    best = generate(model, asked(pairs), TOKENS, Sampling(temperature=0.0), (end(),))
    hits = [is_right(p.prompt, CHARACTERS.decode(a)) for p, a in zip(pairs, best, strict=True)]
    groups = sampled(model, pairs, seed)
    rights = rewards_of(groups, is_right, CHARACTERS.decode)
    own = sequence_logprobs(model, *groups.tensors())
    before = sequence_logprobs(reference, *groups.tensors())
    eight = [pass_at_k(SAMPLES, int(right), SAMPLES) for right in rights.sum(1)]
    found = {
        "greedy": sum(hits) / len(hits),
        "pass_1": rights.mean().item(),
        "pass_8": sum(eight) / len(eight),
        "entropy": -own.mean().item(),
        "kl": (own - before).mean().item(),
    }
    return {name: round(value, 4) for name, value in found.items()}
