"""What `minigpt data` can be told."""

from __future__ import annotations

import click

from minigpt.commands.command import Command, Known, Option, Whole
from minigpt.data.sets.cards import SETS

HELP = """\
List the texts and tasks that can be trained on, or show one.

With list, a line each; those that need it are fetched when first used. With show, what is to be
known of the one that NAME names, and its first lines.
"""
EXAMPLES = """
minigpt data list
minigpt data show king-james-bible
minigpt data show arithmetic --lines 20
minigpt train runs/names --data us-names --tokenizer characters \\
    --context-length 16
"""

command = Command(
    "data",
    help=HELP,
    examples=EXAMPLES,
    params=[
        click.Argument(["what"], type=click.Choice(["list", "show"]), help="What is wanted."),
        click.Argument(
            ["name"], required=False, type=Known(*SETS), help="Of a text or task, for show."
        ),
        Option(
            ["--lines"],
            type=Whole(0),
            metavar="N",
            section="Output",
            help="Lines of the text, for show; with 0 it is not opened.  [default: 5]",
        ),
        Option(["--json"], is_flag=True, section="Output", help="As JSON."),
    ],
)
