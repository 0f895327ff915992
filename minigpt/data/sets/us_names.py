"""First names of the United States, from the census of 1990, with what they are given to."""

from __future__ import annotations

from minigpt.data.corpus import package_path
from minigpt.data.sets.chance_order import in_chance_order
from minigpt.data.sets.data_set import Pair

GENDERS = ("female", "male")


def shares(gender: str) -> dict[str, float]:
    """Each name, in the census's capitals, with its share of that gender, in percent.

    Raises:
        FileNotFoundError: the package ``names`` is not installed.
    """
    lines = package_path("names", f"dist.{gender}.first").read_text("ascii").splitlines()
    return {name: float(share) for name, share, *_ in map(str.split, lines)}


def labelled_names() -> list[Pair]:
    """Each name once, with the gender of which it has the larger share; if equal, female."""
    female, male = map(shares, GENDERS)
    return [
        Pair(name.capitalize(), GENDERS[male.get(name, 0.0) > female.get(name, 0.0)])
        for name in in_chance_order(female | male)
    ]


def text() -> str:
    """The names alone, one a line."""
    return "".join(f"{name}\n" for name, _ in labelled_names())
