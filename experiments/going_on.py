"""The book's model goes on with rows that repeat; what it copies is measured on the way."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, replace

import torch
from looking_back import copy_losses, head_scores
from repetition import Repetitions
from torch import Tensor
from tqdm.auto import trange

import minigpt
from minigpt.data import shakespeare, train_validation_split
from minigpt.finetuning import LoRAConfig, Replay, add_adapter, trained_numbers
from minigpt.finetuning.tuning_recipe import TUNING
from minigpt.model import GPT
from minigpt.tokenizer import BPETokenizer
from minigpt.training import TextBatches, Trainer, evaluate

STEPS, EVERY = 400, 20
LENGTH, BATCH, PLAYS = 128, 8, 0.5  # tokens a row, rows a step, their share from the plays
ROWS, STRETCH, FAR = 32, 48, 120  # measured on; of FAR the copies lie further than any row taught
MEASURED_ON = 40  # windows of the plays
MUON_TABLE_RATE = 0.25  # of Muon's rate: AdamW's for tables, biases and norms


@dataclass(frozen=True)
class Way:
    """How the model goes on."""

    method: str
    learning_rate: float
    muon: bool = True
    rank: int | None = None  # of an adapter that alone learns
    plays: float = PLAYS
    times: float = 1  # as many steps


@dataclass(frozen=True)
class Material:
    """The shipped model without dropout, and the texts, as text and as tokens."""

    model: GPT
    tokenizer: BPETokenizer
    texts: tuple[str, str]
    ids: tuple[Tensor, Tensor]


def material() -> Material:
    model, tokenizer = minigpt.load("shakespeare")
    plain = GPT(replace(model.config, dropout=0.0))
    plain.load_state_dict(model.state_dict())
    texts = train_validation_split(shakespeare())
    ids = tuple(torch.tensor(tokenizer.encode(text)) for text in texts)
    return Material(plain, tokenizer, texts, ids)


def stretches(ids: Tensor, vocab_size: int, length: int) -> tuple[Tensor, Tensor]:
    """What copying is measured on: random tokens, and stretches of the text."""
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randint(vocab_size, (ROWS, length), generator=generator)
    starts = torch.randint(len(ids) - length, (ROWS,), generator=generator)
    return drawn, torch.stack([ids[i : i + length] for i in starts])


def plays_loss(model: GPT, of: Material) -> float:
    length = model.config.context_length
    return evaluate(model, of.ids[1][: MEASURED_ON * length + 1], length, 8)


def look(model: GPT, of: Material, step: int) -> dict[str, float]:
    """Nats per token at the first and the second copy; the best head of either kind."""
    drawn, text = stretches(of.ids[1], model.config.vocab_size, STRETCH)
    first, second = copy_losses(model, drawn)
    text_first, text_second = copy_losses(model, text)
    after, before = (float(scores.max()) for scores in head_scores(model, drawn))
    told = {"first": first, "second": second, "text_first": text_first, "text_second": text_second}
    told |= {"head": after, "previous": before, "plays": plays_loss(model, of)}
    return {"step": step} | {name: round(value, 4) for name, value in told.items()}


def started(way: Way, seed: int, of: Material, steps: int) -> Trainer:
    """A copy of the model before its first step."""
    model = copy.deepcopy(of.model)
    if way.rank:
        config = LoRAConfig(rank=way.rank, alpha=2 * way.rank)
        add_adapter(model, config, generator=torch.Generator().manual_seed(seed))
    rates = {"learning_rate": way.learning_rate}
    if way.muon:
        rates = {"learning_rate": way.learning_rate * MUON_TABLE_RATE}
        rates |= {"muon_learning_rate": way.learning_rate, "optimizer": "muon"}
    changes = {"steps": steps, "batch_size": BATCH, "seed": seed, **rates}
    recipe = replace(TUNING, warmup=min(TUNING.warmup, steps), **changes)
    source = old = TextBatches(of.ids[0], LENGTH, seed)
    if way.plays < 1:
        new = Repetitions(of.ids[0], model.config.vocab_size, LENGTH, seed)
        source = Replay(new, old, way.plays)
    return Trainer(model, source, recipe)


def go_on(
    way: Way, seed: int, of: Material, steps: int = STEPS, stop: int | None = None
) -> tuple[dict, GPT]:
    """The run, and the model that it made; `stop` leaves after so many of the steps.

    Its "heads" are where the best of either kind are at the end: block and head, from 0.
    """
    begin = time.process_time()
    steps = round(way.times * steps)
    trainer = started(way, seed, of, steps)
    model = trainer.model
    curve = [look(model, of, 0)]
    for _ in trange(steps if stop is None else stop, desc=f"{way.method}, seed {seed}"):
        trainer.step()
        if trainer.steps_taken % EVERY == 0:
            curve.append(look(model, of, trainer.steps_taken))
    drawn, _ = stretches(of.ids[1], model.config.vocab_size, FAR)
    after, before = head_scores(model, drawn)
    run = {"experiment": "going on", "method": way.method, "seed": seed, "steps": steps}
    run |= {"optimizer": trainer.recipe.optimizer, "learning_rate": way.learning_rate}
    run |= {"plays": way.plays, "rank": way.rank}
    run |= {"trained": trained_numbers(model), "far": round(copy_losses(model, drawn)[1], 4)}
    run["heads"] = [divmod(int(scores.argmax()), scores.shape[1]) for scores in (after, before)]
    return run | {"seconds": round(time.process_time() - begin), "curve": curve}, model
