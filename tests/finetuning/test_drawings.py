"""The drawings of the chapter on fine-tuning hold the numbers of what they are given."""

from __future__ import annotations

import math
import re

import pytest
import torch

from minigpt.lessons.drawing.canvas import ROLES
from minigpt.lessons.finetuning.drawings import (
    adapter_by_hand,
    batch_with_replay,
    conversation,
    dots_of_runs,
    group_of_answers,
    lines_over_steps,
    memory_of_tuning,
    preferred_answer,
    shifted_labels,
    three_stages,
)

MUTED = "var(--muted)"


def shown(drawing) -> list[str]:
    """The words of a drawing, in order."""
    return re.findall(r">([^<>]+)</text>", drawing._repr_html_())


def boxes(drawing, role: str) -> list[tuple[float, ...]]:
    """Place and size of the filled boxes of one role."""
    hue = ROLES.get(role, MUTED)
    found = re.findall(
        r'<rect x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)"[^>]*?'
        rf'fill="{re.escape(hue)}" fill-opacity="0.22"',
        drawing._repr_html_(),
    )
    return [tuple(map(float, box)) for box in found]


def test_three_stages_colour_what_counts():
    drawing = three_stages(["a", "b", "c"], ["q"], ["r", "s"], [("t", True), ("u", False)])
    # b, c; r, s; t; and the key.
    assert len(boxes(drawing, "value")) == 2 + 2 + 1 + 1
    assert len(boxes(drawing, "gradient")) == 1 + 1
    assert len(boxes(drawing, "muted")) == 1 + 1 + 1 + 1
    words = shown(drawing)
    assert words.index("right: more of this") > words.index("t")
    assert "a text of 3 tokens, in which all but the first count" in drawing.alt
    assert "t (right), u (wrong)" in drawing.alt
    with pytest.raises(ValueError, match="1 tries: give 2 or 3"):
        three_stages(["a", "b"], ["q"], ["r"], [("t", True)])


def test_a_conversation_shows_every_token_by_what_it_is():
    rows = [[("A", "name"), (":", "name")], [("x", "question")], [("y", "answer"), ("⏎", "end")]]
    drawing = conversation(rows)
    assert shown(drawing)[:5] == ["A", ":", "x", "y", "⏎"]
    for role, count in (("muted", 2), ("query", 1), ("value", 1), ("gradient", 1)):
        assert len(boxes(drawing, role)) == count + 1  # and the key
    assert "5 tokens: 2 of the template, 1 of the question, 1 of the answer and 1" in drawing.alt
    with pytest.raises(KeyError):
        conversation([[("A", "other")]])


def test_labels_stand_under_what_follows():
    drawing = shifted_labels(["a", "b", "c", "d"], [-100, 7, 8])
    words = shown(drawing)
    assert [w for w in words if w in {"−100", "7", "8"}] == ["−100", "7", "8"]
    assert "a then b: -100; b then c: 7; c then d: 8" in drawing.alt
    assert "the loss is the mean over 2 of 3 places" in words
    # The next token and the label of each that counts, and the one that was learned before.
    assert len(boxes(drawing, "value")) == 2 * 2 + 1
    with pytest.raises(ValueError, match="4 tokens and 4 labels"):
        shifted_labels(["a", "b", "c", "d"], [1, 2, 3, 4])


def test_a_batch_shows_its_old_rows():
    drawing = batch_with_replay(8, 2, ("new", "old"))
    assert len(boxes(drawing, "token")) == 6 and len(boxes(drawing, "stream")) == 2
    assert {"6 rows of new", "2 rows of old", "25% replay"} <= set(shown(drawing))
    with pytest.raises(ValueError, match="8 old rows of 8"):
        batch_with_replay(8, 8, ("new", "old"))


def test_an_adapter_by_hand_adds_up():
    W = torch.tensor([[1.0, 0, 2], [0, 3, 1]])
    A, B = torch.tensor([[1.0, 1, 0]]), torch.tensor([[0.5], [-1]])
    drawing = adapter_by_hand(W, A, B, torch.tensor([2.0, 1, 1]), scale=2)
    # W x = (4, 4); A x = 3; 2 B A x = (3, −6); the sum is (7, −2).
    assert shown(drawing)[-8:] == ["4.0", "4.0", "3.0", "−6.0", "7.0", "−2.0", "+", "="]
    assert "4.0, 4.0" in drawing.alt and "The sum is 7.0, −2.0." in drawing.alt


def test_memory_is_drawn_to_scale():
    ledgers = {
        "all": {"weights": 100, "gradients": 100, "moments": 200},
        "few": {"weights": 100, "gradients": 10, "moments": 20},
    }
    drawing = memory_of_tuning(ledgers)
    (first, second, _) = boxes(drawing, "token")
    (whole, part, _) = boxes(drawing, "key")
    assert first[2] == second[2] == pytest.approx(352 / 4)
    assert whole[2] / part[2] == pytest.approx(10, rel=0.02)
    with pytest.raises(ValueError, match="0 ledgers"):
        memory_of_tuning({})


def test_a_preferred_answer_has_dpos_loss():
    drawing = preferred_answer(("x", "y"), [-2.0, -2.6], [-2.2, -2.3], beta=0.1)
    words = shown(drawing)
    assert {"0.2", "−0.3", "margin = 0.1 × (0.2 − (−0.3)) = 0.05"} <= set(words)
    loss = -math.log(1 / (1 + math.exp(-0.05)))
    assert words[-1] == f"loss = −ln σ(0.05) = {loss:.3f}" == "loss = −ln σ(0.05) = 0.668"
    with pytest.raises(ValueError, match="1 and 2 numbers"):
        preferred_answer(("x", "y"), [1.0], [1.0, 2.0], 0.1)


def test_a_group_shows_rewards_and_advantages():
    drawing = group_of_answers("q", ["a", "b"], [1, 0], [0.5, -0.5])
    words = shown(drawing)
    assert words[words.index("a") + 1 : words.index("a") + 3] == ["1", "+0.50"]
    assert words[words.index("b") + 1 : words.index("b") + 3] == ["0", "−0.50"]
    assert "mean 0.50" in words and "b, reward 0, advantage -0.50" in drawing.alt
    equal = group_of_answers("q", ["a", "b"], [1, 1], [0, 0])
    assert len(boxes(equal, "muted")) == 2 and "0.00" in shown(equal)
    with pytest.raises(ValueError, match="2 answers, 1 rewards"):
        group_of_answers("q", ["a", "b"], [1], [0.5, -0.5])


def test_lines_end_where_they_end():
    given = {"given": [0.2, 0.6, 1.0], "meant": [0.2, 0.1, 0.0]}
    drawing = lines_over_steps([0, 50, 100], given, 1, "%")
    ends = re.findall(r'<circle cx="(\S+)" cy="(\S+)"', drawing._repr_html_())
    assert ends == [("346.0", "34.0"), ("346.0", "176.0")]
    assert "over 100 steps. given: 20% to 100%; meant: 20% to 0%." in drawing.alt
    nats = lines_over_steps([0, 10], {"a": [16.0, 8], "b": [16, 0.88]}, 16, "nats per token")
    ends = re.findall(r'<circle cx="\S+" cy="(\S+)"', nats._repr_html_())
    assert [float(y) for y in ends] == pytest.approx([105, 176 - 142 * 0.88 / 16], abs=0.1)
    assert "nats per token" in shown(nats) and "b: 16 to 0.88" in nats.alt
    with pytest.raises(ValueError, match="1 steps"):
        lines_over_steps([0], {"a": [1.0], "b": [1.0]}, 1, "%")
    with pytest.raises(ValueError, match=r"lines of \[2\]"):
        lines_over_steps([0, 1], {"a": [1.0, 0.0]}, 1, "%")


def test_a_dot_stands_at_its_share():
    runs = {"one": {"told": [0.5, 1.0], "untold": [0.0]}, "two": {"told": [0.25], "untold": [0.1]}}
    drawing = dots_of_runs(runs, chance=0.1)
    places = re.findall(r'<circle cx="(\S+)" cy="\S+" r="5"', drawing._repr_html_())
    assert [float(x) for x in places] == pytest.approx([203, 310, 96, 149.5, 117.4])
    assert [w for w in shown(drawing) if w in {"75%", "25%"}] == ["75%", "25%"]
    assert "one: told 50% 100%, untold 0%; two: told 25%, untold 10%" in drawing.alt
    with pytest.raises(ValueError, match="the same for each way"):
        dots_of_runs({"one": {"told": [1.0]}, "two": {"untold": [1.0]}})
