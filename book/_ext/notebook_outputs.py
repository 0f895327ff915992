"""Draw every chapter's outputs from its committed notebook.

Jupyter Book's cache is filled from `notebooks/` before anything is read, so the
build runs no cell and publishes exactly what nbval verifies.
"""

from __future__ import annotations

import hashlib

import chapters
import jupytext
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from sphinx.errors import ExtensionError


def seed_cache(app) -> None:
    """Put the committed outputs where MyST-NB looks for them."""
    wrong = [p for s in chapters.stems() for p in chapters.problems(s, chapters.committed(s))]
    if wrong:
        raise ExtensionError("\n".join(wrong))
    path = app.config.nb_execution_cache_path or str(app.outdir.parent / ".jupyter_cache")
    app.config.nb_execution_cache_path = path
    cache = get_cache(path)
    cache.clear_cache()
    for stem in chapters.stems():
        ran = chapters.committed(stem)
        # The cache compares kernels and cell metadata too: take those of the chapter itself.
        notebook = jupytext.reads(chapters.source(stem), fmt="md:myst")
        outputs = [c for c in ran.cells if c.cell_type == "code" and not chapters.is_setup(c)]
        cells = [c for c in notebook.cells if c.cell_type == "code"]
        for cell, old in zip(cells, outputs, strict=True):
            cell.outputs, cell.execution_count = old.outputs, old.execution_count
        cost = {"execution_seconds": ran.metadata["minigpt"]["seconds"]}
        bundle = CacheBundleIn(notebook, str(chapters.BOOK / f"{stem}.md"), data=cost)
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def refuse_runs(app, error) -> None:
    """Fail when MyST-NB found a chapter not in the cache and ran it."""
    extra = len(get_cache(app.config.nb_execution_cache_path).list_cache_records())
    extra -= len(chapters.stems())
    if not error and extra:
        raise ExtensionError(f"the build ran {extra} chapters instead of showing their notebooks")


def changed_notebooks(app, env, added, changed, removed) -> list[str]:
    """Read a page again when its notebook has other contents than last time."""
    previous = getattr(env, "minigpt_notebooks", {})
    now = {
        s: hashlib.sha256(chapters.notebook_path(s).read_bytes()).hexdigest()
        for s in chapters.stems()
    }
    env.minigpt_notebooks = now
    outdated = [s for s in now if s in env.found_docs and previous.get(s) != now[s]]
    return [*outdated, "status"] if outdated and "status" in env.found_docs else outdated


def setup(app) -> None:
    app.connect("builder-inited", seed_cache)
    app.connect("env-get-outdated", changed_notebooks)
    app.connect("build-finished", refuse_runs)
