"""One text after the other by one model, and what is to be known of each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch

from minigpt.generation import Sampling
from minigpt.generation.decoding import stream, stream_with_logprobs
from minigpt.generation.text_stream import end_tokens, prompt_ids, text_of
from minigpt.model import GPT
from minigpt.tokenizer import BPETokenizer, CharTokenizer


@dataclass
class Writer:
    """A model with all that decides what it writes, and whether log-probabilities are asked for."""

    model: GPT
    tokenizer: BPETokenizer | CharTokenizer
    tokens: int
    sampling: Sampling
    stop: Sequence[str]
    generator: torch.Generator
    logprobs: bool

    def begin(self, prompt: str) -> Written:
        """A text that is written as its `pieces` are asked for.

        Raises:
            ValueError: as `minigpt.generation.stream_text`.
        """
        ids = prompt_ids(self.model, self.tokenizer, prompt)
        seen = ids[-self.model.config.context_length :]
        written = Written(self, prompt, len(ids), len(seen))
        end = end_tokens(self.model, self.tokenizer)
        choices = (self.sampling, end, self.generator, True, self.tokenizer.vocab_size)
        if self.logprobs:
            tokens = stream_with_logprobs(self.model, seen, self.tokens, *choices)
        else:
            alone = stream(self.model, seen, self.tokens, *choices)
            tokens = ((token, 0.0) for token in alone)
        written.pieces = text_of(self.tokenizer, written.kept(tokens), self.stop)
        return written


@dataclass
class Written:
    """A text on its way.

    Attributes:
        prompt_tokens, seen_tokens: of the prompt, and of its end that the model sees.
        chosen: the tokens so far, each with the natural logarithm of its probability, if asked for.
        ended_by: "length", "end of text", "stop" or "interrupted", once it has ended.
        seconds: since the first token was asked for.
    """

    by: Writer
    prompt: str
    prompt_tokens: int
    seen_tokens: int
    chosen: list[tuple[int, float]] = field(default_factory=list)
    ended_by: str = "stop"  # nothing else ends it before all tokens are asked for
    seconds: float = 0.0
    pieces: Iterator[str] = field(default_factory=lambda: iter(()))

    def kept(self, tokens: Iterator[tuple[int, float]]) -> Iterator[int]:
        begin = time.perf_counter()
        for token, logprob in tokens:
            self.chosen.append((token, logprob))
            self.seconds = time.perf_counter() - begin
            yield token
        self.ended_by = "length" if len(self.chosen) == self.by.tokens else "end of text"

    @property
    def tokens_per_second(self) -> float:
        """Of those written; 0 before the first."""
        return len(self.chosen) / self.seconds if self.seconds else 0.0

    def tokens(self) -> list[dict[str, int | str | float]]:
        """Each token's id, text and log-probability, for JSON."""
        tokenizer = self.by.tokenizer
        if isinstance(tokenizer, CharTokenizer):
            shown = [tokenizer.vocab[token] for token, _ in self.chosen]
        else:
            shown = [tokenizer.token_repr(token) for token, _ in self.chosen]
        return [
            {"id": token, "text": text, "logprob": round(logprob, 4) + 0.0}
            for (token, logprob), text in zip(self.chosen, shown, strict=True)
        ]
