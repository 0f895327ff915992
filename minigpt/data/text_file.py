"""Bytes to text, by one rule for a file, standard input, and a text that is read in blocks."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

BLOCK = 2**20  # bytes of a file, or characters of a text, at a time

# A text may say how it is written: by the byte order mark at its start. The longer ones first.
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
# What is often taken for a text, by its first bytes.
NO_TEXT = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a ZIP archive, as .docx, .odt and .epub are,",
    b"\x1f\x8b": "compressed by gzip",
}

UNMARKED = ("UTF-32LE", "UTF-32BE", "UTF-16LE", "UTF-16BE")
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")  # as numbers give where they are taken for text


def decode_text(data: bytes, what: str) -> str:
    """The text that bytes hold: UTF-8, or what a byte order mark at the start says.

    Line ends ``\\r\\n`` and ``\\r`` become ``\\n``, so that a text gives the same tokens on every
    system; the mark is dropped. Nothing else changes.

    Args:
        data: all bytes of the text; none are an empty text.
        what: the bytes are of, for an error: a path, or "standard input".

    Raises:
        ValueError: bytes that are not UTF-8, or not what their mark says; UTF-16 or UTF-32 without
            a mark; NULs, a PDF or an archive, which are no text.

    Used in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    return "".join(_decoded([data], what))


def read_text(path: str | Path) -> str:
    """The text of a file of your own, ready for a tokenizer: ``read_text("my.txt")``.

    It is read as `decode_text` says.

    Raises:
        FileNotFoundError: no such file. IsADirectoryError: a folder.
        ValueError: an empty file, or one that holds no text.
    """
    return "".join(_file_blocks(Path(path)))


def text_blocks(text: str | Path) -> Iterator[str]:
    """A text in blocks of some million characters, so that none need be in memory whole.

    Args:
        text: a text itself, or the path of a file, which is read as `decode_text` says.

    Raises:
        FileNotFoundError, ValueError: as `read_text`, when the block is reached.

    Used in https://minigpt-book.github.io/minigpt/training.html
    """
    if isinstance(text, Path):
        return _file_blocks(text)
    return (text[at : at + BLOCK] for at in range(0, len(text), BLOCK))


def _file_blocks(path: Path) -> Iterator[str]:
    if not path.exists():
        raise FileNotFoundError(f"no file {path} in {Path.cwd()}: check the name and the folder")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the path of one text file")
    empty = True
    with path.open("rb") as file:
        for block in _decoded(iter(lambda: file.read(BLOCK), b""), str(path)):
            empty = empty and not block
            yield block
    if empty:
        raise ValueError(f"{path} is empty (0 characters); give a file with some text")


def _decoded(blocks: Iterable[bytes], what: str) -> Iterator[str]:
    """The text of each block; a character or line end that two share comes with the second."""
    decoder, encoding, mark = None, "utf-8", b""
    lines = io.IncrementalNewlineDecoder(None, translate=True)
    at, characters = 0, 0  # read so far
    for block in _and_an_end(blocks):
        if decoder is None:
            for start, kind in NO_TEXT.items():
                if block.startswith(start):
                    raise ValueError(f"{what} is {kind} and no plain text: save its text as UTF-8")
            mark = next((mark for mark in MARKS if block.startswith(mark)), b"")
            encoding, block, at = MARKS.get(mark, encoding), block[len(mark) :], len(mark)
            decoder = codecs.getincrementaldecoder(encoding)()
        waiting = decoder.getstate()[0]
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            place = at - len(waiting) + error.start
            raise ValueError(
                (not mark and _unmarked(block, what))
                or f"{what} is not {encoding.upper()}: byte {place} is "
                f"0x{error.object[error.start]:02x} ({error.reason}); save it as UTF-8, or decode "
                "it yourself"
            ) from error
        if "\0" in text:
            raise ValueError(
                (not mark and _unmarked(block, what))
                or f"{what} is no plain text: character {characters + text.index(chr(0))} is NUL, "
                "which no text holds; save its text as UTF-8"
            )
        at, characters = at + len(block), characters + len(text)
        yield lines.decode(text, final=not block)


def _and_an_end(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks that hold something, then one that does not."""
    yield from filter(None, blocks)
    yield b""


def _unmarked(data: bytes, what: str) -> str:
    """What to do with UTF-16 or UTF-32 without a mark, where bytes look like it; else nothing."""
    for name in UNMARKED:
        try:
            text = data[:4096].decode(name)
        except UnicodeDecodeError:
            continue
        # In any language there are spaces; one may come about by chance.
        enough = sum(map(str.isascii, text)) >= max(min(3, len(text)), len(text) / 100, 1)
        if enough and not CONTROL.search(text):
            return (
                f"{what} looks like {name} without a byte order mark: save it as UTF-8, as by "
                f"iconv -f {name} -t UTF-8"
            )
    return ""
