"""A conversation as tokens, and which of them a model learns."""

from __future__ import annotations

from collections.abc import Sequence

from minigpt.lessons.drawing.boxes import Number
from minigpt.lessons.drawing.canvas import LETTER, WIDTH, Canvas, Drawing

COUNTED, READ = "value", "muted"
GAP, HIGH = 3, 30  # between tokens, from row to row


def three_stages(
    text: Sequence[str],
    question: Sequence[str],
    answer: Sequence[str],
    tries: Sequence[tuple[str, bool]],
) -> Drawing:
    """What a model learns from, stage by stage: a text, an answer, tries that are judged.

    Args:
        text: tokens that follow each other.
        question, answer: tokens of a pair.
        tries: answers of the model to that question, and whether each is right; 2 or 3.

    Raises:
        ValueError: more tries than there is room for, or fewer than two.

    Shown in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if not 2 <= len(tries) <= 3:
        raise ValueError(f"{len(tries)} tries: give 2 or 3")
    canvas = Canvas(266 + 26 * len(tries))
    y = 12
    for title, note in (
        ("1  read", "each next token counts"),
        ("2  be told", "the answer counts"),
        ("3  practise", "a judge decides what counts"),
    ):
        canvas.words(title, (4, y), anchor="start", bold=True, size=14)
        canvas.words(note, (WIDTH - 4, y), "muted", 12, "end")
        if title[0] == "1":
            x = _tokens(canvas, 4, y + 16, text[:1], READ)
            _tokens(canvas, x + GAP, y + 16, text[1:], COUNTED)
            y += 84
        elif title[0] == "2":
            x = _tokens(canvas, 4, y + 16, question, READ)
            _tokens(canvas, x + 8, y + 16, answer, COUNTED)
            y += 84
        else:
            _tokens(canvas, 4, y + 16, question, READ)
            for place, (said, right) in enumerate(tries):
                row = y + 52 + 26 * place
                role = "value" if right else "gradient"
                canvas.tokens(24, row, [said], role)
                verdict = "right: more of this" if right else "wrong: less of this"
                canvas.words(verdict, (WIDTH - 4, row + 12), role, 12, "end", bold=True)
    for top in (56, 140):
        canvas.line((WIDTH / 2, top), (WIDTH / 2, top + 22), role="ink", arrow=True)
        canvas.words("the same model", (WIDTH / 2 + 10, top + 10), "muted", 11, "start")
    bottom = y + 52 + 26 * len(tries) + 12
    _key(canvas, bottom + 8)
    judged = ", ".join(f"{said} ({'right' if right else 'wrong'})" for said, right in tries)
    return canvas.shown(
        f"Three stages, the same model goes from one to the next. It reads a text of "
        f"{len(text)} tokens, in which all but the first count. It is told an answer: the "
        f"{len(question)} tokens of the question are read, the {len(answer)} of the answer count. "
        f"It practises: its own answers are judged, {judged}."
    )


def conversation(rows: Sequence[Sequence[tuple[str, str]]]) -> Drawing:
    """A conversation, a line of the play a row, each token with what it is.

    Args:
        rows: of each line its tokens, each with "name", "question", "answer" or "end".

    Raises:
        KeyError: another kind of token.

    Shown in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    kinds = {"name": "muted", "question": "query", "answer": "value", "end": "gradient"}
    canvas = Canvas(HIGH * len(rows) + 40)
    for row, line in enumerate(rows):
        x: Number = 4
        for token, kind in line:
            (box,) = canvas.tokens(x, 6 + HIGH * row, [token], kinds[kind], size=12)
            x = box.x + box.width + GAP
    counts = {k: sum(kind == k for line in rows for _, kind in line) for k in kinds}
    x, y = 4, HIGH * len(rows) + 26
    told = ("template", "question", "answer", "end mark")
    for word, role in zip(told, kinds.values(), strict=True):
        canvas.box(x, y - 7, 14, 14, role=role)
        canvas.words(word, (x + 19, y), size=12, anchor="start")
        x += 89
    return canvas.shown(
        f"A conversation as {sum(counts.values())} tokens: {counts['name']} of the template, "
        f"{counts['question']} of the question, {counts['answer']} of the answer and "
        f"{counts['end']} of its end mark."
    )


def shifted_labels(tokens: Sequence[str], labels: Sequence[int | str]) -> Drawing:
    """Each token, what is to follow it, and the label that the loss takes.

    Args:
        tokens: of a conversation, 3 to 8; the last is read by nobody.
        labels: one for each but the last; -100 where the next token does not count.

    Raises:
        ValueError: more tokens than there is room for, or not a label each.

    Shown in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if not 3 <= len(tokens) <= 8 or len(labels) != len(tokens) - 1:
        raise ValueError(
            f"{len(tokens)} tokens and {len(labels)} labels: give 3 to 8, and one label fewer"
        )
    canvas = Canvas(196)
    step = (WIDTH - 66) / len(labels)
    width = step - 5
    for name, y in (("reads", 22), ("next is", 86), ("label", 148)):
        canvas.words(name, (2, y), "muted", 12, "start")
    counted = [label != -100 for label in labels]
    for place, label in enumerate(labels):
        x = 64 + step * place
        was = place > 0 and counted[place - 1]
        size = min(12, (width - 4) / LETTER / max(len(t) for t in tokens))
        (read,) = canvas.tokens(
            x, 10, [tokens[place]], COUNTED if was else READ, width=width, size=size
        )
        role = COUNTED if counted[place] else READ
        (follows,) = canvas.tokens(x, 74, [tokens[place + 1]], role, width=width, size=size)
        canvas.line(read.bottom, follows.top, role=role, arrow=True)
        box = canvas.box(x, 136, width, 24, "", role, filled=counted[place])
        size = min(12, (width - 2) / LETTER / len(str(label).replace("-", "−")))
        look = "ink" if counted[place] else "muted"
        canvas.words(str(label).replace("-", "−"), box.middle, look, size, mono=True)
    words = f"the loss is the mean over {sum(counted)} of {len(labels)} places"
    canvas.words(words, (64, 182), COUNTED, 13, "start", bold=True)
    told = "; ".join(
        f"{a} then {b}: {label}" for a, b, label in zip(tokens, tokens[1:], labels, strict=False)
    )
    return canvas.shown(
        f"Each token of a conversation, the one that follows, and its label: {told}. "
        f"{sum(counted)} of {len(labels)} count."
    )


def _tokens(canvas: Canvas, x: Number, y: Number, texts: Sequence[str], role: str) -> Number:
    """Tokens from x on; where they end."""
    boxes = canvas.tokens(x, y, texts, role, size=12, gap=GAP)
    return boxes[-1].x + boxes[-1].width


def _key(canvas: Canvas, y: Number) -> None:
    x: Number = 4
    for name, role in (("read", READ), ("learned", COUNTED), ("unlearned", "gradient")):
        canvas.box(x, y - 7, 14, 14, role=role)
        canvas.words(name, (x + 20, y), size=12, anchor="start")
        x += 100
