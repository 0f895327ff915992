"""Generation: ask the model what comes next, choose, append; again."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from minigpt.generation.reader import Reader, Texts, Tokens, checked_request
from minigpt.generation.sampling import Sampling
from minigpt.model import GPT


def generate(
    model: GPT,
    prompts: Texts,
    max_new_tokens: int,
    sampling: Sampling | None = None,
    stop_tokens: Tokens = (),
    generator: torch.Generator | None = None,
    cached: bool = True,
    vocab_size: int | None = None,
) -> list[list[int]]:
    """Continue several texts, each until a stop token or `max_new_tokens`.

    Args:
        model, prompts, cached: as of `Reader`, which says what happens beyond `context_length`.
        max_new_tokens: the most tokens to add to each text.
        sampling: how tokens are chosen; None draws from the model's own distribution.
        stop_tokens: each ends its text, and is not given out.
        generator: where chance comes from; None is torch's global one.
        vocab_size: tokens that may be chosen, from id 0 on; None is all that the model has scores
            for, which may be more than its tokenizer has tokens.

    Returns:
        The new tokens of each text.

    Raises:
        ValueError: as `Reader`; `max_new_tokens` below 1, a stop token that is not in the
            vocabulary, scores that are not finite.

    Derived in https://minigpt-book.github.io/minigpt/generation.html
    """
    texts: list[list[int]] = [[] for _ in prompts]
    choices = (sampling, stop_tokens, generator, cached, vocab_size)
    for tokens, _ in _steps(model, prompts, max_new_tokens, *choices):
        for text, token in zip(texts, tokens, strict=True):
            if token is not None:
                text.append(token)
    return texts


def stream(
    model: GPT,
    prompt: Tokens,
    max_new_tokens: int,
    sampling: Sampling | None = None,
    stop_tokens: Tokens = (),
    generator: torch.Generator | None = None,
    cached: bool = True,
    vocab_size: int | None = None,
) -> Iterator[int]:
    """The tokens that `generate` adds to one text, each as soon as it is chosen.

    Derived in https://minigpt-book.github.io/minigpt/generation.html
    """
    choices = (sampling, stop_tokens, generator, cached, vocab_size)
    return (token for (token,), _ in _steps(model, [prompt], max_new_tokens, *choices))


def stream_with_logprobs(
    model: GPT,
    prompt: Tokens,
    max_new_tokens: int,
    sampling: Sampling | None = None,
    stop_tokens: Tokens = (),
    generator: torch.Generator | None = None,
    cached: bool = True,
    vocab_size: int | None = None,
) -> Iterator[tuple[int, float]]:
    """The tokens of `stream`, each with the natural logarithm of its probability.

    The probability is the model's own, before temperature, cuts and penalty.

    Derived in https://minigpt-book.github.io/minigpt/generation.html
    """
    choices = (sampling, stop_tokens, generator, cached, vocab_size)
    steps = _steps(model, [prompt], max_new_tokens, *choices)
    return (
        (token, logits[0].double().log_softmax(dim=-1)[token].item()) for (token,), logits in steps
    )


def _steps(
    model: GPT,
    prompts: Texts,
    max_new_tokens: int,
    sampling: Sampling | None,
    stop_tokens: Tokens,
    generator: torch.Generator | None,
    cached: bool,
    vocab_size: int | None,
) -> Iterator[tuple[list[int | None], Tensor]]:
    """A token for each text at a time, None for a text that has ended; and the scores (B, V)."""
    sampling = sampling or Sampling()
    max_new_tokens, stop_tokens, vocab_size = checked_request(
        model, max_new_tokens, stop_tokens, vocab_size
    )
    reader = Reader(model, prompts, cached)
    seen = None
    if sampling.repetition_penalty != 1:
        seen = torch.zeros_like(reader.logits, dtype=torch.bool)
        for row, prompt in zip(seen, reader.windows, strict=True):
            row[prompt] = True
        seen = seen[:, :vocab_size]

    def tokens() -> Iterator[tuple[list[int | None], Tensor]]:
        ended = [False] * len(prompts)
        for number in range(max_new_tokens):
            if number:
                reader.append(chosen)
            logits = reader.logits[:, :vocab_size]
            chosen = sampling.choose(logits, seen, generator).tolist()
            ended = [e or token in stop_tokens for e, token in zip(ended, chosen, strict=True)]
            if all(ended):
                return
            yield [None if e else token for e, token in zip(ended, chosen, strict=True)], logits
            if seen is not None:
                seen[range(len(chosen)), chosen] = True

    return tokens()  # so that bad input is refused here, not when the first token is asked for
