"""Click knows how; here it is a command that can be found."""

from __future__ import annotations

from types import SimpleNamespace

import click
from click.shell_completion import get_completion_class


def run(options: SimpleNamespace) -> int:
    """Do it; the exit status."""
    group = click.get_current_context().find_root().command
    kind = get_completion_class(options.shell)
    click.echo(kind(group, {}, "minigpt", "_MINIGPT_COMPLETE").source())
    return 0
