"""What <training-run> fetches: the recipe, a ladder of sizes, and texts to learn from.

`training/recipe.json` has the numbers of `minigpt.training`, so that the page trains by the recipe
of `minigpt train`; a size changes what its model needs otherwise; and the rungs of the book's
ladder of loss. `training/<name>.txt` are texts from the package's data, and the words of one
chapter.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path

import chapter_prose

from minigpt.data import shakespeare
from minigpt.training import Recipe

ASSETS = Path(__file__).resolve().parents[2] / "assets"
CHAPTER = "tokenizer"  # whose words are a text
LEAST_GAIN = 0.02  # nats by which a rung is lower than all before, to be worth a mark
PLAYS = 100_000  # characters of Shakespeare, to the end of the speech
NAME = re.compile(r"^([A-Z][A-Z']+(?: [A-Z][A-Z']+)*):$", re.MULTILINE)
MARKS = re.compile(r"\{[\w-]+\}|\]\{[^}]*\}|^:+.*$|^\([\w:-]+\)=$|[*`\[\]#>]|<[^>]*>", re.MULTILINE)


@dataclass(frozen=True)
class Size:
    """A rung of the ladder: the sizes of a model, and what of the recipe its training changes."""

    name: str
    n_layer: int
    n_embd: int
    n_positions: int
    n_head: int
    batch_size: int
    learning_rate: float
    steps: int

    def payload(self, recipe: Recipe) -> dict:
        changed = ("batch_size", "learning_rate", "steps")
        own = replace(recipe, **{name: getattr(self, name) for name in changed})
        names = ("n_layer", "n_head", "n_embd", "n_positions")
        return {
            "name": self.name,
            "sizes": {name: getattr(self, name) for name in names},
            "recipe": asdict(own),
        }


SIZES = (
    Size("4 thousand", 1, 16, 16, 2, batch_size=8, learning_rate=0.01, steps=2000),
    Size("28 thousand", 2, 32, 32, 4, batch_size=8, learning_rate=0.01, steps=2000),
    Size("0.2 million", 4, 64, 64, 4, batch_size=8, learning_rate=0.003, steps=2000),
    Size("0.8 million", 4, 128, 64, 4, batch_size=12, learning_rate=0.001, steps=1200),
)


def names() -> str:
    """The people of Shakespeare's plays, a name a line, in an order that no play explains."""
    found = sorted({name.title().replace("'S", "'s") for name in NAME.findall(shakespeare())})
    random.Random(1).shuffle(found)
    return "\n".join(found) + "\n"


def plays() -> str:
    """The first speeches of the plays."""
    text = shakespeare()
    return text[: text.index("\n\n", PLAYS) + 2]


def chapter() -> str:
    """The words of a chapter, without its code and its marks."""
    plain = MARKS.sub("", chapter_prose.prose(CHAPTER))
    lines = (" ".join(line.split()) for line in plain.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


TEXTS: dict[str, tuple[str, Callable[[], str]]] = {
    "names": ("Names: the people of the plays", names),
    "shakespeare": ("Some Shakespeare", plays),
    "chapter": ("The first chapter of this book", chapter),
}


def ladder() -> dict:
    """The rungs of part one that are lower than all before them, and what they learned from."""
    stored = json.loads((files("minigpt") / "results" / "ladder.json").read_text("utf-8"))
    pairs, *runs = stored["runs"]
    rungs: list[dict] = []
    for run in runs:
        if run["loss"] < min(rung["loss"] for rung in [pairs, *rungs]) - LEAST_GAIN:
            rungs.append({"rung": run["rung"], "loss": run["loss"]})
    return {
        "text": "shakespeare",
        "characters": stored["settings"]["characters"],
        "pairs": pairs["loss"],
        "rungs": rungs,
    }


def payload(texts: dict[str, str]) -> dict:
    """The contents of recipe.json: sizes with their recipes, the ladder, what texts there are."""
    recipe = Recipe.named("adamw")
    listed = [
        {
            "name": name,
            "file": f"{name}.txt",
            "title": TEXTS[name][0],
            "characters": len(text),
        }
        for name, text in texts.items()
    ]
    sizes = [size.payload(recipe) for size in SIZES]
    return {"sizes": sizes, "texts": listed, "ladder": ladder()}


def write_training(app, error) -> None:
    if error or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / "training"
    folder.mkdir(parents=True, exist_ok=True)
    texts = {name: read() for name, (_, read) in TEXTS.items()}
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text, "utf-8")
    (folder / "recipe.json").write_text(json.dumps(payload(texts), indent=1) + "\n", "utf-8")


def setup(app) -> None:
    app.connect("build-finished", write_training)
