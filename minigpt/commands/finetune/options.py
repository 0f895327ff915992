"""What `minigpt finetune` can be told."""

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

HELP = """
Teach a model to answer, or another text, from where it stands.

It learns from conversations (--chats, or the questions and answers of --data), of which answers
alone count, or from a text (--text, --data with --as-text). The folder then holds the tuned
model, for minigpt generate and, where it learned answers, for minigpt chat. Ctrl-C stops after the
step at hand; the same command goes on from there, to the same weights.

What a model was good at before it forgets in part: --replay shows it the old text meanwhile.
"""
EXAMPLES = """
minigpt finetune runs/sorter --data sorting --steps 300
minigpt finetune runs/mine --chats chats.jsonl --method lora --rank 8
minigpt finetune runs/bible --data king-james-bible --as-text --replay shakespeare
minigpt chat --model runs/sorter "520931"
"""
LESSON, MODEL, RECIPE, RUN = "What is taught", "What learns", "Recipe", "Run"
METHODS = ("full", "lora", "last-block", "biases")
COUNT, ABOVE_0, SHARE = Whole(1), Number(0, min_open=True), Number(0, 1)


def setting(name: str, kind: Any, value: object, text: str, also: tuple[str, ...] = ()) -> Option:
    """A field of the recipe; None where it is not given. A test compares the value with it."""
    return Option(
        [f"--{name}", *also, name.replace("-", "_")],
        type=kind,
        metavar="N" if isinstance(kind, Whole) else "X",
        section=RECIPE,
        field=name.replace("-", "_"),
        help=f"{text}  [{value}]",
    )


command = Command(
    "finetune",
    help=HELP,
    examples=EXAMPLES,
    after_stop="; the same command starts or goes on again",
    params=[
        click.Argument(
            ["folder"],
            type=Name(new=True),
            help="Of this run, made if it is not there: the tuned model, a log and checkpoints; "
            "with --method lora the adapter too, in a folder adapter that peft opens.",
        ),
        Option(
            ["--from", "from_model"],
            type=Name(*MODELS),
            default="shakespeare",
            show_default=True,
            metavar="NAME",
            section=MODEL,
            help="The model to start from, which --model of minigpt generate can name too.",
        ),
        Option(
            ["--method"],
            type=click.Choice(METHODS),
            default="full",
            show_default=True,
            section=MODEL,
            help="All numbers; a low-rank adapter; those of the last block; or the biases.",
        ),
        Option(
            ["--rank"],
            type=COUNT,
            field="rank",
            metavar="N",
            section=MODEL,
            help="Of an adapter: how many directions its change has.  [default: 8]",
        ),
        Option(
            ["--alpha"],
            type=ABOVE_0,
            field="alpha",
            metavar="X",
            section=MODEL,
            help="Of an adapter: its change counts alpha / rank times.  [default: twice the rank]",
        ),
        Option(
            ["--chats"],
            type=Name(files=True),
            metavar="FILE",
            section=LESSON,
            help='Conversations of yours, a line each: {"messages": [{"role": "user", "content": '
            '"..."}, {"role": "assistant", "content": "..."}]}.',
        ),
        Option(
            ["--data"],
            type=Known(*SETS),
            metavar="NAME",
            section=LESSON,
            help="A task or text by its name, as minigpt data list has them.",
        ),
        Option(
            ["--examples"],
            type=Whole(2),
            metavar="N",
            section=LESSON,
            help="Of a task: as many of its first questions.  [default: 10000]",
        ),
        Option(
            ["--text"],
            type=Name(files=True),
            metavar="FILE",
            section=LESSON,
            help="A UTF-8 text to go on learning from.",
        ),
        Option(
            ["--as-text"],
            is_flag=True,
            section=LESSON,
            help="Learn --data as a text, where it has questions and answers too.",
        ),
        Option(
            ["--replay"],
            type=Name(*SETS, files=True),
            metavar="NAME",
            section=LESSON,
            help="The text that is not to be forgotten: one of minigpt data list, or a file.",
        ),
        Option(
            ["--replay-share"],
            type=Number(0, 1, min_open=True, max_open=True),
            field="share",
            metavar="X",
            section=LESSON,
            help="Share of every batch that comes from it.  [default: 0.25]",
        ),
        Option(
            ["--packed"],
            is_flag=True,
            section=LESSON,
            help="Several conversations in a row, none of which sees another: faster for short "
            "ones.",
        ),
        Option(
            ["--validation-fraction"],
            field="validation_fraction",
            type=Number(0, 1, min_open=True, max_open=True),
            default=0.1,
            show_default=True,
            metavar="X",
            section=LESSON,
            help="Share, the end, that the model is judged by and never learns from.",
        ),
        setting("steps", COUNT, 100, "How often the weights change."),
        setting("batch-size", COUNT, 16, "Conversations or windows of text a step."),
        setting("accumulate", COUNT, 1, "Parts that a batch is cut into, to need less memory."),
        setting(
            "learning-rate", ABOVE_0, "0.001; 0.005 with --method lora", "The highest.", ("--lr",)
        ),
        setting("weight-decay", SHARE, 0.0, "Share taken off a step, times the learning rate."),
        setting("warmup", Whole(0), 10, "Steps in which the learning rate rises."),
        setting(
            "decay", Number(0, 1, min_open=True), 0.5, "Share of the steps over which it falls."
        ),
        setting("clip", ABOVE_0, 1.0, "The longest gradient; longer ones are shortened."),
        setting("seed", Whole(0), 1, "Of the order of the examples, an adapter's start, dropout."),
        *interval_options(RUN, "what is kept apart"),
        device_option(RUN),
        threads_option(RUN),
        *told_options(RUN),
    ],
)
