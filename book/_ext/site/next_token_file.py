"""The file that <next-token> fetches: what the shipped model says comes after a few texts.

For each text the scores of all tokens, as thousandths of a nat below the best one: 16-bit numbers,
little-endian, in base64. The probabilities are right to three decimals then, in a third of the
space that floats written as text would need.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

import torch

from minigpt.model import GPT
from minigpt.tokenizer import BPETokenizer

STEP = 0.001  # nats
MOST = 2**16 - 1
# By what they show: the first leaves the model nearly no choice, the last nearly every.
TEXTS = {
    "Nearly certain": "SIR TOBY",
    "A king’s name": "KING",
    "The middle of a word": "BRUTUS:\nThis is a disc",
    "A phrase": "HAMLET:\nMy lord, I",
    "The end of a line?": "First Citizen:\nWe are accounted poor citizens,",
    "Wide open": "KING RICHARD III:\nA horse, a",
}


@torch.inference_mode()
def next_token_payload(
    model: GPT, tokenizer: BPETokenizer, texts: Mapping[str, str] = TEXTS
) -> str:
    """Return the text of the file for ``book/assets/elements/next-token``.

    Give the model in double precision, so that no machine's order of adding changes a byte.
    """
    contexts = []
    for name, text in texts.items():
        scores = model(torch.tensor([tokenizer.encode(text)]))[0, -1]
        steps = ((scores.max() - scores) / STEP).round()
        if (furthest := int(steps.max())) > MOST:
            raise ValueError(
                f"after {text!r} one score is {furthest * STEP:.1f} nats below the best, and 16 "
                f"bits in steps of {STEP} hold {MOST * STEP:.1f}: make STEP larger"
            )
        stored = steps.to(torch.int32).numpy().astype("<u2").tobytes()
        contexts.append({"name": name, "text": text, "below": base64.b64encode(stored).decode()})
    payload = {"step": STEP, "contexts": contexts}
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")) + "\n"
