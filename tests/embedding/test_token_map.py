"""Principal components and nearest neighbours, held to oracles and to examples on paper."""

from __future__ import annotations

import math

import pytest
import torch

from minigpt.embedding import nearest_neighbours, principal_components
from minigpt.embedding.token_map import ROWS_AT_ONCE


def drawn(rows: int, width: int, seed: int = 7) -> torch.Tensor:
    """Rows that spread differently in every direction."""
    generator = torch.Generator().manual_seed(seed)
    table = torch.randn(rows, width, generator=generator, dtype=torch.float64)
    mixed = torch.randn(width, width, generator=generator, dtype=torch.float64)
    return table * torch.arange(1, width + 1) @ mixed + 3


# Principal components


def test_points_on_a_line_have_one_component():
    table = torch.tensor([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]])
    coordinates, shares = principal_components(table, 1)
    torch.testing.assert_close(coordinates, torch.tensor([[-5.0], [0.0], [5.0]]))
    torch.testing.assert_close(shares, torch.tensor([1.0]))
    assert coordinates.dtype == shares.dtype == torch.float32


def test_the_longer_side_of_a_rectangle_comes_first():
    table = torch.tensor([[1.0, 2.0], [1.0, 8.0], [3.0, 2.0], [3.0, 8.0]])
    coordinates, shares = principal_components(table)
    expected = torch.tensor([[-3.0, -1.0], [3.0, -1.0], [-3.0, 1.0], [3.0, 1.0]])
    torch.testing.assert_close(coordinates, expected)
    torch.testing.assert_close(shares, torch.tensor([0.9, 0.1]))


def test_shares_are_the_eigenvalues_of_the_covariance():
    table = drawn(300, 8)
    coordinates, shares = principal_components(table, 8)
    values = torch.linalg.eigvalsh(torch.cov(table.T)).flip(0)
    torch.testing.assert_close(shares, values / values.sum())
    torch.testing.assert_close(torch.cov(coordinates.T), torch.diag(values))


def test_coordinates_are_those_of_another_algorithm():
    table = drawn(300, 8)
    torch.manual_seed(0)  # pca_lowrank draws at random
    *_, directions = torch.pca_lowrank(table, q=8, niter=8)
    theirs = (table - table.mean(dim=0)) @ directions[:, :3]
    ours, _ = principal_components(table, 3)
    signs = (ours * theirs).sum(dim=0).sign()
    torch.testing.assert_close(ours, theirs * signs)


def test_all_components_keep_every_distance():
    table = drawn(40, 6)
    coordinates, shares = principal_components(table, 6)
    torch.testing.assert_close(torch.pdist(coordinates), torch.pdist(table))
    assert shares.sum().item() == pytest.approx(1)


def test_the_largest_entry_of_a_component_is_positive():
    for seed in range(20):
        table = drawn(30, 5, seed)
        coordinates, _ = principal_components(table, 5)
        centred = table - table.mean(dim=0)
        components = torch.linalg.lstsq(coordinates, centred).solution  # (5, 5), one a row
        largest = components.abs().argmax(dim=1, keepdim=True)
        assert (components.gather(1, largest) > 0).all()


@pytest.mark.parametrize("direction", [(1.0, -1.0), (-1.0, 1.0)])
def test_of_two_entries_equally_large_the_first_is_positive(direction):
    table = torch.tensor([direction]) * torch.tensor([[0.1], [0.2], [0.7]])
    coordinates, _ = principal_components(table, 1)
    assert (coordinates[2, 0] > coordinates[0, 0]) == (direction[0] > 0)


@pytest.mark.parametrize("n", [-1, 0, 4])
def test_there_are_as_many_components_as_the_smaller_side(n):
    with pytest.raises(ValueError, match=f"5 rows of 3 numbers has 3 .*, not {n}: .* from 1 to 3"):
        principal_components(torch.eye(5, 3), n)


def test_rows_that_are_all_the_same_have_no_components():
    with pytest.raises(ValueError, match="the 7 rows are all the same"):
        principal_components(torch.full((7, 3), 0.3))


def test_a_number_that_is_not_finite_is_named():
    table = torch.eye(4)
    table[2, 1] = float("nan")
    for refuse in (principal_components, nearest_neighbours):
        with pytest.raises(ValueError, match=r"nan in row 2, column 1.* Did training diverge\?"):
            refuse(table, 2)


# Nearest neighbours


def test_neighbours_are_those_of_the_smallest_angle():
    degrees = torch.tensor([0.0, 10.0, 25.0, 180.0])
    angles = degrees.deg2rad()
    lengths = torch.tensor([[1.0], [5.0], [0.1], [2.0]])  # they do not matter
    table = torch.stack([angles.cos(), angles.sin()], dim=1) * lengths
    ids, cosines = nearest_neighbours(table, 3)
    assert ids.tolist() == [[1, 2, 3], [0, 2, 3], [1, 0, 3], [2, 1, 0]]
    between = torch.tensor([10.0, 25.0, 180.0]).deg2rad().cos()
    torch.testing.assert_close(cosines[0], between)
    assert cosines.dtype == torch.float32


def test_among_equals_the_smaller_id_comes_first():
    generator = torch.Generator().manual_seed(3)
    rows = torch.randn(5, 7, generator=generator)
    table = rows.repeat(20, 1)  # ids 0, 5, 10, … are the same row
    ids, cosines = nearest_neighbours(table, 19)
    for id in range(100):
        assert ids[id].tolist() == [same for same in range(id % 5, 100, 5) if same != id]
    torch.testing.assert_close(cosines, torch.ones(100, 19))


def test_neighbours_equal_a_plain_loop():
    table = torch.randn(60, 4, generator=torch.Generator().manual_seed(5))
    ids, cosines = nearest_neighbours(table, 6)
    rows = table.double().tolist()

    def cosine(a, b):
        return sum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))

    for id, row in enumerate(rows):
        found = sorted((-cosine(row, b), other) for other, b in enumerate(rows) if other != id)
        assert ids[id].tolist() == [other for _, other in found[:6]]
        assert cosines[id].tolist() == pytest.approx([-minus for minus, _ in found[:6]], abs=1e-6)


def test_a_table_that_is_done_in_parts_is_whole():
    rows = 2 * ROWS_AT_ONCE + 3
    table = torch.randn(rows, 5, generator=torch.Generator().manual_seed(9))
    ids, cosines = nearest_neighbours(table, 4)
    directions = torch.nn.functional.normalize(table.double(), dim=1)
    every = (directions @ directions.T).fill_diagonal_(-2)
    values, wanted = every.topk(4, dim=1)
    assert torch.equal(ids, wanted)
    torch.testing.assert_close(cosines.double(), values, atol=1e-6, rtol=0)


def test_nothing_is_changed_and_no_gradient_flows():
    table = torch.nn.Parameter(torch.randn(9, 3, generator=torch.Generator().manual_seed(1)))
    before = table.detach().clone()
    results = [*principal_components(table), *nearest_neighbours(table, 2)]
    assert torch.equal(table, before)
    assert not any(result.requires_grad for result in results)


@pytest.mark.parametrize("k", [-1, 0, 4, 5])
def test_a_row_is_not_its_own_neighbour(k):
    with pytest.raises(ValueError, match=f"k is {k}, but a row has 3 others: choose k from 1 to 3"):
        nearest_neighbours(torch.eye(4), k)


def test_one_row_has_no_neighbours():
    with pytest.raises(
        ValueError, match="has 1 row, and a row is not its own neighbour: at least two"
    ):
        nearest_neighbours(torch.ones(1, 3), 1)


def test_a_row_of_zeros_is_named():
    table = torch.eye(4)
    table[2] = 0
    with pytest.raises(ValueError, match="row 2 is all zeros and has no direction"):
        nearest_neighbours(table, 1)
