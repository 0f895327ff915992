"""What `minigpt chat` can be told."""

from __future__ import annotations

import click

from minigpt.commands.command import (
    Command,
    Name,
    Option,
    Whole,
    device_option,
    threads_option,
)
from minigpt.commands.sampling_options import sampling_options, seed_option

HELP = """
Talk with a model that was taught to answer.

The one that comes with the package was taught in which of Shakespeare's plays a character is, and
nothing else.
Without QUESTION, it asks for one after the other, at the terminal or through a pipe, a line each.
/reset forgets the conversation, /system TEXT begins it anew with an instruction, Ctrl-C stops an
answer, Ctrl-D ends. A conversation that has become too long for the model loses its oldest
questions first; an instruction stays.
"""
EXAMPLES = """
minigpt chat "In which play is CASSIO?"
minigpt chat
minigpt chat --model runs/tuned "Who are you?"
minigpt chat --model runs/tuned --temperature 0 < questions.txt
"""
TALK, MODEL, CHOICE = "Conversation", "Model", "How tokens are chosen"

command = Command(
    "chat",
    help=HELP,
    examples=EXAMPLES,
    params=[
        click.Argument(["question"], metavar="[QUESTION]", nargs=-1, help="Answer it, and end."),
        Option(
            ["--system"],
            metavar="TEXT",
            section=TALK,
            help="An instruction that the conversation begins with.",
        ),
        Option(
            ["--tokens"],
            type=Whole(1),
            default=100,
            show_default=True,
            metavar="N",
            section=TALK,
            field="max_new_tokens",
            help="The longest answer. So many tokens of what the model sees are kept free for it.",
        ),
        seed_option(TALK, "The same seed answers the same."),
        Option(
            ["--model"],
            type=Name("play-finder"),
            default="play-finder",
            show_default=True,
            metavar="NAME",
            section=MODEL,
            help="play-finder (comes with the package), or the folder of a model with a chat "
            "template, such as minigpt finetune makes.",
        ),
        device_option(MODEL),
        threads_option(MODEL),
        *sampling_options(CHOICE),
    ],
)
