r"""Tune the book's model to say in which play a character is, and put the adapter into the package.

    nice -n 19 python experiments/play_finder.py --hardware "a laptop, 1 thread"

Writes minigpt/pretrained/play-finder: the adapter in 16 bits, the template of its conversations,
and README.md, the card, whose numbers are measured here, on what was written; and
minigpt/results/play_finder.json, the same numbers.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import torch
from play_finder_card import card
from play_finder_questions import (
    HEARD,
    TEMPLATE,
    TURNS,
    UNHEARD,
    Conversation,
    as_people_write,
    asked,
    example,
    lesson,
    told_and_held_out,
    unhinted,
)
from tqdm.auto import tqdm

import minigpt
from minigpt.data import shakespeare, train_validation_split
from minigpt.data.sets.play_characters import WORDINGS, characters
from minigpt.data.whole_file import write_whole
from minigpt.exchange.shipped import PRETRAINED
from minigpt.finetuning import (
    Examples,
    LoRAConfig,
    add_adapter,
    answer_tensors,
    save_adapter,
    save_template,
)
from minigpt.finetuning.tuning_recipe import TUNING
from minigpt.model import GPT
from minigpt.tokenizer import BPETokenizer
from minigpt.training import IGNORED, Trainer, evaluate

FOLDER = PRETRAINED / "play-finder"
RESULTS = PRETRAINED.parent / "results" / "play_finder.json"
LORA = LoRAConfig(rank=8, alpha=16)
RECIPE = replace(TUNING, steps=1500, batch_size=8, learning_rate=5e-3, warmup=50, decay=0.7, seed=1)
MEASURED_ON = 60_000  # characters of the plays' validation text


def tune(names: Sequence[str]) -> tuple[GPT, list[float], float]:
    """The model with its adapter, the loss of every step, and the CPU seconds of all."""
    model, tokenizer = minigpt.load("shakespeare")
    tuned = GPT(replace(model.config, dropout=0.0), torch.Generator())
    tuned.load_state_dict(model.state_dict())
    conversations = lesson(names, RECIPE.steps * RECIPE.batch_size, RECIPE.seed)
    examples = Examples(
        [example(each, tokenizer) for each in conversations], model.config.context_length, 1
    )
    add_adapter(tuned, LORA, generator=torch.Generator().manual_seed(RECIPE.seed))
    trainer, begin = Trainer(tuned, examples, RECIPE), time.process_time()
    losses = [trainer.step() for _ in tqdm(range(RECIPE.steps))]
    return tuned, losses, time.process_time() - begin


@torch.no_grad()
def right(model: GPT, tokenizer: BPETokenizer, conversations: Sequence[Conversation]) -> list[bool]:
    """Whether the model, taking the best token each time, answers the last question right.

    It does where each token of the answer, and the end mark, is the best one after those before.
    """
    found, model = [], model.eval()
    for at in range(0, len(conversations), 128):
        rows = []
        for conversation in conversations[at : at + 128]:
            ids, counts = example(conversation, tokenizer)
            before = len(example(conversation[:-1], tokenizer)[0])
            rows.append((ids, [c and i >= before for i, c in enumerate(counts)]))
        inputs, targets = answer_tensors(rows)
        found += ((model(inputs).argmax(-1) == targets) | (targets == IGNORED)).all(1).tolist()
    return found


def wilson(right: int, asked: int) -> list[float]:
    """The 95 % interval of a share (Wilson 1927)."""
    z = 1.959964
    middle, spread = right + z * z / 2, z * math.sqrt(right * (asked - right) / asked + z * z / 4)
    return [(middle - spread) / (asked + z * z), (middle + spread) / (asked + z * z)]


def counted(
    model: GPT, tokenizer: BPETokenizer, conversations: Sequence[Conversation]
) -> dict[str, Any]:
    """How many answers are right."""
    answers = right(model, tokenizer, conversations)
    interval = [round(x, 4) for x in wilson(sum(answers), len(answers))]
    return {"right": sum(answers), "asked": len(answers), "interval": interval}


def measured(tuned: tuple[GPT, BPETokenizer], in_8_bits: GPT) -> dict[str, Any]:
    """All that a card should tell of."""
    told, held_out = told_and_held_out()
    chance = random.Random(0)
    as_written = [
        [(wording.format(name=as_people_write(name)), name)] for name in told for wording in HEARD
    ]
    return {
        "told_in_heard_wordings": counted(*tuned, asked(told, HEARD)),
        "told_in_unheard_wordings": counted(*tuned, asked(told, UNHEARD)),
        "as_people_write_in_heard_wordings": counted(*tuned, as_written),
        "told_after_three_others": counted(*tuned, [_fourth(n, told, chance) for n in told]),
        "told_on_8_bits": counted(in_8_bits, tuned[1], asked(told, HEARD)),
        "never_told": counted(*tuned, asked(held_out, WORDINGS[:1])),
        "never_told_nor_hinted": counted(*tuned, asked(unhinted(held_out, told), WORDINGS[:1])),
        "held_out": held_out,
        "told": len(told),
    }


def _fourth(name: str, told: Sequence[str], chance: random.Random) -> Conversation:
    """A name asked for after three others, in wordings by chance."""
    others = chance.sample([other for other in told if other != name], TURNS - 1)
    return [(chance.choice(HEARD).format(name=each), each) for each in [*others, name]]


def plays_loss(model: GPT, tokenizer: BPETokenizer) -> float:
    text = train_validation_split(shakespeare())[1][:MEASURED_ON]
    return evaluate(model, torch.tensor(tokenizer.encode(text)), model.config.context_length, 8)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hardware", required=True, help="what it ran on, for the card")
    hardware = parser.parse_args().hardware
    torch.set_num_threads(1)
    told, _ = told_and_held_out()
    model, losses, seconds = tune(told)
    save_adapter(model, FOLDER, dtype=torch.float16)
    save_template(TEMPLATE, FOLDER)
    base, (stored, tokenizer) = minigpt.load("shakespeare")[0], minigpt.load("play-finder")
    results = {
        "settings": {"recipe": asdict(RECIPE), "lora": asdict(LORA), "turns": TURNS}
        | {"measured_on": MEASURED_ON},
        "heard": HEARD,
        "unheard": UNHEARD,
        "plays": len({*characters().values()}),
        "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "answers_loss": [round(sum(part) / len(part), 4) for part in (losses[:50], losses[-50:])],
        "plays_loss": [round(plays_loss(each, tokenizer), 4) for each in (base, stored)],
        "bytes": (FOLDER / "adapter_model.safetensors").stat().st_size,
        "seconds": round(seconds),
        "hardware": hardware,
        "torch": torch.__version__,
    } | measured((stored, tokenizer), minigpt.load("play-finder", int8=True)[0])
    write_whole(RESULTS, (json.dumps(results, indent=1) + "\n").encode())
    write_whole(FOLDER / "README.md", card(results).encode())
    print(card(results))


if __name__ == "__main__":
    main()
