"""Editions of the book, made from the built site: print, slides, workshop sheets, blog posts."""

import sys
from pathlib import Path

# What they need of the book's own tooling is run by path and no package.
for folder in ("notebooks", "site"):
    sys.path.append(str(Path(__file__).resolve().parents[1] / "book" / "_ext" / folder))
