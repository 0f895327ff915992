"""Slides of chapters, from what is marked in them."""
