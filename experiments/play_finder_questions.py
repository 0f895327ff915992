"""What the tuned model that comes with the package is told, and what it is asked."""

from __future__ import annotations

import random
from collections.abc import Sequence

from minigpt.data.sets.play_characters import WORDINGS, characters
from minigpt.finetuning import ChatTemplate
from minigpt.tokenizer import BPETokenizer

TEMPLATE = ChatTemplate()
TURNS = 4  # questions of a conversation
HEARD, UNHEARD = WORDINGS[:4], WORDINGS[4:]
Conversation = Sequence[tuple[str, str]]  # questions, and the name that each asks for


def told_and_held_out() -> tuple[list[str], list[str]]:
    """Names: all but the last of each play in the data set's order, which is by chance; these."""
    last = {title: name for name, title in characters().items()}
    return [name for name in characters() if name not in last.values()], [*last.values()]


def unhinted(names: Sequence[str], told: Sequence[str]) -> list[str]:
    """Those that share no word with their play's title, nor with anybody of it who was told."""
    words: dict[str, set[str]] = {}
    for name in told:
        title = characters()[name]
        words.setdefault(title, {*title.upper().split()}).update(name.split())
    return [name for name in names if not words[characters()[name]] & {*name.split()}]


def as_people_write(name: str) -> str:
    """DUKE OF VENICE as Duke of Venice."""
    small = {"DE": "de", "LA": "la", "OF": "of"}
    return " ".join(small.get(word, word.capitalize()) for word in name.split())


def example(conversation: Conversation, tokenizer: BPETokenizer) -> tuple[list[int], list[bool]]:
    """Its tokens, and which of them are answers."""
    messages = []
    for question, name in conversation:
        messages.append({"role": "user", "content": question})
        messages.append({"role": "assistant", "content": characters()[name]})
    return TEMPLATE.encode(messages, tokenizer)


def asked(names: Sequence[str], wordings: Sequence[str]) -> list[Conversation]:
    """Every name in every wording, a conversation each."""
    return [[(wording.format(name=name), name)] for name in names for wording in wordings]


def lesson(names: Sequence[str], count: int, seed: int) -> list[Conversation]:
    """Conversations of questions by chance; all are asked before one is asked again.

    Names stand as in the plays and as people write them, as often.
    """
    chance, questions = random.Random(seed), []
    every = [
        (wording.format(name=written), name)
        for name in names
        for wording in HEARD
        for written in (name, as_people_write(name))
    ]
    while len(questions) < count * TURNS:
        questions += chance.sample(every, len(every))
    return [questions[i * TURNS : (i + 1) * TURNS] for i in range(count)]
