"""An answer to a conversation, as it comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from minigpt.finetuning.chat_template import ChatTemplate, Message
from minigpt.generation import Sampling
from minigpt.generation.decoding import stream
from minigpt.generation.text_stream import end_tokens, text_of
from minigpt.model import GPT
from minigpt.tokenizer import BPETokenizer, CharTokenizer


def answer(
    model: GPT,
    tokenizer: BPETokenizer | CharTokenizer,
    template: ChatTemplate,
    messages: Sequence[Message],
    max_new_tokens: int = 100,
    sampling: Sampling | None = None,
    generator: torch.Generator | None = None,
) -> Iterator[str]:
    """What a model answers, in pieces that joined are the answer; its end mark is left out.

    Of a conversation that is too long for the model, it reads what `ChatTemplate.fit` keeps, so
    that there is room for the answer. A model that never writes its end mark stops after
    `max_new_tokens`.

    Args:
        model, sampling, generator: as of `minigpt.generation.generate`.
        tokenizer: the model's own.
        template: that the model was taught with.
        messages: so far, the last of them a question.
        max_new_tokens: the most tokens of the answer; at most `context_length` - 1.

    Raises:
        ValueError: no room for the newest question; a message or a setting that cannot be.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    room = model.config.context_length - max_new_tokens
    if room < 1:
        raise ValueError(
            f"max_new_tokens is {max_new_tokens}, which leaves no room for the question: the model "
            f"sees {model.config.context_length} tokens at once (context_length)"
        )
    kept = template.fit(messages, tokenizer, room)
    ids, _ = template.encode(kept, tokenizer, answer=True)
    end = end_tokens(model, tokenizer)
    tokens = stream(
        model, ids, max_new_tokens, sampling, end, generator, True, tokenizer.vocab_size
    )
    return text_of(tokenizer, tokens, [template.after])
