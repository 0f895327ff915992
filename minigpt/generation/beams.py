"""Beam search: keep the most probable texts, and look one token further from each."""

from __future__ import annotations

import torch

from minigpt.data.numbers import is_whole, plain
from minigpt.generation.reader import Reader, Tokens, checked_request
from minigpt.generation.sampling import check_finite
from minigpt.model import GPT


def beam_search(
    model: GPT,
    prompt: Tokens,
    max_new_tokens: int,
    beams: int = 4,
    stop_tokens: Tokens = (),
    length_penalty: float = 0.0,
    vocab_size: int | None = None,
) -> list[tuple[list[int], float]]:
    """The most probable continuations that a search in `beams` parallel tracks finds.

    With `vocab_size ** (max_new_tokens - 1)` beams nothing is left out; with 1 it is greedy.

    Args:
        model: as of `minigpt.generation.Reader`.
        prompt: the tokens to continue.
        max_new_tokens: the most tokens to add.
        beams: texts that are kept at each step.
        stop_tokens: each ends its text, and is not given out; its probability counts.
        length_penalty: texts are ranked by the logarithm of their probability divided by
            ``tokens ** length_penalty``: 0 by probability, 1 by the mean of a token.
        vocab_size: as of `minigpt.generation.generate`.

    Returns:
        Up to `beams` texts, best first: the new tokens, and the natural logarithm of their
        probability.

    Raises:
        ValueError: as `minigpt.generation.generate`; `beams` below 1.

    Derived in https://minigpt-book.github.io/minigpt/generation.html
    """
    max_new_tokens, stop_tokens, vocab_size = checked_request(
        model, max_new_tokens, stop_tokens, vocab_size
    )
    if not is_whole(beams := plain(beams), 1):
        raise ValueError(f"beams is {beams!r}; it must be a whole number of at least 1")
    reader = Reader(model, [prompt])
    texts: list[list[int]] = [[]]
    scores = torch.zeros(1, dtype=torch.float64)
    ended: list[tuple[list[int], float, int]] = []  # tokens, score, length with the stop token
    for number in range(1, max_new_tokens + 1):
        logits = reader.logits[:, :vocab_size]
        check_finite(logits)
        grown = scores[:, None] + logits.double().log_softmax(dim=-1).cpu()  # (beams, V)
        # Each text may end in so many ways, and the best that do not are to remain.
        most = min(grown.numel(), beams + len(texts) * len(stop_tokens))
        best, places = grown.flatten().topk(most)
        kept = []
        for rank, (score, place) in enumerate(zip(best.tolist(), places.tolist(), strict=True)):
            row, token = divmod(place, grown.shape[1])
            if token in stop_tokens:
                if rank < beams:  # else it ends a text that is not kept
                    ended.append((texts[row], score, number))
            elif len(kept) < beams:
                kept.append((row, token, score))
        ended = _ranked(ended, length_penalty)[:beams]
        # A longer text is less probable: none can overtake any more.
        full = len(ended) == beams and length_penalty == 0
        if not kept or number == max_new_tokens or (full and ended[-1][1] >= kept[0][2]):
            break
        rows, tokens = [row for row, _, _ in kept], [token for _, token, _ in kept]
        texts = [[*texts[row], token] for row, token, _ in kept]
        scores = torch.tensor([score for _, _, score in kept], dtype=torch.float64)
        reader.select(rows)
        reader.append(tokens)
    unfinished = [([*texts[row], token], score, number) for row, token, score in kept]
    return [(text, score) for text, score, _ in _ranked(ended + unfinished, length_penalty)[:beams]]


def _ranked(
    texts: list[tuple[list[int], float, int]], length_penalty: float
) -> list[tuple[list[int], float, int]]:
    return sorted(texts, key=lambda found: -found[1] / found[2] ** length_penalty)
