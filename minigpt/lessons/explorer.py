"""Explorers for readers with a kernel; without one, a page or notebook shows a still of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ipywidgets

VIEW = "application/vnd.jupyter.widget-view+json"
LIVE = "Live in a notebook: run this cell in JupyterLab or Colab to move it."


def view(widget: ipywidgets.Widget) -> dict[str, Any]:
    """What a frontend finds a widget by, in ipywidgets 8 and in the 7 that Colab has alike."""
    return {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}


class Live:
    """The output of a cell: a widget for readers with a kernel, and for others a still of it.

    Widgets number themselves at random. So while the book is made or checked (the environment
    variable MINIGPT_BOOK is set) none is created, and the output is the still alone: the same
    bytes in every run.

    Attributes:
        still: what stands for the widget; it has a ``_repr_html_``.
        widget: the whole, as ipywidgets shows it.
        live: says below the still where the widget works.
    """

    still: Any
    widget: ipywidgets.Widget
    live = LIVE

    def _beside(self) -> dict[str, str] | None:
        """What is displayed with the widget, such as a script, which its HTML may not hold."""
        return None

    def __repr__(self) -> str:
        return repr(self.still)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        html = f"{self.still._repr_html_()}<p style='margin:0.5em 0'><small>{self.live}</small></p>"
        bundle = {"text/plain": repr(self), "text/html": html}
        if not os.environ.get("MINIGPT_BOOK"):
            bundle[VIEW] = view(self.widget)
            if beside := self._beside():
                from IPython.display import display

                display(beside, raw=True)
        return bundle


class Explorer(Live):
    """Controls, and below them what a function draws from their values.

    Args:
        draw: takes the controls' values by name; what it returns has a ``_repr_html_``.
        start: the values that the still and the controls show first.
        make_controls: builds a widget a name, each with a ``value`` and a ``description``; it is
            called with `start` when the explorer is first shown live.
    """

    def __init__(
        self,
        draw: Callable[..., Any],
        start: Mapping[str, Any],
        make_controls: Callable[..., Mapping[str, Any]],
    ) -> None:
        self.draw, self.start, self._make_controls = draw, dict(start), make_controls
        self.still = draw(**self.start)

    @cached_property
    def controls(self) -> Mapping[str, Any]:
        """The widgets that the reader moves, by name."""
        return self._make_controls(**self.start)

    @cached_property
    def drawing(self) -> ipywidgets.HTML:
        """What `draw` made of the controls' values, kept up to date."""
        import ipywidgets

        shown = ipywidgets.HTML(self.still._repr_html_())

        def draw_again(change: Any) -> None:
            values = {name: control.value for name, control in self.controls.items()}
            shown.value = self.draw(**values)._repr_html_()

        for control in self.controls.values():
            control.observe(draw_again, names="value")
        return shown

    @cached_property
    def widget(self) -> ipywidgets.VBox:
        """The whole, as ipywidgets shows it."""
        import ipywidgets

        return ipywidgets.VBox([*self.controls.values(), self.drawing])


class Sentence:
    """What an explorer says where it has nothing to show."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.text)}</p>"
