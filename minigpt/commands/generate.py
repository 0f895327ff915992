"""`minigpt generate`: let a model write, to the terminal, as it writes."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import fields
from pathlib import Path

import torch

from minigpt.commands.threads import add_threads, set_threads
from minigpt.exchange import load as load_folder
from minigpt.exchange.shipped import NAMES, load
from minigpt.generation import Sampling, stream_text
from minigpt.model import GPT
from minigpt.tokenizer import BPETokenizer, CharTokenizer, open_tokenizer

DESCRIPTION = """\
Continue a text with a model: the one that comes with the package, or one in a folder, such as
minigpt train and transformers write. The text appears as it is written; Ctrl-C stops.
"""
EXAMPLES = """\
examples:
  minigpt generate
  minigpt generate --prompt "HAMLET:" --tokens 300 --temperature 0.8 --top-p 0.95 --seed 7
  minigpt generate --prompt "First Citizen:" --temperature 0 --stop "\\n\\n"
  minigpt generate --model runs/first < beginning.txt
"""
PROMPT = "\n\n"  # between two speeches, so that a new one begins
OPTIONS = {
    "temperature": "below 1 bolder, above 1 wilder; 0 takes the best token always",
    "top_k": "draw from this many best tokens only",
    "top_p": "draw from the fewest best tokens that have this probability together",
    "min_p": "draw from tokens at least this many times as probable as the best",
    "repetition_penalty": "above 1 lowers the scores of tokens that the text has",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe `minigpt generate` to its parser."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.set_defaults(run=run)
    parser.add_argument(
        "--model",
        default="shakespeare",
        help=f"{', '.join(NAMES)} (default), or the folder of a model",
    )
    parser.add_argument(
        "--prompt",
        help="what to continue (default: standard input, if it is no terminal, or an empty line, "
        "after which a new speech begins)",
    )
    parser.add_argument(
        "--tokens", type=int, default=200, metavar="N", help="the most to add (default 200)"
    )
    for field in fields(Sampling):
        shown = "" if field.default is None else f" (default {field.default:g})"
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=int if field.name == "top_k" else float,
            default=field.default,
            metavar="N" if field.name == "top_k" else "X",
            help=OPTIONS[field.name] + shown,
        )
    parser.add_argument(
        "--stop",
        action="append",
        default=[],
        metavar="TEXT",
        help="end before this text, in which \\n is a line break; may be given several times",
    )
    parser.add_argument("--seed", type=int, help="of chance (default: another one each time)")
    add_threads(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do it; the exit status. Errors are raised, for the command line to print."""
    set_threads(arguments)
    generator = torch.Generator()
    if arguments.seed is None:
        generator.seed()
    elif 0 <= arguments.seed < 2**32:
        generator.manual_seed(arguments.seed)
    else:
        raise ValueError(f"--seed is {arguments.seed}; it must be from 0 to 2**32 - 1")
    sampling = Sampling(**{name: getattr(arguments, name) for name in OPTIONS})
    stop = [text.replace("\\n", "\n") for text in arguments.stop]
    model, tokenizer = open_model(arguments.model)
    prompt = _prompt(arguments.prompt)
    pieces = stream_text(model, tokenizer, prompt, arguments.tokens, sampling, stop, generator)
    status = 0
    try:
        try:
            _show(prompt.lstrip("\n"))
            for piece in pieces:
                _show(piece)
        except KeyboardInterrupt:
            status = 130
        finally:
            _show("\n")
    except BrokenPipeError:  # whoever read has had enough, as in `minigpt generate | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141
    return status


def _show(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def open_model(name: str) -> tuple[GPT, BPETokenizer | CharTokenizer]:
    """The model that ``--model`` names, and its tokenizer.

    Raises:
        FileNotFoundError: no such folder, or one without a model or its tokenizer. ValueError: a
            file in it that is damaged.
    """
    if name in NAMES:
        return load(name)
    if not Path(name).is_dir():
        raise FileNotFoundError(f"--model is {name!r}: no folder, nor one of {', '.join(NAMES)}")
    return load_folder(name), open_tokenizer(Path(name) / "tokenizer.json")


def _prompt(given: str | None) -> str:
    if given is None:
        given = PROMPT if sys.stdin is None or sys.stdin.isatty() else sys.stdin.read()
    if not given:
        raise ValueError("the prompt is empty: give at least one character to continue")
    return given
