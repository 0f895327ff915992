"""Generation: ask the model what comes next, choose, append; again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from minigpt.kv_cache import KVCache
from minigpt.model import GPT
from minigpt.sampling import Sampling


class Reader:
    """A model and the texts that it reads on, one a row: `logits` (B, V) score what comes next.

    A model sees `context_length` tokens. When a text has grown beyond that, its older half is
    forgotten: the newest `context_length // 2` tokens stay (at least one), and are read anew, as
    if the text began with them.

    Args:
        model: in evaluation mode while it reads, afterwards in its own.
        prompts: the tokens of each text, B lists; they may differ in length.
        cached: keep keys and values (`minigpt.kv_cache`), or read everything again for each token.

    Raises:
        ValueError: no prompt; one that is empty, longer than the context, or holds a token that
            is not in the vocabulary.

    Derived in https://minigpt-book.github.io/minigpt/generation.html
    """

    logits: Float[Tensor, "B V"]

    def __init__(self, model: GPT, prompts: Sequence[Sequence[int]], cached: bool = True) -> None:
        _check_prompts(prompts, model)
        self.model = model
        self.windows = [list(prompt) for prompt in prompts]  # what the model sees of each text
        self.cached = cached
        self.logits, self._cache = self._read(self.windows)

    def append(self, tokens: Sequence[int]) -> None:
        """Add one token to each text, and read it."""
        length = self.model.config.context_length
        for window, token in zip(self.windows, tokens, strict=True):
            window.append(token)
        full = [row for row, window in enumerate(self.windows) if len(window) > length]
        stay = max(1, length // 2)
        for row in full:
            del self.windows[row][:-stay]
        if self._cache is None or len(full) == len(self.windows):
            self.logits, self._cache = self._read(self.windows)
            return
        if full:  # all but their newest token, which is read below with everyone's
            lengths = self._cache.lengths
            self._cache.cut([0 if row in full else n for row, n in enumerate(lengths)])
            if stay > 1:
                self._cache.replace(full, self._read([self.windows[row][:-1] for row in full])[1])
        newest = torch.tensor([[window[-1]] for window in self.windows])
        self.logits = self._run(newest, self._cache)[:, -1]

    def select(self, rows: Sequence[int]) -> None:
        """Go on with these texts, in this order; one may come several times."""
        self.windows = [list(self.windows[row]) for row in rows]
        self.logits = self.logits[list(rows)]
        if self._cache is not None:
            self._cache = self._cache.select(rows)

    def _read(self, texts: list[list[int]]) -> tuple[Tensor, KVCache | None]:
        """Read texts from their beginnings: the scores after each, and a cache that holds them.

        Shorter ones are filled up behind their ends, where no token of theirs looks.
        """
        lengths = [len(text) for text in texts]
        ids = torch.zeros(len(texts), max(lengths), dtype=torch.long)
        for row, text in zip(ids, texts, strict=True):
            row[: len(text)] = torch.tensor(text)
        cache = None
        if self.cached:
            weight = self.model.token_embedding.weight
            cache = KVCache(self.model.config, len(texts), weight.dtype, weight.device)
        logits = self._run(ids, cache)
        if cache is not None:
            cache.cut(lengths)
        return logits[range(len(texts)), [length - 1 for length in lengths]], cache

    @torch.inference_mode()
    def _run(self, ids: Int[Tensor, "B T"], cache: KVCache | None) -> Float[Tensor, "B T V"]:
        was_training = self.model.training
        if was_training:
            self.model.eval()
        try:
            return self.model(ids.to(self.model.token_embedding.weight.device), cache)
        finally:
            if was_training:
                self.model.train()


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


def check_request(model: GPT, max_new_tokens: int, stop_tokens: Collection[int]) -> None:
    """Raise the ValueError that `generate` documents for what is no number or no token."""
    whole = isinstance(max_new_tokens, int) and not isinstance(max_new_tokens, bool)
    if not whole or max_new_tokens < 1:
        raise ValueError(f"max_new_tokens is {max_new_tokens!r}; it must be a whole number above 0")
    _check_tokens(stop_tokens, model, "stop token")


def _check_prompts(prompts: Sequence[Sequence[int]], model: GPT) -> None:
    if not len(prompts):
        raise ValueError("there is no prompt: give a list of lists of tokens, one a text")
    length = model.config.context_length
    for number, prompt in enumerate(prompts):
        if isinstance(prompt, int):
            raise ValueError(
                f"prompt {number} is {prompt!r}; it must be a list of tokens: give a list of "
                "lists, one a text"
            )
        if not len(prompt):
            raise ValueError(
                f"prompt {number} has no tokens, so there is nothing to continue: begin with one, "
                "such as a line break's"
            )
        if len(prompt) > length:
            raise ValueError(
                f"prompt {number} has {len(prompt)} tokens and the model sees {length} "
                f"(context_length): give its last {length}, prompt[-{length}:]"
            )
        _check_tokens(prompt, model, f"token of prompt {number}")


def _check_tokens(tokens: Collection[int], model: GPT, what: str) -> None:
    size = model.config.vocab_size
    for token in tokens:
        if not isinstance(token, int) or isinstance(token, bool) or not 0 <= token < size:
            raise ValueError(
                f"{what} {token!r} is not in the vocabulary: tokens are whole numbers from 0 to "
                f"{size - 1}. Was the text encoded with another tokenizer than the model's?"
            )
