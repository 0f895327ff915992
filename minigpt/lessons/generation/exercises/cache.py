"""The check of a text that is written with a KV cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from minigpt.lessons.judge import Case, Verdict, judge, name_of


def generate_cached(function: Callable[[nn.Module, Tensor, int], Tensor]) -> Verdict:
    """Check `generate_cached(model, ids, n_tokens) -> ids`: the text, and how much was read.

    The model is one of the reader's file; what goes through its first block is counted.
    """
    model = _small_model()

    def call(ids: Tensor, n_tokens: int) -> Any:
        counted: list[int] = []
        first = model.blocks[0].attention.qkv
        hook = first.register_forward_hook(lambda _, x, __: counted.append(x[0][..., 0].numel()))
        try:
            answer = function(model, ids, n_tokens)
        finally:
            hook.remove()
        if answer is None:
            return None
        text = answer.tolist() if isinstance(answer, Tensor) else list(answer)
        return Written(text, sum(counted))

    call.__name__ = name_of(function)
    return judge(call, [_case(model, [1, 4, 2], 6), _case(model, [5], 4), _case(model, [3, 0], 1)])


class Written:
    """A text, and how many tokens the model read for it."""

    def __init__(self, text: list[int], read: int) -> None:
        self.text, self.read = text, read

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Written) and vars(self) == vars(other)

    def __repr__(self) -> str:
        return f"{self.text} after {self.read} tokens read"


def _small_model() -> nn.Module:
    import my_gpt  # the reader's, where there is one

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = my_gpt.GPT(11, 16, n_layer=2, n_head=2, n_embd=8)
        with torch.no_grad():
            for weight in model.parameters():  # so that every token and place counts
                weight += torch.randn_like(weight)
    return model


def _case(model: nn.Module, prompt: list[int], n_tokens: int) -> Case:
    import my_gpt

    right = my_gpt.generate(model, torch.tensor(prompt), n_tokens, temperature=0).tolist()
    n, m = len(prompt), n_tokens
    text = "the text is right; "
    mistakes = [
        (Written(right, n * m + m * (m - 1) // 2), text + "but all was read again for each token"),
        (Written(right, n + m), text + "but the last token is read, and nothing is asked after it"),
        (Written(right[n:], n + m - 1), "the new tokens are right; return the prompt before them"),
        (Written(right[:-1], n + m - 1), "one token more: the scores after the last one read"),
    ]
    hint = (
        "read each token once, at its own place, into one list of caches; the scores after the "
        "last token read choose the next"
    )
    expected = Written(right, n + m - 1)
    return Case(
        (torch.tensor(prompt), n_tokens), expected, hint, [w for w in mistakes if w[0] != expected]
    )
