"""Pictures for the chapter on embeddings."""

from __future__ import annotations

import math

import numpy as np
from bokeh.layouts import column
from bokeh.models import (
    BasicTicker,
    ColorBar,
    Column,
    ColumnDataSource,
    CustomJS,
    CustomJSTickFormatter,
    Div,
    LinearColorMapper,
    Range1d,
    Slider,
    Span,
)
from bokeh.plotting import figure

from minigpt.embedding import position_angles, sinusoidal_positions
from minigpt.lessons.drawing.palette import BLUE, MARK

BASES = [step * 10**power for power in range(1, 5) for step in (1, 2, 5)] + [100_000]
WIDEST = 128  # dimensions that the slider goes up to

# What `_numbers` and `position_sentence` compute in Python, for every position of the sliders.
_RECOMPUTE = """
  const n = dimensions.value, base = bases[at.value], mine = position.value;
  const round = (x) => Math.round(x * 1e4) / 1e4;
  const turn = (pair) => base ** (-2 * pair / n);

  const values = new Float32Array(n * length);
  for (let pair = 0; pair < n / 2; pair++) {
    for (let t = 0; t < length; t++) {
      values[pair * length + t] = round(Math.fround(Math.sin(t * turn(pair))));
      values[(n / 2 + pair) * length + t] = round(Math.fround(Math.cos(t * turn(pair))));
    }
  }
  // The sum of sin a sin b + cos a cos b over the pairs: cos of the difference of the angles.
  const apart = (offset) => {
    let sum = 0;
    for (let pair = 0; pair < n / 2; pair++) sum += Math.cos(offset * turn(pair));
    return round(sum);
  };
  const byOffset = Array.from({ length }, (_, offset) => apart(offset));
  const products = Float32Array.from(byOffset, (_, t) => byOffset[Math.abs(t - mine)]);

  const array = heat.data.image[0].constructor, list = curve.data.product.constructor;
  heat.data = { image: [new array(values, [n, length])], height: [n] };
  curve.data = { position: curve.data.position, product: new list(products, [length]) };
  chosen.data = { left: [mine - 0.5], right: [mine + 0.5], top: [n - 0.5] };
  heights.end = n - 0.5;
  between.location = n / 2 - 0.5;
  scale.setv({ start: Math.min(0, ...byOffset) - 0.05 * n, end: 0.55 * n });
  marker.location = mine;

  const written = (x, digits) =>
    x.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const one = (x) => written(Math.round(10 * x) / 10 || 0, 1).replace("-", "−");
  words.text =
    `<b>${n} dimensions, base ${written(base, 0)}</b>: the fastest pair repeats every ` +
    `${one(2 * Math.PI)} positions, the slowest every ${one(2 * Math.PI / turn(n / 2 - 1))}. ` +
    `The vector of <b>position ${mine}</b> has a dot product of <b>${one(byOffset[0])}</b> with ` +
    `itself, <b>${one(byOffset[1])}</b> with a vector one position away and ` +
    `<b>${one(byOffset[far])}</b> with one ${far} positions away, wherever it stands.`;
"""


def position_heat_map(length: int = 64, n_embd: int = 64, base: int = 10_000) -> Column:
    """Sinusoidal position vectors, and the dot products of one of them with all others.

    The sines stand in the lower half and the cosines in the upper, in each the fast hands below.
    Sliders for the dimensions, the base and the position recompute both in the page.

    Args:
        length: positions T, on the axis that both plots share.
        n_embd: dimensions C that the sliders start with, even, from 4 to 128.
        base: base that they start with, one of `BASES`.

    Raises:
        ValueError: a number outside these limits, or fewer than 8 or more than 512 positions.

    Shown in https://minigpt-book.github.io/minigpt/embedding.html
    """
    _check(length, n_embd, base)
    mine, far = length // 4, length // 8
    values, by_offset = _numbers(length, n_embd, base)
    heat = ColumnDataSource({"image": [values], "height": [n_embd]})
    curve = ColumnDataSource(
        {
            "position": list(range(length)),
            "product": by_offset[abs(np.arange(length) - mine)].astype(np.float32),
        }
    )
    chosen = ColumnDataSource({"left": [mine - 0.5], "right": [mine + 0.5], "top": [n_embd - 0.5]})
    across, heights = Range1d(-0.5, length - 0.5), Range1d(-0.5, n_embd - 0.5)
    least = min(0.0, *map(float, by_offset))
    scale = Range1d(least - 0.05 * n_embd, 0.55 * n_embd)
    style = {
        "sizing_mode": "stretch_width",
        "x_range": across,
        "min_border_left": 62,  # so that a position stands at the same place in both
        "min_border_right": 12,
        "tools": "",
        "toolbar_location": None,
    }

    vectors = figure(
        height=330, y_range=heights, y_axis_label="sines below, cosines above", **style
    )
    vectors.grid.visible = False
    colours = LinearColorMapper("Cividis256", low=-1, high=1)
    vectors.image(
        "image", x=-0.5, y=-0.5, dw=length, dh="height", color_mapper=colours, source=heat
    )
    for colour, width in (("#ffffff", 3), ("#000000", 1)):  # seen on dark and on bright cells
        vectors.quad(
            "left",
            "right",
            "top",
            -0.5,
            fill_color=None,
            line_color=colour,
            line_width=width,
            source=chosen,
        )
    between = Span(location=n_embd / 2 - 0.5, dimension="width", line_color="#ffffff", line_width=2)
    vectors.add_layout(between)
    bar = ColorBar(
        color_mapper=colours, height=8, padding=2, ticker=BasicTicker(desired_num_ticks=4)
    )
    bar.background_fill_color = None
    vectors.add_layout(bar, "above")

    products = figure(
        height=210, y_range=scale, x_axis_label="position", y_axis_label="dot product", **style
    )
    products.line("position", "product", color=BLUE, line_width=2, source=curve)
    products.scatter("position", "product", color=BLUE, size=5, source=curve)
    marker = Span(location=mine, dimension="height", line_color=MARK, line_dash="dashed")
    products.add_layout(marker)

    for plot in (vectors, products):
        plot.axis.minor_tick_line_color = None

    wide = {"sizing_mode": "stretch_width"}
    slide = {"bar_color": BLUE, **wide}
    dimensions = Slider(
        title="Dimensions", start=4, end=WIDEST, step=2, value=n_embd, format="0", **slide
    )
    shown = CustomJSTickFormatter(  # also asked for values between two steps, while dragged
        args={"bases": BASES}, code='return bases[Math.round(tick)].toLocaleString("en-GB")'
    )
    at = Slider(
        title="Base",
        start=0,
        end=len(BASES) - 1,
        step=1,
        value=BASES.index(base),
        format=shown,
        **slide,
    )
    position = Slider(
        title="Position", start=0, end=length - 1, step=1, value=mine, format="0", **slide
    )
    words = Div(
        text=position_sentence(length, n_embd, base, mine),
        html_attributes={"role": "status"},
        **wide,
    )
    tell = CustomJS(
        args={
            "length": length,
            "far": far,
            "bases": BASES,
            "dimensions": dimensions,
            "at": at,
            "position": position,
            "heat": heat,
            "curve": curve,
            "chosen": chosen,
            "heights": heights,
            "between": between,
            "scale": scale,
            "marker": marker,
            "words": words,
        },
        code=_RECOMPUTE,
    )
    for slider in (dimensions, at, position):
        slider.js_on_change("value", tell)
    return column(vectors, products, dimensions, at, position, words, **wide)


def position_sentence(length: int, n_embd: int, base: int, position: int) -> str:
    """What the sliders' script writes below the plots."""
    far = length // 8
    by_offset = _numbers(length, n_embd, base)[1]
    slowest = 2 * math.pi * base ** ((n_embd - 2) / n_embd)
    return (
        f"<b>{n_embd} dimensions, base {base:,}</b>: the fastest pair repeats every "
        f"{_one(2 * math.pi)} positions, the slowest every {_one(slowest)}. The vector of "
        f"<b>position {position}</b> has a dot product of <b>{_one(by_offset[0])}</b> with itself, "
        f"<b>{_one(by_offset[1])}</b> with a vector one position away and "
        f"<b>{_one(by_offset[far])}</b> with one {far} positions away, wherever it stands."
    )


def _numbers(length: int, n_embd: int, base: int) -> tuple[np.ndarray, np.ndarray]:
    """The vectors (C, T), and the dot product of two of them by how far apart they stand (T,).

    Four decimals, so that a figure has the same bytes whatever machine computed its sines.
    """
    vectors = sinusoidal_positions(length, n_embd, float(base)).T.double().numpy()
    vectors = np.concatenate([vectors[::2], vectors[1::2]])  # the sines, then the cosines
    by_offset = position_angles(length, n_embd, float(base)).cos().sum(-1).numpy()
    return vectors.round(4).astype(np.float32), by_offset.round(4)


def _one(x: float) -> str:
    """One decimal, a half rounded up as ``Math.round`` does."""
    return f"{math.floor(10 * float(x) + 0.5) / 10:,.1f}".replace("-", "−")


def _check(length: int, n_embd: int, base: int) -> None:
    if not 8 <= length <= 512:
        raise ValueError(f"length is {length}; the heat map takes 8 to 512 positions, such as 64")
    if n_embd % 2 or not 4 <= n_embd <= WIDEST:
        raise ValueError(
            f"n_embd is {n_embd}; the slider has the even numbers from 4 to {WIDEST}, such as 64"
        )
    if base not in BASES:
        nearest = min(BASES, key=lambda known: abs(math.log(known / base))) if base > 0 else 10_000
        raise ValueError(
            f"base is {base}; the slider has {BASES[0]}, {BASES[1]}, {BASES[2]}, … "
            f"{BASES[-1]}: take {nearest}"
        )
