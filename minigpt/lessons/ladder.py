"""The book's ladder of loss: one text, one budget, and what each chapter's model makes of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files

from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing

CHAPTERS = ("embedding", "attention", "model", "training", "generation")
STEP = 46  # from one rung to the next
LEFT, RIGHT = 4, WIDTH - 44  # of the bars
LABELS = {"a table": "two tables"}  # names that are told more exactly on a ladder


@dataclass(frozen=True)
class Rung:
    """A model that a chapter builds.

    Attributes:
        name: what it is. chapter: the stem of its chapter.
        loss: on text that it has not seen, in nats per character.
        sample: the first line or so of what it writes, 60 characters.
        rate: the learning rate, and steps: how often it stepped; None where it did not learn so.
    """

    name: str
    chapter: str
    loss: float
    sample: str
    rate: float | None = None
    steps: int | None = None


def rungs(until: str = CHAPTERS[-1]) -> dict[str, Rung]:
    """The rungs by name, as far as a chapter, as `experiments/ladder.py` measured them.

    Raises:
        ValueError: a chapter that has no rung.
    """
    if until not in CHAPTERS:
        raise ValueError(f"{until!r} is no chapter of the ladder; give one of {CHAPTERS}")
    runs = _stored()["runs"]
    reached = CHAPTERS[: CHAPTERS.index(until) + 1]
    return {run["rung"]: Rung(run.pop("rung"), **run) for run in runs if run["chapter"] in reached}


def guessing() -> float:
    """The loss of a model that knows nothing: the logarithm of how many characters there are."""
    return _stored()["settings"]["guessing"]


def ladder(until: str = CHAPTERS[-1]) -> Drawing:
    """The loss of each rung as a bar, with a line of what it writes, as far as a chapter.

    The rungs of that chapter stand out; on the whole ladder, all do.

    Raises:
        ValueError: a chapter that has no rung.

    Shown in the recap of each chapter, whole on https://minigpt-book.github.io/minigpt/
    """
    shown = [*rungs(until).values()]
    canvas = Canvas(STEP * (len(shown) + 1) + 4)
    whole = until == CHAPTERS[-1]
    rows = [("guessing", guessing(), "", "muted")]
    for rung in shown:
        role = "stream" if whole or rung.chapter == until else "muted"
        label = LABELS.get(rung.name, rung.name)
        rows.append((label, rung.loss, rung.sample.replace("\n", "⏎"), role))
    for place, (name, loss, sample, role) in enumerate(rows):
        y = 4 + STEP * place
        canvas.words(name, (LEFT, y + 7), size=12, anchor="start", bold=role != "muted")
        length = (RIGHT - LEFT) * loss / guessing()
        canvas.box(LEFT, y + 16, length, 10, role=role)
        canvas.words(f"{loss:.2f}", (LEFT + length + 6, y + 21), size=12, anchor="start")
        if sample:
            canvas.words(sample[:52], (LEFT, y + 34), "muted", 10.5, "start", mono=True)
    told = ", ".join(f"{name} {loss:.2f}" for name, loss, _, _ in rows)
    return canvas.shown(
        f"A bar for each model, as long as its loss in nats per character on unseen text: {told}. "
        "Below each bar, what that model writes."
    )


def _stored() -> dict:
    return json.loads((files("minigpt") / "results" / "ladder.json").read_text("utf-8"))
