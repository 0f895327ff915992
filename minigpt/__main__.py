"""The command line: `minigpt train …`, `generate …`, or `python -m minigpt train …`."""

from __future__ import annotations

import sys

import click

from minigpt import __version__
from minigpt.commands.group import Commands
from minigpt.commands.streams import let_go_of_dead_streams, prepare_streams


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="minigpt COMMAND --help says what a command can do, with examples. The exit status is 2 "
    "where the command line is wrong (an option, a value, the name of a file), 130 after Ctrl-C, "
    "and 1 where anything else fails.",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def minigpt() -> None:
    """A small GPT: train one on a text of your own, and let it write."""


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns the exit status. Errors a user can mend are printed in one line."""
    prepare_streams()
    try:
        return minigpt.main(argv, "minigpt", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except OSError as error:  # of help, as on a full disk; commands tell of their own
        click.echo(f"Error: {error}", err=True)
        return 1
    except click.Abort as stop:  # Ctrl-C outside of what a command has to finish, or once more
        click.echo(f"minigpt: stopped{stop}", err=True)
        return 130
    finally:
        let_go_of_dead_streams()


if __name__ == "__main__":
    sys.exit(main())
