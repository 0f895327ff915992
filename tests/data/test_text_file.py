"""Bytes to text: one rule for files, standard input and blocks, and what is no text is refused."""

from __future__ import annotations

import codecs
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigpt.data import decode_text, read_text, text_file
from minigpt.data.text_file import text_blocks

TEXTS = {
    b"one\r\ntwo\rthree\n\r\r\n": "one\ntwo\nthree\n\n\n",
    codecs.BOM_UTF8 + "\u00e9\ufeff".encode(): "\u00e9\ufeff",
    codecs.BOM_UTF16_LE
    + "\u0434\u0430\r\n\U0001f600".encode("utf-16-le"): "\u0434\u0430\n\U0001f600",
    codecs.BOM_UTF16_BE + "yes".encode("utf-16-be"): "yes",
    codecs.BOM_UTF32_LE + "\U0001f600".encode("utf-32-le"): "\U0001f600",
    codecs.BOM_UTF32_BE + "yes".encode("utf-32-be"): "yes",
    b"\x1b[1mbold\x1b[0m\x0c": "\x1b[1mbold\x1b[0m\x0c",  # a terminal's log is text
    b"": "",
    codecs.BOM_UTF8: "",
}
RUSSIAN = "\u0412 \u043d\u0430\u0447\u0430\u043b\u0435 \u0431\u044b\u043b\u043e.\n"
UNMARKED = ("UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE")
REFUSED = {
    "latin-1": ("caf\u00e9 noir".encode("latin-1"), r" is not UTF-8: byte 3 is 0xe9 \(invalid "),
    "cut": (b"yes\n\xc3", r" is not UTF-8: byte 4 is 0xc3 \(unexpected end of data\); save it as"),
    "marked and cut": (codecs.BOM_UTF16_LE + b"a\0b", r" is not UTF-16-LE: byte 4 is 0x62 \(trunc"),
    "a NUL": (b"some text\0more", r" is no plain text: character 9 is NUL, which no text holds"),
    "a marked NUL": (codecs.BOM_UTF16_LE + b"a\0\0\0", r" is no plain text: character 1 is NUL"),
    "NULs": (bytes(1000), r" is no plain text: character 0 is NUL"),
    "numbers": (bytes([3, 0, 0, 0, 9, 0, 0, 0] * 50), r" is no plain text: character 1 is NUL"),
    "a PDF": (b"%PDF-1.7\n", r" is a PDF and no plain text: save its text as UTF-8"),
    "Word": (b"PK\x03\x04\x14", r" is a ZIP archive, as \.docx, .* and no plain text"),
    "gzip": (b"\x1f\x8b\x08", r" is compressed by gzip and no plain text"),
    **{
        f"{name} {text[:1]}": (text.encode(name), f" looks like {name} without a byte order mark: ")
        for name in UNMARKED
        for text in ("To be, or not to be\n", RUSSIAN)
    },
}


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_every_text_is_read_as_written_whatever_its_blocks(tmp_path, monkeypatch, size):
    monkeypatch.setattr(text_file, "BLOCK", max(4, size))
    for data, text in TEXTS.items():
        assert decode_text(data, "standard input") == text
        (tmp_path / "mine.txt").write_bytes(data)
        if text:
            assert "".join(text_blocks(tmp_path / "mine.txt")) == text
            assert read_text(tmp_path / "mine.txt") == text
            assert "".join(text_blocks(text)) == text


@pytest.mark.parametrize(("data", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_text_is_refused_by_one_sentence(tmp_path, data, message):
    with pytest.raises(ValueError, match=f"^standard input{message}") as stdin:
        decode_text(data, "standard input")
    (tmp_path / "mine.txt").write_bytes(data)
    for read in (read_text, lambda path: [*text_blocks(path)]):
        with pytest.raises(ValueError, match=rf"mine\.txt{message}") as file:
            read(tmp_path / "mine.txt")
        words = str(file.value).replace(str(tmp_path / "mine.txt"), "standard input")
        assert words == str(stdin.value) and "UTF-8" in words and "\n" not in words


@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), st.integers(4, 9)
)
def test_a_place_is_that_of_the_whole_file(tmp_path_factory, text, size):
    """Whatever character or line end two blocks share."""
    path = tmp_path_factory.getbasetemp() / "text.txt"
    path.write_bytes(text.encode() + b"\xff!")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_file, "BLOCK", size)
        with pytest.raises(ValueError, match=rf"byte {len(text.encode())} is 0xff"):
            read_text(path)


def test_a_pipe_is_read_to_its_end(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(b"one\r\ntwo",))
    writer.start()
    try:
        assert read_text(tmp_path / "pipe") == "one\ntwo"
    finally:
        writer.join(timeout=60)
