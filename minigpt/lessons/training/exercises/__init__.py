"""Checks for the exercises of the chapter on training."""

from minigpt.lessons.training.exercises.gradients import accumulated_gradient
from minigpt.lessons.training.exercises.muon import muon_step
from minigpt.lessons.training.exercises.schedule import trapezoid
from minigpt.lessons.training.exercises.stopping import early_stop

__all__ = [
    "accumulated_gradient",
    "early_stop",
    "muon_step",
    "trapezoid",
]
