"""Text in, text out, as it comes: whole characters, and nothing of a stop string."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Sequence

import torch

from minigpt.exchange.checkpoint import END
from minigpt.generation.decoding import stream
from minigpt.generation.sampling import Sampling
from minigpt.model import GPT
from minigpt.tokenizer import BPETokenizer, CharTokenizer


def stream_text(
    model: GPT,
    tokenizer: BPETokenizer | CharTokenizer,
    prompt: str,
    max_new_tokens: int,
    sampling: Sampling | None = None,
    stop: Sequence[str] = (),
    generator: torch.Generator | None = None,
    cached: bool = True,
) -> Iterator[str]:
    """What the model writes after a prompt, in pieces that joined are the text.

    A character whose bytes are spread over tokens comes when it is whole, and what may be the
    beginning of a stop string when it turns out not to be. Bytes that are no character come as
    U+FFFD. The text ends before the first stop string to be complete, at the tokenizer's
    ``<|endoftext|>``, if it has one, or after `max_new_tokens`.

    Args:
        model, sampling, generator, cached: as of `minigpt.generation.generate`.
        tokenizer: the model's own. It may have fewer tokens than the model has scores for, as
            where these were rounded up to a multiple of 64: what has no text is never chosen.
        prompt: the text to continue; of a long one, the model sees the last `context_length`
            tokens.
        max_new_tokens: the most tokens to add.
        stop: strings that end the text and are not given out.

    Raises:
        ValueError: as `generate`; an empty stop string; a character that the tokenizer lacks, or
            one of its tokens that the model lacks, in the prompt.

    Derived in https://minigpt-book.github.io/minigpt/generation.html
    """
    if isinstance(stop, str) or not all(stop):
        raise ValueError(f"stop is {stop!r}; it must be a list of strings, none of them empty")
    ids = prompt_ids(model, tokenizer, prompt)[-model.config.context_length :]
    choices = (sampling, end_tokens(model, tokenizer), generator, cached, tokenizer.vocab_size)
    return text_of(tokenizer, stream(model, ids, max_new_tokens, *choices), stop)


def prompt_ids(model: GPT, tokenizer: BPETokenizer | CharTokenizer, prompt: str) -> list[int]:
    """The tokens of a prompt, of which the model sees the last `context_length`.

    Raises:
        ValueError: a character that the tokenizer lacks, or a token to be seen that the model
            lacks.

    Used in https://minigpt-book.github.io/minigpt/generation.html
    """
    ids = tokenizer.encode(prompt)
    rows = model.config.vocab_size
    if (most := max(ids[-model.config.context_length :], default=0)) >= rows:
        raise ValueError(
            f"the prompt has {tokenizer.decode([most])!r}, token {most} of the tokenizer's "
            f"{tokenizer.vocab_size}; the model knows {rows} (vocab_size): use the tokenizer that "
            "it was trained with"
        )
    return ids


def end_tokens(model: GPT, tokenizer: BPETokenizer | CharTokenizer) -> list[int]:
    """What ends a text: ``<|endoftext|>``, where the tokenizer has it and the model a row for it.

    Used in https://minigpt-book.github.io/minigpt/generation.html
    """
    end = getattr(tokenizer, "special_tokens", {}).get(END, model.config.vocab_size)
    return [end] if end < model.config.vocab_size else []


def text_of(
    tokenizer: BPETokenizer | CharTokenizer, tokens: Iterable[int], stop: Sequence[str] = ()
) -> Iterator[str]:
    """The text of tokens that come one by one, up to a stop string, as `stream_text` gives it.

    Used in https://minigpt-book.github.io/minigpt/generation.html
    """
    return _until(stop, _characters(tokenizer, tokens))


def _characters(tokenizer: BPETokenizer | CharTokenizer, tokens: Iterable[int]) -> Iterator[str]:
    """The text of tokens, in pieces of whole characters."""
    if isinstance(tokenizer, CharTokenizer):
        for token in tokens:
            yield tokenizer.decode([token])
        return
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for token in tokens:
        yield decoder.decode(tokenizer.token_bytes(token))
    yield decoder.decode(b"", final=True)


def _until(stop: Sequence[str], pieces: Iterable[str]) -> Iterator[str]:
    """The pieces up to the first stop string to be complete."""
    held = ""  # the beginning of a stop string, perhaps
    for piece in pieces:
        held += piece
        found = [(held.index(s) + len(s), held.index(s)) for s in stop if s in held]
        if found:
            held = held[: min(found)[1]]
            break
        ready = next(i for i in range(len(held) + 1) if _any_begins(stop, held[i:]))
        if ready:
            yield held[:ready]
        held = held[ready:]
    if held:
        yield held


def _any_begins(stop: Sequence[str], text: str) -> bool:
    """Whether a stop string begins with the text, as all do with the empty one."""
    return not text or any(s.startswith(text) for s in stop)
