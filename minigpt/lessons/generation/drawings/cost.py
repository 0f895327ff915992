"""What writing costs: keys and values that a cache keeps, and weights that travel."""

from __future__ import annotations

from collections.abc import Sequence

from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing

STEP = 26


def cache_filling(tokens: Sequence[str], prompt: int) -> Drawing:
    """Whose keys and values each turn computes and whose it looks up, without a cache and with.

    The first turn reads the prompt, each other one the token that the turn before has chosen.

    Args:
        tokens: the prompt's, and those that were written; at most 6.
        prompt: how many are the prompt.

    Raises:
        ValueError: no prompt, or more tokens than there is room for.

    Shown in https://minigpt-book.github.io/minigpt/generation.html
    """
    if not 1 <= prompt <= len(tokens) <= 6:
        raise ValueError(f"a prompt of {prompt} among {len(tokens)} tokens: give 1 to 6 tokens")
    turns = len(tokens) - prompt + 1
    panel = STEP * turns + 84
    canvas = Canvas(2 * panel + 26)
    wide, left = 40, 62
    totals = []
    for number, cached in enumerate((False, True)):
        y = panel * number + 12
        canvas.words(("without a cache", "with a cache")[number], (4, y), anchor="start", bold=True)
        canvas.words("computed", (WIDTH - 2, y + 22), "muted", 11, "end")
        for i, word in enumerate(tokens):
            canvas.words(word, (left + wide * (i + 0.5), y + 22), size=12, mono=True)
        total = 0
        for turn in range(turns):
            length, row = prompt + turn, y + 34 + STEP * turn
            known = length - 1 if cached and turn else 0
            canvas.words(f"turn {turn + 1}", (4, row + 11), "muted", 12, "start")
            for i in range(length):
                canvas.box(
                    left + wide * i + 2,
                    row,
                    wide - 4,
                    STEP - 4,
                    role="muted" if i < known else "key",
                    filled=i >= known,
                    dashed=i < known,
                )
            canvas.words(str(length - known), (WIDTH - 10, row + 11), anchor="end", mono=True)
            total += length - known
        row = y + 34 + STEP * turns + 10
        canvas.words("in all", (WIDTH - 40, row), "muted", 12, "end")
        canvas.words(str(total), (WIDTH - 10, row), anchor="end", mono=True, bold=True)
        totals.append(total)
    y = 2 * panel + 10
    canvas.box(left + 2, y - 8, 30, 16, role="key")
    canvas.words("computed", (left + 38, y), size=12, anchor="start")
    canvas.box(left + 112, y - 8, 30, 16, filled=False, dashed=True)
    canvas.words("looked up", (left + 148, y), size=12, anchor="start")
    return canvas.shown(
        f"A row a turn, a box for the key and value of each token. Without a cache every turn "
        f"computes all of them, {totals[0]} in all; with one it computes those of the new token "
        f"and looks up the others, {totals[1]} in all."
    )


def prompt_and_writing(weights: int, together: int, bytes_per_weight: int = 2) -> Drawing:
    """The same weights travel from memory for many tokens at once, or for one.

    Args:
        weights: numbers of the model.
        together: tokens of a prompt, read at once.
        bytes_per_weight: of one number in memory.

    Shown in https://minigpt-book.github.io/minigpt/generation.html
    """
    canvas = Canvas(318)
    travel = f"{weights * bytes_per_weight / 1e9:.1f} GB"
    shares = []
    for number, (title, tokens) in enumerate((("reading", together), ("writing", 1))):
        x = 186 * number
        middle = x + 87
        canvas.words(title, (middle, 12), size=14, bold=True)
        plural = f"{tokens:,} tokens at once" if tokens > 1 else "1 token"
        canvas.words(plural, (middle, 32), "muted", 12)
        rows = 5 if tokens > 1 else 1
        for row in range(rows):
            canvas.box(middle - 50, 50 + 12 * row, 100, 9, role="token")
        if tokens > 1:
            canvas.words("⋮", (middle, 116), "muted", 13)
        canvas.line((middle, 124 if tokens > 1 else 64), (middle, 144), role="token", arrow=True)
        canvas.box(middle - 50, 148, 100, 56, "weights", role="stream", size=14)
        canvas.words("from memory", (middle, 222), "muted", 12)
        canvas.words(travel, (middle, 240), size=14, mono=True)
        canvas.words("multiplications", (middle, 262), "muted", 12)
        canvas.words(_count(weights * tokens), (middle, 280), size=14, mono=True)
        shares.append(tokens / bytes_per_weight)
        canvas.words(f"{shares[-1]:g} for each byte", (middle, 304), size=13, bold=True)
    canvas.line((180, 6), (180, 312), role="rule")
    return canvas.shown(
        f"Two columns. Reading {together:,} tokens at once, a model of {weights:,} numbers fetches "
        f"{travel} and multiplies {_count(weights * together)} times, {shares[0]:g} for each byte. "
        f"Writing one token, it fetches the same {travel} and multiplies "
        f"{_count(weights)} times, {shares[1]:g} for each byte."
    )


def _count(number: int) -> str:
    return f"{number / 1e9:,.1f} billion"
