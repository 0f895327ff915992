"""The built site's look for files that stand alone: its colours, its fonts, its code."""

from __future__ import annotations

import base64
import re

from editions.built import built_site


def data_address(data: bytes, kind: str) -> str:
    """The bytes of a file as an address."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def site_style() -> str:
    """The variables (--mg-…) of both themes, the font of formulas, and the colours of code.

    Raises:
        ValueError: when there is no built site.
    """
    static = built_site.require() / "_static"
    colours = (static / "site" / "colours.css").read_text("utf-8")
    palette = "\n".join(re.findall(r"^:root(?:\[[^\]]*\])? \{.*?^\}", colours, re.M | re.S))
    math = data_address((static / "fonts" / "math.woff2").read_bytes(), "font/woff2")
    return "\n".join(
        [
            palette,
            f'@font-face {{ font-family: "MiniGPT Math"; src: url("{math}") format("woff2"); }}',
            (static / "pygments.css").read_text("utf-8"),
        ]
    )
