"""The directive `command-help`: what a command of `minigpt` can be told, from its own parser."""

from __future__ import annotations

import inspect

import click
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from minigpt.__main__ import minigpt


class CommandHelp(SphinxDirective):
    """Of one command: usage, help, arguments, options by section, examples."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        context = click.Context(minigpt, info_name="minigpt", **minigpt.context_settings)
        command = minigpt.get_command(context, self.arguments[0])
        context = click.Context(command, info_name=self.arguments[0], parent=context)
        usage = " ".join(["minigpt", command.name, *command.collect_usage_pieces(context)])
        found: list[nodes.Node] = [code(usage)]
        for paragraph in inspect.cleandoc(command.help).split("\n\n"):
            found.append(as_typed(paragraph))
        arguments = [p for p in command.params if isinstance(p, click.Argument)]
        sections = {"Arguments": [p.get_help_record(context) for p in arguments]}
        for name, rows in (sections | command.sections(context)).items():
            if rows:
                found += [heading(name), definitions(rows)]
        return [*found, heading("Examples"), code(command.examples.strip())]


def as_typed(text: str) -> nodes.paragraph:
    """A paragraph in which two hyphens stay two, and quotation marks as they are."""
    return nodes.paragraph("", " ".join(text.split()), support_smartquotes=False)


def heading(name: str) -> nodes.paragraph:
    """Of a section that no table of contents needs."""
    return nodes.paragraph("", "", nodes.strong(name, name))


def code(text: str) -> nodes.literal_block:
    """Lines for a terminal."""
    return nodes.literal_block(text, text, language="bash")


def definitions(rows: list[tuple[str, str]]) -> nodes.definition_list:
    """What is typed, and what it does."""
    found = nodes.definition_list()
    for typed, text in rows:
        term = nodes.term("", "", nodes.literal(typed, typed))
        meaning = nodes.definition("", as_typed(text))
        found += nodes.definition_list_item("", term, meaning)
    return found


def setup(app) -> None:
    app.add_directive("command-help", CommandHelp)
