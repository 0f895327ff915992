"""From the loss of one guess to a run in a folder."""

from minigpt.training.batches import Batches, TextBatches
from minigpt.training.evaluation import evaluate, measure
from minigpt.training.intervals import Intervals
from minigpt.training.kept_model import KeptModel, model_of
from minigpt.training.loss import IGNORED, next_token_loss
from minigpt.training.processes import Processes
from minigpt.training.recipe import RECIPES, Recipe
from minigpt.training.run import Interrupted, train
from minigpt.training.trainer import Trainer
from minigpt.training.windows import Windows

__all__ = [
    "IGNORED",
    "RECIPES",
    "Batches",
    "Interrupted",
    "Intervals",
    "KeptModel",
    "Processes",
    "Recipe",
    "TextBatches",
    "Trainer",
    "Windows",
    "evaluate",
    "measure",
    "model_of",
    "next_token_loss",
    "train",
]
