"""`minigpt train`: any text, any tokenizer, any size, in a folder that it can go on from."""

from __future__ import annotations

import argparse
import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from minigpt.commands.threads import add_threads, set_threads
from minigpt.data import read_text, shakespeare, train_validation_split
from minigpt.data.token_file import open_tokens, write_tokens
from minigpt.model import GPT, PRESETS, GPTConfig
from minigpt.tokenizer import BPETokenizer, CharTokenizer, open_tokenizer
from minigpt.training import RECIPES, Interrupted, Intervals, Processes, Recipe, train
from minigpt.training.recipe import OPTIMIZERS, PRECISIONS, SCHEDULES
from minigpt.training.run_folder import check_folder
from minigpt.training.windows import check_long_enough

DESCRIPTION = """\
Train a GPT on a text, in a folder from which transformers and minigpt.exchange.load read it.

Without options: the book's own size on Shakespeare's plays, with the fast recipe. Ctrl-C stops
after the step at hand; the same command goes on from there, to the same weights as if it had
never stopped.
"""
EXAMPLES = """\
examples:
  mkdir runs
  minigpt train runs/first --steps 300
  minigpt train runs/mine --text my.txt --tokenizer characters --context-length 64 \\
      --n-layer 4 --n-head 4 --n-embd 128
  minigpt train runs/adamw --recipe adamw --learning-rate 3e-4 --schedule cosine
  torchrun --nproc-per-node 2 -m minigpt train runs/shared
"""
SIZES = {
    "context_length": "the most tokens that the model sees at once",
    "n_layer": "blocks",
    "n_head": "heads of attention in a block",
    "n_embd": "width of a token's vector; the heads must divide it",
    "dropout": "share of numbers set to 0 while training",
    "bias": "learned vectors in linear layers and norms",
    "tied": "score with the token table itself",
}
CHOICES = {
    "steps": "how often the weights change",
    "batch_size": "windows a step, over all processes",
    "accumulate": "parts that a batch is cut into, to need less memory",
    "optimizer": "adamw, or muon for the matrices in the blocks with AdamW for the rest",
    "learning_rate": "the highest, of AdamW",
    "muon_learning_rate": "the highest, of Muon",
    "beta_1": "how much of the past AdamW's mean gradient keeps",
    "beta_2": "the same for the mean square",
    "weight_decay": "share of matrices and tables taken off a step, times the learning rate",
    "schedule": "the learning rate's way: down a cosine, or flat and then down a line",
    "warmup": "steps in which the learning rate rises",
    "final": "share of the highest rate that a cosine ends at",
    "decay": "share of the steps over which a trapezoid falls",
    "clip": "the longest gradient, longer ones are shortened; none for no limit",
    "precision": "of the products; weights are float32",
    "seed": "of the weights, the order of the text, and dropout",
}
EVERY = {
    "log": "lines of the log",
    "evaluate": "looks at the validation text; the best model is saved then",
    "checkpoint": "states to go on from",
}
WITH_CHOICES = {"optimizer": OPTIMIZERS, "schedule": SCHEDULES, "precision": PRECISIONS}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe `minigpt train` to its parser."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.set_defaults(run=run)
    parser.add_argument("folder", type=Path, help="of this run: its model, log and checkpoints")
    text = parser.add_argument_group("text")
    text.add_argument("--text", type=Path, help="a UTF-8 file (default: Shakespeare's plays)")
    text.add_argument(
        "--tokenizer",
        default="shakespeare",
        help="shakespeare (4,096 tokens, default), gpt2, characters (of the text), or a "
        "tokenizer.json",
    )
    text.add_argument(
        "--validation-fraction", type=float, default=0.1, help="of the text, its end (default 0.1)"
    )
    model = parser.add_argument_group(
        "model", "each takes the place of the preset's value; shown are those of shakespeare"
    )
    model.add_argument(
        "--preset", default="shakespeare", help=f"{', '.join(PRESETS)} (default: shakespeare)"
    )
    _add_fields(model, GPTConfig, SIZES, PRESETS["shakespeare"])
    recipe = parser.add_argument_group(
        "recipe", "each takes the place of the recipe's value; shown are those of fast"
    )
    recipe.add_argument("--recipe", default="fast", help=f"{', '.join(RECIPES)} (default: fast)")
    _add_fields(recipe, Recipe, CHOICES, RECIPES["fast"])
    loop = parser.add_argument_group("run")
    for field in fields(Intervals):
        if field.name in EVERY:
            text = f"steps between {EVERY[field.name]} ({field.default})"
            option = f"--{field.name}-every"
            loop.add_argument(option, type=int, default=field.default, metavar="N", help=text)
    loop.add_argument("--device", help="cpu, cuda, mps (default: cuda where there is one, or cpu)")
    add_threads(loop)
    loop.add_argument(
        "--compile", action="store_true", help="with torch.compile, once at the start"
    )
    loop.add_argument("--tensorboard", action="store_true", help="also log for TensorBoard")


def _add_fields(group: Any, kind: type, texts: dict[str, str], default: Any) -> None:
    """An option a field of a dataclass."""
    for field in fields(kind):
        if field.name not in texts:
            continue
        value = getattr(default, field.name)
        shown = "none" if value is None else value
        options: dict[str, Any] = {"help": f"{texts[field.name]} ({shown})"}
        if isinstance(value, bool):
            options["action"] = argparse.BooleanOptionalAction
        elif field.name in WITH_CHOICES:
            options["choices"] = WITH_CHOICES[field.name]
        elif field.name == "clip":
            options["type"] = number_or_none
        else:
            options["type"] = type(value)
        if not isinstance(value, bool) and field.name not in WITH_CHOICES:
            options["metavar"] = "N" if isinstance(value, int) else "X"
        group.add_argument(f"--{field.name.replace('_', '-')}", default=None, **options)


def number_or_none(text: str) -> float | str:
    """As argparse wants it: "none" stays, so that it is not taken for an option left out."""
    try:
        return text if text == "none" else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number, nor none") from None


def _given(arguments: argparse.Namespace, names: dict[str, str]) -> dict[str, Any]:
    """The options that the command line has, by the names of fields."""
    given = {name: getattr(arguments, name) for name in names}
    given = {name: value for name, value in given.items() if value is not None}
    return {name: None if value == "none" else value for name, value in given.items()}


def run(arguments: argparse.Namespace) -> int:
    """Do it; the exit status. Errors are raised, for the command line to print."""
    set_threads(arguments)
    recipe = replace(Recipe.named(arguments.recipe), **_given(arguments, CHOICES))
    intervals = Intervals(arguments.log_every, arguments.evaluate_every, arguments.checkpoint_every)
    device = arguments.device or ("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cuda":  # each process of several has its own GPU
        device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
    _check_device(device)
    if device.startswith("cuda"):
        torch.cuda.set_device(device)
    processes = Processes.join(device)
    try:
        text = shakespeare() if arguments.text is None else read_text(arguments.text)
        tokenizer = read_tokenizer(arguments.tokenizer, text)
        sizes = {"vocab_size": tokenizer.vocab_size, **_given(arguments, SIZES)}
        config = replace(GPTConfig.preset(arguments.preset), **sizes)
        training, validation = _token_files(arguments, text, tokenizer, config, recipe, processes)
        model = GPT(config, torch.Generator().manual_seed(recipe.seed)).to(device)
        train(
            arguments.folder,
            model,
            recipe,
            training,
            validation,
            tokenizer,
            intervals,
            processes,
            arguments.compile,
            arguments.tensorboard,
            report=tqdm.write,
        )
    except RuntimeError as error:
        if (explained := _explained(error, arguments)) is None:
            raise
        raise explained from error
    except Interrupted as stop:
        if processes.rank == 0:
            tqdm.write(str(stop))
        return 128 + stop.signal_number
    finally:
        processes.leave()
    if processes.rank == 0:
        tqdm.write(
            f"the model with the lowest validation loss is in {arguments.folder}: "
            "minigpt.exchange.load opens it"
        )
    return 0


def _explained(error: RuntimeError, arguments: argparse.Namespace) -> ValueError | None:
    """The error with what to do about it, where that is known."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error):
        return ValueError(
            "there is not enough memory for this model and batch: give a smaller --batch-size or "
            f"--context-length, a larger --accumulate, or a smaller model ({reason})"
        )
    if arguments.compile:
        return ValueError(f"--compile failed: leave it out ({reason})")
    return None


def _check_device(device: str) -> None:
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"--device is {device!r}, which is not to be had here ({reason}): leave the option "
            "out, or give cpu"
        ) from None


def read_tokenizer(name: str, text: str) -> BPETokenizer | CharTokenizer:
    """The tokenizer that ``--tokenizer`` names: one of ours, or a file.

    Raises:
        FileNotFoundError: no such file. ValueError: a file that is no tokenizer we know.
    """
    if name == "shakespeare":
        return BPETokenizer.shakespeare()
    if name == "gpt2":
        return BPETokenizer.gpt2()
    if name == "characters":
        return CharTokenizer.train(text)
    if not Path(name).is_file():
        raise FileNotFoundError(
            f"--tokenizer is {name!r}: no file, nor one of shakespeare, gpt2, characters"
        )
    return open_tokenizer(name)


def _token_files(
    arguments: argparse.Namespace,
    text: str,
    tokenizer: BPETokenizer | CharTokenizer,
    config: GPTConfig,
    recipe: Recipe,
    processes: Processes,
) -> list[Tensor]:
    """Both parts of the text as token files in the run's folder, mapped into memory."""
    folder = arguments.folder / "tokens"
    paths = [folder / "training.safetensors", folder / "validation.safetensors"]

    def write() -> None:
        texts = train_validation_split(text, arguments.validation_fraction)
        training, validation = (torch.tensor(tokenizer.encode(text)) for text in texts)
        # Before another run's files would be written over.
        check_long_enough(training, config.context_length, "the training text")
        check_long_enough(validation, config.context_length, "the validation text")
        check_folder(arguments.folder, config, recipe, training, validation)
        folder.mkdir(parents=True, exist_ok=True)
        for path, ids in zip(paths, (training, validation), strict=True):
            write_tokens(path, ids, tokenizer.vocab_size)

    processes.first(write)
    return [open_tokens(path, tokenizer.vocab_size) for path in paths]
