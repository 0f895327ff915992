"""The explorer of sizes, driven from Python."""

from __future__ import annotations

import pytest

from minigpt.lessons.model.widgets import model_explorer
from minigpt.model import GPTConfig


@pytest.fixture
def sizes():
    return model_explorer(GPTConfig(65, 6, n_layer=2, n_head=2, n_embd=10, bias=False))


def test_a_model_is_drawn_for_its_sizes(sizes):
    lines = repr(sizes).splitlines()
    # 6 tokens, as the context has no room for more: (65 + 6) × 10, 2 × 1,220, and a last norm.
    assert lines[0].split() == ["GPT", "(1,", "6,", "65)", "3,160", "100.0", "%"]
    assert sizes.drawing.value == sizes.still._repr_html_()


def test_other_sizes_can_be_chosen(sizes):
    told = sizes.drawing
    sizes.controls["n_layer"].value = 5
    assert "<b>blocks</b> <em>× 5</em>" in told.value
    sizes.controls["vocab_size"].value = 50257
    assert "<code>(1, 6, 50257)</code>" in told.value
    sizes.controls["n_head"].value = 5
    assert "in 5 heads: softmax(mask(q kᵀ / √2)) v" in told.value
    sizes.controls["n_embd"].value = 400
    assert "5 × 1,920,800" in told.value  # 12 × 400 × 400 + 2 × 400


def test_sizes_that_do_not_fit_are_answered_with_a_sentence(sizes):
    told = sizes.drawing
    sizes.controls["n_head"].value = 3
    assert told.value == (
        "<p>There is no such model: n_embd 10 cannot be cut into n_head 3 heads of equal width: "
        "choose a number of heads that divides it.</p>"
    )
    sizes.controls["n_embd"].value = 12
    assert "in 3 heads" in told.value


def test_the_sliders_hold_what_they_start_with():
    config = GPTConfig(70, 8, n_layer=49, n_head=30, n_embd=1650)
    explorer = model_explorer(config)
    for name, control in explorer.controls.items():
        assert control.value == getattr(config, name)
    width = explorer.controls["n_embd"]
    assert (width.value - width.min) % width.step == 0  # else a page would move it
    usual = model_explorer(GPTConfig(65, 8, n_layer=1, n_head=2, n_embd=32)).controls["n_embd"]
    assert [(slider.min, slider.step) for slider in (width, usual)] == [(1, 1), (16, 16)]
    assert 70 in explorer.controls["vocab_size"].options
