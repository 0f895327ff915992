"""How tokens are chosen, as options that commands which write have in common."""

from __future__ import annotations

import secrets
from types import SimpleNamespace
from typing import TYPE_CHECKING

from minigpt.commands.command import Number, Option, Whole

if TYPE_CHECKING:  # it brings torch, which no help needs
    from minigpt.generation import Sampling

PROBABILITY = Number(0, 1, min_open=True)


def sampling_options(section: str) -> list[Option]:
    """The fields of `minigpt.generation.Sampling`, each as an option."""
    return [
        Option(
            ["--temperature"],
            field="temperature",
            type=Number(0),
            default=1.0,
            show_default=True,
            metavar="X",
            section=section,
            help="Below 1 tamer, above 1 wilder; 0 always takes the best token.",
        ),
        Option(
            ["--top-k"],
            field="top_k",
            type=Whole(1),
            metavar="N",
            section=section,
            help="Draw from this many best tokens only.",
        ),
        Option(
            ["--top-p"],
            field="top_p",
            type=PROBABILITY,
            metavar="X",
            section=section,
            help="Draw from the fewest best tokens that have this probability together.",
        ),
        Option(
            ["--min-p"],
            field="min_p",
            type=PROBABILITY,
            metavar="X",
            section=section,
            help="Draw from tokens at least this many times as probable as the best.",
        ),
        Option(
            ["--repetition-penalty"],
            field="repetition_penalty",
            type=Number(0.001, 1000),
            default=1.0,
            show_default=True,
            metavar="X",
            section=section,
            help="Above 1 lowers the scores of tokens that the text has.",
        ),
    ]


def sampling_of(options: SimpleNamespace) -> Sampling:
    """What the options choose."""
    from minigpt.generation import Sampling

    return Sampling(**{name: getattr(options, name) for name in Sampling.__dataclass_fields__})


def seed_option(section: str, text: str) -> Option:
    """``--seed``; `text` says what the same one gives."""
    return Option(
        ["--seed"],
        type=Whole(0, 2**32 - 1),
        metavar="N",
        section=section,
        help=f"{text}  [default: another each time]",
    )


def seed_of(options: SimpleNamespace) -> int:
    """The seed that was given, or another each time."""
    return secrets.randbelow(2**32) if options.seed is None else options.seed
