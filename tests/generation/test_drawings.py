"""The drawings of the chapter on generation hold the numbers of what they are given."""

from __future__ import annotations

import re

import pytest
import torch

from minigpt.generation.sampling import apply_temperature, keep_top_p
from minigpt.lessons.drawing.canvas import BLUE, GREEN, ORANGE, PINK, SKY, number_text
from minigpt.lessons.generation.drawings import (
    beam_tree,
    cache_filling,
    characters_of_tokens,
    choice_in_steps,
    draft_and_check,
    prompt_and_writing,
    three_filters,
    writing_loop,
)
from minigpt.model import GPTConfig
from minigpt.model.ledger import parameter_count

WORDS = ["be", "the", "not", "or", "that"]
SCORES = torch.tensor([2.0, 1.5, 0.5, 0.0, -1.0], dtype=torch.float64)


def shown(drawing) -> list[str]:
    """The words of a drawing, in order."""
    return re.findall(r">([^<>]+)</text>", drawing._repr_html_())


def boxes(drawing, hue: str) -> list[tuple[float, ...]]:
    """Place and size of the filled boxes of one colour."""
    found = re.findall(
        r'<rect x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)"[^>]*?'
        rf'fill="{re.escape(hue)}" fill-opacity="0.22"',
        drawing._repr_html_(),
    )
    return [tuple(map(float, box)) for box in found]


def test_the_loop_shows_each_probability_and_appends_the_first():
    probabilities = [0.5, 0.25, 0.125]
    drawing = writing_loop(["a", "b"], ["c", "d", "e"], probabilities)
    words = shown(drawing)
    assert words.count("c") == 2 and words.count("d") == 1  # chosen, and in the text
    assert [w for w in words if "%" in w] == ["50.0%", "25.0%", "12.5%"]
    assert "c 50.0%, d 25.0%, e 12.5%" in drawing.alt
    (_, chosen) = boxes(drawing, BLUE)
    (others) = [b for b in boxes(drawing, "var(--muted)") if b[3] == 16]
    assert [b[2] / chosen[2] for b in others] == pytest.approx([0.5, 0.25])


@pytest.mark.parametrize(("at", "chosen"), [(0.0, 0), (0.4, 0), (0.5, 1), (0.9, 2)])
def test_a_choice_in_steps_is_the_packages(at, chosen):
    drawing = choice_in_steps(WORDS, SCORES, temperature=2.0, limit=0.7, drawn_at=at)
    divided = SCORES / 2
    before = divided.softmax(dim=-1)
    left = keep_top_p(apply_temperature(SCORES[None], 2.0), 0.7)[0].softmax(dim=-1)
    assert [bool(p) for p in left] == [True, True, True, False, False]
    words = shown(drawing)
    for number in (*SCORES.tolist(), *divided.tolist()):
        assert number_text(number, 2) in words
    for p in (*before.tolist(), *left[:3].tolist()):
        assert f"{100 * p:.0f}%" in words
    assert words.count("ruled out") == 2
    assert words[-1] == f"{at:.2f}: “{WORDS[chosen]}”"
    assert drawing.alt.endswith(f"falls on the part of {WORDS[chosen]}.")
    assert torch.equal(left.cumsum(-1) > at, torch.arange(5) >= chosen)
    line = [b for b in boxes(drawing, BLUE) + boxes(drawing, "var(--muted)") if b[3] == 24]
    assert sorted(b[2] / 352 for b in line) == pytest.approx(sorted(left[:3].tolist()), abs=1e-3)


def test_a_small_share_is_not_called_none():
    drawing = choice_in_steps(["a", "b"], torch.tensor([9.0, 0.0]), 1.0, 1.0, 0.5)
    assert "<1%" in [w.replace("&lt;", "<") for w in shown(drawing)]


def test_filters_are_marked_where_they_keep_and_counted_over_all():
    p = torch.tensor([0.6, 0.2, 0.1, 0.06, 0.04])
    kept = {"top-k 1": torch.arange(5) < 1, "min-p 0.1": p >= 0.06}
    drawing = three_filters({"So": ["x", "y", "z"]}, {"So": p}, {"So": kept})
    html, words = drawing._repr_html_(), shown(drawing)
    assert html.count("<circle") == 1 + 3 and words.count("–") == 2
    assert words[-2:] == ["1", "4"] and "kept of 5" in words
    assert [w for w in words if w.endswith("%")] == ["60.0%", "20.0%", "10.0%"]
    assert "top-k 1 1, min-p 0.1 4" in drawing.alt
    widths = [b[2] for b in boxes(drawing, BLUE)]
    assert [w / widths[0] for w in widths] == pytest.approx([1, 1 / 3, 1 / 6], abs=2e-3)


@pytest.mark.parametrize("prompt", [1, 2, 3])
def test_a_cache_computes_each_token_once(prompt):
    tokens = list("abcd")
    drawing = cache_filling(tokens, prompt)
    lengths = range(prompt, 5)
    with_one = [prompt] + [1] * (4 - prompt)
    computed = boxes(drawing, ORANGE)
    assert len(computed) - 1 == sum(lengths) + 4  # one in the legend
    dashed = drawing._repr_html_().count("stroke-dasharray")
    assert dashed - 1 == sum(n - new for n, new in zip(lengths, with_one, strict=True))
    numbers = [int(w) for w in shown(drawing) if w.isdigit()]
    assert numbers == [*lengths, sum(lengths), *with_one, 4]
    assert f"{sum(lengths)} in all" in drawing.alt and "4 in all" in drawing.alt


def test_a_weight_travels_once_for_a_prompt_and_once_for_a_token():
    size = parameter_count(GPTConfig.preset("gpt2"))
    words = shown(prompt_and_writing(size, together=100))
    assert words.count(f"{2 * size / 1e9:.1f} GB") == 2
    assert f"{100 * size / 1e9:.1f} billion" in words and f"{size / 1e9:.1f} billion" in words
    assert [w for w in words if "each byte" in w] == ["50 for each byte", "0.5 for each byte"]
    assert "100 tokens at once" in words and "1 token" in words


@pytest.mark.parametrize(
    ("drafts", "choices", "stays"),
    [("ab", "xyz", "x"), ("ab", "ayz", "ay"), ("ab", "abz", "abz"), ("aba", "azab", "az")],
)
def test_drafts_stay_until_the_first_that_differs(drafts, choices, stays):
    drawing = draft_and_check("so", drafts, choices)
    words = shown(drawing)
    last = words.index("what stays")
    assert len(boxes(drawing, SKY)) == len(drafts)
    assert len(boxes(drawing, GREEN)) == 2 * (len(stays) - 1) and len(boxes(drawing, PINK)) == 2
    below = [b for hue in (GREEN, PINK) for b in boxes(drawing, hue) if b[1] == 208]
    assert len(below) == len(stays)
    assert words.count("agrees") == len(stays) - 1
    assert words.count("not used") == len(choices) - len(stays)
    assert words.count("differs") + words.count("one more") == 1
    told = f"{len(stays)} new token{'s' * (len(stays) > 1)} for one call of the large model"
    assert words[-1] == told and told in drawing.alt and last < len(words)


def test_bytes_wait_for_the_rest_of_their_character():
    pieces = [b"Ca", b"\xc3", b"\xa9 ", b"\xe2\x82", b"\xac"]
    drawing = characters_of_tokens(pieces)
    words = shown(drawing)
    assert [w for w in words if w in ("Ca", "waits", "é␣", "€")] == [
        "Ca", "waits", "é␣", "waits", "€",
    ]  # fmt: skip
    assert [w for w in words if re.fullmatch("[0-9a-f]{2}", w)] == [
        f"{byte:02x}" for piece in pieces for byte in piece
    ]
    assert "c3 gives nothing yet; a9 20 gives “é ”" in drawing.alt


def test_a_tree_marks_greedys_way_and_the_best():
    tree = {"a": (0.6, {"x": 0.5, "y": 0.5 - 1e-9}), "b": (0.4, {"z": 1.0})}
    drawing = beam_tree(tree)
    words = shown(drawing)
    assert [w for w in words if w in ("0.30", "0.40")] == ["0.30", "0.30", "0.40", "0.40"]
    assert "Greedy takes a and then x, with a probability of 0.30" in drawing.alt
    assert "The most probable text is b z, with 0.40" in drawing.alt
    assert len(boxes(drawing, PINK)) - 1 == 2 == len(boxes(drawing, GREEN)) - 1


def test_what_cannot_be_drawn_is_refused():
    for draw, message in (
        (lambda: writing_loop(["a"] * 5, ["b"], [1.0]), "room for 4 tokens"),
        (lambda: writing_loop(["a"], ["b"], [1.0, 0.0]), "with one each"),
        (
            lambda: choice_in_steps(["a", "b"], torch.tensor([1.0, 2.0]), 1.0, 1.0, 0.0),
            "best first",
        ),
        (lambda: cache_filling(["a"], 0), "give 1 to 6 tokens"),
        (lambda: cache_filling(["a"] * 7, 2), "give 1 to 6 tokens"),
        (lambda: draft_and_check("so", "abcde", "abcdef"), "give 1 to 4"),
        (lambda: draft_and_check("so", "ab", "ab"), "one choice more"),
    ):
        with pytest.raises(ValueError, match=message):
            draw()
