"""A language made of rules with probabilities, so that the least possible loss on it is known.

A probabilistic context-free grammar (Booth and Thompson 1973): every symbol has alternatives, and
a sentence is what is left when every symbol has been replaced by one of its own, drawn at random.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType

import torch
from jaxtyping import Float64
from torch import Tensor

PARTS = re.compile(r"\{\w+\}|[^{}]+")
MOST_DRAWS = 1e9  # on average; beyond it, rounding could hide that there is no end to them


@dataclass(frozen=True)
class Grammar:
    r"""Rules with probabilities: ``{"sentence": {"{who} sat.\n": 1.0}, "who": {"she": 0.4, ...}}``.

    Args:
        rules: for each symbol its alternatives, each with its probability. In an alternative,
            ``{who}`` stands for the symbol who, and everything else for itself.
        start: the symbol that sentences come from.

    Raises:
        ValueError: a symbol without a rule or without alternatives; an alternative that is empty
            or has braces around something else; probabilities that are not above 0 or do not add
            up to 1; a symbol that can begin with itself; an infinite mean length.

    Derived in https://minigpt-book.github.io/minigpt/training.html
    """

    rules: Mapping[str, Mapping[str, float]]
    start: str = "sentence"

    def __post_init__(self) -> None:
        rules = {name: MappingProxyType(dict(rule)) for name, rule in self.rules.items()}
        object.__setattr__(self, "rules", MappingProxyType(rules))
        for name, rule in rules.items():
            self._check(name, rule)
        if self.start not in rules:
            raise ValueError(f"start is {self.start!r}; it must be one of: {', '.join(rules)}")
        _ = self._order  # refuses symbols that begin with themselves
        # draws = 1 + M draws: all are above 0 exactly where M's eigenvalues are smaller than 1
        draws = self._mean(lambda p, parts: 1.0)
        if not all(0 < mean < MOST_DRAWS for mean in draws.values()):
            size = torch.linalg.eigvals(self._mean_matrix).abs().max().item()
            raise ValueError(
                "the mean length is not finite: the mean matrix has an eigenvalue of size "
                f"{size:.6g}, which must be below 1; make alternatives that lead back to their own "
                "symbol less probable"
            )

    def __str__(self) -> str:
        return "\n".join(
            "\n".join([name, *(f"  {p:<5g} {text!r}" for text, p in rule.items())])
            for name, rule in self.rules.items()
        )

    def sample(self, generator: torch.Generator) -> str:
        """One sentence."""
        todo, sentence = [f"{{{self.start}}}"], []
        while todo:
            part = todo.pop()
            if part in self._table:
                todo.extend(reversed(self._draw(part, generator)))
            else:
                sentence.append(part)
        return "".join(sentence)

    def text(self, n_characters: int, generator: torch.Generator) -> str:
        """Sentence after sentence, each drawn on its own; the last may be cut.

        Raises:
            ValueError: `n_characters` below 1.
        """
        if n_characters < 1:
            raise ValueError(f"n_characters is {n_characters}; it must be at least 1")
        sentences, length = [], 0
        while length < n_characters:
            sentences.append(self.sample(generator))
            length += len(sentences[-1])
        return "".join(sentences)[:n_characters]

    def entropy(self) -> float:
        """The mean of -ln p of a sentence, in nats, by linear equations (Soule 1974).

        It counts the choices behind a sentence, so the grammar must be unambiguous: no sentence
        comes about in two ways. No program can tell that of every grammar; see `probability`.
        """
        return self._mean(lambda p, parts: -math.log(p))[f"{{{self.start}}}"]

    def mean_length(self) -> float:
        """The mean number of characters of a sentence, its end mark included."""
        return self._mean(self._characters)[f"{{{self.start}}}"]

    def entropy_per_character(self) -> float:
        """The floor, in nats, of the loss of any model that reads a long `text` by characters.

        The model's predictions for n sentences multiply to a probability q of all of them. Nothing
        makes the mean of -ln q smaller than the true probabilities do (Gibbs), and theirs is n
        entropies, on n mean lengths of characters (Shannon 1948, section 7; Soule 1974). A model
        gets there if it knows the rules and always sees where the sentence began. The grammar must
        be unambiguous, and the text show where sentences end, as by a mark that ends nothing else.
        """
        return self.entropy() / self.mean_length()

    def probability(self, text: str) -> float:
        """Of `text` as one sentence: the sum over all derivations (inside algorithm, Baker 1979).

        So it is larger than that of a derivation where the grammar is ambiguous. For a sentence of
        thousands of characters it can underflow to 0.
        """
        return self._ends(text).get(len(text), 0.0)

    def accepts(self, text: str) -> bool:
        """Whether `text` is one whole sentence of the language, however improbable."""
        return len(text) in self._ends(text)

    def _ends(self, text: str) -> dict[int, float]:
        """Where sentences that begin with `text` end, with the probability of each."""
        chart: dict[tuple[str, int], dict[int, float]] = {}
        for start in range(len(text), -1, -1):  # a symbol needs what begins further on
            for symbol in self._order:
                found = chart[symbol, start] = defaultdict(float)
                for p, parts in self._table[symbol]:
                    ends = {start: p}
                    for part in parts:
                        before, ends = ends, defaultdict(float)
                        for middle, so_far in before.items():
                            if part in self._table:
                                for end, p_part in chart[part, middle].items():
                                    ends[end] += so_far * p_part
                            elif text.startswith(part, middle):
                                ends[middle + len(part)] += so_far
                    for end, p_all in ends.items():
                        found[end] += p_all
        return chart[f"{{{self.start}}}", 0]

    def _characters(self, p: float, parts: list[str]) -> int:
        return sum(len(part) for part in parts if part not in self._table)

    def _draw(self, symbol: str, generator: torch.Generator) -> list[str]:
        *others, (_, last) = self._table[symbol]
        left = torch.rand((), dtype=torch.float64, generator=generator).item()
        for p, parts in others:
            left -= p
            if left < 0:
                return parts
        return last  # also if the probabilities add up to a little less than 1

    def _mean(self, cost: Callable[[float, list[str]], float]) -> dict[str, float]:
        """For each symbol the mean sum of the costs of all alternatives drawn, down to the text."""
        own = [sum(p * cost(p, parts) for p, parts in rule) for rule in self._table.values()]
        left = torch.eye(len(own), dtype=torch.float64) - self._mean_matrix
        means, _ = torch.linalg.solve_ex(left, torch.tensor(own, dtype=torch.float64))
        return dict(zip(self._table, means.tolist(), strict=True))

    @cached_property
    def _mean_matrix(self) -> Float64[Tensor, "symbols symbols"]:
        """How many of each symbol (column) one draw for a symbol (row) brings on average."""
        rows = [
            [sum(p * parts.count(symbol) for p, parts in rule) for symbol in self._table]
            for rule in self._table.values()
        ]
        return torch.tensor(rows, dtype=torch.float64)

    @cached_property
    def _table(self) -> dict[str, list[tuple[float, list[str]]]]:
        """The alternatives of each symbol, in its braces, cut into symbols and texts."""
        return {
            f"{{{name}}}": [(p, PARTS.findall(text)) for text, p in rule.items()]
            for name, rule in self.rules.items()
        }

    @cached_property
    def _order(self) -> list[str]:
        """The symbols, each after those that it can begin with."""
        first = {
            symbol: [parts[0] for _, parts in rule if parts[0] in self._table]
            for symbol, rule in self._table.items()
        }
        try:
            return list(TopologicalSorter(first).static_order())
        except CycleError as error:
            cycle = " begins with ".join(reversed(error.args[1]))
            raise ValueError(f"{cycle}: its parser would not end; begin with some text") from None

    def _check(self, name: str, rule: Mapping[str, float]) -> None:
        for text, p in rule.items():
            parts = PARTS.findall(text)
            unknown = [part for part in parts if "{" in part and part[1:-1] not in self.rules]
            if not p > 0:
                raise ValueError(f"{name}: {text!r} has probability {p}; it must be above 0")
            if not text:
                raise ValueError(f"{name}: an alternative is empty; write out the text around it")
            if "".join(parts) != text:
                raise ValueError(f"{name}: {text!r} has braces without the name of a symbol")
            if unknown:
                raise ValueError(f"{name}: {text!r} has the symbol {unknown[0]}, without a rule")
        if abs((total := math.fsum(rule.values())) - 1) > 1e-9:
            raise ValueError(f"{name}: its probabilities add up to {total:.10g}, not to 1")


# Its verbs agree with nouns that may stand many words before them. It is unambiguous: each word is
# of one kind, a noun is followed by at most one relative clause, and the word after its "that",
# a verb or "the", tells which.
LANGUAGE = Grammar(
    {
        "sentence": {"{one} {does}.\n": 0.55, "{many} {do}.\n": 0.45},
        "one": {
            "the {thing}": 0.7,
            "the {thing} that {does}": 0.14,
            "the {thing} that {one} {see}s": 0.06,
            "the {thing} that {many} {see}": 0.1,
        },
        "many": {
            "the {thing}s": 0.7,
            "the {thing}s that {do}": 0.14,
            "the {thing}s that {one} {see}s": 0.1,
            "the {thing}s that {many} {see}": 0.06,
        },
        "does": {"{sleep}s": 0.55, "{see}s {one}": 0.25, "{see}s {many}": 0.2},
        "do": {"{sleep}": 0.55, "{see} {one}": 0.25, "{see} {many}": 0.2},
        "thing": {"{noun}": 0.7, "{adjective} {noun}": 0.3},
        "adjective": {"old": 0.35, "big": 0.25, "young": 0.2, "quiet": 0.12, "red": 0.08},
        "noun": {"cat": 0.3, "dog": 0.25, "bird": 0.2, "king": 0.15, "farmer": 0.1},
        "sleep": {"sleep": 0.4, "sing": 0.3, "wait": 0.2, "jump": 0.1},
        "see": {"see": 0.4, "hear": 0.25, "like": 0.2, "chase": 0.15},
    }
)
