"""The models that a command can name: one that comes with the package, a folder, or the hub's."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

import click
import torch

import minigpt
from minigpt.commands.command import HUB, MODELS
from minigpt.exchange import hub, shipped
from minigpt.exchange import load as load_folder
from minigpt.model import GPT
from minigpt.tokenizer import BPETokenizer, CharTokenizer, open_tokenizer

PARTS = ("states", "tokens", "tensorboard", "adapter")  # of a run's folder
GPT2 = {name: f"openai-community/{name}" for name in MODELS if name.startswith("gpt2")}


def find_folder(name: str, option: str = "--model") -> Path:
    """The folder of a model; one of the hub's is fetched once, and then kept.

    Raises:
        FileNotFoundError: no such folder, or the hub cannot give it.
    """
    if name in shipped.NAMES:
        return shipped.PRETRAINED / name
    folder = Path(name)
    if folder.is_dir():
        inside = folder.name in PARTS and not (folder / "config.json").exists()
        if inside and (near := _model_above(folder)) is not None:
            raise FileNotFoundError(f"{option} is {name!r}, a part of a run: give {near}")
        return folder
    if name in GPT2 or name.startswith(HUB):
        wanted = GPT2.get(name, name.removeprefix(HUB))
        if wanted.count("/") != 1:
            raise ValueError(f"{option} is {name!r}; it must be {HUB}OWNER/NAME, as on the hub")
        click.echo(f"{wanted}: from the Hugging Face hub, or kept from an earlier time", err=True)
        try:
            return hub.download(wanted)
        except ImportError as error:
            raise click.ClickException(str(error)) from None
    if folder.is_file():
        near = _model_above(folder)
        raise FileNotFoundError(
            f"{option} is {name!r}, a file: give the folder of a model"
            f"{'' if near is None else f', here {near}'}"
        )
    close = get_close_matches(name, MODELS, 1)
    raise FileNotFoundError(
        f"{option} is {name!r}: no folder, nor one of {', '.join(MODELS)}; "
        f"{f'did you mean {close[0]}? ' if close else ''}{HUB}OWNER/NAME fetches one from the "
        "Hugging Face hub"
    )


def _model_above(path: Path) -> Path | None:
    """The nearest folder around a path that holds a model or a run."""
    around = path.parents
    return next(
        (folder for folder in around if holds_run(folder) or (folder / "config.json").exists()),
        None,
    )


def holds_run(folder: Path) -> bool:
    """Whether a run was begun in a folder, if only by reading its text."""
    return (folder / "run.json").exists() or (folder / "tokens" / "training.safetensors").exists()


def open_model(
    name: str, dtype: torch.dtype = torch.float32, option: str = "--model"
) -> tuple[GPT, BPETokenizer | CharTokenizer]:
    """A model and its tokenizer.

    Raises:
        FileNotFoundError: as `find_folder`, or a folder without a model or its tokenizer.
        ValueError: a file in it that is damaged.
    """
    folder = find_folder(name, option)
    if holds_run(folder) and not (folder / "model.safetensors").exists():
        raise FileNotFoundError(
            f"{option} is {name!r}, a run that has saved no model yet: go on with it, by the "
            "command that started it, until its first evaluation"
        )
    if name in shipped.TUNED:
        model, tokenizer = minigpt.load(name)
        return model.to(dtype), tokenizer
    return load_folder(folder, dtype), open_tokenizer(folder)
