"""Any text, any tokenizer, any size, in a folder that the run can go on from."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import torch
from torch import Tensor

from minigpt.commands.generate.prompt import beginning
from minigpt.commands.models import open_model
from minigpt.commands.run_in_folder import Workplace, run_in_folder
from minigpt.data import decode_text, read_text, shakespeare
from minigpt.data.sets import find_set, open_text
from minigpt.generation import Sampling, stream_text
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import BPETokenizer, CharTokenizer, open_tokenizer
from minigpt.training import Intervals, Recipe, TextBatches, train
from minigpt.training.run_folder import check_settings
from minigpt.training.state import digest_of
from minigpt.training.text_tokens import survey_text, text_tokens
from minigpt.training.windows import check_long_enough

SIZES = [field.name for field in fields(GPTConfig) if field.name != "vocab_size"]
CHOICES = [field.name for field in fields(Recipe)]
SAMPLE_TOKENS = 60
# Settings that only one value of another one uses.
IN_VAIN = {
    "muon_learning_rate": ("optimizer", "muon"),
    "final": ("schedule", "cosine"),
    "decay": ("schedule", "trapezoid"),
}


def run(options: SimpleNamespace) -> int:
    """Do it; the exit status. Errors are raised, for the command line to print."""
    _check_start(options)
    recipe = _recipe(options)
    every = [f"{name}_every" for name in ("log", "evaluate", "checkpoint", "sample")]
    intervals = Intervals(*(getattr(options, name) for name in every))
    return run_in_folder(
        options,
        lambda place: _train(options, place, recipe, intervals),
        "give a smaller --batch-size or --context-length, a larger --accumulate, or a smaller "
        "model",
        f"minigpt generate --model {shlex.quote(options.folder)}",
    )


def _train(
    options: SimpleNamespace, place: Workplace, recipe: Recipe, intervals: Intervals
) -> None:
    """What is done in the run's folder, while it is the run's own."""
    folder, processes, bars = place.folder, place.processes, place.bars
    text = _text(options.text) if options.data is None else open_text(options.data)
    characters = options.tokenizer == "characters"
    survey = survey_text(text, alphabet=characters, progress=bars)
    start = None
    if options.from_model is not None:
        start, tokenizer = open_model(options.from_model, option="--from")
        config = replace(start.config, **_given(options, ["dropout"]))
    else:
        name = options.tokenizer or "shakespeare"
        tokenizer = CharTokenizer(survey.alphabet) if characters else read_tokenizer(name)
        sizes = {"vocab_size": tokenizer.vocab_size, **_given(options, SIZES)}
        config = replace(GPTConfig.preset(options.preset or "shakespeare"), **sizes)

    def check(training: Tensor, validation: Tensor) -> None:
        check_long_enough(training, config.context_length, "the training text")
        try:
            check_long_enough(validation, config.context_length, "the validation text")
        except ValueError as error:
            raise ValueError(f"{error}, or a larger --validation-fraction") from None
        texts = [TextBatches(x, config.context_length, recipe.seed) for x in (training, validation)]
        check_settings(folder, config, recipe, *texts, origin)

    origin = None if start is None else digest_of(dict(start.named_parameters()))
    fraction = options.validation_fraction
    try:
        training, validation = text_tokens(
            folder, text, survey, tokenizer, fraction, check, processes, bars
        )
    except ValueError as error:
        if str(error).startswith("character ") and not characters:
            by = "--tokenizer" if start is None else "--from"
            text_name = options.data or options.text or "Shakespeare's plays"
            other = "--text" if options.data is None else "--data"
            raise ValueError(
                f"{by} is {options.tokenizer or options.from_model!r}, whose tokenizer cannot read "
                f"{text_name}: {error}; give another {other}, or train from the start with "
                "--tokenizer characters"
            ) from None
        raise
    model = GPT(config, torch.Generator().manual_seed(recipe.seed))
    if start is not None:
        model.load_state_dict(start.state_dict())
    train(
        folder,
        model.to(place.device),
        recipe,
        training,
        validation,
        tokenizer,
        intervals,
        processes,
        options.compile,
        options.tensorboard,
        report=place.tell,
        sample=lambda: _sample(model, tokenizer, recipe.seed),
        progress=bars,
        origin=origin,
        command=shlex.join(["minigpt", *sys.argv[1:]]),
    )


def _text(name: str | None) -> str | Path:
    """What ``--text`` names; a file is read when it is needed, but a pipe can be read only once."""
    if name is None:
        return shakespeare()
    if name == "-":
        data = b"" if sys.stdin is None else sys.stdin.buffer.read()
        if not data:
            raise ValueError("--text is standard input, which is empty: give it some text")
        return decode_text(data, "standard input")
    path = Path(name)
    if path.exists() and not (path.is_file() or path.is_dir()):
        return read_text(path)
    return path


def _sample(model: GPT, tokenizer: BPETokenizer | CharTokenizer, seed: int) -> str:
    """What a model on its way writes; the same chance each time, so that it can be compared."""
    generator = torch.Generator(next(model.parameters()).device).manual_seed(seed)
    choices = (SAMPLE_TOKENS, Sampling(temperature=0.8), (), generator)
    return "".join(stream_text(model, tokenizer, beginning(tokenizer), *choices))


def _check_start(options: SimpleNamespace) -> None:
    """One text, by name or as a file; a model to start from decides what else could be chosen."""
    if options.data is not None:
        find_set(options.data, "--data")
        if options.text is not None:
            raise click.UsageError(
                "--data and --text were both given, and a run learns from one text: leave one out"
            )
    decided = [name for name in ("tokenizer", "preset", *SIZES) if name != "dropout"]
    if options.from_model is not None and (given := _given(options, decided)):
        flag = "--" + next(iter(given)).replace("_", "-")
        raise click.UsageError(
            f"{flag} and --from were both given, and the model that --from names has its own: "
            f"leave {flag} out"
        )


def _recipe(options: SimpleNamespace) -> Recipe:
    """The named one with what was given in its place, and nothing given in vain."""
    named, given = Recipe.named(options.recipe), _given(options, CHOICES)
    steps = given.get("steps", named.steps)
    if "warmup" not in given and named.warmup > steps:
        raise click.UsageError(
            f"--recipe {options.recipe} warms up for {named.warmup} steps, and --steps is {steps}: "
            f"give a --warmup, such as {steps // 10}"
        )
    recipe = replace(named, **given)
    for name, (of, wanted) in IN_VAIN.items():
        if name in given and (has := getattr(recipe, of)) != wanted:
            flag = "--" + name.replace("_", "-")
            raise click.UsageError(f"{flag} does nothing with --{of} {has}: leave {flag} out")
    return recipe


def _given(options: SimpleNamespace, names: Iterable[str]) -> dict[str, Any]:
    """The options that the command line has, by the names of fields."""
    given = {name: getattr(options, name) for name in names}
    given = {name: value for name, value in given.items() if value is not None}
    return {name: None if value == "none" else value for name, value in given.items()}


def read_tokenizer(name: str) -> BPETokenizer | CharTokenizer:
    """The tokenizer that ``--tokenizer`` names: one of ours, or a file.

    Raises:
        FileNotFoundError: no such file. ValueError: a file that is no tokenizer we know.
    """
    if name == "shakespeare":
        return BPETokenizer.shakespeare()
    if name == "gpt2":
        return BPETokenizer.gpt2()
    if not Path(name).exists():
        raise FileNotFoundError(
            f"--tokenizer is {name!r}: no file, nor one of shakespeare, gpt2, characters"
        )
    return open_tokenizer(name)
