"""Errors of the package, told in the words that were typed."""

from __future__ import annotations

import click
import pytest

from minigpt.commands.command import Command, Option
from minigpt.commands.generate.options import command as generate
from minigpt.commands.train.options import command as train


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("steps is 0; it must be 1", "--steps is 0; it must be 1"),
        ("warmup is 9 steps, of 8", "--warmup is 9 steps, of 8"),
        ("a batch_size of 9 (accumulate): choose", "a --batch-size of 9 (--accumulate): choose"),
        ("a muon_learning_rate, a learning_rate", "a --muon-learning-rate, a --learning-rate"),
        ("log is 0", "--log-every is 0"),
        ("other settings, steps (was 1, now 2)", "other settings, --steps (was 1, now 2)"),
        ("the log is 0 lines, the seed is lost", "the log is 0 lines, the seed is lost"),
        ("tokenizer.json is no file (log.jsonl)", "tokenizer.json is no file (log.jsonl)"),
        ("my_batch_size, batch_sizes", "my_batch_size, batch_sizes"),
    ],
)
def test_settings_become_options_and_other_words_stay(message, told):
    assert train.as_typed(message) == told


def test_an_option_may_have_another_name_than_its_setting():
    assert generate.as_typed("max_new_tokens is 0") == "--tokens is 0"


def test_options_stand_in_their_sections_and_help_is_last():
    command = Command(
        "x",
        params=[
            click.Argument(["folder"]),
            Option(["--b"], section="B", help="b"),
            Option(["--a"], section="A", help="a"),
            Option(["--c"], section="B", help="c"),
        ],
        examples="minigpt x --a 1 \\\n    --b 2\n",
    )
    text = command.get_help(click.Context(command, info_name="x"))
    order = ["FOLDER", "\nB:", "--b", "--c", "\nA:", "--a", "\nHelp:", "--help", "\nExamples:"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert text.endswith("  minigpt x --a 1 \\\n      --b 2")
