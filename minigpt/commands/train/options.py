"""What `minigpt train` can be told."""

from __future__ import annotations

from typing import Any

import click

from minigpt.commands.command import (
    MODELS,
    Command,
    Known,
    Name,
    Number,
    Option,
    Whole,
    device_option,
    threads_option,
)
from minigpt.commands.run_options import interval_options, told_options
from minigpt.data.sets.cards import SETS

HELP = """\
Train a GPT on a text, in a folder that it can go on from.

Without options: the book's own size on Shakespeare's plays, with the fast recipe. Ctrl-C stops
after the step at hand; the same command goes on from there, to the same weights as if it had
never stopped. A run keeps its settings, --steps too: more steps for its model are a run of their
own, in another folder, with --from.

Losses are in nats per token: how surprised the model is at what comes next, 0 being never.
"""
EXAMPLES = """
minigpt train runs/first --steps 300
minigpt train runs/mine --text my.txt --tokenizer characters --context-length 64 \\
    --n-layer 4 --n-head 4 --n-embd 128
minigpt train runs/bible --data king-james-bible --tokenizer characters
minigpt train runs/adamw --recipe adamw --learning-rate 3e-4 --schedule cosine
minigpt train runs/longer --from runs/first --steps 300
torchrun --nproc-per-node 2 -m minigpt train runs/shared
"""
TEXT, RUN = "Text", "Run"
MODEL = "Model (in brackets what holds in the preset shakespeare)"
RECIPE = "Recipe (in brackets what holds in the recipe fast, and in adamw where it differs)"
PRESETS = ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "shakespeare")
RECIPES = ("adamw", "fast")


class RangeOrNone(Number):
    """A number, or the word that takes a limit away."""

    name = "number, nor none"  # as the parser says what a word is not

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> float | str:
        return value if value == "none" else super().convert(value, parameter, context)


WHOLE = Whole(0)
COUNT = Whole(1)
ABOVE_0 = Number(0, min_open=True)
SHARE = Number(0, 1)
BELOW_1 = Number(0, 1, max_open=True)


def setting(
    section: str,
    name: str,
    kind: Any,
    value: object,
    text: str,
    adamw: object = None,
    also: tuple[str, ...] = (),
) -> Option:
    """A field of the preset or the recipe; None where it is not given.

    The value is that of `PRESETS["shakespeare"]` or `RECIPES["fast"]`, and `adamw` that of the
    other recipe, where it differs; a test compares, as to look them up there would take seconds.
    """
    flag = f"--{name}/--no-{name}" if kind is bool else f"--{name}"
    other = "" if adamw is None else f"; adamw: {adamw}"
    whole, choice = isinstance(kind, Whole), isinstance(kind, click.Choice)
    metavar = None if kind is bool or choice else "N" if whole else "X"
    return Option(
        [flag, *also, name.replace("-", "_")],
        type=kind,
        default=None,
        metavar=metavar,
        section=section,
        field=name.replace("-", "_"),
        help=f"{text}  [{str(value).lower() if kind is bool else value}{other}]",
    )


OPTIMIZERS, SCHEDULES = ("adamw", "muon"), ("cosine", "trapezoid")
PRECISIONS = ("float32", "bfloat16", "float16")

command = Command(
    "train",
    help=HELP,
    examples=EXAMPLES,
    after_stop="; the same command starts or goes on again",
    params=[
        click.Argument(
            ["folder"],
            type=Name(new=True),
            help="Of this run, made if it is not there: its model, in a form that minigpt generate "
            "and transformers read, a log and checkpoints.",
        ),
        Option(
            ["--text"],
            type=Name(files=True),
            metavar="FILE",
            section=TEXT,
            help="A UTF-8 file; - is standard input.  [default: Shakespeare's plays]",
        ),
        Option(
            ["--data"],
            type=Known(*SETS),
            metavar="NAME",
            section=TEXT,
            help="A text or task by its name, as minigpt data list has them, in place of a file.",
        ),
        Option(
            ["--tokenizer"],
            type=Name("shakespeare", "gpt2", "characters", files=True),
            metavar="NAME",
            section=TEXT,
            help="shakespeare (4,096 tokens), gpt2, characters (those of the text), or a "
            "tokenizer.json.  [default: shakespeare]",
        ),
        Option(
            ["--validation-fraction"],
            field="validation_fraction",
            type=Number(0, 1, min_open=True, max_open=True),
            default=0.1,
            show_default=True,
            metavar="X",
            section=TEXT,
            help="Share of the text, its end, that the model is judged by and never learns from.",
        ),
        Option(
            ["--preset"],
            type=click.Choice(PRESETS),
            section=MODEL,
            help="Sizes that have a name.  [default: shakespeare]",
        ),
        Option(
            ["--from", "from_model"],
            type=Name(*MODELS),
            metavar="NAME",
            section=MODEL,
            help="Start from the weights, sizes and tokenizer of this model, which --model of "
            "minigpt generate can name too.  [default: random weights]",
        ),
        setting(
            MODEL, "context-length", COUNT, 256, "The most tokens that the model sees at once."
        ),
        setting(MODEL, "n-layer", COUNT, 6, "Blocks."),
        setting(MODEL, "n-head", COUNT, 5, "Heads of attention in a block."),
        setting(
            MODEL, "n-embd", COUNT, 160, "Width of a token's vector; the heads must divide it."
        ),
        setting(
            MODEL,
            "dropout",
            BELOW_1,
            0.0,
            "Share of numbers set to 0 while training; the model that comes along had 0.1.",
        ),
        setting(MODEL, "bias", bool, True, "Learned vectors in linear layers and norms."),
        setting(MODEL, "tied", bool, True, "Score with the token table itself."),
        Option(
            ["--recipe"],
            type=click.Choice(RECIPES),
            default="fast",
            show_default=True,
            section=RECIPE,
            help="Choices that go well together.",
        ),
        setting(RECIPE, "steps", COUNT, 2000, "How often the weights change."),
        setting(
            RECIPE,
            "batch-size",
            COUNT,
            16,
            "Pieces of text (windows) that a step learns from, over all processes.",
        ),
        setting(
            RECIPE, "accumulate", COUNT, 1, "Parts that a batch is cut into, to need less memory."
        ),
        setting(
            RECIPE,
            "optimizer",
            click.Choice(OPTIMIZERS),
            "muon",
            "adamw, or muon for the matrices in the blocks with AdamW for the rest.",
            adamw="adamw",
        ),
        setting(RECIPE, "learning-rate", ABOVE_0, 0.01, "The highest, of AdamW.", 0.001, ("--lr",)),
        setting(RECIPE, "muon-learning-rate", ABOVE_0, 0.02, "The highest, of Muon."),
        setting(
            RECIPE,
            "beta-1",
            BELOW_1,
            0.8,
            "How much of the past AdamW's mean gradient keeps.",
            adamw=0.9,
        ),
        setting(RECIPE, "beta-2", BELOW_1, 0.95, "The same for the mean square.", adamw=0.99),
        setting(
            RECIPE,
            "weight-decay",
            SHARE,
            0.0,
            "Share of matrices and tables taken off a step, times the learning rate.",
            adamw=0.1,
        ),
        setting(
            RECIPE,
            "schedule",
            click.Choice(SCHEDULES),
            "trapezoid",
            "How the learning rate goes: down a cosine, or flat and then down a line.",
            adamw="cosine",
        ),
        setting(RECIPE, "warmup", WHOLE, 0, "Steps in which the learning rate rises.", adamw=100),
        setting(RECIPE, "final", SHARE, 0.1, "Share of the highest rate that a cosine ends at."),
        setting(
            RECIPE,
            "decay",
            Number(0, 1, min_open=True),
            0.6,
            "Share of the steps over which a trapezoid falls.",
        ),
        setting(
            RECIPE,
            "clip",
            RangeOrNone(0, min_open=True),
            "none",
            "The longest gradient, longer ones are shortened; none for no limit.",
            adamw=1.0,
        ),
        setting(
            RECIPE,
            "precision",
            click.Choice(PRECISIONS),
            "float32",
            "Of the products; weights are float32.",
        ),
        setting(
            RECIPE,
            "seed",
            WHOLE,
            1,
            "Of the weights, the order of the text, and dropout.",
        ),
        *interval_options(RUN, "the validation text"),
        Option(
            ["--sample-every"],
            type=COUNT,
            metavar="N",
            section=RUN,
            field="sample",
            help="Steps between short texts that the model writes on the way.  [default: none]",
        ),
        device_option(RUN),
        threads_option(RUN),
        Option(
            ["--compile"],
            is_flag=True,
            section=RUN,
            help="With torch.compile, once at the start.",
        ),
        *told_options(RUN),
    ],
)
