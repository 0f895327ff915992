"""The built site, served below the path that it has when published."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "book" / "_ext"))  # where `chapters` is, for every format
import serve  # noqa: E402
from serve import SITE, require  # noqa: E402


def served(site: Path = SITE) -> AbstractContextManager[str]:
    """The address of the site while a block runs, with a slash at the end."""
    return serve.served(require(site))
