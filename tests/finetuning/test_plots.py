"""The plots of the chapter on fine-tuning hold the numbers of what they are given."""

from __future__ import annotations

import pytest
from bokeh.models import ColumnDataSource, CustomJS, Div, HoverTool, Slider, Span

from minigpt.lessons.finetuning.plots import forgetting_plane, rank_slider

RUNS = {"all": [(4.0, 4.5, "rate 1"), (4.1, 4.4, "rate 2")], "adapter": [(4.2, 4.9, "rank 8")]}


def test_a_point_in_the_plane_is_a_run():
    plot = forgetting_plane(RUNS, (5.0, 4.2))
    sources = [r.data_source for r in plot.renderers]
    assert [list(s.data["new"]) for s in sources] == [[4.0, 4.1], [4.2]]
    assert [list(s.data["old"]) for s in sources] == [[4.5, 4.4], [4.9]]
    assert [list(s.data["settings"]) for s in sources] == [["rate 1", "rate 2"], ["rank 8"]]
    assert len({r.glyph.marker for r in plot.renderers}) == 2
    (before,) = plot.select({"type": Span})
    assert before.location == 4.2 and len(plot.select({"type": HoverTool})) == 1
    with pytest.raises(ValueError, match="there are 0 ways"):
        forgetting_plane({}, (5.0, 4.2))


def test_the_slider_tells_what_each_rank_keeps():
    layout = rank_slider([3.0, 2.0, 1.0], [0, 1, 3], ["none", "one", "all"], start=1)
    source = next(iter(layout.select({"type": ColumnDataSource})))
    assert list(source.data["value"]) == [3.0, 2.0, 1.0]
    assert list(source.data["alpha"]) == [0.9, 0.15, 0.15]
    (words,) = layout.select({"type": Div})
    assert words.text == "one"
    (slider,) = layout.select({"type": Slider})
    assert (slider.start, slider.end, slider.value) == (0, 2, 1)
    (script,) = layout.select({"type": CustomJS})
    assert script.args["ranks"] == [0, 1, 3] and script.args["told"] == ["none", "one", "all"]


@pytest.mark.parametrize(
    ("ranks", "told", "start", "message"),
    [
        ([0, 1], ["none"], 0, "2 ranks, 1 sentences"),
        ([0, 1], ["a", "b"], 2, "a start at 2"),
        ([1, 0], ["a", "b"], 0, "let them rise"),
        ([0, 9], ["a", "b"], 0, "to at most 3"),
    ],
)
def test_what_does_not_fit_is_refused(ranks, told, start, message):
    with pytest.raises(ValueError, match=message):
        rank_slider([3.0, 2.0, 1.0], ranks, told, start)
