"""The loop that writes: text, model, scores, a choice, and the text again."""

from __future__ import annotations

from collections.abc import Sequence

from minigpt.lessons.drawing.canvas import Canvas, Drawing

ROW = 24  # of a token that may come
LONGEST_BAR = 84


def writing_loop(
    text: Sequence[str], candidates: Sequence[str], probabilities: Sequence[float]
) -> Drawing:
    """A text goes through the model; the first candidate is chosen and becomes a part of it.

    Args:
        text: its tokens, at most 4.
        candidates: the most probable next tokens, best first, at most 5.
        probabilities: theirs.

    Raises:
        ValueError: more than there is room for, or not a probability a candidate.

    Shown in https://minigpt-book.github.io/minigpt/generation.html
    """
    if len(text) > 4 or not 0 < len(candidates) <= 5 or len(candidates) != len(probabilities):
        raise ValueError(
            f"{len(text)} tokens, {len(candidates)} candidates and {len(probabilities)} "
            "probabilities: there is room for 4 tokens and 5 candidates, with one each"
        )
    top = 116  # of the candidates
    canvas = Canvas(top + ROW * len(candidates) + 40)
    canvas.words("text", (4, 14), "muted", 12, "start")
    boxes = canvas.tokens(4, 26, text, size=14)
    right = boxes[-1].x + boxes[-1].width
    (new,) = canvas.tokens(right + 8, 26, [candidates[0]], role="query", size=14)
    canvas.words("new", (new.middle[0], 14), "muted", 12)
    model = canvas.box(4, top + 20, 96, 56, "model", role="stream", size=15)
    canvas.line((52, 54), (52, top + 18), arrow=True)
    canvas.line((102, top + 48), (132, top + 48), arrow=True)
    canvas.words("how probable is each next token?", (136, top - 14), "muted", 12, "start")
    most = max(probabilities)
    for place, (word, p) in enumerate(zip(candidates, probabilities, strict=True)):
        y = top + ROW * place
        role = "muted" if place else "query"
        canvas.words(word, (196, y + 10), size=13, anchor="end", mono=True, bold=not place)
        canvas.box(204, y + 2, LONGEST_BAR * p / most, 16, role=role)
        canvas.words(
            f"{p:.1%}", (210 + LONGEST_BAR * p / most, y + 10), size=12, anchor="start", mono=True
        )
    canvas.words("…", (196, top + ROW * len(candidates) + 6), "muted", 13, "end")
    way = [(352, top + 10), (352, 39), (new.right[0] + 2, 39)]
    canvas.line((256 + LONGEST_BAR, top + 10), *way, role="query", arrow=True)
    canvas.words("choose one, append it, ask again", (348, 80), size=12, anchor="end", bold=True)
    last = canvas.height - 10
    canvas.words("and so on, a token a turn", (model.middle[0] - 48, last), "muted", 12, "start")
    return canvas.shown(
        f"The tokens {', '.join(text)} go into the model, which gives a probability to each token "
        f"that may come next: {_told(candidates, probabilities)}. One is chosen, here "
        f"{candidates[0]}, and stands at the end of the text in the next turn."
    )


def _told(words: Sequence[str], probabilities: Sequence[float]) -> str:
    return ", ".join(f"{word} {p:.1%}" for word, p in zip(words, probabilities, strict=True))
