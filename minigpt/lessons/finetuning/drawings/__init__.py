"""Drawings of the chapter on fine-tuning, from its own numbers: a file an idea."""

from minigpt.lessons.finetuning.drawings.adapter import adapter_by_hand, memory_of_tuning
from minigpt.lessons.finetuning.drawings.answers import conversation, shifted_labels, three_stages
from minigpt.lessons.finetuning.drawings.practice import group_of_answers, lines_over_steps
from minigpt.lessons.finetuning.drawings.preference import preferred_answer
from minigpt.lessons.finetuning.drawings.replayed import batch_with_replay
from minigpt.lessons.finetuning.drawings.runs import dots_of_runs

__all__ = [
    "adapter_by_hand",
    "batch_with_replay",
    "conversation",
    "dots_of_runs",
    "group_of_answers",
    "lines_over_steps",
    "memory_of_tuning",
    "preferred_answer",
    "shifted_labels",
    "three_stages",
]
