"""The checks of the chapter on embeddings, held to right, empty and wrong submissions."""

from __future__ import annotations

import math

import numpy as np
import torch
from submissions import Submissions
from torch.nn import functional as F

from minigpt.embedding import position_angles, sinusoidal_positions
from minigpt.lessons.embedding import exercises as check


def one_hot_lookup(ids, table):
    return F.one_hot(ids, len(table)).float() @ table


def nearest(table, i, k, score=lambda rows, row: F.cosine_similarity(rows, row, dim=-1)):
    scores = score(table, table[i])
    scores[i] = -math.inf
    return scores.topk(k).indices.tolist()


def nearest_with_itself(table, i, k):
    return F.cosine_similarity(table, table[i], dim=-1).topk(k).indices.tolist()


def nearest_masking_with_0(table, i, k):
    cosines = F.cosine_similarity(table, table[i], dim=-1)
    cosines[i] = 0
    return cosines.topk(k).indices.tolist()


def nearest_shifted(table, i, k):
    others = torch.cat([table[:i], table[i + 1 :]])
    return F.cosine_similarity(others, table[i], dim=-1).topk(k).indices.tolist()


def sinusoid(position, n_embd, base, turn=lambda angle: angle):
    out = []
    for i in range(n_embd // 2):
        angle = turn(position / base ** (2 * i / n_embd))
        out += [math.sin(angle), math.cos(angle)]
    return out


def sinusoid_in_halves(position, n_embd, base):
    both = sinusoid(position, n_embd, base)
    return both[::2] + both[1::2]


def sinusoid_exponent_i(position, n_embd, base):
    angles = [position / base ** (i / n_embd) for i in range(n_embd // 2)]
    return torch.tensor([f(angle) for angle in angles for f in (math.sin, math.cos)])


def sinusoid_by_dimension(position, n_embd, base):
    angles = [position / base ** (j / n_embd) for j in range(n_embd)]
    return [math.cos(a) if j % 2 else math.sin(a) for j, a in enumerate(angles)]


def shift_matrix(offset, n_embd, base):
    blocks = []
    for i in range(n_embd // 2):
        angle = offset / base ** (2 * i / n_embd)
        sin, cos = math.sin(angle), math.cos(angle)
        blocks.append(torch.tensor([[cos, sin], [-sin, cos]]))
    return torch.block_diag(*blocks)


def shift_in_halves(offset, n_embd, base):
    sin, cos = (
        torch.diag(f(position_angles(2, n_embd, base)[1] * offset)) for f in (torch.sin, torch.cos)
    )
    return torch.cat([torch.cat([cos, sin], dim=1), torch.cat([-sin, cos], dim=1)])


CORRECT = {
    "table_parameters": lambda vocab_size, context_length, n_embd: (
        (vocab_size + context_length) * n_embd
    ),
    "one_hot_lookup": one_hot_lookup,
    "nearest": nearest,
    "sinusoid": sinusoid,
    "shift_matrix": shift_matrix,
}

OTHERWISE_CORRECT = [
    ("one_hot_lookup", lambda ids, table: (ids[:, None] == torch.arange(4)).float() @ table),
    ("one_hot_lookup", lambda ids, table: torch.eye(len(table))[ids] @ table),
    (
        "one_hot_lookup",
        lambda ids, table: torch.stack(
            [sum(float(j == i) * table[j] for j in range(len(table))) for i in ids]
        ),
    ),
    (
        "one_hot_lookup",
        lambda ids, table: torch.stack([(one_hot_lookup(ids, table))[t] for t in range(len(ids))]),
    ),
    ("one_hot_lookup", lambda ids, table: one_hot_lookup(ids, table.detach()).tolist()),
    ("sinusoid", lambda position, *sizes: sinusoidal_positions(8, *sizes)[position]),
    ("sinusoid", lambda *sizes: np.array(sinusoid(*sizes))),
    ("shift_matrix", lambda *sizes: shift_matrix(*sizes).double()),
]

WRONG = [  # check, submission, a part of the hint that it must earn
    ("table_parameters", lambda v, t, c: v * t * c, "side by side"),
    ("table_parameters", lambda v, t, c: v * c, "positions have rows too"),
    ("table_parameters", lambda v, t, c: (v + t) * float(c), "returned 16.0; expected 16."),
    ("one_hot_lookup", lambda ids, table: table[ids], "picked the rows"),
    ("one_hot_lookup", lambda ids, table: torch.stack([table[i] for i in ids]), "picked the rows"),
    (
        "one_hot_lookup",
        lambda ids, table: torch.cat([table[int(i) : int(i) + 1] for i in ids]),
        "picked the rows",
    ),
    ("one_hot_lookup", lambda ids, table: F.embedding(ids, table) * 1, "picked the rows"),
    ("one_hot_lookup", lambda ids, table: F.one_hot(ids) @ table, "raised RuntimeError"),
    ("one_hot_lookup", lambda ids, table: F.one_hot(ids).float() @ table, "raised RuntimeError"),
    ("one_hot_lookup", lambda ids, table: F.one_hot(ids, 4).float(), "multiply it by the table"),
    ("one_hot_lookup", lambda ids, table: F.one_hot(ids, 4), "expected shape (3, 2)"),
    ("one_hot_lookup", lambda ids, table: one_hot_lookup(ids, table).T, "the transpose"),
    ("one_hot_lookup", lambda ids, table: one_hot_lookup(ids, table).sum(0), "the sum"),
    ("one_hot_lookup", lambda ids, table: one_hot_lookup(ids.unique(), table), "occurs twice"),
    ("one_hot_lookup", lambda ids, table: one_hot_lookup(ids, table).long(), "expected floats"),
    ("nearest", nearest_with_itself, "leave row i out"),
    ("nearest", lambda t, i, k: nearest_with_itself(t, i, k + 1), "and return k"),
    ("nearest", lambda t, i, k: nearest_with_itself(t, i, k + 1)[1:][::-1], "wrong order"),
    ("nearest", lambda *given: nearest(*given, score=torch.mv), "largest dot products"),
    (
        "nearest",
        lambda *given: nearest(*given, score=lambda rows, row: -(rows - row).norm(dim=1)),
        "smallest distances",
    ),
    (
        "nearest",
        lambda *given: nearest(*given, score=lambda rows, row: -F.cosine_similarity(rows, row)),
        "those are the farthest",
    ),
    ("nearest", nearest_shifted, "numbers shift"),
    ("nearest", nearest_masking_with_0, "with -inf, as 0 would be"),
    ("nearest", lambda *given: torch.tensor(nearest(*given)), ".tolist() makes a list"),
    ("sinusoid", lambda *sizes: sinusoid(*sizes, turn=math.radians), "angles are radians"),
    ("sinusoid", sinusoid_in_halves, "take turns"),
    ("sinusoid", sinusoid_exponent_i, "2 * i / n_embd, not i"),
    ("sinusoid", sinusoid_by_dimension, "share an angle"),
    ("sinusoid", lambda *sizes: sinusoid(*sizes, turn=lambda a: math.pi / 2 - a), "comes before"),
    ("sinusoid", lambda *sizes: sinusoid(*sizes)[::2], "expected shape (4,)"),
    ("shift_matrix", lambda offset, *sizes: shift_matrix(-offset, *sizes), "goes back"),
    ("shift_matrix", lambda *sizes: shift_matrix(*sizes).T, "goes back"),
    ("shift_matrix", lambda offset, n_embd, base: torch.eye(n_embd), "stays where it is"),
    ("shift_matrix", lambda offset, *sizes: shift_matrix(1, *sizes), "offset times its rate"),
    ("shift_matrix", lambda offset, c, base: shift_matrix(offset, c, 1.0), "at its own rate"),
    ("shift_matrix", shift_in_halves, "block stands on the diagonal"),
]


class TestSubmissions(Submissions):
    """Every check of the chapter, and all of the submissions above."""

    exercises, correct, wrong = check, CORRECT, WRONG
    otherwise_correct = OTHERWISE_CORRECT
