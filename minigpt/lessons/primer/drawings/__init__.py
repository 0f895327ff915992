"""Drawings of the first chapter, from its own numbers."""

from minigpt.lessons.primer.drawings.gradients import graph, nudge, training_loop, valleys
from minigpt.lessons.primer.drawings.letters import batch_of, losses_by_step, net_at_work
from minigpt.lessons.primer.drawings.numbers import shapes, shares, spreads, surprises

__all__ = [
    "batch_of",
    "graph",
    "losses_by_step",
    "net_at_work",
    "nudge",
    "shapes",
    "shares",
    "spreads",
    "surprises",
    "training_loop",
    "valleys",
]
