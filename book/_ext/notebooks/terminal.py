"""What a terminal or pipe cannot show."""

from __future__ import annotations

import sys


def replace_unknown_letters() -> None:
    """Print "?" for a letter that standard output's encoding lacks, instead of ending there.

    Standard error does so by itself.
    """
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
