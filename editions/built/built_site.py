"""The built site, served below the path that it has when published."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import serve
from serve import SITE, require


def served(site: Path = SITE) -> AbstractContextManager[str]:
    """The address of the site while a block runs, with a slash at the end."""
    return serve.served(require(site))
