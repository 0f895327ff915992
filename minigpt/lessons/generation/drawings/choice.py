"""From scores to one token, step by step; and three filters side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jaxtyping import Bool, Float
from torch import Tensor

from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing, number_text

ROW = 24
BAR = 46  # length of a probability of the best


def choice_in_steps(
    words: Sequence[str],
    scores: Float[Tensor, " V"],
    temperature: float,
    limit: float,
    drawn_at: float,
) -> Drawing:
    """Scores, divided by a temperature, as probabilities, cut by top-p, and one draw.

    Args:
        words: the tokens, best first.
        scores: theirs.
        temperature: above 0.
        limit: of top-p.
        drawn_at: a number from 0 to 1; on whose part of the line it falls, that token is drawn.

    Raises:
        ValueError: not a score a word, or not from the best down.

    Shown in https://minigpt-book.github.io/minigpt/generation.html
    """
    numbers = scores.tolist()
    if len(words) != len(numbers) or numbers != sorted(numbers, reverse=True):
        raise ValueError(f"{len(words)} words and the scores {numbers}: give both, best first")
    divided = scores / temperature
    before = divided.softmax(dim=-1)
    kept = before.cumsum(dim=-1) - before < limit
    after = before * kept / before[kept].sum()
    chosen = int((after.cumsum(dim=-1) <= drawn_at).sum())
    heads = ("score", f"÷ {temperature:g}", "softmax", f"top-p {limit:g}")
    columns = (112, 168, 192, 280)  # ends of two columns of numbers, beginnings of two of bars
    top = 44
    canvas = Canvas(top + ROW * len(words) + 84)
    for number, (head, x) in enumerate(zip(heads, columns, strict=True), 1):
        end = number < 3
        canvas.words(str(number), (x - 18 if end else x + 30, 10), "muted", 11)
        canvas.words(head, (x, 26), size=12, anchor="end" if end else "start")
    for i, word in enumerate(words):
        y = top + ROW * i + 8
        canvas.words(word, (4, y), size=12, anchor="start", mono=True, bold=i == chosen)
        for value, x in ((scores[i], columns[0]), (divided[i], columns[1])):
            canvas.words(number_text(value.item(), 2), (x, y), size=12, anchor="end", mono=True)
        for values, x in ((before, columns[2]), (after, columns[3])):
            p = values[i].item()
            if values is after and not kept[i]:
                canvas.words("ruled out", (x, y), "muted", 11, "start")
                continue
            length = max(1, BAR * p / after.max().item())
            canvas.box(x, y - 8, length, 16, role="query" if kept[i] else "muted")
            canvas.words(_percent(p), (x + length + 4, y), size=11, anchor="start", mono=True)
    y, x = top + ROW * len(words) + 22, 4.0
    canvas.words("5", (4, y - 12), "muted", 11, "start")
    canvas.words("draw: where does a random number fall?", (16, y - 12), size=12, anchor="start")
    for i, word in enumerate(words):
        if kept[i]:
            wide = (WIDTH - 8) * after[i].item()
            role = "query" if i == chosen else "muted"
            text = word if wide > 7.5 * len(word) + 6 else ""
            canvas.box(x, y + 2, wide, 24, text, role, size=12, mono=True)
            x += wide
    at = 4 + (WIDTH - 8) * drawn_at
    canvas.line((at, y + 46), (at, y + 28), role="query", arrow=True)
    anchor = "end" if drawn_at > 0.5 else "start"
    aside = at + (-8 if drawn_at > 0.5 else 8)
    told = f"{drawn_at:.2f}: “{words[chosen]}”"
    canvas.words(told, (aside, y + 44), size=12, anchor=anchor, bold=True)
    left = ", ".join(f"{w} {100 * p:.0f}%" for w, p in zip(words, after.tolist(), strict=True) if p)
    return canvas.shown(
        f"The scores of {len(words)} tokens are divided by {temperature:g}, become probabilities, "
        f"and the tail is ruled out: {left} are left. The random number {drawn_at:.2f} falls on "
        f"the part of {words[chosen]}."
    )


def three_filters(
    tokens: Mapping[str, Sequence[str]],
    probabilities: Mapping[str, Float[Tensor, " V"]],
    kept: Mapping[str, Mapping[str, Bool[Tensor, " V"]]],
) -> Drawing:
    """What top-k, top-p and min-p leave of a few distributions, one below the other.

    Args:
        tokens: for each context, its most probable next tokens, best first.
        probabilities: of the whole vocabulary, best first.
        kept: for each context and each filter, which of these it keeps.

    Shown in https://minigpt-book.github.io/minigpt/generation.html
    """
    height = sum(ROW * len(shown) + 84 for shown in tokens.values())
    canvas = Canvas(height)
    y, told = 12.0, []
    for context, shown in tokens.items():
        p = probabilities[context]
        canvas.words(f"after “{context}”", (4, y), size=13, anchor="start", bold=True)
        places = {name: 216 + 57 * i for i, name in enumerate(kept[context])}
        for name, x in places.items():
            canvas.words(name, (x, y + 22), "muted", 11)
        for i, word in enumerate(shown):
            middle = y + 44 + ROW * i
            canvas.words(word, (78, middle), size=12, anchor="end", mono=True)
            length = max(1, 76 * p[i].item())
            canvas.box(84, middle - 8, length, 16, role="query")
            percent = f"{100 * p[i].item():.1f}%"  # whole ones hide where a cut falls
            canvas.words(percent, (88 + length, middle), size=11, anchor="start", mono=True)
            for name, x in places.items():
                if kept[context][name][i]:
                    canvas.circle((x, middle), 6, role="value")
                else:
                    canvas.words("–", (x, middle), "muted", 12)
        y += 44 + ROW * len(shown)
        canvas.words(f"kept of {len(p):,}", (84, y), size=12, anchor="start")
        counts = {name: int(which.sum()) for name, which in kept[context].items()}
        for name, count in counts.items():
            canvas.words(f"{count:,}", (places[name], y), size=13, mono=True, bold=True)
        told.append(f"after “{context}” " + ", ".join(f"{n} {c:,}" for n, c in counts.items()))
        y += 40
    return canvas.shown(
        f"Bars of the most probable next tokens in {len(tokens)} contexts, and a disc wherever a "
        f"filter keeps one. Kept are {'; '.join(told)}."
    )


def _percent(p: float) -> str:
    return f"{100 * p:.0f}%" if p >= 0.005 else "<1%"
