"""What the chapters show: code and figures here; plots, exercises and widgets in a folder each."""

from minigpt.lessons.drawing.figure import show
from minigpt.lessons.source import show_source

__all__ = [
    "show",
    "show_source",
]
