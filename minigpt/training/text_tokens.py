"""A text as the token files of a run: read in blocks, tokenized once, and used again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor
from tqdm.auto import tqdm

from minigpt.data.corpus import split_place
from minigpt.data.text_file import text_blocks
from minigpt.data.token_file import open_tokens, source_of, write_token_blocks
from minigpt.data.whole_file import replacing
from minigpt.exchange.checkpoint import tokenizer_bytes
from minigpt.tokenizer import BPETokenizer, CharTokenizer
from minigpt.training.processes import Processes

FORMAT = 1  # of the files; a higher number has every text tokenized anew


@dataclass(frozen=True)
class TextSurvey:
    """What one reading of a text finds.

    Args:
        characters: how many.
        digest: SHA-256 of the text, hexadecimal.
        alphabet: the different characters, sorted by code point; empty if not asked for.
    """

    characters: int
    digest: str
    alphabet: tuple[str, ...] = ()


def survey_text(text: str | Path, alphabet: bool = False, progress: bool = True) -> TextSurvey:
    """Read a text once, a block at a time.

    Args:
        text: itself, or the path of its file.
        alphabet: also find its characters, as `CharTokenizer` wants them.
        progress: show a bar, where there is a terminal and it takes more than a second.

    Raises:
        FileNotFoundError, ValueError: as `minigpt.data.read_text`.

    Used in https://minigpt-book.github.io/minigpt/training.html
    """
    digest, characters, found = hashlib.sha256(), 0, set()
    with _bar("reading", None, progress) as bar:
        for block in _counted(text_blocks(text), bar):
            digest.update(block.encode())
            characters += len(block)
            if alphabet:
                found.update(block)
    return TextSurvey(characters, digest.hexdigest(), tuple(sorted(found)))


def text_tokens(
    folder: Path,
    text: str | Path,
    survey: TextSurvey,
    tokenizer: BPETokenizer | CharTokenizer,
    validation_fraction: float,
    check: Callable[[Tensor, Tensor], None],
    processes: Processes | None = None,
    progress: bool = True,
) -> list[Tensor]:
    """Both parts of a text as files in ``tokens`` in the run's folder, mapped into memory.

    Training and validation part are those of `train_validation_split`, and their ids those of
    ``encode``. Files that were made from the same text, by the same tokenizer, are used as they
    are. New ones take their place only after `check` has seen them.

    Args:
        folder: of the run, which must hold it (`own_folder`).
        text, survey: the text, or the path of its file, and what `survey_text` found there.
        check: raises an error for two parts that the run must not have.
        processes: the first of which does the work.
        progress: as of `survey_text`.

    Raises:
        ValueError: a fraction that leaves a part empty, a character that the tokenizer does not
            have, a text that must be tokenized at once and is too long for that; or by `check`.

    Used in https://minigpt-book.github.io/minigpt/training.html
    """
    processes = processes or Processes()
    cut = split_place(survey.characters, validation_fraction)
    paths = [folder / "tokens" / f"{name}.safetensors" for name in ("training", "validation")]
    source = _source(survey, tokenizer, validation_fraction)

    def write() -> None:
        if all(source_of(path) == source for path in paths):
            return
        paths[0].parent.mkdir(exist_ok=True)
        try:
            with ExitStack() as stack:
                new = [stack.enter_context(replacing(path)) for path in paths]
                _tokenize(new, text, cut, survey.characters, tokenizer, source, progress)
                try:
                    check(*(open_tokens(path, tokenizer.vocab_size) for path in new))
                except Exception as error:  # whose frames hold files that are to be removed
                    raise error.with_traceback(None) from None
        finally:
            if not any(paths[0].parent.iterdir()):
                paths[0].parent.rmdir()

    processes.first(write)
    return [open_tokens(path, tokenizer.vocab_size) for path in paths]


def _tokenize(
    paths: list[Path],
    text: str | Path,
    cut: int,
    end: int,
    tokenizer: BPETokenizer | CharTokenizer,
    source: str,
    progress: bool,
) -> None:
    with _bar("tokenizing", end, progress) as bar:
        for path, start, stop in zip(paths, (0, cut), (cut, end), strict=True):
            part = _counted(_part(text_blocks(text), start, stop), bar)
            try:
                ids = tokenizer.encode_blocks(part)
                write_token_blocks(path, ids, tokenizer.vocab_size, source)
            except MemoryError:
                raise ValueError(
                    f"there is not enough memory to tokenize the text of {end:,} characters: break "
                    "it into lines, take GPT-2's pattern for the tokenizer, or give less text"
                ) from None


def _part(blocks: Iterable[str], start: int, stop: int) -> Iterator[str]:
    """The characters from one place to another."""
    at = 0
    for block in blocks:
        if part := block[max(0, start - at) : max(0, stop - at)]:
            yield part
        at += len(block)
        if at >= stop:
            return


def _counted(blocks: Iterable[str], bar: tqdm) -> Iterator[str]:
    """The blocks; the bar counts their characters when they are done with."""
    for block in blocks:
        yield block
        bar.update(len(block))


def _bar(what: str, total: int | None, progress: bool) -> tqdm:
    return tqdm(
        desc=what,
        total=total,
        unit=" characters",
        unit_scale=True,
        leave=False,
        delay=1,
        disable=None if progress else True,
    )


def _source(
    survey: TextSurvey, tokenizer: BPETokenizer | CharTokenizer, validation_fraction: float
) -> str:
    """A digest of all that decides which ids are in the files."""
    made_from = [
        FORMAT,
        survey.digest,
        hashlib.sha256(tokenizer_bytes(tokenizer)).hexdigest(),
        float(validation_fraction),
    ]
    return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()
