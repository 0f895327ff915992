"""What `minigpt completion` can be told."""

from __future__ import annotations

import click

from minigpt.commands.command import Command

HELP = """\
Print what makes a shell complete commands and options.

In bash 4.4 or newer and zsh, put the line of the examples into ~/.bashrc or ~/.zshrc; in fish, run
it once.
"""
EXAMPLES = """
eval "$(minigpt completion bash)"
eval "$(minigpt completion zsh)"
minigpt completion fish > ~/.config/fish/completions/minigpt.fish
"""

command = Command(
    "completion",
    help=HELP,
    examples=EXAMPLES,
    params=[
        click.Argument(
            ["shell"], type=click.Choice(["bash", "zsh", "fish"]), help="The one you type in."
        )
    ],
)
