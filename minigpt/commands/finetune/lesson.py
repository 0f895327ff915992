"""What a model is taught, as batches to learn from and to be judged by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import click
import torch

from minigpt.data import read_text
from minigpt.data.chats import read_chats
from minigpt.data.corpus import split_place
from minigpt.data.sets import SETS, find_set, open_pairs, open_text
from minigpt.finetuning import ChatTemplate, Examples, Replay
from minigpt.tokenizer import BPETokenizer, CharTokenizer
from minigpt.training import Batches, TextBatches
from minigpt.training.windows import check_long_enough

REPLAY_SHARE = 0.25
EXAMPLES = 10_000  # of a task: a tuning run reads fewer, and each takes a millisecond to prepare
Tokenizer = BPETokenizer | CharTokenizer


@dataclass(frozen=True)
class Lesson:
    """What is learned, and what the model is judged by; a template where answers are learned."""

    training: Batches
    validation: Batches
    template: ChatTemplate | None


def check_lesson(options: SimpleNamespace) -> None:
    """Raise click.UsageError for options that do not go together, before anything is read."""
    given = [flag for flag in ("--chats", "--data", "--text") if getattr(options, flag[2:])]
    if not given:
        raise click.UsageError(
            "nothing is to be taught: give --chats FILE, --data NAME or --text FILE"
        )
    if len(given) > 1:
        raise click.UsageError(
            f"{' and '.join(given)} were both given, and a run learns from one: leave one out"
        )
    if options.data is not None:
        find_set(options.data, "--data")
    if options.as_text and options.data is None:
        raise click.UsageError(f"--as-text is for --data, and {given[0]} was given: leave it out")
    if options.examples is not None and (options.data is None or is_text(options)):
        raise click.UsageError("--examples is for a task of --data: leave it out")
    if options.replay is None and options.replay_share is not None:
        raise click.UsageError("--replay-share needs a text to replay: give --replay, or leave it")
    if options.packed and (is_text(options) or options.replay is not None):
        what = "--replay" if not is_text(options) else "a text"
        raise click.UsageError(f"--packed is for conversations, and not for {what}: leave it out")


def open_lesson(
    options: SimpleNamespace,
    tokenizer: Tokenizer,
    length: int,
    seed: int,
    tell: Callable[[str], None],
) -> Lesson:
    """Read it, cut it in two, and make batches of it.

    Raises:
        FileNotFoundError: no such file. ValueError: one that cannot be read or learned from.
    """
    try:
        return _lesson(options, tokenizer, length, seed, tell)
    except ValueError as error:
        if not str(error).startswith("character "):
            raise
        given = [options.chats or options.data or options.text, options.replay]
        raise ValueError(
            f"--from is {options.from_model!r}, whose tokenizer cannot read all of "
            f"{' and '.join(filter(None, given))}: {error}; start from a model that knows it"
        ) from None


def _lesson(
    options: SimpleNamespace,
    tokenizer: Tokenizer,
    length: int,
    seed: int,
    tell: Callable[[str], None],
) -> Lesson:
    if is_text(options):
        text = read_text(options.text) if options.text is not None else open_text(options.data)
        cut = split_place(len(text), options.validation_fraction)
        name = options.text or options.data
        training = _text_batches(text[:cut], tokenizer, length, seed, name)
        validation: Batches = _text_batches(text[cut:], tokenizer, length, seed, name)
        template = None
    else:
        template = ChatTemplate()
        training, validation = _conversations(options, template, tokenizer, length, seed, tell)
    if options.replay is not None:
        text = open_text(options.replay) if options.replay in SETS else read_text(options.replay)
        cut = split_place(len(text), options.validation_fraction)  # its end is to be judged by
        old = _text_batches(text[:cut], tokenizer, length, seed, options.replay)
        training = Replay(training, old, options.replay_share or REPLAY_SHARE)
    return Lesson(training, validation, template)


def is_text(options: SimpleNamespace) -> bool:
    """Whether it goes on learning a text; else it learns answers."""
    if options.data is not None:
        return options.as_text or not SETS[options.data].pairs
    return options.text is not None


def _conversations(
    options: SimpleNamespace,
    template: ChatTemplate,
    tokenizer: Tokenizer,
    length: int,
    seed: int,
    tell: Callable[[str], None],
) -> list[Batches]:
    """Those to learn from, and those at the end to be judged by."""
    if options.chats is not None:
        chats = read_chats(Path(options.chats))
    else:
        chats = [
            [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
            for asked, answer in open_pairs(options.data)[: options.examples or EXAMPLES]
        ]
    cut = split_place(len(chats), options.validation_fraction)
    parts, too_long = [], 0
    for part in (chats[:cut], chats[cut:]):
        examples = [template.encode(chat, tokenizer) for chat in part]
        kept = [example for example in examples if len(example[0]) <= length + 1]
        too_long += len(examples) - len(kept)
        if not kept:
            raise ValueError(
                f"all {len(part)} conversations of one part are longer than the {length} tokens "
                "that the model sees at once (context_length): shorten them"
            )
        parts.append(Examples(kept, length, seed, options.packed))
    if too_long:
        tell(
            f"{too_long} of {len(chats)} conversations are left out: they are longer than the "
            f"{length} tokens that the model sees at once"
        )
    return parts


def _text_batches(
    text: str, tokenizer: Tokenizer, length: int, seed: int, name: str
) -> TextBatches:
    ids = torch.tensor(tokenizer.encode(text))
    check_long_enough(ids, length, name)
    return TextBatches(ids, length, seed)
