"""Let a model write, to the terminal, as it writes."""

from __future__ import annotations

import json
import os
import sys
from types import SimpleNamespace

import click
import torch

from minigpt.commands.generate.interactive import ask_and_write
from minigpt.commands.generate.prompt import beginning, find_prompt, typed
from minigpt.commands.generate.writer import Writer, Written
from minigpt.commands.machine import find_device, use_threads
from minigpt.commands.models import open_model
from minigpt.commands.sampling_options import sampling_of, seed_of


def run(options: SimpleNamespace) -> int:
    """Do it; the exit status. Errors are raised, for the command line to print."""
    stop = [typed(text, "--stop") for text in options.stop]
    if "" in stop:
        raise ValueError("--stop is empty: give the text to end before")
    if options.interactive:
        _check_interactive(options)
    sampling = sampling_of(options)
    use_threads(options.threads)
    device = find_device(options.device)
    seed = seed_of(options)
    model, tokenizer = open_model(options.model, getattr(torch, options.dtype))
    generator = torch.Generator(device).manual_seed(seed)
    logprobs = options.json or options.logprobs
    choices = (options.tokens, sampling, stop, generator, logprobs)
    writer = Writer(model.to(device), tokenizer, *choices)
    status = 0
    try:
        try:
            if options.interactive:
                return ask_and_write(writer)
            given = find_prompt(options)
            for number in range(options.samples):
                own_seed = (seed + number) % 2**32  # so that each can be written again, alone
                generator.manual_seed(own_seed)
                text = writer.begin(given or beginning(tokenizer))
                if number == 0:
                    _say_if_cut(text)
                if options.json:
                    status, found = _as_json(text, own_seed)
                    _show(json.dumps(found) + "\n")
                else:
                    if options.samples > 1:
                        _show(f"--- {number + 1} of {options.samples} ---\n")
                    status = _write(given, text)
                    if options.logprobs:
                        rows = text.tokens()
                        _show("".join(f"{t['logprob']:9.4f}  {t['text']!r}\n" for t in rows))
                if options.stats:
                    _tell_speed(text, own_seed)
                if status:
                    break
        except KeyboardInterrupt:
            status = 130
    except BrokenPipeError:  # whoever read has had enough, as in `minigpt generate | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141
    return status


def _check_interactive(options: SimpleNamespace) -> None:
    """Nothing that was typed is ignored."""
    flags = {"--json": options.json, "--logprobs": options.logprobs, "--stats": options.stats}
    flags |= {"--samples": options.samples > 1, "PROMPT": bool(options.prompt_argument)}
    flags |= {"--prompt": options.prompt is not None}
    flags |= {"--prompt-file": options.prompt_file is not None}
    if given := [flag for flag, value in flags.items() if value]:
        raise click.UsageError(
            f"--interactive asks for prompts and shows the text alone: leave {given[0]} out"
        )
    if sys.stdin is None:
        raise ValueError("--interactive asks, and there is no standard input to answer on")


def _write(given: str, text: Written) -> int:
    """Show a prompt, if one was given, and what follows as it comes; 130 if Ctrl-C ends it."""
    try:
        _show(given)
        for piece in text.pieces:
            _show(piece)
    except KeyboardInterrupt:
        return 130
    finally:
        _show("\n")
    return 0


def _tell_speed(text: Written, seed: int) -> None:
    tokens = "1 token" if len(text.chosen) == 1 else f"{len(text.chosen)} tokens"
    click.echo(
        f"{tokens} after {text.seen_tokens} of the prompt, {text.tokens_per_second:.0f} tokens per "
        f"second, seed {seed}",
        err=True,
    )


def _show(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _say_if_cut(text: Written) -> None:
    """Nobody would notice otherwise."""
    if text.seen_tokens < text.prompt_tokens:
        click.echo(
            f"minigpt: the prompt has {text.prompt_tokens:,} tokens and the model sees "
            f"{text.seen_tokens:,}: it continues the last {text.seen_tokens:,}",
            err=True,
        )


def _as_json(text: Written, seed: int) -> tuple[int, dict]:
    """All that is known of a text when it has ended; and 130 if Ctrl-C ended it."""
    status, joined = 0, ""
    try:
        for piece in text.pieces:
            joined += piece
    except KeyboardInterrupt:
        status, text.ended_by = 130, "interrupted"
    return status, {
        "prompt": text.prompt,
        "text": joined,
        "tokens": text.tokens(),
        "ended_by": text.ended_by,
        "prompt_tokens": text.prompt_tokens,
        "seen_tokens": text.seen_tokens,
        "seed": seed,
        "tokens_per_second": round(text.tokens_per_second, 1),
    }
