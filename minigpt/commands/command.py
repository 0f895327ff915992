"""A command with its options in sections, and its errors in the words that were typed."""

from __future__ import annotations

import importlib
import re
from types import SimpleNamespace
from typing import Any

import click
from click.shell_completion import CompletionItem

from minigpt.commands.interrupts import held_back

MODELS = ("shakespeare", "play-finder", "gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")
# Of files and folders, where another command line is needed.
WRONG_NAMES = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError)
HUB = "hf:"  # begins the name of a model on the Hugging Face hub


class Option(click.Option):
    """An option with a section in the help, and the setting that it gives.

    Args:
        section: the heading it stands under.
        field: the setting of the package that it gives, by which errors call it.
    """

    def __init__(self, *names: Any, section: str = "Options", field: str = "", **rest: Any) -> None:
        super().__init__(*names, **rest)
        self.section, self.field = section, field

    def get_help_record(self, context: click.Context) -> tuple[str, str]:
        """The range of a number stands in the brackets of what holds without it."""
        typed, text = super().get_help_record(context) or ("", "")
        return typed, text.replace("]  [", "; ")


class Whole(click.IntRange):
    """A whole number, with its limits; a word is told to be none."""

    name = "whole number"


class Number(click.FloatRange):
    """A number, likewise."""

    name = "number"


class Name(click.ParamType):
    """The name of a thing: one that is known, or a file's or folder's.

    Args:
        known: what a shell offers beside the names of files.
        files: whether a file is named, and no folder.
        new: whether it names what is to be made, which may not be called as a model that is known.
    """

    name = "name"

    def __init__(self, *known: str, files: bool = False, new: bool = False) -> None:
        self.known, self.kind, self.new = known, "file" if files else "dir", new

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> str:
        if not value:
            self.fail("it is empty, as a variable of the shell is that was not set", parameter)
        if self.new and (value in MODELS or value.startswith(HUB)):
            self.fail(
                f"{value!r} already names a model, for --model of minigpt generate: give another "
                f"name, or ./{value}",
                parameter,
            )
        return value

    def shell_complete(
        self, context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        known = [name for name in self.known if name.startswith(incomplete)]
        return [*map(CompletionItem, known), CompletionItem(incomplete, type=self.kind)]


class Known(Name):
    """A name of which no other is known; the command says which one was meant."""

    def shell_complete(
        self, context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(name) for name in self.known if name.startswith(incomplete)]


class Command(click.Command):
    """A command that ``minigpt.commands.<its name>.run.run`` does, given its options.

    ValueError and OSError are what a user can mend, and are printed in one line. Anything else is
    a fault of ours and is not hidden. The exit status is 2 where the command line is at fault.

    Args:
        examples: command lines for the end of the help.
        after_stop: what is to be done after a Ctrl-C that came too early for the command to say.
    """

    def __init__(self, *names: Any, examples: str = "", after_stop: str = "", **rest: Any) -> None:
        super().__init__(*names, **rest)
        self.examples, self.after_stop = examples, after_stop

    def invoke(self, context: click.Context) -> int:
        try:
            with held_back():
                run = importlib.import_module(f"minigpt.commands.{self.name}.run").run
            return run(SimpleNamespace(**context.params))
        except KeyboardInterrupt:
            raise click.Abort(self.after_stop) from None
        except (ValueError, OSError) as error:
            if isinstance(error, BrokenPipeError):
                raise
            message = self.as_typed(str(error))
            mistyped = isinstance(error, WRONG_NAMES) or re.match(r"--|[A-Z]+ is ", message)
            kind = click.UsageError if mistyped else click.ClickException
            raise kind(message) from error

    def as_typed(self, message: str) -> str:
        """A message of the package with options in the place of the settings that it names.

        A word may be a setting's name by chance ("steps"): it is one where the message begins
        with it, where it stands alone in brackets, and where its two values follow.
        """
        for option in self.params:
            if name := getattr(option, "field", ""):
                alone = rf"^{name}(?= is )|(?<=\(){name}(?=\))|\b{name}(?= \(was )"
                place = rf"\b{name}\b" if "_" in name else alone
                message = re.sub(place, option.opts[0], message)
        return message

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        for section, rows in self.sections(context).items():
            with formatter.section(section):
                formatter.write_dl(rows)

    def sections(self, context: click.Context) -> dict[str, list[tuple[str, str]]]:
        """How each option is typed, and its help, under the headings."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(context):
            if isinstance(parameter, click.Option):
                section = getattr(parameter, "section", "Help")  # of --help, which click adds last
                sections.setdefault(section, []).append(parameter.get_help_record(context))
        return sections

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples.strip().splitlines():
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")


def threads_option(section: str = "Options") -> Option:
    """``--threads``, which commands that compute have in common."""
    return Option(
        ["--threads"],
        type=Whole(1, 4096),
        metavar="N",
        section=section,
        help="Threads of the CPU.  [default: all cores]",
    )


def device_option(section: str = "Options") -> Option:
    """``--device``, likewise."""
    return Option(
        ["--device"],
        type=Name("cpu", "cuda", "mps"),
        metavar="NAME",
        section=section,
        help="cpu, cuda, cuda:1, mps.  [default: cuda where there is one, or cpu]",
    )
