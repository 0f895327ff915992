"""Drawings and exercises of the first chapter, on numbers that learn."""
