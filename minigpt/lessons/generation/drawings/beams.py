"""Two steps of writing as a tree, on which the best first step does not lead to the best text."""

from __future__ import annotations

from collections.abc import Mapping

from minigpt.lessons.drawing.canvas import Canvas, Drawing

ROW = 38


def beam_tree(tree: Mapping[str, tuple[float, Mapping[str, float]]]) -> Drawing:
    """Every text of two tokens with its probability; greedy's way and the best one stand out.

    Args:
        tree: for each first token its probability, and those of the tokens after it.

    Shown in https://minigpt-book.github.io/minigpt/generation.html
    """
    texts = {(a, b): p * q for a, (p, after) in tree.items() for b, q in after.items()}
    best = max(texts, key=texts.__getitem__)
    first = max(tree, key=lambda word: tree[word][0])
    greedy = (first, max(tree[first][1], key=tree[first][1].__getitem__))
    canvas = Canvas(46 + ROW * len(texts) + 34)
    canvas.words("first token", (106, 12), "muted", 12)
    canvas.words("second token", (214, 12), "muted", 12)
    canvas.words("product", (318, 12), "muted", 12)
    rows = {text: 46 + ROW * i for i, text in enumerate(texts)}
    middle = sum(rows.values()) / len(rows)
    canvas.circle((14, middle), 6, role="stream")
    for a, (p, after) in tree.items():
        y = sum(rows[a, b] for b in after) / len(after)
        ways = [text for text in (greedy, best) if text[0] == a]
        role = {greedy: "gradient", best: "value"}[ways[0]] if ways else "muted"
        canvas.line((22, middle), (74, y), role=role, width=1 + 4 * p)
        canvas.words(f"{p:.2f}", (107, y - 23), size=12, mono=True)
        canvas.box(76, y - 13, 62, 26, a, role, mono=True)
        for b, q in after.items():
            role = {greedy: "gradient", best: "value"}.get((a, b), "muted")
            row = rows[a, b]
            canvas.line((140, y), (176, row), role=role, width=1 + 4 * q)
            canvas.box(178, row - 13, 78, 26, b, role, mono=True, size=12)
            canvas.words(f"{q:.2f}", (260, row), "muted", 11, "start", mono=True)
            standing = (a, b) in (greedy, best)
            canvas.words(f"{texts[a, b]:.2f}", (326, row), mono=True, bold=standing)
    y = canvas.height - 14
    for text, role, x in (
        ("greedy's way", "gradient", 4),
        ("the most probable text", "value", 130),
    ):
        canvas.box(x, y - 7, 22, 14, role=role)
        canvas.words(text, (x + 28, y), size=12, anchor="start")
    return canvas.shown(
        f"A tree of two tokens. Greedy takes {greedy[0]} and then {greedy[1]}, with a probability "
        f"of {texts[greedy]:.2f} for both. The most probable text is {best[0]} {best[1]}, with "
        f"{texts[best]:.2f}."
    )
