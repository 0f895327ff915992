"""The drawings of the chapter on training: their numbers, read back from what is drawn."""

from __future__ import annotations

import math
import re

import pytest
import torch

from minigpt.lessons.drawing.canvas import Drawing
from minigpt.lessons.drawing.palette import GREEN, MAUVE, PINK
from minigpt.lessons.training import drawings as draw
from minigpt.lessons.training.drawings.valley import ACROSS, DOWN, MIDDLE


def words(drawing: Drawing) -> list[str]:
    """Every text of a drawing, in the order in which it was drawn."""
    return re.findall(r"<text[^>]*>(.*?)</text>", drawing._repr_html_())


def circles(drawing: Drawing, hue: str) -> list[tuple[float, float]]:
    """The middles of the discs in a colour."""
    html = drawing._repr_html_()
    found = re.findall(r'<circle cx="(\S+)" cy="(\S+)"[^>]*?fill="(\S+?)"', html)
    return [(float(x), float(y)) for x, y, fill in found if fill == hue]


def bars(drawing: Drawing, hue: str) -> list[tuple[float, float, float, float]]:
    """x, y, width and height of the boxes in a colour."""
    html = drawing._repr_html_()
    pattern = r'<rect x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)"[^>]*?fill="(\S+?)"'
    return [tuple(map(float, b[:4])) for b in re.findall(pattern, html) if b[4] == hue]


def lines(drawing: Drawing, hue: str) -> list[list[tuple[float, float]]]:
    """The points of the lines in a colour."""
    html = drawing._repr_html_()
    ways = re.findall(r'<path d="M([^"]+)" stroke="(\S+?)"', html)
    split = [way.split(" L") for way, stroke in ways if stroke == hue]
    return [[tuple(map(float, p.split(","))) for p in way] for way in split]


def test_a_step_has_the_numbers_of_its_batch():
    step = draw.one_step(1234, (16, 64), 4.2345, 2.48)
    assert {"16 × 64 tokens", "1,234 numbers", "4.23 nats", "as many, length 2.5"} <= {*words(step)}
    assert "1,234 numbers" in step.alt and "4.23 nats" in step.alt


def test_each_character_of_a_window_has_its_target_chance_and_surprise():
    chances = [0.5, 0.25, 0.125]
    drawing = draw.surprises_of_a_window("a b\n", chances)
    shown = words(drawing)
    assert shown[4:].count("a") == 1 and shown[4:].count("␣") == 2 and "⏎" in shown
    assert [w for w in shown if w in ("0.50", "0.25", "0.12", "0.13")][:2] == ["0.50", "0.25"]
    assert [w for w in shown if re.fullmatch(r"\d\.\d", w)] == ["0.7", "1.4", "2.1"]
    assert f"loss, their mean: {2 * math.log(2):.2f}" in shown
    heights = [height for *_, height in bars(drawing, "#1f699f")][1::2]
    assert heights[-1] / heights[0] == pytest.approx(3, abs=0.02)
    assert f"the loss, {2 * math.log(2):.2f}" in drawing.alt


@pytest.mark.parametrize(("text", "chances"), [("ab", [1.0]), ("abc", [1.0]), ("abcdefghij", [])])
def test_a_window_without_room_is_refused(text, chances):
    with pytest.raises(ValueError, match="give 3 to 9, one less"):
        draw.surprises_of_a_window(text, chances)


WALK = torch.tensor([[1.0, 1.0], [0.5, -0.25], [0.0, 0.125]])


def test_a_walk_is_drawn_where_it_went():
    drawing = draw.valley({"before": WALK.flip(0), "now": WALK}, [1.0, 0.12345], [1.0, 100.0])
    places = circles(drawing, PINK)
    found = [((x - MIDDLE[0]) / ACROSS, (MIDDLE[1] - y) / DOWN) for x, y in places]
    assert torch.tensor(found) == pytest.approx(WALK, abs=1e-3)
    assert "now: loss 0.1235 after 2 steps" in words(drawing)
    assert "now, from (1.0, 1.0) to (0.00, 0.12) in 2 steps, where the loss is 0.123" in drawing.alt


def test_a_loss_too_small_for_its_digits_says_so():
    drawing = draw.valley({"now": WALK}, [0.00002], [1.0, 100.0])
    assert "now: loss below 0.0001 after 2 steps" in words(drawing)
    assert "where the loss is below 0.0001" in drawing.alt


def test_lines_of_equal_loss_are_as_steep_as_the_valley():
    level = lines(draw.valley({"now": WALK}, [0.0], [1.0, 100.0]), "var(--rule)")[0]
    heights = [
        ((x - MIDDLE[0]) / ACROSS) ** 2 + 100 * ((MIDDLE[1] - y) / DOWN) ** 2 for x, y in level
    ]
    assert max(heights) - min(heights) < 0.2
    flat = lines(draw.valley({"now": WALK}, [0.0], [0.0, 100.0]), "var(--rule)")[0]
    assert flat[0][1] == flat[1][1]


@pytest.mark.parametrize(("walks", "losses"), [({}, []), ({"a": WALK}, [1.0, 2.0])])
def test_walks_without_losses_are_refused(walks, losses):
    with pytest.raises(ValueError, match="give 1 or 2, a loss each"):
        draw.valley(walks, losses, [1.0, 1.0])


def test_running_means_are_as_tall_as_they_are():
    drawing = draw.running_means([0.1, 0.19], [1.0, 1.0])
    assert [w for w in words(drawing) if w[0] in "01"] == ["0.10", "1.00", "0.19", "1.00"]
    heights = [height for *_, height in bars(drawing, PINK)][:2]
    assert heights == [100, 100]
    grey = [height for *_, height in bars(drawing, "var(--muted)")][:2]
    assert grey == pytest.approx([10, 19])
    assert "0.10, 0.19" in drawing.alt
    with pytest.raises(ValueError, match="give 1 to 8 of each"):
        draw.running_means([1.0], [])


def test_a_schedule_is_drawn_as_it_is():
    shares = [0.25, 0.5, 0.75, 1.0, 0.8, 0.6, 0.4]
    drawing = draw.rates_of_a_run(shares, 4)
    (way,) = lines(drawing, PINK)
    assert [round((170 - y) / 140, 2) for _, y in way] == shares
    assert "4" in words(drawing) and "7" in words(drawing)
    assert "from 0.25 to 1 within 4 steps" in drawing.alt and "to 0.40" in drawing.alt
    for wrong, warmup in ((shares, 7), ([0.5, 1.5], 1)):
        with pytest.raises(ValueError, match="shares 0 to 1"):
            draw.rates_of_a_run(wrong, warmup)


def test_votes_and_their_mean():
    votes, means = [0.2, -0.1, 0.4], [0.02, 0.008, 0.05]
    drawing = draw.gradients_of_batches(votes, means)
    rows = bars(drawing, "var(--muted)")[:3]
    assert [y + height if y < 94 else y for _, y, _, height in rows] == [94] * 3
    signed = [height if y < 94 else -height for _, y, _, height in rows]
    assert signed == pytest.approx([38, -19, 76])
    line = lines(drawing, PINK)[0]
    assert [(94 - y) / 76 * 0.4 for _, y in line] == pytest.approx(means, abs=1e-3)
    assert "above 0 in 2 of them, below in 1" in drawing.alt
    with pytest.raises(ValueError, match="give 2 to 40 of each"):
        draw.gradients_of_batches([1.0], [1.0])


def test_a_cut_gradient_keeps_its_direction():
    before, after = torch.tensor([3.0, 4.0]), torch.tensor([0.6, 0.8])
    shown = words(draw.shortened(before, after, 1.0))
    assert {"before: (3.0, 4.0)", "after: (0.6, 0.8)", "length 5.0", "length 1.0"} <= {*shown}
    with pytest.raises(ValueError, match="at most 5 long"):
        draw.shortened(torch.tensor([3.0, 5.0]), after, 1.0)


def test_parts_add_up():
    drawing = draw.batch_in_parts(16, [0.5, 0.6, 0.7, 0.8], 2.4)
    shown = words(drawing)
    assert [w for w in shown if w.endswith(" long")] == [
        "0.50 long",
        "0.60 long",
        "0.70 long",
        "0.80 long",
        "2.40 long",
    ]
    assert len(bars(drawing, "#4891fa")) == 16 and "gradient ÷ 4" in shown
    with pytest.raises(ValueError, match="give up to 16"):
        draw.batch_in_parts(16, [1.0] * 3, 1.0)


def test_losses_stand_beside_the_floor():
    drawing = draw.losses_above_a_floor({"guessing": 3.0, "a GPT": 0.5}, 0.4)
    assert [w for w in words(drawing) if "0" in w] == [
        "3.000",
        "0.500",
        "the floor, 0.400, at the upright line",
    ]
    (guess, gpt) = bars(drawing, MAUVE)
    assert guess[2] / gpt[2] == pytest.approx(6, rel=0.01)
    assert lines(drawing, PINK)[0][0][0] == pytest.approx(4 + gpt[2] * 0.8, abs=0.1)
    with pytest.raises(ValueError, match="give 1 to 5"):
        draw.losses_above_a_floor({}, 0.4)


def test_a_circle_becomes_what_the_matrices_make_of_it():
    before, after = torch.tensor([[3.0, 0.0], [0.0, 0.5]]), torch.eye(2)
    drawing = draw.circle_becomes(before, after, ("one", "two"))
    assert {"3.00 and 0.50", "1.00 and 1.00"} <= {*words(drawing)}
    ellipse, circle = lines(drawing, PINK)[0], lines(drawing, GREEN)[0]
    for way, flatness in ((ellipse, 6), (circle, 1)):
        (left, right), (top, bottom) = (
            (min(numbers), max(numbers)) for numbers in zip(*way, strict=True)
        )
        assert (right - left) / (bottom - top) == pytest.approx(flatness, rel=0.01)
