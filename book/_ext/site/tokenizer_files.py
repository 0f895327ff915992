"""The vocabulary files that the live tokenizer fetches, made from the tokenizers themselves.

The file is JSON with one flat list of merges, ``[left0, right0, left1, right1, ...]``.
For GPT-2's 50,000 merges this is 442 kB, 189 kB after gzip; a list of pairs is 208 kB after
gzip, the lines of GPT-2's own ``vocab.bpe`` 211 kB, and base64 of 16-bit numbers 188 kB.
"""

from __future__ import annotations

import json
from collections.abc import Sequence


def tokenizer_payload(
    merges: Sequence[tuple[int, int]],
    alphabet: Sequence[int],
    special: Sequence[str] = ("<|endoftext|>",),
) -> str:
    """Return the text of a vocabulary file for ``book/assets/engine/tokenizer.js``.

    ``merges[k]`` is the pair of ids that token ``256 + k`` is made of, ``alphabet[i]`` the byte
    value of token ``i`` (all 256 of them), and ``special`` names the tokens after the last merge.
    """
    if sorted(alphabet) != list(range(256)):
        raise ValueError(
            f"alphabet must hold each byte value 0..255 once; got {len(alphabet)} values, "
            f"{len(set(alphabet))} of them different"
        )
    for rank, (left, right) in enumerate(merges):
        if not (0 <= left < 256 + rank and 0 <= right < 256 + rank):
            raise ValueError(
                f"merge {rank} joins tokens {left} and {right}, but only 0..{255 + rank} exist "
                "by then; are the merges in the order in which they were learned?"
            )
    payload = {
        "alphabet": list(alphabet),
        "merges": [token for pair in merges for token in pair],
        "special": list(special),
    }
    return json.dumps(payload, separators=(",", ":")) + "\n"
