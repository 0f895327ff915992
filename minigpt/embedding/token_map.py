"""What a picture of an embedding table needs: two coordinates a token, and its neighbours."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

ROWS_AT_ONCE = 512  # bounds the memory of all cosines: 512 × V numbers
TIED = 1e-9  # cosines are compared in steps of this size, so that rounding rarely orders equals


def principal_components(
    table: Float[Tensor, "V C"], n: int = 2
) -> tuple[Float[Tensor, "V n"], Float[Tensor, " n"]]:
    """The rows seen from the side where they lie furthest apart (Pearson 1901).

    Column i of the coordinates is what remains of a row, less the mean row, along the i-th
    principal component. A component's sign is arbitrary; here its largest entry is positive, the
    first of them if several are equally large.

    Args:
        table: one row a token.
        n: components, those of the largest variance first.

    Returns:
        The coordinates, in the unit of the table, and the share of the table's variance, from 0
        to 1, that each component explains.

    Raises:
        ValueError: `n` below 1 or above what the table has, rows that are all the same, numbers
            that are not finite.

    Derived in https://minigpt-book.github.io/minigpt/embedding.html
    """
    rows, width = table.shape
    if not 1 <= n <= min(rows, width):
        raise ValueError(
            f"a table of {rows} rows of {width} numbers has {min(rows, width)} principal "
            f"components, not {n}: choose n from 1 to {min(rows, width)}"
        )
    _check_finite(table)
    centred = table.detach().double()
    centred = centred - centred.mean(dim=0)
    _, deviations, components = torch.linalg.svd(centred, full_matrices=False)
    if deviations[0] <= 1e-12 * table.detach().double().abs().max():
        raise ValueError(
            f"the {rows} rows are all the same, so no direction tells them apart: at least two "
            "different rows are needed"
        )
    sizes = components.abs()
    # A tolerance: of two entries that are equally large, rounding must not choose.
    largest = (sizes >= sizes.amax(dim=1, keepdim=True) * (1 - 1e-9)).int().argmax(dim=1)
    signs = components.gather(1, largest[:, None]).sign()
    coordinates = centred @ (signs * components)[:n].T  # (V, n)
    shares = deviations.square() / deviations.square().sum()
    return coordinates.to(table.dtype), shares[:n].to(table.dtype)


def nearest_neighbours(
    table: Float[Tensor, "V C"], k: int
) -> tuple[Int[Tensor, "V k"], Float[Tensor, "V k"]]:
    """For every row, the `k` other rows of the most similar direction.

    Similarity is the cosine of the angle between two rows: 1 for the same direction, 0 for a
    right angle, -1 for the opposite.

    Args:
        table: one row a token.
        k: neighbours a row.

    Returns:
        The neighbours' ids, the nearest first and among equals the smaller id first, and their
        cosines.

    Raises:
        ValueError: `k` below 1 or not below the number of rows, a row of zeros (which has no
            direction), numbers that are not finite.

    Derived in https://minigpt-book.github.io/minigpt/embedding.html
    """
    rows = len(table)
    if not 1 <= k < rows:
        raise ValueError(
            f"k is {k}, but a row has {rows - 1} others: choose k from 1 to {rows - 1}"
            if rows > 1
            else f"the table has {rows} row, and a row is not its own neighbour: at least two rows "
            "are needed"
        )
    _check_finite(table)
    directions = table.detach().double()
    lengths = directions.norm(dim=1, keepdim=True)
    if not lengths.all():
        row = int((lengths == 0).nonzero()[0, 0])
        raise ValueError(
            f"row {row} is all zeros and has no direction, so no cosine: leave it out of the table"
        )
    directions = directions / lengths
    every = torch.arange(rows, device=table.device)
    ids, cosines = [], []
    for some in every.split(ROWS_AT_ONCE):
        found = (directions[some] @ directions.T).clamp(-1, 1)
        # One integer a pair, the cosine before the id: no two are equal, so any top-k will do.
        keys = (found / TIED).round().long() * rows - every
        keys[every[: len(some)], some] = torch.iinfo(torch.int64).min  # not itself
        nearest = keys.topk(k, dim=1).indices
        ids.append(nearest)
        cosines.append(found.gather(1, nearest))
    return torch.cat(ids), torch.cat(cosines).to(table.dtype)


def _check_finite(table: Tensor) -> None:
    if not table.isfinite().all():
        row, column = (int(i) for i in (~table.isfinite()).nonzero()[0])
        raise ValueError(
            f"the table holds {table[row, column].item()} in row {row}, column {column}; only "
            "finite numbers can be compared. Did training diverge?"
        )
