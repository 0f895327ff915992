"""The drawings of the chapter on the model hold the numbers of the tensors they are given."""

from __future__ import annotations

import re

import pytest
import torch
from torch.nn import functional as F

import my_gpt
from minigpt.lessons.drawing.canvas import number_text
from minigpt.lessons.drawing.palette import OLIVE
from minigpt.lessons.model import drawings
from minigpt.model import PRESETS
from minigpt.model.activations import activations
from minigpt.model.ledger import parameter_count, parameter_counts

SEEN = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
UP, BIAS = torch.tensor([[1.0, -1.0], [1.0, -1.0]]), torch.tensor([-1.0, 1.0])
DOWN = torch.tensor([[2.0], [3.0]])
TEXTS = ["good", "bad", "not good", "not bad"]


def words(drawing) -> list[str]:
    return re.findall(r">([^<>]+)</text>", drawing._repr_html_())


def boxes(drawing) -> list[dict[str, float | str]]:
    """Every rectangle, with its place, its size and the colour of its frame."""
    found = []
    for tag in re.findall(r"<rect [^>]*>", drawing._repr_html_()):
        looks = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        numbers = {k: float(looks[k]) for k in ("x", "y", "width", "height")}
        found.append({**numbers, "stroke": looks["stroke"]})
    return found


def test_a_block_at_work_adds_both_parts():
    x = torch.tensor([[1.0, 0, 0], [0, 2, 0]])
    gathered, computed = torch.zeros(2, 3), torch.zeros(2, 3)
    gathered[1, 0], computed[1, 2] = 3, 4
    drawn = drawings.block_at_work(["a", "b"], ["p", "q", "r"], x, gathered, computed)
    found = [text for text in words(drawn) if re.fullmatch(r"\d", text)]
    steps = (x, gathered, x + gathered, computed, x + gathered + computed)
    order = [f"{n:.0f}" for step in steps for n in step.flatten().tolist()]
    assert sorted(found) == sorted(order) and found[-6:] == order[-6:]
    assert drawn.alt.endswith("the vector of “b” has 3 for p, 2 for q, 4 for r.")
    with pytest.raises(ValueError, match="give two tokens"):
        drawings.block_at_work(["a"], ["p", "q", "r"], x, gathered, computed)


def test_points_stand_where_the_numbers_say():
    hidden = F.relu(SEEN @ UP + BIAS)
    drawn = drawings.bent_plane(TEXTS, SEEN, hidden, [True, False, False, True])
    circles = re.findall(r'<circle cx="(\S+)" cy="(\S+)" r="6"', drawn._repr_html_())
    places = [tuple(map(float, c)) for c in circles]
    assert len(places) == 4 + 3  # two texts share a place once they are bent
    (left, top, side), right = (52, 52, 104), 238
    assert places[:4] == [(left + side * x, top + side * (1 - y)) for x, y in SEEN.tolist()]
    bent = [tuple(h) for h in hidden.tolist()]
    assert set(places[4:]) == {(right + side * x, top + side * (1 - y)) for x, y in bent}
    assert "“bad” and “not good” stand at 0, 0" in drawn.alt
    with pytest.raises(ValueError, match="not between 0 and 1"):
        drawings.bent_plane(TEXTS, SEEN, hidden - 1, [True] * 4)


@pytest.mark.parametrize("x", SEEN)
def test_one_vector_goes_through_the_mlp(x):
    drawn = drawings.mlp_of_one(x, UP, BIAS, DOWN)
    before = x @ UP + BIAS
    out = F.relu(before) @ DOWN
    found = words(drawn)
    assert found[-1] == number_text(out.item(), 0)
    for number in (*before.tolist(), *F.relu(before).tolist(), *DOWN.flatten().tolist()):
        assert number_text(number, 0) in found
    fires = [i + 1 for i in range(2) if before[i] > 0]
    assert drawn.alt.endswith(f"What fires: {fires[0] if fires else 'none'}.")


def test_an_mlp_that_has_no_room_is_refused():
    with pytest.raises(ValueError, match="down"):
        drawings.mlp_of_one(SEEN[0], UP, BIAS, torch.zeros(2, 3))


def test_the_bend_is_torchs():
    drawn = drawings.bend((-2, 0, 1))
    values = F.gelu(torch.tensor([-2.0, 0.0, 1.0]), approximate="tanh").tolist()
    assert [number_text(v, 2) for v in values] == [w for w in words(drawn) if re.search(r"\.", w)]
    path = re.search(rf'<path d="([^"]+)" stroke="{OLIVE}"', drawn._repr_html_())[1]
    points = [tuple(map(float, p.split(","))) for p in re.findall(r"[\d.]+,[\d.]+", path)]
    xs = torch.tensor([(x - 180) / 48 for x, _ in points])
    ys = torch.tensor([(164 - y) / 48 for _, y in points])
    torch.testing.assert_close(ys, F.gelu(xs), atol=0.01, rtol=0)
    assert len(points) == 121


def test_bars_of_the_norm_are_torchs():
    x = torch.tensor([1.0, 2.0, 3.0, 6.0], dtype=torch.float64)
    drawn = drawings.norm_in_steps(x)
    found = words(drawn)
    for numbers, digits in ((x - 3, 0), (F.layer_norm(x, (4,), eps=0.0), 2)):
        for number in numbers.tolist():
            assert number_text(number, 0 if float(number).is_integer() else digits) in found
    assert "mean 3.00" in found and "deviation 1.87" in found
    tall = [box["height"] for box in boxes(drawn)]  # 0 has no bar
    shown = [1, 2, 3, 6, 2, 1, 3, *(F.layer_norm(x, (4,)).abs()[[0, 1, 3]].tolist())]
    assert tall == pytest.approx([42 * n / 6 for n in shown], abs=0.06)
    for wrong in (torch.ones(3), torch.arange(7.0)):
        with pytest.raises(ValueError, match="give 2 to 6 numbers"):
            drawings.norm_in_steps(wrong)


def test_a_block_and_two_wirings():
    drawn = drawings.block((5, 64), (5, 256))
    assert words(drawn).count("norm") == words(drawn).count("+") == 2
    assert {"(5, 64)", "inside (5, 256)", "attention", "MLP"} <= {*words(drawn)}
    pre, post = (
        words(drawings.wirings()).index(t) for t in ("pre-norm (GPT-2)", "post-norm (2017)")
    )
    assert pre < post and words(drawings.wirings()).count("norm") == 2
    left, right = (b for b in boxes(drawings.wirings()) if b["stroke"] == "#e06d9a")
    assert left["y"] < 76 < 134 < right["y"]  # before the part, and behind the sum


def test_the_stack_is_read_off_the_model():
    model = my_gpt.GPT(31, 16, n_layer=3, n_head=2, n_embd=8)
    ids = torch.zeros(1, 5, dtype=torch.long)
    shapes = {name: tuple(t.shape) for name, t in activations(model, ids).items()}
    drawn = drawings.stack(model, shapes, (1, 5))
    found, total = words(drawn), sum(p.numel() for p in model.parameters())
    assert found.count("(1,5,8)") == 5 and "(1,5,31)" in found and "(5,8)" in found
    for numbers in (31 * 8, 16 * 8, sum(p.numel() for p in model.blocks.parameters())):
        assert f"{numbers / total:.1%}".replace("%", " %") in found
    assert "3 blocks alike" in found and "block 3" in found


def test_bars_of_the_stream_are_as_long_as_its_sizes():
    sizes = 0.5, [1.0, 2.0], [3.0, 4.0], [5.0, 8.0]
    drawn = drawings.stream_by_block(*sizes)
    order = [0.5, 1, 3, 5, 2, 4, 8]
    assert [b["width"] for b in boxes(drawn)] == pytest.approx(
        [194 * n / 8 for n in order], abs=0.1
    )
    assert [w for w in words(drawn) if "." in w] == [f"{n:.2f}" for n in order]


def test_areas_are_the_ledgers():
    drawn = drawings.areas(("gpt2", PRESETS["gpt2"]), ("ours", PRESETS["shakespeare"]))
    counts, total = parameter_counts(PRESETS["gpt2"]), parameter_count(PRESETS["gpt2"])
    table, positions, *blocks = boxes(drawn)
    whole = 352 * 216
    assert table["width"] * table["height"] / whole == pytest.approx(
        counts["token_embedding"] / total, abs=1e-3
    )
    assert positions["width"] / 352 == pytest.approx(counts["position_embedding"] / total, abs=1e-3)
    for part, which in (("attention", blocks[0:24:2]), ("mlp", blocks[1:24:2])):
        area = sum(b["width"] * b["height"] for b in which)
        assert area / whole == pytest.approx(counts[part] / total, abs=2e-3)
    small = blocks[-1]
    share = parameter_count(PRESETS["shakespeare"]) / total
    assert small["width"] * small["height"] / whole == pytest.approx(share, abs=1e-3)
    assert "token table: 31.0 %" in words(drawn) and "2,552,320" in words(drawn)
    with pytest.raises(ValueError, match="ten times less"):
        drawings.areas(("a", PRESETS["gpt2"]), ("b", PRESETS["gpt2-medium"]))


def test_a_box_for_each_vector_that_is_kept():
    drawn = drawings.kept_by_a_block([("q, k, v", "attention", 3), ("inside", "MLP", 4)])
    assert words(drawn).count("C") == len(boxes(drawn)) == 7
    assert words(drawn)[-1] == "together 7 C"
    assert {b["stroke"] for b in boxes(drawn)[3:]} == {OLIVE}
