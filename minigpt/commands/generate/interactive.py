"""One beginning after the other, at the terminal."""

from __future__ import annotations

import sys

import click

from minigpt.commands.asked_lines import asked_lines
from minigpt.commands.generate.prompt import beginning, typed
from minigpt.commands.generate.writer import Writer

HELP = (
    "Type how a text begins, then Enter; \\n is a line break. Enter alone goes on with the text. "
    "Ctrl-C stops the model, or clears the line; Ctrl-D ends."
)


def ask_and_write(writer: Writer) -> int:
    """Until the input ends; the exit status. A beginning that cannot be is told, and asked anew.

    The status is 1 where lines came through a pipe and one of them could not be continued.
    """
    text, status = "", 0
    for line in asked_lines(HELP):
        try:
            text = typed(line, "the line") if line else text or beginning(writer.tokenizer)
            written = writer.begin(text)
        except ValueError as error:
            click.echo(f"minigpt: {error}", err=True)
            text, status = "", 0 if sys.stdin.isatty() else 1
            continue
        sys.stdout.write(text if line else "")
        try:
            for piece in written.pieces:
                text += piece
                sys.stdout.write(piece)
                sys.stdout.flush()
        except KeyboardInterrupt:
            pass
        click.echo()
    return status
