"""A batch that holds old text beside the new."""

from __future__ import annotations

from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing


def batch_with_replay(rows: int, old: int, names: tuple[str, str]) -> Drawing:
    """The rows of a batch, those of the old text apart.

    Args:
        rows: of the batch, at most 16.
        old: how many are of the old text.
        names: of the new text and of the old.

    Raises:
        ValueError: no row of one of them, or more rows than there is room for.

    Shown in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if not 0 < old < rows <= 16:
        raise ValueError(f"{old} old rows of {rows}: give at least 1 of each, and at most 16")
    canvas = Canvas(14 * rows + 34)
    for row in range(rows):
        role = "token" if row < rows - old else "stream"
        canvas.box(4, 8 + 14 * row, 150, 11, role=role)
    split = 8 + 14 * (rows - old) - 1.5
    for text, role, top, bottom, count in (
        (names[0], "token", 8, split, rows - old),
        (names[1], "stream", split, 8 + 14 * rows, old),
    ):
        middle = (top + bottom) / 2
        canvas.line((164, top + 4), (170, top + 4), (170, bottom - 6), (164, bottom - 6))
        canvas.words(f"{count} rows of {text}", (178, middle), role, 13, "start", bold=True)
    canvas.words("one batch, one step", (4, 14 * rows + 22), "muted", 12, "start")
    canvas.words(f"{old / rows:.0%} replay", (WIDTH - 4, 14 * rows + 22), "muted", 12, "end")
    return canvas.shown(
        f"A batch of {rows} rows: {rows - old} of {names[0]} and {old} of {names[1]}, "
        f"{old / rows:.0%} replay."
    )
