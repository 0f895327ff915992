"""A model and the texts that it reads on, with a cache of keys and values."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int, Integer
from torch import Tensor

from minigpt.attention import KVCache
from minigpt.data.numbers import is_whole, plain, plain_list
from minigpt.model import GPT
from minigpt.model.evaluation_mode import in_evaluation_mode

Tokens = Collection[int] | Integer[Tensor, " T"] | Integer[np.ndarray, " T"]
Texts = Sequence[Tokens] | Integer[Tensor, "B T"] | Integer[np.ndarray, "B T"]


class Reader:
    """A model and the texts that it reads on, one a row: `logits` (B, V) score what comes next.

    A model sees `context_length` tokens. When a text has grown beyond that, its older half is
    forgotten: the newest `context_length // 2` tokens stay (at least one), and are read anew, as
    if the text began with them.

    Args:
        model: read without dropout, and left in the mode it is in.
        prompts: the tokens of each text: B lists, which may differ in length, or a tensor (B, T).
        cached: keep keys and values (`minigpt.attention.kv_cache`), or read everything again for
            each token.

    Raises:
        ValueError: no prompt; one that is empty, longer than the context, or holds a token that
            is not in the vocabulary.

    Derived in https://minigpt-book.github.io/minigpt/generation.html
    """

    logits: Float[Tensor, "B V"]

    def __init__(self, model: GPT, prompts: Texts, cached: bool = True) -> None:
        self.model = in_evaluation_mode(model)
        self.windows = checked_prompts(prompts, model)  # what the model sees of each text
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
        return self.model(ids.to(self.model.token_embedding.weight.device), cache)


def checked_request(
    model: GPT, max_new_tokens: int, stop_tokens: Tokens, vocab_size: int | None
) -> tuple[int, list[int], int | None]:
    """The same as Python's own numbers; raises the ValueError that `generate` documents."""
    wanted = {"max_new_tokens": plain(max_new_tokens), "vocab_size": plain(vocab_size)}
    for name, number in wanted.items():
        if not is_whole(number, 1) and (number is not None or name == "max_new_tokens"):
            raise ValueError(f"{name} is {number!r}; it must be a whole number above 0")
    number, size = wanted.values()
    return number, _checked_tokens(stop_tokens, model, "stop token"), size


def checked_prompts(prompts: Texts, model: GPT) -> list[list[int]]:
    """A copy, as lists of Python's own numbers; raises the ValueError that `Reader` documents."""
    if not len(prompts):
        raise ValueError("there is no prompt: give a list of lists of tokens, one a text")
    length, checked = model.config.context_length, []
    for number, prompt in enumerate(plain_list(prompts)):
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
        checked.append(_checked_tokens(prompt, model, f"token of prompt {number}"))
    return checked


def _checked_tokens(tokens: Tokens, model: GPT, what: str) -> list[int]:
    size = model.config.vocab_size
    checked = plain_list(tokens)
    for token in checked:
        if not is_whole(token, 0) or token >= size:
            raise ValueError(
                f"{what} {token!r} is none of the model's, which are whole numbers from 0 to "
                f"{size - 1} (vocab_size is {size}): encode with the tokenizer that it was "
                "trained with"
            )
    return checked
