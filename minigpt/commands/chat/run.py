"""A conversation with a model, at the terminal or through a pipe."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import click
import torch

from minigpt.commands.asked_lines import asked_lines
from minigpt.commands.chat.conversation import Conversation
from minigpt.commands.generate.prompt import typed
from minigpt.commands.machine import find_device, use_threads
from minigpt.commands.models import find_folder, open_model
from minigpt.commands.sampling_options import sampling_of, seed_of
from minigpt.finetuning import load_template

HELP = (
    "Ask, then Enter. /reset forgets the conversation, /system TEXT begins it anew with an "
    "instruction. Ctrl-C stops an answer, Ctrl-D ends."
)
HINTS = {  # of models that come with the package: what each was taught
    "play-finder": " It knows who is in which of Shakespeare's plays: try "
    '"In which play is Cassio?"'
}


def run(options: SimpleNamespace) -> int:
    """Do it; the exit status. Errors are raised, for the command line to print."""
    if len(options.question) > 1:
        raise click.UsageError(
            f"the question is in {len(options.question)} parts; put it in quotes: "
            f'"{" ".join(options.question)}"'
        )
    use_threads(options.threads)
    device = find_device(options.device)
    template = load_template(find_folder(options.model))
    model, tokenizer = open_model(options.model)
    seed = seed_of(options)
    conversation = Conversation(
        model.to(device),
        tokenizer,
        template,
        options.tokens,
        sampling_of(options),
        torch.Generator(device).manual_seed(seed),
        "" if options.system is None else typed(options.system, "--system"),
    )
    try:
        if options.question:
            return _answer(conversation, typed(options.question[0], "QUESTION"))
        return _ask_and_answer(conversation, HINTS.get(options.model, ""))
    except BrokenPipeError:  # whoever read has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _ask_and_answer(conversation: Conversation, hint: str) -> int:
    """Until the input ends; 1 where lines came through a pipe and one could not be answered."""
    if sys.stdin is None:
        raise ValueError("there is no standard input to ask on: give QUESTION")
    status = 0
    for line in map(str.strip, asked_lines(f"{conversation.limits}{hint}\n{HELP}")):
        if not line:
            continue
        try:
            if line.startswith("/"):
                click.echo(conversation.order(typed(line, "the line")), err=True)
                continue
            _answer(conversation, typed(line, "the line"))
        except ValueError as error:
            click.echo(f"minigpt: {error}", err=True)
            status = 0 if sys.stdin.isatty() else 1
    return status


def _answer(conversation: Conversation, question: str) -> int:
    """Show an answer as it comes; 130 if Ctrl-C ends it."""
    pieces, status = conversation.ask(question), 0
    if conversation.news:
        click.echo(f"minigpt: {conversation.news}", err=True)
    try:
        for piece in pieces:
            sys.stdout.write(piece)
            sys.stdout.flush()
    except KeyboardInterrupt:
        pieces.close()
        status = 130
    click.echo()
    return status
