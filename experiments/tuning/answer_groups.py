"""Eight answers to each of three problems, at four steps of a run that learns from a reward."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import torch

from minigpt.data.sets.data_set import Pair
from minigpt.data.whole_file import write_whole
from minigpt.finetuning import Practice, reference_logprobs, rewards_of
from minigpt.model import GPT
from minigpt.training import Trainer
from tuning import sorting_task as task

STEPS = (0, 10, 30, 100)
SEED, RATE = 1, 1e-3
RIGHT = ((3, 4, 5), (1,), (0,))  # of eight answers, at the start


def chosen(model: GPT, pairs: list[Pair]) -> list[Pair]:
    """The first problem with several right answers, with one, and with none."""
    found: list[Pair | None] = [None] * len(RIGHT)
    for pair in pairs:
        right = sum(answer["reward"] for answer in group(model, model, pair, 0)["answers"])
        for place, counts in enumerate(RIGHT):
            if right in counts and found[place] is None:
                found[place] = pair
        if None not in found:
            return found
    raise ValueError(f"of {len(pairs)} problems none has {RIGHT} right answers: draw more")


def group(model: GPT, reference: GPT, pair: Pair, step: int) -> dict:
    """The answers to one problem, as the page reads them."""
    groups = task.sampled(model, [pair], SEED)
    rewards = rewards_of(groups, task.is_right, task.CHARACTERS.decode)[0].tolist()
    own = reference_logprobs(model, *groups.tensors()).tolist()
    before = reference_logprobs(reference, *groups.tensors()).tolist()
    rows = zip(groups.answers[0], rewards, own, before, strict=True)
    answers = [
        {
            "text": task.CHARACTERS.decode(answer),
            "reward": int(reward),
            "logprob": round(logprob, 4),
            "reference": round(old, 4),
        }
        for answer, reward, logprob, old in rows
    ]
    return {"step": step, "prompt": pair.prompt, "answers": answers}


def answer_groups(steps: tuple[int, ...] = STEPS) -> list[dict]:
    """Of every problem and step, in this order: step after step, the problems of each."""
    first, told, others = task.draws(SEED)
    reference = task.start(first, SEED)
    model, pairs = copy.deepcopy(reference), chosen(reference, others)
    source = Practice(
        model,
        task.asked(told),
        task.is_right,
        task.SAMPLES,
        task.TOKENS,
        task.end(),
        task.CHARACTERS.decode,
        seed=SEED,
    )
    recipe = task.recipe_of(max(*steps, 1), SEED, task.PROMPTS * task.SAMPLES, RATE)
    trainer, groups = Trainer(model, source, recipe), []
    for step in range(max(steps) + 1):
        if step in steps:
            groups += [group(model.eval(), reference, pair, step) for pair in pairs]
        if step < max(steps):
            trainer.step()
    return groups


def write_answer_groups(path: Path, groups: list[dict]) -> None:
    """With the settings, a group a line."""
    settings = {
        "task": "sorting",
        "samples": task.SAMPLES,
        "temperature": 1.0,
        "learning_rate": RATE,
        "prompts": task.PROMPTS,
        "seed": SEED,
        "start_steps": task.START_STEPS,
        "steps": max(g["step"] for g in groups),
        "chosen": "the first unheard problems with 3 to 5, 1 and 0 right answers at the start",
        "torch": torch.__version__,
    }
    lines = ",\n".join(map(json.dumps, groups))
    text = f'{{"settings": {json.dumps(settings)},\n"groups": [\n{lines}\n]}}\n'
    write_whole(path, text.encode())
