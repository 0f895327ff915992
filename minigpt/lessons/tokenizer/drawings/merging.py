"""Merges while they are learned and while they are replayed, step below step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from minigpt.lessons.drawing.boxes import Number
from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing
from minigpt.lessons.tokenizer.drawings.chips import HIGH, spelled

Pair = tuple[int, int]


def counted_pairs(ids: Sequence[int], pair: Pair) -> Drawing:
    """Where a pair of neighbours occurs in a row of bytes, and which of these can be replaced."""
    unit, replaced, free = WIDTH / len(ids), [], 0
    places = [i for i, found in enumerate(pairwise(ids)) if found == pair]
    for i in places:
        if i >= free:
            replaced.append(i)
            free = i + 2
    canvas = Canvas(112)
    for i, number in enumerate(ids):
        box = canvas.box(
            unit * i + 2, 44, unit - 4, HIGH, spelled(bytes([number])), "muted", mono=True
        )
        canvas.words(str(number), (box.middle[0], 77), "muted", 10.5, mono=True)
    for i in places:
        can = i in replaced
        left, right = unit * (i + 0.5) + 3, unit * (i + 1.5) - 3
        top = 28 if can else 18
        look = {"role": "token" if can else "muted", "dashed": not can, "width": 2}
        canvas.line((left, 42), (left, top), (right, top), (right, 42), **look)
    canvas.words(f"counted {len(places)} times, replaced {len(replaced)} times", (WIDTH / 2, 102))
    found = ", ".join(str(i) for i in places)
    return canvas.shown(
        f"{len(ids)} bytes in a row. The pair {pair} is counted at the places {found}, "
        f"{len(places)} times, and can be replaced {len(replaced)} times, as two of a kind overlap."
    )


def merge_rows(ids: Sequence[int], merges: Sequence[Pair], step: Number = 58) -> Drawing:
    """What each merge makes of a row of bytes, one row a merge.

    Args:
        ids: bytes.
        merges: the pairs to merge, in order; the first makes 256.
    """
    tokens, unit = [(i, bytes([i])) for i in ids], WIDTH / len(ids)
    canvas, told = Canvas(step * (len(merges) + 1)), []
    for rank in range(len(merges) + 1):
        made, y = 255 + rank, step * rank
        if rank:
            tokens = _merged(tokens, merges[rank - 1], made)
            left, right = merges[rank - 1]
            words = f"rank {rank - 1}: {left}, {right} becomes {made}"
        else:
            words = "the bytes"
        words += f"; {len(tokens)} tokens"
        canvas.words(words, (2, y + 8), "muted", 11, "start")
        at = 0
        for token, data in tokens:
            width, role = unit * len(data), "token" if rank and token == made else "muted"
            box = canvas.box(at + 2, y + 17, width - 4, HIGH, spelled(data), role, mono=True)
            canvas.words(str(token), (box.middle[0], y + 48), "muted", 10, mono=True)
            at += width
        told.append(" ".join(str(token) for token, _ in tokens))
    return canvas.shown(
        f"{len(told)} rows, one below the other: the {len(ids)} bytes, and what each merge makes "
        f"of them. Ids: {'; then '.join(told)}."
    )


def ranked_rows(piece: bytes, new_ids: Mapping[Pair, int], vocab: Sequence[bytes]) -> Drawing:
    """How a piece is encoded: each row shows the ranks of its pairs, and the lowest is merged.

    Args:
        piece: 2 to 9 bytes.
        new_ids: which token each pair becomes.
        vocab: the bytes of each token.
    """
    tokens = [(vocab.index(bytes([byte])), bytes([byte])) for byte in piece]
    unit, rows = (WIDTH - 4) / len(piece), []
    while True:
        pairs = [*pairwise(token for token, _ in tokens)]
        known = [pair for pair in pairs if pair in new_ids]
        lowest = min(known, key=new_ids.__getitem__, default=None)
        rows.append((tokens, pairs, lowest))
        if lowest is None:
            break
        tokens = _merged(tokens, lowest, new_ids[lowest])
    canvas, told = Canvas(64 * len(rows) - 16), []
    for place, (tokens, pairs, lowest) in enumerate(rows):
        y, at, ranks = 64 * place, 2, []
        for i, (token, data) in enumerate(tokens):
            width = unit * len(data)
            box = canvas.box(at + 3, y + 2, width - 6, HIGH, spelled(data), "token", mono=True)
            canvas.words(str(token), (box.middle[0], y + 35), "muted", 10, mono=True)
            at += width
            if i < len(pairs):
                rank = str(new_ids[pairs[i]] - 256) if pairs[i] in new_ids else "–"
                chosen = pairs[i] == lowest
                role = "ink" if chosen else "muted"
                if chosen:
                    canvas.circle((at, y + 40), 10, "ink", filled=False)
                canvas.words(rank, (at, y + 40), role, 13 if chosen else 11, bold=chosen)
                ranks.append(rank)
        told.append(
            f"{' '.join(spelled(data) for _, data in tokens)}, ranks {' '.join(ranks) or 'none'}"
        )
    return canvas.shown(
        f"{len(rows)} rows: the tokens of “{spelled(piece)}” and, between neighbours, the rank of "
        f"their pair, or a dash. The lowest, in bold, is merged next: {'; then '.join(told)}."
    )


def _merged(
    tokens: Sequence[tuple[int, bytes]], pair: Pair, new_id: int
) -> list[tuple[int, bytes]]:
    out: list[tuple[int, bytes]] = []
    i = 0
    while i < len(tokens):
        two = tokens[i : i + 2]
        if tuple(token for token, _ in two) == pair:
            out.append((new_id, two[0][1] + two[1][1]))
            i += 2
        else:
            out.append(tokens[i])
            i += 1
    return out
