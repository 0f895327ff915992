"""Tuning, in a folder that the run can go on from."""

from __future__ import annotations

import shlex
import sys
from dataclasses import fields, replace
from types import SimpleNamespace

import click
import torch

from minigpt.commands.finetune.lesson import check_lesson, is_text, open_lesson
from minigpt.commands.models import open_model
from minigpt.commands.run_in_folder import Workplace, run_in_folder
from minigpt.finetuning import (
    LoRAConfig,
    add_adapter,
    save_adapter,
    save_template,
    train_only,
)
from minigpt.finetuning.tuning_recipe import ADAPTER_RATE, TUNING
from minigpt.model import GPT
from minigpt.training import Intervals, Recipe, train
from minigpt.training.state import digest_of

CHOICES = [field.name for field in fields(Recipe)]


def run(options: SimpleNamespace) -> int:
    """Do it; the exit status. Errors are raised, for the command line to print."""
    check_lesson(options)
    adapter = _adapter(options)
    recipe = _recipe(options)
    folder = shlex.quote(options.folder)
    return run_in_folder(
        options,
        lambda place: _tune(options, place, recipe, adapter),
        "give a smaller --batch-size, a larger --accumulate, or another --method",
        f"minigpt {'generate' if is_text(options) else 'chat'} --model {folder}",
    )


def _tune(
    options: SimpleNamespace, place: Workplace, recipe: Recipe, adapter: LoRAConfig | None
) -> None:
    """What is done in the run's folder, while it is the run's own."""
    folder = place.folder
    model, tokenizer = open_model(options.from_model, option="--from")
    length = model.config.context_length
    lesson = open_lesson(options, tokenizer, length, recipe.seed, place.tell)
    origin = digest_of(dict(model.named_parameters()))
    tuning = {"method": options.method}
    if adapter is not None:
        tuning |= {"rank": adapter.rank, "alpha": adapter.alpha}
    _choose_what_learns(model, options.method, adapter, recipe.seed)

    def keep() -> None:
        """With the first model that is kept, before any step, and with every better one."""
        if lesson.template is not None:
            save_template(lesson.template, folder)
        if adapter is not None:
            save_adapter(model, folder / "adapter")

    every = [f"{name}_every" for name in ("log", "evaluate", "checkpoint")]
    train(
        folder,
        model.to(place.device),
        recipe,
        lesson.training,
        lesson.validation,
        tokenizer,
        Intervals(*(getattr(options, name) for name in every)),
        place.processes,
        tensorboard=options.tensorboard,
        report=place.tell,
        progress=place.bars,
        origin=origin,
        command=shlex.join(["minigpt", *sys.argv[1:]]),
        tuning=tuning,
        keep=keep,
    )


def _choose_what_learns(model: GPT, method: str, adapter: LoRAConfig | None, seed: int) -> None:
    if adapter is not None:
        add_adapter(model, adapter, generator=torch.Generator().manual_seed(seed))
    else:
        train_only(model, "all" if method == "full" else method)


def _adapter(options: SimpleNamespace) -> LoRAConfig | None:
    """The sizes of an adapter, where one learns; and nothing given in vain."""
    if options.method != "lora":
        for flag in ("rank", "alpha"):
            if getattr(options, flag) is not None:
                raise click.UsageError(
                    f"--{flag} is an adapter's, and --method is {options.method}: leave it out, or "
                    "give --method lora"
                )
        return None
    rank = options.rank or LoRAConfig.rank
    return LoRAConfig(rank, options.alpha or 2 * rank)


def _recipe(options: SimpleNamespace) -> Recipe:
    given = {name: getattr(options, name, None) for name in CHOICES}
    given = {name: value for name, value in given.items() if value is not None}
    steps = given.get("steps", TUNING.steps)
    if "warmup" not in given:
        given["warmup"] = min(TUNING.warmup, steps // 10)
    if options.method == "lora":
        given = {"learning_rate": ADAPTER_RATE} | given
    return replace(TUNING, **given)
