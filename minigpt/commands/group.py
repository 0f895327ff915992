"""The commands of `minigpt`, each imported when it is asked for."""

from __future__ import annotations

import importlib

import click

# What the list of commands says; the first sentence of a command's own help.
COMMANDS = {
    "train": "Train a GPT on a text, in a folder that it can go on from.",
    "generate": "Continue a text with a model.",
    "finetune": "Teach a model to answer, or another text, from where it stands.",
    "chat": "Talk with a model that was taught to answer.",
    "data": "List the texts and tasks that can be trained on, or show one.",
    "info": "Say what a model, or the run that made it, is.",
    "completion": "Print what makes a shell complete commands and options.",
}


class Commands(click.Group):
    """A group whose commands stand in folders of `minigpt.commands`."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        return importlib.import_module(f"minigpt.commands.{name}.options").command

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(context, arguments)
        except click.exceptions.NoSuchCommand as error:  # it looked among those imported
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=COMMANDS, ctx=context
            ) from None

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
