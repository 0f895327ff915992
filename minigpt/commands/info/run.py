"""What a model is: its sizes, its tokenizer, and the run that made it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click

from minigpt.commands.command import HUB
from minigpt.commands.models import GPT2, find_folder, holds_run
from minigpt.data.whole_file import read_json
from minigpt.exchange import shipped
from minigpt.exchange.checkpoint import read_config
from minigpt.model.ledger import parameter_count
from minigpt.tokenizer import open_tokenizer
from minigpt.training.kept_model import model_of
from minigpt.training.run_folder import steps_of


def run(options: SimpleNamespace) -> int:
    """Do it; the exit status. Errors are raised, for the command line to print."""
    if options.model is None:
        found: dict[str, Any] = {
            "with_the_package": list(shipped.NAMES),
            "from_the_hub": [*GPT2, f"{HUB}OWNER/NAME"],
            "of_your_own": ["the folder of a run, or one that transformers wrote"],
        }
    else:
        found = about(find_folder(options.model, "MODEL"))
    if options.json:
        click.echo(json.dumps(found))
        return 0
    for name, value in found.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        shown = f"{shown:,}" if isinstance(shown, int) and not isinstance(shown, bool) else shown
        click.echo(f"{name + ':':28}{shown}")
    return 0


def about(folder: Path) -> dict[str, Any]:
    """What is to be known of a folder, by names that a reader understands."""
    found: dict[str, Any] = {"folder": str(folder)}
    if (steps := steps_of(folder)) is not None:
        found["command"] = read_json(folder / "run.json").get("command", "not known")
        found["steps_taken"], found["steps_wanted"] = steps
        kept = model_of(folder)
        if kept is None and not (folder / "model.safetensors").exists():
            return found | {"model": "none saved yet"}
        if kept is None:
            return found | {"model": "damaged, or not of this run: minigpt generate says more"}
        found |= {"model": str(kept), "model_step": kept.step}
        found["model_validation_loss"] = round(kept.validation_loss, 4)
    elif holds_run(folder) and not (folder / "config.json").exists():
        return found | {"model": "none saved yet"}
    if folder.name in shipped.TUNED and folder.parent == shipped.PRETRAINED:
        return found | _of_adapter(folder.name)
    config = read_config(folder)
    return found | {
        "parameters": parameter_count(config),
        **asdict(config),
        "tokenizer": repr(open_tokenizer(folder)),
    }


def _of_adapter(name: str) -> dict[str, Any]:
    """What one that comes with the package is, and the model that it is put on."""
    settings = read_json(shipped.PRETRAINED / name / "adapter_config.json")
    found = about(shipped.PRETRAINED / shipped.TUNED[name])
    del found["folder"]
    return {
        "adapter_on": shipped.TUNED[name],
        "adapter_rank": settings["r"],
        "adapter_alpha": settings["lora_alpha"],
    } | found
