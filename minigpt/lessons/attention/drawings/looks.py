"""Where one head of a trained model looks, on the text itself."""

from __future__ import annotations

from collections.abc import Sequence

from minigpt.lessons.drawing.canvas import LETTER, Canvas, Drawing

TOLD = 0.05  # from this weight on a percentage stands below the token
SIZE, ROW = 13, 48


def looks_of_the_last(lines: Sequence[Sequence[str]], weights: Sequence[float]) -> Drawing:
    """The weights of a text's last token, each behind the token that it goes to.

    Args:
        lines: the tokens of a text, line by line.
        weights: of the last token, one for each token of the text.

    Raises:
        ValueError: not a weight for each token.

    Shown in https://minigpt-book.github.io/minigpt/attention.html
    """
    tokens = [token for line in lines for token in line]
    if len(tokens) != len(weights):
        raise ValueError(f"{len(tokens)} tokens and {len(weights)} weights: give one for each")
    canvas = Canvas(ROW * len(lines) + 2)
    place = 0
    for row, line in enumerate(lines):
        x, y = 2.0, 4 + ROW * row
        for token in line:
            wide, weight = len(token) * LETTER * SIZE + 10, float(weights[place])
            last = place == len(tokens) - 1
            canvas.grid(x, y, [weight], cell=(wide, 25), digits=None, role="key", largest=0.6)
            role = "query" if last else "key" if weight >= TOLD else "muted"
            canvas.box(x, y, wide, 25, token, role=role, filled=False, mono=True)
            if last:
                canvas.words("asks: who has spoken?", (x + wide + 8, y + 13), "muted", 12, "start")
            if weight >= TOLD:
                canvas.words(f"{weight:.0%}", (x + wide / 2, y + 35), size=12, bold=True)
            x, place = x + wide + 4, place + 1
    best = sorted(range(len(tokens)), key=lambda i: -weights[i])[:3]
    told = ", ".join(f"{weights[i]:.0%} to {tokens[i]}" for i in best)
    return canvas.shown(
        "A dialogue, token by token. The line break at its end gives most of its weight to three "
        f"tokens: {told}."
    )
