"""The drawings of the first chapter show its numbers, and what follows from them."""

from __future__ import annotations

import math
import re

import pytest
import torch

from minigpt.lessons.drawing.canvas import number_text
from minigpt.lessons.primer import drawings as draw
from minigpt.lessons.primer.drawings.frame import Frame, plain
from my_autograd import Number, backward


def words(drawing) -> list[str]:
    return re.findall(r">([^<>]+)</text>", drawing._repr_html_())


def loss(w):
    return (4 * w - 10) ** 2


def circles(drawing) -> list[tuple[float, float]]:
    found = re.findall(r'<circle cx="(\S+?)" cy="(\S+?)"', drawing._repr_html_())
    return [(float(x), float(y)) for x, y in found]


def test_plain_numbers():
    assert [plain(n) for n in (2.0, -16.0, 0.065, 0.1234, -0.0)] == [
        "2",
        "−16",
        "0.065",
        "0.123",
        "0",
    ]
    assert plain(10.0) == "10" and plain(100.0, 0) == "100"


def test_the_circle_of_training():
    found = words(draw.training_loop(km=3.0, price=9.0, w=2.0, gradient=-18.0, new=2.18))
    for text in ("known: 3 km cost 9 euros", "2 × 3 km = 6", "(6 − 9)² = 9", "−18", "w: 2 → 2.18"):
        assert text in found


def test_the_nudge_touches_the_curve():
    drawing = draw.nudge(loss, w=2.0, slope=-16.0)
    assert "slope −16" in words(drawing) and "where the loss is 4, a line" in drawing.alt
    html = drawing._repr_html_()
    (touching,) = re.findall(r'd="M(\S+?),(\S+?) L(\S+?),(\S+?)" stroke="#e06d9a"', html)
    x, y, end_x, end_y = map(float, touching)
    per_w, per_loss = 300 / 2, 178 / 16  # units of the frame
    assert -(end_y - y) / per_loss / ((end_x - x) / per_w) == pytest.approx(-16, rel=0.01)
    middle_x, middle_y = circles(drawing)[0]
    at = y + (end_y - y) * (middle_x - x) / (end_x - x)
    assert middle_y == pytest.approx(at, abs=0.2)


def test_the_graph_shows_values_gradients_and_slopes():
    w, km, price = Number(2.0), Number(4.0), Number(10.0)
    guess = w * km
    error = guess - price
    square = error**2
    backward(square)
    names = ("w", "km", "price", "guess", "error", "loss")
    six = dict(zip(names, (w, km, price, guess, error, square), strict=True))
    numbers = {name: (n.data, n.grad) for name, n in six.items()}
    drawing = draw.graph(numbers, [4.0, 2.0, 1.0, -1.0, -4.0])
    found = words(drawing)
    for name, (value, grad) in numbers.items():
        assert name in found and plain(value) in found and f"gradient {plain(grad)}" in found
    assert [text for text in found if text.startswith("×")] == ["×4", "×2", "×1", "×−1", "×−4"]
    assert "error: −2, gradient −4" in drawing.alt


def test_three_walks_in_the_valley():
    walks = {0.01: [2.0, 2.3], 0.05: [2.0, 2.8, 2.3], 0.07: [2.0, 3.1]}
    drawing = draw.valleys(loss, walks)
    found = words(drawing)
    assert [t for t in found if t.startswith("rate")] == ["rate 0.01", "rate 0.05", "rate 0.07"]
    assert [t for t in found if t.startswith("loss")] == [
        f"loss 4 → {loss(w):.2g}" for w in (2.3, 2.3, 3.1)
    ]
    assert len(circles(drawing)) == 7
    with pytest.raises(ValueError, match="2 rates"):
        draw.valleys(loss, {0.1: [2.0], 0.2: [2.0]})


def test_shapes_are_those_of_the_tensors():
    pile = torch.arange(24).reshape(2, 4, 3)
    drawing = draw.shapes(pile)
    found = words(drawing)
    shapes = [tuple(t.shape) for t in (pile[0, 0, 0], pile[0, 0], pile[0], pile)]
    assert [text for text in found if text.startswith("(")] == [str(shape) for shape in shapes]
    numbers = [int(text) for text in found if text.isdigit()]
    assert numbers == [0, 0, 1, 2, *range(12), *range(12)]
    with pytest.raises(ValueError, match=r"room for \(3, 5, 3\)"):
        draw.shapes(torch.zeros(2, 4, 2, dtype=torch.long))


def test_the_spread_is_the_mean_and_the_variance():
    numbers = torch.tensor([-0.5, 0.25, 0.75])
    drawing = draw.spreads({"few": numbers.tolist()}, (-1, 1))
    mean, variance = numbers.mean().item(), numbers.var(unbiased=False).item()
    root = math.sqrt(variance)
    measures = f"mean {plain(mean, 2)}, variance {plain(variance)}, root {plain(root)}"
    assert measures in words(drawing)
    bar = re.search(r'<rect x="(\S+?)" y="\S+?" width="(\S+?)"', drawing._repr_html_())
    assert float(bar[2]) == pytest.approx(2 * root * 328 / 2, abs=0.2)
    assert len(circles(drawing)) == 3
    many = draw.spreads({"many": [0.1] * 12}, (-1, 1))
    assert "many: 12 numbers" in many.alt
    assert len({y for _, y in circles(many)}) == 12  # none hides another


def test_shares_are_torchs_softmax():
    scores = [2.0, 1.0, -1.5]
    drawing = draw.shares(["M", "S", "Z"], scores)
    found = words(drawing)
    for score, share in zip(scores, torch.tensor(scores).softmax(0).tolist(), strict=True):
        assert number_text(score, 2) in found and number_text(share, 3) in found
        assert number_text(math.exp(score), 2) in found
    bars = [
        float(w)
        for w in re.findall(r'<rect x="252.0" y="\S+?" width="(\S+?)"', drawing._repr_html_())
    ]
    assert bars == [pytest.approx(96 * math.exp(score - 2), abs=0.06) for score in scores]
    with pytest.raises(ValueError, match="at most 6"):
        draw.shares(["M"], scores)


def test_surprises():
    found = words(draw.surprises({"one of 27": 1 / 27, "sure": 1.0}))
    assert f"one of 27: {math.log(27):.2f}" in found and "sure: 0.00" in found


def test_a_batch_is_the_mean_of_what_is_drawn():
    examples = [(".", ".", "D"), (".", "D", "U"), ("D", "U", "K")]
    drawing = draw.batch_of(examples, (0, 2), [3.0, 2.5])
    found = words(drawing)
    assert found.count("D") == 3 and "3.00" in found and "2.50" in found and "2.750" in found
    with pytest.raises(ValueError, match="1 losses"):
        draw.batch_of(examples, (0, 2), [3.0])


def test_the_net_at_work():
    rows = ([0.5, -0.5], [1.0, 0.0])
    hidden = [math.tanh(1.5), math.tanh(-0.5)]
    drawing = draw.net_at_work(("R", "O"), rows, hidden, [("N", 1.25, 0.5), ("S", -0.5, 0.1)])
    found = words(drawing)
    for text in ("R", "O", "N", "1.25", "0.500", "S", "−0.50", "0.100"):
        assert text in found
    depths = re.findall(r'fill="(#\w+)" fill-opacity="(\S+?)"', drawing._repr_html_())
    shown = [(hue, float(depth)) for hue, depth in depths if float(depth) != 0.22]
    assert shown == [
        ("#1f699f" if n >= 0 else "#b95100", pytest.approx(0.6 * abs(n), abs=0.006))
        for n in (*rows[0], *rows[1], *hidden)
    ]
    with pytest.raises(ValueError, match="2 numbers"):
        draw.net_at_work(("R", "O"), ([1.0], [1.0, 0.0]), hidden, [])


def test_losses_by_step():
    losses = [3.3] * 10 + [2.5, 2.7] * 5
    drawing = draw.losses_by_step(losses)
    found = words(drawing)
    assert "the last 10: 2.60" in found and "knowing nothing: 3.296" in found
    assert len(circles(drawing)) == 20 and "from 3.30 down to 2.60" in drawing.alt


def test_a_frame_puts_larger_numbers_higher_and_further_right():
    from minigpt.lessons.drawing.canvas import Canvas

    frame = Frame(Canvas(100), (10, 20, 200, 50), (0, 4), (-1, 1))
    assert (
        frame.at(0, -1) == (10, 70) and frame.at(4, 1) == (210, 20) and frame.at(1, 0) == (60, 45)
    )
