"""What `minigpt info` can be told."""

from __future__ import annotations

import click

from minigpt.commands.command import MODELS, Command, Name, Option

HELP = """\
Say what a model, or the run that made it, is.

Without a name, the models that can be named are listed.
"""
EXAMPLES = """
minigpt info
minigpt info shakespeare
minigpt info play-finder
minigpt info runs/first --json
"""

command = Command(
    "info",
    help=HELP,
    examples=EXAMPLES,
    params=[
        click.Argument(
            ["model"], required=False, type=Name(*MODELS), help="As --model of minigpt generate."
        ),
        Option(["--json"], is_flag=True, section="Output", help="As one JSON object."),
    ],
)
