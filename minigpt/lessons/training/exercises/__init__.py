"""Checks for the exercises of the chapter on training."""

from minigpt.lessons.training.exercises.adamw import (
    accumulated_gradient,
    adamw_step,
    cross_entropy,
    inputs_and_targets,
    learning_rate,
)

__all__ = [
    "accumulated_gradient",
    "adamw_step",
    "cross_entropy",
    "inputs_and_targets",
    "learning_rate",
]
