"""Chapters as blog posts."""
