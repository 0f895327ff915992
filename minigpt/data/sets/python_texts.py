"""What comes with every Python: the texts of its ``help()``, and the source of its library.

Both change from one Python to the next, so nothing trained on them can be compared between two.
"""

from __future__ import annotations

import importlib
import sysconfig
from pathlib import Path

from minigpt.data.sets.chance_order import in_chance_order


def topics() -> str:
    """The reference texts that ``help("IMPORT")`` and its like print, one after the other.

    Raises:
        FileNotFoundError: a Python that was installed without them.
    """
    try:
        found = importlib.import_module("pydoc_data.topics").topics
    except ImportError:
        raise FileNotFoundError(
            "this Python was installed without pydoc_data, the texts of help(): install Python's "
            "documentation too, or use a Python from python.org"
        ) from None
    return "\n".join(found[name] for name in in_chance_order(found))


def library() -> str:
    """The modules at the top of the standard library, those that are one file, as they are."""
    folder = Path(sysconfig.get_path("stdlib"))
    # _sysconfigdata is made anew on each machine.
    files = {file.name for file in folder.glob("*.py") if not file.name.startswith("_sysconfig")}
    return "\n".join((folder / name).read_text("utf-8") for name in in_chance_order(files))
