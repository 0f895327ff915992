"""Drawings: where things stand, in which colours, and what is said of them."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
import torch

from minigpt.lessons.drawing.boxes import Box, Grid
from minigpt.lessons.drawing.canvas import HEAD, ROLES, Canvas, colour, number_text
from minigpt.lessons.drawing.palette import BLUE, HUES, ORANGE

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def canvas() -> Canvas:
    return Canvas(100)


def drawn(canvas: Canvas) -> ElementTree.Element:
    """The drawing, read back as XML."""
    return ElementTree.fromstring(canvas.shown("a drawing")._repr_html_())[0]


def texts(canvas: Canvas) -> list[str]:
    return [element.text for element in drawn(canvas).iter(f"{SVG}text")]


def numbers(element: ElementTree.Element, *names: str) -> tuple[float, ...]:
    return tuple(float(element.get(name)) for name in names)


def test_a_drawing_says_in_words_what_it_shows(canvas):
    canvas.words("q & <k>", (10, 20))
    shown = canvas.shown('the "query"')
    assert repr(shown) == '<Figure: the "query">'
    root = ElementTree.fromstring(shown._repr_html_())
    assert root.get("role") == "figure" and root.get("aria-label") == 'the "query"'
    assert root[0].get("viewBox") == "0 0 360 100" and root[0].get("aria-hidden") == "true"
    assert "max-width:540px" in root.get("style") and texts(canvas) == ["q & <k>"]
    with pytest.raises(ValueError, match="alt is empty"):
        canvas.shown(" ")


def test_the_same_numbers_make_the_same_bytes(canvas):
    """Whatever the last bits of a processor's sums: places are rounded to a tenth."""
    other = Canvas(100)
    for each, by in ((canvas, 1 / 3), (other, 1 / 3 + 1e-12)):
        each.grid(by, by, [[by, -by]], digits=2, name="x")
        each.line((by, by), (20 * by, 9 * by), arrow=True, strength=by, width=by)
        each.circle((by, by), by)
        each.tokens(by, by, ["a", "b"], size=12 + by)
    assert canvas.shown("x")._repr_html_() == other.shown("x")._repr_html_()


@pytest.mark.parametrize("role", [*ROLES, "ink", "muted"])
def test_a_role_has_one_colour(canvas, role):
    canvas.box(0, 0, 10, 10, role=role)
    (box,) = drawn(canvas).iter(f"{SVG}rect")
    assert box.get("stroke") == box.get("fill") == colour(role)
    assert colour(role) in HUES or colour(role) == f"var(--{role})"


def test_roles_differ_and_others_are_refused():
    assert len({*ROLES.values()}) == len(ROLES)
    with pytest.raises(KeyError, match="quary"):
        colour("quary")


def test_the_points_of_a_box():
    box = Box(10, 20, 30, 40)
    assert box.middle == (25, 40) and box.top == (25, 20) and box.bottom == (25, 60)
    assert box.left == (10, 40) and box.right == (40, 40)


def test_the_cells_of_a_grid():
    grid = Grid(100, 50, 60, 40, rows=2, columns=3)
    assert grid.cell(1, 2) == Box(140, 70, 20, 20)
    assert grid.row(1) == Box(100, 70, 60, 20) and grid.column(2) == Box(140, 50, 20, 40)


def test_a_grid_shows_its_numbers_and_how_far_they_are_from_0(canvas):
    values = torch.tensor([[1.0, -2.0], [0.0, 4.0]])
    grid = canvas.grid(10, 40, values, rows=["a", "b"], columns=["x", "y"], name="E")
    assert (grid.rows, grid.columns, grid.width, grid.height) == (2, 2, 68, 48)
    assert texts(canvas) == ["1.0", "−2.0", "0.0", "4.0", "a", "b", "x", "y", "E (2, 2)"]
    cells = list(drawn(canvas).iter(f"{SVG}rect"))
    assert [cell.get("fill") for cell in cells] == [BLUE, ORANGE, BLUE, BLUE]
    assert [numbers(cell, "fill-opacity")[0] for cell in cells] == [0.15, 0.3, 0, 0.6]
    assert numbers(cells[3], "x", "y", "width", "height") == (44, 64, 34, 24)
    first = next(e for e in drawn(canvas).iter(f"{SVG}text") if e.text == "1.0")
    assert numbers(first, "x", "y") == grid.cell(0, 0).middle


def test_a_list_is_one_row_and_a_role_colours_all_of_it(canvas):
    canvas.grid(0, 0, [1, -1], role="key", digits=None, largest=2, hidden=[(0, 1)])
    cells = list(drawn(canvas).iter(f"{SVG}rect"))
    assert texts(canvas) == [] and {cell.get("fill") for cell in cells} == {ROLES["key"]}
    assert [numbers(cell, "fill-opacity")[0] for cell in cells] == [0.3, 0]


def test_a_grid_of_zeros_has_an_empty_ground(canvas):
    canvas.grid(0, 0, torch.zeros(1, 2))
    assert {cell.get("fill-opacity") for cell in drawn(canvas).iter(f"{SVG}rect")} == {"0.0"}


@pytest.mark.parametrize(
    ("number", "digits", "text"),
    [(1.25, 1, "1.2"), (-3.0, 1, "−3.0"), (-0.04, 1, "0.0"), (-0.04, 2, "−0.04"), (7, 0, "7")],
)
def test_numbers_in_words(number, digits, text):
    assert number_text(number, digits) == text


def test_tokens_stand_side_by_side(canvas):
    boxes = canvas.tokens(10, 20, ["the", "cats"], size=10, gap=5)
    assert boxes[0].x == 10 and boxes[1].x == pytest.approx(10 + boxes[0].width + 5)
    assert boxes[1].width > boxes[0].width > 3 * 6 and texts(canvas) == ["the", "cats"]
    assert [b.width for b in canvas.tokens(0, 0, ["a", "abc"], width=40)] == [40, 40]


def test_a_marked_token_stands_out_from_grey_ones(canvas):
    canvas.tokens(0, 0, ["a", "b", "c"], role="query", marked=[1])
    found = [box.get("stroke") for box in drawn(canvas).iter(f"{SVG}rect")]
    assert found == ["var(--muted)", ROLES["query"], "var(--muted)"]


def test_an_arrow_ends_at_its_point(canvas):
    canvas.line((0, 0), (30, 40), role="key", arrow=True)
    shaft, head = drawn(canvas).iter(f"{SVG}path")
    assert shaft.get("d") == f"M0.0,0.0 L{30 - 0.6 * HEAD:.1f},{40 - 0.8 * HEAD:.1f}"
    assert "L30.0,40.0" in head.get("d") and head.get("fill") == shaft.get("stroke") == ROLES["key"]


def test_a_line_may_bend_and_need_not_end_in_a_head(canvas):
    canvas.line((0, 0), (5, 0), (5, 9), dashed=True, strength=0.5)
    (line,) = drawn(canvas).iter(f"{SVG}path")
    assert line.get("d") == "M0.0,0.0 L5.0,0.0 L5.0,9.0"
    assert line.get("stroke-dasharray") == "4 3" and line.get("opacity") == "0.5"
    canvas.line((1, 1), (1, 1))  # of no length: nothing to see, and no error
