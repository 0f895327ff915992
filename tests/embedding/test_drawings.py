"""The drawings of the chapter on embeddings show the numbers that they are given."""

from __future__ import annotations

import math
import re

import pytest
import torch

from minigpt.lessons.embedding.drawings import (
    clocks,
    direction_and_length,
    falling,
    half_way,
    letters_map,
    lookup,
    one_hot_product,
    pair_shares,
    reached,
    scored,
    shifted,
    shuffled,
    sums,
)

WORDS, IDS = ["the", "cat", "saw"], [0, 1, 0]
TABLE = torch.tensor([[0.1, 0.2], [1.1, -1.2], [2.1, 2.2]])
THREE = torch.tensor([[0.1, 0.2, 0.3], [1.1, -1.2, 1.3], [2.1, 2.2, 2.3]])


def texts(drawing) -> list[str]:
    """Every word and number of a drawing, in the order in which they were drawn."""
    return re.findall(r">([^<>]+)</text>", drawing._repr_html_())


def numbers(drawing, digits: int = 1) -> list[float]:
    """Its numbers of so many digits after the point."""
    found = [text.replace("−", "-") for text in texts(drawing)]
    return [float(text) for text in found if re.fullmatch(rf"-?\d+\.\d{{{digits}}}", text)]


def points(drawing, words: list[str]) -> list[tuple[float, float]]:
    """Where these words stand."""
    html = drawing._repr_html_()
    tag = r'<text x="([-\d.]+)" y="([-\d.]+)"[^>]*>{}</text>'
    return [tuple(map(float, re.search(tag.format(word), html).groups())) for word in words]


def lines(drawing) -> list[list[float]]:
    """Its lines and arrows without their heads: x and y of both ends."""
    paths = re.findall(r'<path d="([^"Z]+)"', drawing._repr_html_())
    found = [[float(n) for n in re.findall(r"-?[\d.]+", path)] for path in paths]
    return [numbers for numbers in found if len(numbers) == 4]


# Ids and tables


def test_tokens_stand_above_their_ids():
    drawing = half_way([[("·my", 308), ("ord", 351), ("·thy", 395)]])
    assert texts(drawing) == ["·my", "308", "ord", "351", "·thy", "395"]
    assert "between “·my” 308 and “·thy” 395 lies “ord” 351" in drawing.alt


@pytest.mark.parametrize("triples", [[], [[("a", 1), ("b", 2)]], [[("a", 1)] * 3] * 5])
def test_lines_of_other_than_three_tokens_are_refused(triples):
    with pytest.raises(ValueError, match="give 1 to 4, of three tokens each"):
        half_way(triples)


def test_each_id_gets_its_row():
    html = lookup(WORDS, IDS, TABLE)._repr_html_()
    shown = re.findall(r">(−?\d\.\d)</text>", html)
    rows = [["0.1", "0.2"], ["1.1", "−1.2"], ["2.1", "2.2"]]
    expected = [n for row in (*rows, *(rows[i] for i in IDS)) for n in row]
    assert shown == expected
    assert [int(n) for n in re.findall(r">(\d)</text>", html)] == IDS


def test_arrows_lead_from_each_id_to_its_row_and_on_to_its_vector():
    drawing = lookup(WORDS, IDS, TABLE)
    rows = [64 + 28 * row for row in range(len(WORDS))]  # the heights of their middles
    ways = [(line[1], line[3]) for line in lines(drawing)]
    assert drawing._repr_html_().count("Z") == len(ways) == 2 * len(IDS)
    for place, (to_row, from_row) in enumerate(zip(ways[::2], ways[1::2], strict=True)):
        row = rows[IDS[place]]
        assert to_row == pytest.approx((rows[place], row), abs=5)  # without its head
        assert from_row == pytest.approx((row, rows[place]), abs=5)


def test_a_lookup_is_told_in_words():
    alt = lookup(WORDS, IDS, TABLE).alt
    assert "“the cat the”" in alt and "3 vectors; equal tokens have equal ones" in alt


def test_columns_have_names():
    drawing = lookup(WORDS, IDS, TABLE, ["pet", "big"])
    assert {"pet", "big", "table (3, 2)"} <= set(texts(drawing))
    assert drawing.alt.endswith("Its columns mean pet, big.")
    assert "table (3, 2)" in texts(lookup(WORDS, IDS, TABLE))


@pytest.mark.parametrize(
    ("words", "ids", "table"),
    [(WORDS, [0] * 7, TABLE), (WORDS, IDS, torch.zeros(3, 4)), (WORDS, IDS, torch.zeros(4, 2))],
)
def test_more_than_a_lookup_has_room_for_is_refused(words, ids, table):
    with pytest.raises(ValueError, match="there is room for 6, 6 and a row of 3 numbers a word"):
        lookup(words, ids, table)


def test_a_one_hot_vector_leaves_one_row():
    drawing = one_hot_product(WORDS, 1, TABLE)
    shown = texts(drawing)
    assert [text for text in shown if text in ("0", "1")] == ["0", "1", "0"]
    zero = [0.0, 0.0]
    expected = [*TABLE.flatten().tolist(), *zero, *TABLE[1].tolist(), *zero, *TABLE[1].tolist()]
    assert numbers(drawing) == pytest.approx(expected)
    assert "a 1 beside row 1" in drawing.alt


def test_gradients_stand_row_beside_row():
    reading = torch.zeros(3, 3)
    reading[0] = torch.tensor([0.25, -0.5, 1.0])
    drawing = reached(WORDS, reading, THREE)
    expected = [*reading.flatten().tolist(), *THREE.flatten().tolist()]
    assert numbers(drawing, 2) == pytest.approx(expected)
    assert "rows of cat and saw are all 0" in drawing.alt and "3 of 3 rows" in drawing.alt


@pytest.mark.parametrize(
    "draw", [lambda w, t: one_hot_product(w, 0, t), lambda w, t: reached(w, t, t)]
)
def test_tables_without_a_row_a_word_are_refused(draw):
    with pytest.raises(ValueError, match="3 numbers a word"):
        draw(WORDS, torch.zeros(2, 3))


# What comes next


def test_below_each_character_stands_the_next():
    drawing = shifted("the k", "he ki")
    assert texts(drawing)[:6] == [*"the·ki"]
    assert texts(drawing)[6:16] == [*"the·k", *"he·ki"]
    assert "t h, h e, e ·, · k, k i" in drawing.alt
    assert drawing._repr_html_().count("Z") == 5  # an arrow each


@pytest.mark.parametrize(("inputs", "targets"), [("abc", "abc"), ("a", "b"), ("a" * 10, "a" * 10)])
def test_targets_that_do_not_follow_are_refused(inputs, targets):
    with pytest.raises(ValueError, match="of each the one that follows"):
        shifted(inputs, targets)


def test_shares_are_in_percent():
    drawing = pair_shares("q ", "ut", torch.tensor([[0.98, 0.0], [0.1, 0.25]]))
    assert [t for t in texts(drawing) if t.isdigit()] == ["98", "0", "10", "25"]
    assert "after q 98 for u, after · 25 for t" in drawing.alt
    with pytest.raises(ValueError, match="there is room for 8 and 7"):
        pair_shares("q", "u", torch.zeros(2, 2))


def test_scores_are_dot_products_and_become_probabilities():
    row, rows = torch.tensor([1.0, 2.0]), torch.tensor([[1.0, 0.5], [0.0, -1.0]])
    drawing = scored("cat", row, ["saw", "dog"], rows)
    wanted = torch.tensor([2.0, -2.0])
    pairs = torch.stack([wanted, wanted.softmax(0)], dim=1).flatten().tolist()
    assert numbers(drawing, 2) == pytest.approx(pairs, abs=0.005)
    assert "saw scores 2.00, dog scores −2.00" in drawing.alt and "0.98 for “saw”" in drawing.alt
    with pytest.raises(ValueError, match="room for 3 numbers and 5 words, a row each"):
        scored("cat", row, ["saw"], rows)


def test_losses_stand_at_their_heights():
    drawing = falling({0: 4.0, 9: 3.0, 99: 2.5}, {"counting": 2.4})
    assert numbers(drawing, 2) == [4.0, 3.0, 2.5] and "counting: 2.40" in texts(drawing)
    circles = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', drawing._repr_html_())
    (x0, y0), (x1, y1), (x2, y2) = [tuple(map(float, c)) for c in circles]
    assert (y2 - y1) / (y1 - y0) == pytest.approx(0.5, abs=0.01)
    assert x2 - x1 == pytest.approx(x1 - x0, abs=0.2)  # factors of ten are equal steps
    assert "4.00 after 0 steps, 3.00 after 9 steps, 2.50 after 99 steps" in drawing.alt
    with pytest.raises(ValueError, match="make no line"):
        falling({0: 1.0}, {})


# Vectors


def test_letters_lie_where_their_vectors_do():
    places = torch.tensor([[0.0, 0.0], [2.0, 1.0], [1.0, 4.0]])
    drawing = letters_map("abc", {"one": places}, "b")
    (ax, ay), (bx, by), (cx, cy) = points(drawing, [*"abc"])
    assert (cx - ax) / (bx - ax) == pytest.approx(0.5, abs=0.01)
    assert (by - ay) / (cy - ay) == pytest.approx(0.25, abs=0.01) and cy < ay  # up is up
    assert re.findall(r"<circle", drawing._repr_html_()) == ["<circle"]  # the marked one
    with pytest.raises(ValueError, match="3 letters and 2 places on 'one'"):
        letters_map("abc", {"one": places[:2]}, "")


def test_letters_that_would_cover_each_other_move_apart():
    places = torch.tensor([[0.0, 0.0], [0.001, 0.0], [0.0, 0.001], [1.0, 1.0]])
    found = points(letters_map("abcd", {"one": places}, ""), [*"abcd"])
    for i, one in enumerate(found):
        for other in found[:i]:
            assert math.dist(one, other) > 14


def test_arrows_have_their_lengths_and_angles():
    row, other = torch.tensor([3.0, 0.0]), torch.tensor([3.0, 4.0])
    drawing = direction_and_length("·king", row, {"·queen": other})
    assert "·queen: length 5.00, cosine 0.60, dot product 9.00" in drawing.alt
    flat, long, down = lines(drawing)
    assert flat[1] == flat[3] and down[0] == down[2]
    head = 6  # an arrow's shaft ends that much before its tip
    length = math.dist(flat[:2], flat[2:4]) + head, math.dist(long[:2], long[2:4]) + head
    assert length[1] / length[0] == pytest.approx(5 / 3, rel=0.01)
    assert (long[2] - long[0]) / (length[1] - head) == pytest.approx(0.6, abs=0.01)
    for count in (0, 4):
        with pytest.raises(ValueError, match="give 1 to 3"):
            direction_and_length("·king", row, {str(i): other for i in range(count)})


# Places


def test_lines_join_equal_results():
    results = torch.tensor([[0.1, 0.2], [0.3, 0.4]])
    drawing = shuffled([["a", "b"], ["b", "a"]], [results, results.flip(0)], "b")
    assert numbers(drawing, 2) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.3, 0.4, 0.1, 0.2])
    found = lines(drawing)
    assert len(found) == 2 and all(line[1] != line[3] for line in found)  # they cross
    assert drawing.alt.endswith("equal results of one word: a, b.")
    other = results.flip(0) + torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    drawing = shuffled([["a", "b"], ["b", "a"]], [results, other], "b")
    assert len(lines(drawing)) == 1 and drawing.alt.endswith("of one word: b.")
    with pytest.raises(ValueError, match="of the same words"):
        shuffled([["a"], ["b"]], [results[:1], results[:1]], "a")


def test_rows_add_up():
    positions = torch.full((3, 3), 0.5)
    drawing = sums(["the", "cat", "the"], THREE, positions)
    rows = torch.stack([THREE, positions, THREE + positions], dim=1)
    assert numbers(drawing) == pytest.approx(rows.flatten().tolist())
    assert "“the” stands twice, and its two sums differ" in drawing.alt
    with pytest.raises(ValueError, match="there is room for 6 words"):
        sums(["the"] * 7, torch.zeros(7, 3), torch.zeros(7, 3))


def test_hands_turn_as_they_are_told():
    drawing = clocks([0, 1], [math.pi / 2, math.pi / 6])
    assert numbers(drawing, 2) == [0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.5, 0.87]
    assert "1.571 radians a position, the last by 0.524" in drawing.alt
    right, up, _, _ = lines(drawing)
    assert right[3] == right[1] and right[2] > right[0]  # at position 0 to the right
    assert up[2] == pytest.approx(up[0], abs=0.1) and up[3] < up[1]  # a quarter further: up
    for positions, turns in (([0] * 7, [1.0]), ([0], [1.0] * 5), ([], [1.0])):
        with pytest.raises(ValueError, match="there is room for 6 and 4"):
            clocks(positions, turns)
