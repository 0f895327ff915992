"""Plots, exercises and widgets of the chapter on tokenization."""
