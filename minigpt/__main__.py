"""The command line: `minigpt train …` and `generate …`, or `python -m minigpt train …`."""

from __future__ import annotations

import argparse
import importlib
import sys

from minigpt import __version__

COMMANDS = {"train": "train a model on a text", "generate": "let a model write"}


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns the exit status. Errors a user can mend are printed in one line."""
    parser = argparse.ArgumentParser(
        prog="minigpt",
        description="A small GPT: train one on a text of your own, and let it write.",
    )
    parser.add_argument("--version", action="version", version=f"minigpt {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    argv = sys.argv[1:] if argv is None else argv
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if argv[:1] == [name]:  # that one alone, for commands import torch
            importlib.import_module(f"minigpt.commands.{name}").add_options(command)
    arguments = parser.parse_args(argv)
    try:
        return arguments.run(arguments)
    except (ValueError, OSError) as error:
        print(f"minigpt: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before or after the steps of a run, or for the second time
        print("minigpt: stopped; the same command starts or goes on again", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
