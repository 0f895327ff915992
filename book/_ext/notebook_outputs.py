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
    for stem in chapters.stems():
        notebook = chapters.committed(stem)
        notebook.cells = [
            c for c in notebook.cells if chapters.SETUP not in c.metadata.get("tags", [])
        ]
        # The cache compares kernels too: give it the one that the chapter's header names.
        notebook.metadata["kernelspec"] = jupytext.reads(
            chapters.source(stem), fmt="md:myst"
        ).metadata["kernelspec"]
        cost = {"execution_seconds": notebook.metadata["minigpt"]["seconds"]}
        bundle = CacheBundleIn(notebook, str(chapters.BOOK / f"{stem}.md"), data=cost)
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


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
