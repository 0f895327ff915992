"""Speculative decoding: a small model drafts, the large one checks all drafts at once."""

from __future__ import annotations

from collections.abc import Sequence

from minigpt.lessons.drawing.canvas import Canvas, Drawing


def draft_and_check(text: str, drafts: Sequence[str], choices: Sequence[str]) -> Drawing:
    """One round: what was drafted, what the large model would choose at each place, what stays.

    Args:
        text: the end of the text before it.
        drafts: the small model's tokens, at most 4.
        choices: the large model's own, one more than drafts.

    Raises:
        ValueError: too many drafts, or not one choice more.

    Shown in https://minigpt-book.github.io/minigpt/generation.html
    """
    if not 1 <= len(drafts) <= 4 or len(choices) != len(drafts) + 1:
        raise ValueError(
            f"{len(drafts)} drafts and {len(choices)} choices: give 1 to 4, and one choice more"
        )
    right = 0
    while right < len(drafts) and drafts[right] == choices[right]:
        right += 1
    canvas = Canvas(272)
    wide, look = 64, {"size": 12, "mono": True}
    places = [4 + 72 * i for i in range(len(choices))]
    for words, y in (
        (f"after “{text}”, the small model drafts {len(drafts)} tokens", 12),
        ("one call of the large model: its choice at each place", 96),
        ("what stays", 194),
    ):
        canvas.words(words, (4, y), size=12, anchor="start")
    for i, word in enumerate(drafts):
        canvas.box(places[i], 26, wide, 24, word, "token", **look)
        canvas.line((places[i] + wide / 2, 54), (places[i] + wide / 2, 84), arrow=True)
    for i, word in enumerate(choices):
        stays, role = i <= right, "value" if i < right else "gradient" if i == right else "muted"
        canvas.box(places[i], 110, wide, 24, word, role, filled=stays, dashed=not stays, **look)
        sign = "agrees" if i < right else "differs" if i < len(drafts) else "one more"
        at = (places[i] + wide / 2, 146)
        canvas.words(sign if stays else "not used", at, "ink" if stays else "muted", 11)
        if stays:
            canvas.line((at[0], 156), (at[0], 182), arrow=True)
            canvas.box(places[i], 208, wide, 24, word, role, **look)
    told = f"{right + 1} new token{'s' * (right > 0)} for one call of the large model"
    canvas.words(told, (4, 256), size=13, anchor="start", bold=True)
    return canvas.shown(
        f"After “{text}” the small model drafts {', '.join(drafts)}. The large model, in one call, "
        f"would choose {', '.join(choices)}. {right} of the drafts agree from the beginning and "
        f"stay; the large model's own next token is added: {told}."
    )
