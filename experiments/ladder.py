"""Train the rungs of the book's ladder of loss, each a model of a chapter, and store their losses.

    python experiments/ladder.py                    # as stored: about five minutes on one core
    python experiments/ladder.py --steps 20 --out /tmp/trial.json

Every rung learns from the same characters, as many steps, with the readers' own file `my_gpt.py`,
at the best of three learning rates. A chapter trains its rung again and compares.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from stored_runs import command_line, write_runs
from torch import Tensor, nn
from tqdm.auto import tqdm

import minigpt
import my_gpt
from minigpt.data import shakespeare, train_validation_split

STEPS, BATCH, LENGTH, WIDTH, HEADS = 1000, 16, 64, 64, 4
LONG = 5  # times as many steps, for the model that is trained well
RATES = (0.003, 0.01, 0.03)
MEASURED_ON = 20_000  # characters of the validation text
SAMPLE = 60  # characters that each rung writes
PROMPT = "\n"
SEED = 1616


class Pairs(nn.Module):
    """No learning: how often each character followed each in the text."""

    def __init__(self, ids: Tensor, size: int) -> None:
        super().__init__()
        counts = torch.bincount(ids[:-1] * size + ids[1:], minlength=size * size)
        self.counts = counts.view(size, size).double() + 1e-3  # a pair that never came may come yet

    def forward(self, ids: Tensor) -> Tensor:
        return (self.counts / self.counts.sum(dim=1, keepdim=True)).log()[ids]


class TwoTables(nn.Module):
    """A vector for the character that came last, and one for each that may come."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.tokens, self.out = my_gpt.Table(size, WIDTH), my_gpt.Table(size, WIDTH)

    def forward(self, ids: Tensor) -> Tensor:
        return self.tokens(ids) @ self.out.weight.T


class Average(nn.Module):
    """The mean of a vector and those before it."""

    def forward(self, x: Tensor) -> Tensor:
        return x.cumsum(dim=1) / torch.arange(1, x.shape[1] + 1)[:, None]


class OneLook(nn.Module):
    """Tables for tokens and positions, and one part in which tokens look at each other.

    Args:
        size: characters.
        look: that part.
        beside: add what it finds to the vectors, instead of replacing them.
    """

    def __init__(self, size: int, look: nn.Module, beside: bool = True) -> None:
        super().__init__()
        self.tokens, self.positions = my_gpt.Table(size, WIDTH), my_gpt.Table(LENGTH, WIDTH)
        self.look, self.beside = look, beside
        self.out = my_gpt.Table(size, WIDTH)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        x = x + self.look(x) if self.beside else self.look(x)
        return x @ self.out.weight.T


def rungs(size: int) -> dict[str, tuple[str, Callable[[], nn.Module]]]:
    """The models that learn, with the chapters that build them, in the book's order."""
    return {
        "a table": ("embedding", lambda: TwoTables(size)),
        "an average alone": ("attention", lambda: OneLook(size, Average(), beside=False)),
        "an average beside it": ("attention", lambda: OneLook(size, Average())),
        "one head": ("attention", lambda: OneLook(size, my_gpt.Attention(WIDTH, 1))),
        "four heads": ("attention", lambda: OneLook(size, my_gpt.Attention(WIDTH, HEADS))),
        "one block": ("model", lambda: my_gpt.GPT(size, LENGTH, 1, HEADS, WIDTH)),
        "two blocks": ("training", lambda: my_gpt.GPT(size, LENGTH, 2, HEADS, WIDTH)),
    }


def learned(make: Callable[[], nn.Module], ids: Tensor, steps: int, rate: float, well: bool):
    """A model that has learned for some steps."""
    torch.manual_seed(SEED)
    model = make()
    (my_gpt.train if well else my_gpt.learn)(model, ids, steps, rate, batch=BATCH, length=LENGTH)
    return model


def sample(model: nn.Module, characters: my_gpt.Characters) -> str:
    """What a model writes."""
    torch.manual_seed(SEED)
    ids = my_gpt.write(model, torch.tensor(characters.encode(PROMPT)), SAMPLE, LENGTH)
    return characters.decode(ids.tolist()[len(PROMPT) :])


def main() -> None:
    _, arguments = command_line(__doc__, "ladder", STEPS)
    training_text, validation_text = train_validation_split(shakespeare())
    characters = my_gpt.Characters(training_text)
    training = torch.tensor(characters.encode(training_text))
    validation = torch.tensor(characters.encode(validation_text[:MEASURED_ON]))
    size = len(characters.vocab)
    runs = []

    def told(name: str, chapter: str, model: nn.Module, **more) -> None:
        model = model.double()
        loss = my_gpt.measure(model, validation, LENGTH)
        run = {"rung": name, "chapter": chapter, "loss": round(loss, 3), **more}
        runs.append(run | {"sample": sample(model, characters)})

    told("counting pairs", "embedding", Pairs(training, size))
    bar = tqdm(rungs(size).items())
    for name, (chapter, make) in bar:
        tried = {}
        for rate in RATES:
            bar.set_description(f"{name}, {rate}")
            model = learned(make, training, arguments.steps, rate, well=False).double()
            tried[rate] = my_gpt.measure(model, validation, LENGTH), model
        rate = min(tried, key=lambda rate: tried[rate][0])
        told(name, chapter, tried[rate][1], rate=rate, steps=arguments.steps)
    for name, times in (("trained well", 1), ("trained longer", LONG)):
        make = rungs(size)["two blocks"][1]
        model = learned(make, training, times * arguments.steps, 0.01, well=True)
        told(name, "training", model, rate=0.01, steps=times * arguments.steps)

    gpt, tokenizer = minigpt.load("shakespeare")
    text = validation_text[:MEASURED_ON]
    ids = torch.tensor(tokenizer.encode(text))
    nats = my_gpt.measure(gpt.double(), ids, gpt.config.context_length)
    torch.manual_seed(SEED)
    prompt = torch.tensor(tokenizer.encode(PROMPT))
    written = tokenizer.decode(my_gpt.write(gpt, prompt, SAMPLE, LENGTH).tolist()[len(prompt) :])
    loss = round(nats * len(ids) / len(text), 3)
    runs.append(
        {
            "rung": "the book's model",
            "chapter": "generation",
            "loss": loss,
            "sample": written[:SAMPLE],
        }
    )
    settings = {
        "characters": size,
        "guessing": round(math.log(size), 3),
        "batch": BATCH,
        "length": LENGTH,
        "width": WIDTH,
        "heads": HEADS,
        "steps": arguments.steps,
        "measured_on": MEASURED_ON,
        "seed": SEED,
    }
    write_runs(arguments.out, settings, runs)


if __name__ == "__main__":
    main()
