"""Drawings of the chapter on training, from its own numbers."""

from minigpt.lessons.training.drawings.bars import gradients_of_batches, losses_above_a_floor
from minigpt.lessons.training.drawings.batch import batch_in_parts, surprises_of_a_window
from minigpt.lessons.training.drawings.maps import circle_becomes, shortened
from minigpt.lessons.training.drawings.steps import one_step, rates_of_a_run, running_means
from minigpt.lessons.training.drawings.valley import valley

__all__ = [
    "batch_in_parts",
    "circle_becomes",
    "gradients_of_batches",
    "losses_above_a_floor",
    "one_step",
    "rates_of_a_run",
    "running_means",
    "shortened",
    "surprises_of_a_window",
    "valley",
]
