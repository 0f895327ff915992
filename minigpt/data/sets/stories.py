"""Small stories in which things change hands, told so that a program can check every word.

    Ann has the ball. The kite is in the barn. Ann hands the ball to Ben. Cara finds the kite in
    the barn. At the end, the ball is with Ben and the kite is with Cara.

A grammar alone cannot say this, for who hands a thing over must have it: the writer draws from
what is true at that point, and `broken_rule` reads a story with the same memory.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch

from minigpt.data.sets.data_set import Pair

PEOPLE = ("Ann", "Ben", "Cara", "Dan", "Eve", "Finn", "Gwen", "Hugo")
THINGS = ("ball", "book", "coin", "cup", "drum", "hat", "key", "kite", "lamp", "shell")
PLACES = ("barn", "garden", "hall", "kitchen", "shed", "tower")
IN_STORY, FEWEST, MOST = 3, 3, 6  # people, and things; what happens
DRAWS = 64  # more than a story needs
ROWS, SEED = 10_000, 1

OWNS = re.compile(r"(\w+) has the (\w+)\.")
LIES = re.compile(r"The (\w+) is in the (\w+)\.")
GIVES = re.compile(r"(\w+) (?:gives|hands) the (\w+) to (\w+)\.")
SHOWS = re.compile(r"(\w+) shows the (\w+) to (\w+)\.")
LEAVES = re.compile(r"(\w+) leaves the (\w+) in the (\w+)\.")
FINDS = re.compile(r"(\w+) finds the (\w+) in the (\w+)\.")
END = re.compile(r"At the end, (.+)\.")
WHERE = re.compile(r"the (\w+) is (with|in the) (\w+)")


def stories(rows: int, generator: torch.Generator) -> list[str]:
    """Stories of three people and three things, one paragraph each."""
    drawn = torch.randint(0, 2**31, (rows, DRAWS), generator=generator).tolist()
    return [_story(_Chance(numbers)) for numbers in drawn]


class _Chance:
    """What picks, by numbers that were drawn before; each is used once."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers

    def __call__(self, items: Sequence[Any]) -> Any:
        return items[self.numbers.pop() % len(items)]


def _story(pick: _Chance) -> str:
    people, things = _some(PEOPLE, pick), _some(THINGS, pick)
    where, told = {}, []
    for thing in things:
        person, place = pick(people), pick(PLACES)
        if pick((True, True, False)):
            where[thing] = person
            told.append(f"{person} has the {thing}.")
        else:
            where[thing] = place
            told.append(f"The {thing} is in the {place}.")
    for _ in range(pick(range(FEWEST, MOST + 1))):
        told.append(_event(pick(things), where, people, pick))
    return " ".join([*told, ending(where)])


def _some(items: Sequence[str], pick: _Chance) -> list[str]:
    """Different ones, as many as a story has."""
    left = list(items)
    return [left.pop(pick(range(len(left)))) for _ in range(IN_STORY)]


def _event(thing: str, where: dict[str, str], people: list[str], pick: _Chance) -> str:
    """What happens to a thing, which may lie somewhere or be somebody's; changes `where`."""
    at = where[thing]
    if at in PLACES:
        where[thing] = pick(people)
        return f"{where[thing]} finds the {thing} in the {at}."
    other = pick([person for person in people if person != at])
    verb = pick(("gives", "hands", "shows", "leaves"))
    if verb == "leaves":
        where[thing] = pick(PLACES)
        return f"{at} leaves the {thing} in the {where[thing]}."
    if verb != "shows":
        where[thing] = other
    return f"{at} {verb} the {thing} to {other}."


def ending(where: dict[str, str]) -> str:
    """The last sentence: where everything is, in the order in which it was first told of."""
    *some, last = [f"the {thing} is {_place(at)}" for thing, at in where.items()]
    return f"At the end, {', '.join(some)}{' and ' if some else ''}{last}."


def _place(at: str) -> str:
    return f"in the {at}" if at in PLACES else f"with {at}"


def broken_rule(story: str) -> str:
    """The first sentence of a story that cannot be true or is of no known form, and why.

    Who gives, shows or leaves a thing must have it, and nobody gives a thing to themselves; a
    thing is found where it is; the end tells of every thing, in order, and of no other. An empty
    answer means that the story keeps all rules.
    """
    where: dict[str, str] = {}
    *told, end = re.split(r"(?<=\.) ", story.strip())
    begun = False  # what happens comes after what is told of the beginning
    for sentence in told:
        begins = OWNS.fullmatch(sentence) or LIES.fullmatch(sentence)
        if why := _beginning(sentence, where) if begins and not begun else _step(sentence, where):
            return f"{sentence!r}: {why}"
        begun = begun or not begins
    if not END.fullmatch(end):
        return f"{end!r}: it is no end, as 'At the end, the ball is with Ben.'"
    if not where or end != ending(where):
        return f"{end!r}: true is {ending(where)!r}" if where else f"{end!r}: nothing was told of"
    return ""


def _beginning(sentence: str, where: dict[str, str]) -> str:
    """What is wrong with a sentence that says where a thing is; else remembers it."""
    if found := OWNS.fullmatch(sentence):
        at, thing = found.groups()
        known = at in PEOPLE
    else:
        thing, at = LIES.fullmatch(sentence).groups()
        known = at in PLACES
    if not known or thing not in THINGS:
        return "a word of it is not in these stories"
    if thing in where:
        return f"the {thing} was told of before"
    where[thing] = at
    return ""


def _step(sentence: str, where: dict[str, str]) -> str:
    """What is wrong with a sentence that tells what happens; else does it."""
    for pattern in (GIVES, SHOWS, LEAVES, FINDS):
        if found := pattern.fullmatch(sentence):
            break
    else:
        return "no such sentence can stand here"
    person, thing, other = found.groups()
    if person not in PEOPLE or other not in (PEOPLE if pattern in (GIVES, SHOWS) else PLACES):
        return "a word of it is not in these stories"
    needed = other if pattern is FINDS else person
    if where.get(thing) != needed:
        at = where.get(thing)
        return f"the {thing} is {_place(at)}" if at else f"no {thing} was told of"
    if person == other:
        return "it is a gift to oneself"
    if pattern is not SHOWS:
        where[thing] = person if pattern is FINDS else other
    return ""


def pairs() -> list[Pair]:
    """Each story without its end, a question about one of its things, and the answer."""
    found = []
    for number, story in enumerate(all_stories()):
        told, end = story.split(" At the end, ")
        answers = WHERE.findall(end)
        thing, how, at = answers[number % len(answers)]
        found.append(Pair(f"{told} Where is the {thing}?", f"{how} {at}"))
    return found


def all_stories() -> list[str]:
    """Those of the data set."""
    return stories(ROWS, torch.Generator().manual_seed(SEED))


def text() -> str:
    """The stories of the data set, with an empty line after each."""
    return "".join(f"{story}\n\n" for story in all_stories())
