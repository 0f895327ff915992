"""Drawings, plots and exercises of the chapter on fine-tuning."""
