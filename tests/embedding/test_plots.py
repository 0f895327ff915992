"""The chapter on embeddings: what its sliders compute in the page is what Python computes."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch
from bokeh.models import ColumnDataSource, Div, Slider
from drawn_figure import drawn

from minigpt.embedding import sinusoidal_positions
from minigpt.lessons.drawing.figure import Figure
from minigpt.lessons.embedding.plots import BASES, position_heat_map, position_sentence

LENGTH = 40

# The state of the figure, after setting its sliders to `arg.values`, none to leave them alone.
READ = """
  for (const [id, value] of Object.entries(arg.values)) model(id).value = value;
  await settled();
  const sources = arg.sources.map(model), find = (key) => sources.find((s) => key in s.data).data;
  const image = find("image"), curve = find("product"), box = find("left");
  return {
    shape: image.image[0].shape, image: [...image.image[0]], height: image.height[0],
    product: [...curve.product], box: [box.left[0], box.right[0], box.top[0]],
    heights: model(arg.heights).end, scale: [model(arg.scale).start, model(arg.scale).end],
    words: model(arg.words).text,
  };
"""


class Moved:
    """The drawn figure, its sliders by title."""

    def __init__(self, layout, run) -> None:
        self.run, (vectors, products) = run, layout.children[:2]
        self.sliders = {s.title: s.id for s in layout.select({"type": Slider})}
        self.ids = {
            "sources": [s.id for s in layout.select({"type": ColumnDataSource})],
            "heights": vectors.y_range.id,
            "scale": products.y_range.id,
            "words": layout.select_one({"type": Div}).id,
        }

    def read(self, **values) -> dict:
        by_id = {self.sliders[title.capitalize()]: value for title, value in values.items()}
        return self.run(READ, self.ids | {"values": by_id})


@pytest.fixture(scope="module")
def moved(browser):
    layout = position_heat_map(LENGTH, 16, 1000)
    with drawn(browser, layout) as run:
        yield Moved(layout, run)


def check(state: dict, n_embd: int, base: int, position: int) -> None:
    vectors = sinusoidal_positions(LENGTH, n_embd, float(base))
    assert state["shape"] == [n_embd, LENGTH]
    image = torch.tensor(state["image"]).view(n_embd, LENGTH)
    halves = torch.cat([vectors[:, ::2], vectors[:, 1::2]], dim=1)  # sines, then cosines
    torch.testing.assert_close(image, halves.T, atol=5.1e-5, rtol=0)  # it has four decimals
    products = (vectors.double() @ vectors[position].double()).float()
    torch.testing.assert_close(torch.tensor(state["product"]), products, atol=6e-5, rtol=0)
    assert state["height"] == n_embd
    assert state["heights"] == n_embd - 0.5
    assert state["box"] == [position - 0.5, position + 0.5, n_embd - 0.5]
    low, high = state["scale"]
    assert low <= products.min() and products.max() == n_embd / 2 < high
    assert state["words"] == position_sentence(LENGTH, n_embd, base, position)


def test_it_opens_with_what_the_sliders_would_compute(moved):
    before = moved.read()
    check(before, 16, 1000, LENGTH // 4)
    moved.read(position=0, dimensions=8, base=0)
    assert moved.read(position=LENGTH // 4, dimensions=16, base=BASES.index(1000)) == before


@pytest.mark.parametrize(
    ("n_embd", "base", "position"),
    [
        (4, 10, 0),
        (6, 20, 1),
        (64, 10_000, 20),
        (128, 100_000, LENGTH - 1),
        (10, 50, 7),
        (100, 2000, 33),
    ],
)
def test_the_page_recomputes_what_python_computes(moved, n_embd, base, position):
    state = moved.read(dimensions=n_embd, base=BASES.index(base), position=position)
    check(state, n_embd, base, position)


def test_the_curve_slides_and_keeps_its_shape(moved):
    here = moved.read(dimensions=32, base=BASES.index(100), position=15)
    there = moved.read(position=18)
    assert here["product"][5:35] == there["product"][8:38]
    assert here["scale"] == there["scale"]


def test_its_sliders_say_their_values(browser):
    layout = position_heat_map(LENGTH, 16, 1000)
    with drawn(browser, layout, width=360) as run:
        titles = run.page.locator(".bk-slider-title")
        titles.nth(2).wait_for()
        assert titles.all_inner_texts() == ["Dimensions: 16", "Base: 1,000", "Position: 10"]
        handle = run.page.locator(".noUi-handle").nth(1)
        handle.focus()
        run.page.keyboard.press("ArrowRight")
        assert titles.nth(1).inner_text() == "Base: 2,000"
        words = re.sub("</?b>", "", position_sentence(LENGTH, 16, 2000, 10))
        assert words in run.page.get_by_role("status").aria_snapshot()
        box = handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        run.page.mouse.move(x, y)
        run.page.mouse.down()
        run.page.mouse.move(x + 100, y, steps=9)  # over places between two bases
        run.page.mouse.up()
        assert titles.nth(1).inner_text() == "Base: 50,000"


def test_the_sentence_says_what_the_vectors_do():
    told = position_sentence(64, 64, 10_000, 20)
    vectors = sinusoidal_positions(64, 64).double()
    for offset in (0, 1, 8):
        assert f"<b>{vectors[20] @ vectors[20 + offset]:.1f}</b>" in told
    assert f"every {2 * math.pi:.1f} positions" in told
    assert "the slowest every 47,117.2." in told
    assert "one 8 positions away" in told
    assert "−" in position_sentence(24, 4, 10, 3)  # a minus, no hyphen
    assert "-" not in position_sentence(24, 4, 10, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((7, 64, 10_000), "length is 7; the heat map takes 8 to 512"),
        ((513, 64, 10_000), "length is 513"),
        ((64, 5, 10_000), "n_embd is 5; the slider has the even numbers from 4 to 128"),
        ((64, 2, 10_000), "n_embd is 2"),
        ((64, 130, 10_000), "n_embd is 130"),
        ((64, 64, 9000), r"base is 9000; .* take 10000"),
        ((64, 64, 0), r"base is 0; .* take 10000"),
    ],
)
def test_what_the_sliders_lack_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        position_heat_map(*arguments)


def test_it_is_light():
    assert len(Figure(position_heat_map(), "Waves")._repr_html_()) < 60_000


def test_what_is_drawn_has_four_decimals():
    layout = position_heat_map(LENGTH, 16, 1000)
    data = {k: v for s in layout.select({"type": ColumnDataSource}) for k, v in s.data.items()}
    for numbers in (data["image"][0], data["product"]):
        assert np.array_equal(numbers, numbers.astype(float).round(4).astype(np.float32))
