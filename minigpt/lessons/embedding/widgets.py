"""An explorer of an embedding table, for the chapter on embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from minigpt.lessons.drawing.token_text import token_text, typed
from minigpt.lessons.explorer import Explorer, Sentence


class NeighbourTable:
    """A token's nearest neighbours, closest first, with their ids and cosines."""

    def __init__(self, token: str, neighbours: Sequence[tuple[str, int, float]]) -> None:
        self.caption = f"Nearest to {token} by cosine"
        self.neighbours = neighbours

    def __repr__(self) -> str:
        width = max(len(token) for token, _, _ in self.neighbours)
        rows = [f"{t:{width}}  {i:>6}  {cosine:.3f}" for t, i, cosine in self.neighbours]
        return "\n".join([self.caption, *rows])

    def _repr_html_(self) -> str:
        cell = "padding:2px 16px 2px 0;text-align"
        rows = "".join(
            f'<tr><th scope="row" style="{cell}:left;white-space:pre">{escape(token)}</th>'
            f'<td style="{cell}:right">{number}</td><td style="{cell}:right">{cosine:.3f}</td></tr>'
            for token, number, cosine in self.neighbours
        )
        return (
            f'<table dir="ltr" style="margin:0;border-collapse:collapse;line-height:1.5">'
            f'<caption style="text-align:left">{escape(self.caption)}</caption>'
            f'<thead><tr><th scope="col" style="{cell}:left">token</th>'
            f'<th scope="col" style="{cell}:right">id</th>'
            f'<th scope="col" style="{cell}:right">cosine</th></tr></thead>'
            f"<tbody>{rows}</tbody></table>"
        )


def neighbour_explorer(
    table: Float[Tensor, "V C"], tokenizer: Any, text: str, count: int = 8
) -> Explorer:
    """The tokens whose rows point most nearly the way of one token's row.

    With a kernel, a text box takes the token (· or a space for its space) and a slider says how
    many to show. A text that is no single token is answered with a sentence.

    Args:
        table: one row a token, learned or not.
        tokenizer: what gives tokens their ids.
        text: the token to start with.
        count: how many neighbours to start with.

    Raises:
        ValueError: fewer rows than the tokenizer has tokens; a count below 1 or that leaves too
            few tokens.

    Used in https://minigpt-book.github.io/minigpt/embedding.html
    """
    size = tokenizer.vocab_size
    if len(table) < size:
        raise ValueError(
            f"the table has {len(table)} rows, the tokenizer {size} tokens: take the tokenizer "
            "that the table was trained with"
        )
    most = min(25, size - 1)
    if not 1 <= count <= most:
        raise ValueError(f"count is {count}; with {size} tokens it goes from 1 to {most}")
    rows = table.detach()[:size].double()  # a table may have rows that stand for no token

    def draw(text: str, count: int) -> NeighbourTable | Sentence:
        try:
            ids = tokenizer.encode(typed(text))
        except ValueError as error:
            return Sentence(f"This tokenizer cannot read it: {error}.")
        if len(ids) != 1:
            return Sentence(_not_one(tokenizer, text, ids))
        shown, vector = token_text(tokenizer, ids[0]), rows[ids[0]]
        if not vector.any():
            return Sentence(f"The row of {shown} is all zeros, which points nowhere.")
        cosines = torch.cosine_similarity(rows, vector, dim=-1)
        cosines[ids[0]] = -torch.inf  # a token is no neighbour of itself
        values, nearest = cosines.sort(descending=True, stable=True)
        return NeighbourTable(
            shown,
            [
                (token_text(tokenizer, i), i, value)
                for i, value in zip(nearest[:count].tolist(), values[:count].tolist(), strict=True)
            ],
        )

    def controls(text: str, count: int) -> dict[str, Any]:
        import ipywidgets

        return {
            "text": ipywidgets.Text(text, description="Token"),
            "count": ipywidgets.IntSlider(count, min=1, max=most, description="How many"),
        }

    return Explorer(draw, {"text": text, "count": count}, controls)


def _not_one(tokenizer: Any, text: str, ids: Sequence[int]) -> str:
    if not ids:
        return "Type a token, such as ·the with a space (or ·) in front."
    spelled = " | ".join(token_text(tokenizer, i) for i in ids)
    told = f"“{text}” is {len(ids)} tokens: {spelled}. Type one of them."
    try:
        spaced = tokenizer.encode(" " + typed(text))
    except ValueError:
        return told
    return f"{told} Or {token_text(tokenizer, spaced[0])}." if len(spaced) == 1 else told
