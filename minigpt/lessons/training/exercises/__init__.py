"""Checks for the exercises of the chapter on training."""

from minigpt.lessons.training.exercises.adamw import adamw_step
from minigpt.lessons.training.exercises.gradients import accumulated_gradient
from minigpt.lessons.training.exercises.loss import cross_entropy
from minigpt.lessons.training.exercises.schedule import learning_rate
from minigpt.lessons.training.exercises.windows import inputs_and_targets

__all__ = [
    "accumulated_gradient",
    "adamw_step",
    "cross_entropy",
    "inputs_and_targets",
    "learning_rate",
]
