"""The check of a text that stops at a string, and what it gave out for each piece taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from minigpt.lessons.judge import Case, Verdict, judge, name_of, shown


def write_until(function: Callable[[Iterator[str], str], Iterator[str]]) -> Verdict:
    """Check `write_until(pieces, stop)`: a generator of the text before `stop`, as it comes.

    What counts is the text that is given out between one piece taken and the next, in however
    many parts.
    """
    keep = "keep the end of the text that stop begins with, and give out what comes before it"
    early = "the beginning of stop was given out, before it was sure to be no stop"
    single = "stop may be spread over pieces: look for it in what is kept back plus the new piece"
    whole = "everything was kept to the end: yield what is sure before you take the next piece"
    late = "give out what is sure before you take the next piece"
    on = "the text ends at the first stop: nothing after it is given out"
    more = "a piece was taken that is not needed: return when stop is complete"
    given = "stop itself is not part of the text"
    fewer = "no more than needed: keep back only an end of the text that stop begins with"
    lost = "what was kept back and turned out to be no stop is part of the text"
    rest = "no piece is left, so stop cannot come any more: give out what is kept back"
    again = "'aab' may begin at the second letter of 'aaa': stop can begin inside a false beginning"

    def case(
        pieces: list[str], stop: str, right: list[str], hint: str, *wrong: tuple[list[str], str]
    ) -> Case:
        mistakes = [(Written(pieces, texts), hint) for texts, hint in wrong]
        return Case((pieces, stop), Written(pieces, right), hint, mistakes)

    cases = [
        case(
            ["To ", "be", "\n", "or"],
            "\n",
            ["To ", "be", ""],
            "give out each piece until stop comes, and end there",
            (["To ", "be", "\n"], given),
            (["To ", "be", "", "or", ""], on),
            (["To ", "be", "\n", "or", ""], on),
            (["To ", "be", "", ""], more),
            (["To ", "be", "", "", ""], more),
            (["", "To ", "be"], late),
            (["", "", "To be"], late),
            (["", "", "", "", "To be"], whole),
            (["", "", "", "", "To be\n"], whole),
            (["To", " b", "e"], fewer),
        ),
        case(
            ["To be\nor not\nto be"],
            "\n",
            ["To be"],
            "stop may stand in the middle of a piece",
            (["To be\nor not\nto be", ""], "stop may stand in the middle of a piece"),
            ([""], "what stands before stop in the same piece is part of the text"),
            (["To be\n"], given),
            (["To be\nor not"], "the first stop ends the text, not the last"),
            (["To beor notto be", ""], on),
        ),
        case(
            ["Hi.", "\n", "\nRO", "MEO:"],
            "\n\n",
            ["Hi.", "", ""],
            single,
            (["Hi.", "\n", "\nRO", "MEO:", ""], single),
            (["Hi.", "\n", ""], early),
            (["Hi.", "", "\n"], given),
            (["Hi.", "", "\n\n"], given),
            (["Hi", ".", ""], fewer),
            (["H", "i", "."], fewer),
        ),
        case(
            ["one\n", "two", "\n"],
            "\n\n",
            ["one", "\ntwo", "", "\n"],
            keep,
            (["one", "two", "", ""], lost),
            (["one", "two", "", "\n"], lost),
            (["one", "\ntwo", "", ""], rest),
            (["one", "\ntwo", ""], rest),
            (["", "one\ntwo", "", "\n"], fewer),
            (["one", "\ntw", "o", "\n"], fewer),
            (["on", "e\nt", "w", "o\n"], fewer),
        ),
        case(
            ["aa", "ab", "cd"],
            "aab",
            ["", "a"],
            again,
            (["", "aaab", "cd", ""], again),
            (["", "aaa", "bcd", ""], again),
        ),
        case(
            list("the end."),
            "end!",
            ["t", "h", "", "e ", "", "", "", "end.", ""],
            keep,
            (["", "", "", "t", "h", "e", " ", "e", "nd."], fewer),
        ),
        case([], "\n", [""], "no pieces make no text"),
    ]
    return judge(_traced(function), cases)


def _traced(function: Callable[[Iterator[str], str], Any]) -> Callable[[list[str], str], Any]:
    """The function on an iterator of the pieces, with what it gave out for each as the answer."""

    def call(pieces: list[str], stop: str) -> Any:
        source = Pieces(pieces)
        answer = function(source, stop)
        if not hasattr(answer, "__iter__"):
            return answer
        for text in answer:
            if not isinstance(text, str):
                raise TypeError(f"gave out {shown(text)}, which is no string")
            source.given[-1] += text
        before, *texts = source.given
        return Written(pieces, texts, before)

    call.__name__ = name_of(function)
    return call


class Pieces:
    """Pieces of text as an iterator; `given` has a place for what is given out before each."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces, self.given, self.asked = pieces, [""], 0

    def __iter__(self) -> Pieces:
        return self

    def __next__(self) -> str:
        self.asked += 1
        if self.asked > len(self.pieces) + 10:  # a loop that nothing else would end
            raise RuntimeError("asked for pieces again and again after their end")
        if self.asked <= len(self.pieces) + 1:
            self.given.append("")
        if self.asked > len(self.pieces):
            raise StopIteration
        return self.pieces[self.asked - 1]


class Written:
    """What was given out for each piece that was taken, and at the end, if that was reached."""

    def __init__(self, pieces: Sequence[str], texts: Sequence[str], before: str = "") -> None:
        self.pieces, self.texts, self.before = list(pieces), list(texts), before

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Written) and vars(self) == vars(other)

    def __repr__(self) -> str:
        places = [*(f"for {piece!r}" for piece in self.pieces), "at the end"]
        parts = [f"{self.before!r} before the first piece"] if self.before else []
        parts += [f"{text!r} {place}" for text, place in zip(self.texts, places, strict=False)]
        return ", ".join(parts) or "nothing, and took no piece"
