"""What `minigpt generate` continues: an argument, an option, a file or standard input."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import click

from minigpt.data import decode_text, read_text
from minigpt.tokenizer import BPETokenizer, CharTokenizer

BEGINNING = "\n\n"  # between two speeches, so that a new one begins
ESCAPES = {r"\n": "\n", r"\t": "\t", r"\\": "\\"}


def typed(text: str, where: str) -> str:
    """What a text on the command line means, where a line break is hard to type.

    Raises:
        ValueError: bytes that are no text in the encoding at work, by the option they came in.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"{where} is {text!r}, which holds bytes that are no text in "
            f"{sys.getfilesystemencoding()}: write it anew, or put it into a UTF-8 file for "
            "--prompt-file"
        ) from None
    return re.sub(r"\\[nt\\]", lambda found: ESCAPES[found.group()], text)


def find_prompt(options: SimpleNamespace) -> str:
    """The prompt, wherever it stands; empty where there is none.

    Raises:
        ValueError: a file or standard input that is no text. click.UsageError: more than one
            prompt.
    """
    words = options.prompt_argument
    if len(words) > 1:
        raise click.UsageError(
            f'the prompt is in {len(words)} parts; put it in quotes: "{" ".join(words)}"'
        )
    given = {
        "PROMPT": words[0] if words else None,
        "--prompt": options.prompt,
        "--prompt-file": options.prompt_file,
    }
    names = [name for name, text in given.items() if text is not None]
    if len(names) > 1:
        raise click.UsageError(f"{' and '.join(names)} both give a prompt; give one of them")
    if names and given[names[0]] != "-":
        if options.prompt_file is None:
            return typed(given[names[0]], names[0])
        file = Path(options.prompt_file)
        return "" if file.is_file() and file.stat().st_size == 0 else read_text(file)
    if sys.stdin is None or (not names and sys.stdin.isatty()):
        return ""
    return decode_text(sys.stdin.buffer.read(), "standard input")


def beginning(tokenizer: BPETokenizer | CharTokenizer) -> str:
    """What to continue where there is nothing: an empty line, after which a speech begins; or what
    is most like it among the characters that there are."""
    if isinstance(tokenizer, CharTokenizer) and "\n" not in tokenizer.vocab:
        return " " if " " in tokenizer.vocab else tokenizer.vocab[0]
    return BEGINNING
