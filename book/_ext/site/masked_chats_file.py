"""The file that <mask-painter> fetches: short chats as tokens, and what each target's surprise is.

A place is an input token; its label is the token after it, where that counts. So that a reader can
choose what counts, the file has the shipped model's surprise at every place, in nats: of the next
token, and of the token itself, which a loss reads whose labels were not shifted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import torch

from minigpt.finetuning import ChatTemplate
from minigpt.model import GPT
from minigpt.tokenizer import BPETokenizer

TEMPLATE = ChatTemplate()
DIGITS = 3  # after the point
Chat = Sequence[Mapping[str, str]]


def said(*lines: tuple[str, str]) -> Chat:
    """A chat from roles and what they say."""
    return [{"role": role, "content": content} for role, content in lines]


# A question and its answer; an answer to each of two; and all three roles.
CHATS = {
    "One answer": said(("user", "In which play is CASSIO?"), ("assistant", "Othello")),
    "Two answers": said(
        ("user", "Who?"), ("assistant", "Juliet"), ("user", "Where?"), ("assistant", "In Verona")
    ),
    "Three roles": said(
        ("system", "Be brief."),
        ("user", "Say good night."),
        ("assistant", "Good night, good night!"),
    ),
}


@torch.inference_mode()
def masked_chats_payload(
    model: GPT, tokenizer: BPETokenizer, chats: Mapping[str, Chat] = CHATS
) -> str:
    """Return the text of the file for ``book/assets/elements/mask-painter``.

    Of each chat: "ids" (T,), "counts" (T,), where its messages begin ("starts") and what of the
    answers is end mark ("ends"), and two surprises a place, (T - 1,): "next" and "same".

    Give the model in double precision, so that no machine's order of adding changes a byte.
    """
    found = []
    for name, messages in chats.items():
        ids, counts = TEMPLATE.encode(messages, tokenizer)
        starts = [len(TEMPLATE.encode(messages[:n], tokenizer)[0]) for n in range(len(messages))]
        read = torch.tensor(ids[:-1])
        logprobs = model(read[None])[0].log_softmax(-1)  # (T - 1, V)
        aims = torch.tensor(ids[1:]), read
        surprises = [-logprobs.gather(1, aim[:, None])[:, 0] for aim in aims]
        next_one, same = ([round(x, DIGITS) for x in row.tolist()] for row in surprises)
        found.append(
            {
                "name": name,
                "ids": ids,
                "counts": counts,
                "starts": starts,
                "ends": _end_marks(messages, [*starts, len(ids)], tokenizer),
                "next": next_one,
                "same": same,
            }
        )
    return json.dumps({"chats": found}, separators=(",", ":")) + "\n"


def _end_marks(messages: Chat, borders: list[int], tokenizer: BPETokenizer) -> list[int]:
    """The places of the answers' end marks, the last tokens of each answer's turn."""
    size = sum(len(tokenizer.encode(line)) for line in TEMPLATE.after.splitlines(keepends=True))
    return [
        place
        for message, stop in zip(messages, borders[1:], strict=True)
        if message["role"] == "assistant"
        for place in range(stop - size, stop)
    ]
