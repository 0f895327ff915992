"""Generation: ask the model what comes next, choose, append; again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import torch

from minigpt.generation.reader import Reader, check_request
from minigpt.generation.sampling import Sampling
from minigpt.model import GPT


def generate(
    model: GPT,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
    sampling: Sampling | None = None,
    stop_tokens: Collection[int] = (),
    generator: torch.Generator | None = None,
    cached: bool = True,
) -> list[list[int]]:
    """Continue several texts, each until a stop token or `max_new_tokens`.

    Args:
        model, prompts, cached: as of `Reader`, which says what happens beyond `context_length`.
        max_new_tokens: the most tokens to add to each text.
        sampling: how tokens are chosen; None draws from the model's own distribution.
        stop_tokens: each ends its text, and is not given out.
        generator: where chance comes from; None is torch's global one.

    Returns:
        The new tokens of each text.

    Raises:
        ValueError: as `Reader`; `max_new_tokens` below 1, a stop token that is not in the
            vocabulary, scores that are not finite.

    Derived in https://minigpt-book.github.io/minigpt/generation.html
    """
    texts: list[list[int]] = [[] for _ in prompts]
    steps = _steps(model, prompts, max_new_tokens, sampling, stop_tokens, generator, cached)
    for tokens in steps:
        for text, token in zip(texts, tokens, strict=True):
            if token is not None:
                text.append(token)
    return texts


def stream(
    model: GPT,
    prompt: Sequence[int],
    max_new_tokens: int,
    sampling: Sampling | None = None,
    stop_tokens: Collection[int] = (),
    generator: torch.Generator | None = None,
    cached: bool = True,
) -> Iterator[int]:
    """The tokens that `generate` adds to one text, each as soon as it is chosen.

    Derived in https://minigpt-book.github.io/minigpt/generation.html
    """
    steps = _steps(model, [prompt], max_new_tokens, sampling, stop_tokens, generator, cached)
    return (token for (token,) in steps if token is not None)


def _steps(
    model: GPT,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
    sampling: Sampling | None,
    stop_tokens: Collection[int],
    generator: torch.Generator | None,
    cached: bool,
) -> Iterator[list[int | None]]:
    """A token for each text at a time; None for a text that has ended."""
    sampling = sampling or Sampling()
    check_request(model, max_new_tokens, stop_tokens)
    reader = Reader(model, prompts, cached)
    seen = None
    if sampling.repetition_penalty != 1:
        seen = torch.zeros_like(reader.logits, dtype=torch.bool)
        for row, prompt in zip(seen, prompts, strict=True):
            row[list(prompt)] = True

    def tokens() -> Iterator[list[int | None]]:
        ended = [False] * len(prompts)
        for number in range(max_new_tokens):
            if number:
                reader.append(chosen)
            chosen = sampling.choose(reader.logits, seen, generator).tolist()
            ended = [e or token in stop_tokens for e, token in zip(ended, chosen, strict=True)]
            if all(ended):
                return
            yield [None if e else token for e, token in zip(ended, chosen, strict=True)]
            if seen is not None:
                seen[range(len(chosen)), chosen] = True

    return tokens()  # so that bad input is refused here, not when the first token is asked for
