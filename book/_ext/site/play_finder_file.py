"""What <chat-box> says of the tuned model that it asks: how often it was right when measured.

`results/play-finder.json` has, of each kind of question, how many were asked and how many answered
right, by `minigpt/results/play_finder.json`, which `experiments/play_finder.py` measured.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

KINDS = {
    "told": "told_in_heard_wordings",
    "unheard": "told_in_unheard_wordings",
    "never": "never_told",
}


def measured() -> dict[str, dict[str, int]]:
    """The counts of each of `KINDS`: {"right", "asked"}."""
    stored = files("minigpt") / "results" / "play_finder.json"
    found = json.loads(stored.read_text("utf-8"))
    return {
        kind: {name: found[key][name] for name in ("right", "asked")} for kind, key in KINDS.items()
    }


def write_measured(app, error) -> None:
    """Write the counts for <chat-box>."""
    if error or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "play-finder.json").write_text(json.dumps(measured()), "utf-8")


def setup(app) -> None:
    app.connect("build-finished", write_measured)
