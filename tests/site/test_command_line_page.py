"""The page on the command line says what the program says, for it asks the program."""

from __future__ import annotations

import click
import pytest
from bs4 import BeautifulSoup

from minigpt.__main__ import minigpt
from minigpt.commands.group import COMMANDS


@pytest.fixture(scope="module")
def article(site):
    return BeautifulSoup((site / "command-line.html").read_text("utf-8"), "html.parser").select_one(
        ".mg-article"
    )


def flat(text: str) -> str:
    return " ".join(text.split())


def test_every_command_has_its_section(article):
    headings = [flat(heading.find(string=True)) for heading in article.find_all("h2")]
    assert headings == [f"minigpt {name}" for name in COMMANDS]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_section_holds_the_help_of_its_command(article, name):
    context = click.Context(minigpt, info_name="minigpt", **minigpt.context_settings)
    command = minigpt.get_command(context, name)
    section = article.find("section", id=f"minigpt-{name}")
    shown = {flat(term.get_text()): flat(term.find_next("dd").get_text()) for term in
             section.find_all("dt")}  # fmt: skip
    context = click.Context(command, info_name=name, parent=context)
    rows = dict(p.get_help_record(context) for p in command.get_params(context))
    assert shown == {flat(typed): flat(text) for typed, text in rows.items()}
    code = [block.get_text() for block in section.find_all("pre")]
    assert code[0].startswith(f"minigpt {name} [OPTIONS]")
    assert code[1].strip() == command.examples.strip()
    assert flat(command.help.strip().split("\n\n")[0]) in flat(section.get_text())
