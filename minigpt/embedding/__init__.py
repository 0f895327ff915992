"""From token ids to vectors, and what a position is."""

from minigpt.embedding.positions import position_angles, rotate, sinusoidal_positions
from minigpt.embedding.tables import PositionEmbedding, TokenEmbedding
from minigpt.embedding.token_map import nearest_neighbours, principal_components

__all__ = [
    "PositionEmbedding",
    "TokenEmbedding",
    "nearest_neighbours",
    "position_angles",
    "principal_components",
    "rotate",
    "sinusoidal_positions",
]
