"""One picture on two axes, linear and logarithmic, and a button between them."""

from __future__ import annotations

from collections.abc import Sequence

from bokeh.layouts import column
from bokeh.models import Column, CustomJS, Div, Plot, Toggle

_SWITCH = """
  const log = button.active;
  linear.visible = !log;
  logarithmic.visible = log;
  words.text = told[log ? 1 : 0];
"""


def axis_switch(plots: Sequence[Plot], told: str, log: bool = False) -> Column:
    """The plots, of which one is shown, a button that shows the other, and what is told of both.

    Args:
        plots: the linear and the logarithmic one.
        told: HTML that says what they show; the axis comes before it.
        log: whether the axis is logarithmic to begin with.
    """
    plots[0].visible, plots[1].visible = not log, log
    spoken = [f"{axis} axis. {told}" for axis in ("Linear", "Logarithmic")]
    # A toggle, and the words tell its state: Bokeh's checkbox has no name for a screen reader.
    button = Toggle(label="Logarithmic axis", active=log, sizing_mode="stretch_width")
    words = Div(text=spoken[log], html_attributes={"role": "status"}, sizing_mode="stretch_width")
    args = {"button": button, "words": words, "told": spoken}
    args |= dict(zip(("linear", "logarithmic"), plots, strict=True))
    button.js_on_change("active", CustomJS(args=args, code=_SWITCH))
    return column(*plots, button, words, sizing_mode="stretch_width")
