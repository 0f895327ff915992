"""Cut a text into words before any merge, with a regular expression, as GPT-2 does."""

import functools
import re

import regex

# A word, for GPT-2: a contraction's end; letters, digits or other signs, with one space in front
# or none; white space. (`\p{L}` is a letter of any script, `\p{N}` a number, `\s` white space.)
GPT2_PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?[\p{L}]+| ?[\p{N}]+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
# The same words in text that is all ASCII, for `re`, which is twice as fast as `regex`.
GPT2_ASCII_PATTERN = GPT2_PATTERN.replace(r"\p{L}", "A-Za-z").replace(r"\p{N}", "0-9")

# Letters and numbers that Unicode 17 and 18 added. `regex` knows them, tiktoken and tokenizers
# are at Unicode 16, so they are taken out of `\p{L}` and `\p{N}`: the ids must be the same.
NEWER = {
    "L": "558 58B-58C 88F C5C CDC 208F 209D-209F A7CE-A7CF A7D2 A7D4 A7DD A7E2 A7F1 AB6C-AB6D "
    "107BB-107BF 10940-10959 10EC5-10EC7 10ED9-10EEE 11B0A 11DB0-11DDB 11DF1 16EA0-16EB8 "
    "16EBB-16ED3 16FF2-16FF3 187F8-187FF 18CD6-18CDA 18D09-18D20 18D80-18DF2 18E00-19191 "
    "191A0-191D2 1B123-1B128 1B168 1D6A6 1DF1F-1DF24 1DF2B-1DF81 1DF90-1DF96 1DFCD-1DFFF "
    "1E6C0-1E6DE 1E6E0-1E6E2 1E6E4-1E6E5 1E6E7-1E6ED 1E6F0-1E6F4 1E6FE-1E6FF 2B73A-2B73F 2B81E "
    "2CEA2-2CEAD 323B0-33479 3D000-3FC3F",
    "N": "11DE0-11DE9 1246F 12475-1247F 12550-12686 16FF4-16FF6",
}


def find_words(text: str, pattern: str | None) -> list[str]:
    """All matches of the pattern, or the whole text where it is None; joined, they are the text.

    Raises:
        ValueError: not a regular expression, or it leaves out some of the text.

    Derived in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    if pattern is None:
        return [text] if text else []
    if pattern == GPT2_PATTERN:
        return compiled(GPT2_ASCII_PATTERN if text.isascii() else GPT2_PATTERN).findall(text)
    words, end = [], 0
    for match in compiled(pattern).finditer(text):
        if match.start() > end:
            break
        words.append(match.group())
        end = match.end()
    if end < len(text):
        raise ValueError(
            f"pattern {pattern!r} leaves out text at index {end}, {text[end : end + 9]!r}; let "
            r"every character match, for example by a last alternative |[\s\S]"
        )
    return words


@functools.cache
def compiled(pattern: str) -> re.Pattern | regex.Pattern:
    """The pattern, ready to search; its ``\\p{L}`` and ``\\p{N}`` are those of Unicode 16.

    Raises:
        ValueError: not a regular expression.

    Derived in the chapter https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    if pattern == GPT2_ASCII_PATTERN:
        return re.compile(pattern, re.ASCII)
    for category, newer in NEWER.items():
        ranges = re.sub(r"\w+", lambda code: rf"\U{code.group():0>8}", newer).replace(" ", "")
        plain = rf"\p{{{category}}}"
        pattern = pattern.replace(plain, f"[{plain}--[{ranges}]]")
    try:
        return regex.compile(pattern, regex.VERSION1)  # in which -- takes a set out of a set
    except regex.error as error:
        raise ValueError(f"pattern {pattern!r} is no regular expression: {error}") from None
