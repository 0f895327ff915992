"""Draw every chapter's outputs from its committed notebook.

Jupyter Book's cache is filled from `notebooks/` before anything is read, so the
build runs no cell and publishes exactly what nbval verifies.
"""

from __future__ import annotations

from pathlib import Path

import book_sources
import chapter_notebook
import jupytext
import notebook_cells
import notebook_checks
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from sphinx.errors import ExtensionError


def cache_path(app) -> str:
    """Where MyST-NB keeps its cache when the configuration does not say."""
    return str(Path(app.outdir).parent / ".jupyter_cache")


def seed_cache(app) -> None:
    """Put the committed outputs where MyST-NB looks for them."""
    committed = {stem: chapter_notebook.committed(stem) for stem in book_sources.stems()}
    wrong = [p for stem, ran in committed.items() for p in notebook_checks.problems(stem, ran)]
    if wrong:
        raise ExtensionError("\n".join(wrong))
    cache = get_cache(cache_path(app))
    cache.clear_cache()
    for stem, ran in committed.items():
        # The cache compares kernels and cell metadata too: take those of the chapter itself.
        notebook = jupytext.reads(book_sources.source(stem), fmt="md:myst")
        outputs = [c for c in notebook_cells.code_cells(ran) if not notebook_cells.is_setup(c)]
        notebook_cells.take_outputs(notebook_cells.code_cells(notebook), outputs)
        cost = {"execution_seconds": ran.metadata["minigpt"]["seconds"]}
        bundle = CacheBundleIn(notebook, str(book_sources.BOOK / f"{stem}.md"), data=cost)
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def refuse_runs(app, error) -> None:
    """Fail when MyST-NB found a chapter not in the cache and ran it."""
    extra = len(get_cache(cache_path(app)).list_cache_records())
    extra -= len(book_sources.stems())
    if not error and extra:
        raise ExtensionError(f"the build ran {extra} chapters instead of showing their notebooks")


def setup(app) -> None:
    app.connect("builder-inited", seed_cache)
    app.connect("build-finished", refuse_runs)
