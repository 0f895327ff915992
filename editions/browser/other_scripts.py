"""Fonts for what Latin ones lack, so that no machine photographs or prints boxes."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk")  # Noto, under the Open Font License


def fonts() -> dict[str, Path]:
    """The files by the names under which pages may ask for them."""
    folders = [Path(find_spec(package).origin).parent for package in PACKAGES]
    paths = sorted(p for f in folders for p in f.iterdir() if p.suffix in {".ttf", ".ttc"})
    return {path.name.split("[")[0].split(".")[0]: path for path in paths}


def faces(address: str = "{uri}") -> str:
    """Their `@font-face` rules; in ``address``, `{uri}` is a file's own and `{name}` its name."""
    return "".join(
        f'@font-face {{ font-family: "{name}"; '
        f'src: url("{address.format(uri=path.as_uri(), name=name)}") }}\n'
        for name, path in fonts().items()
    )


def families() -> str:
    """Their names, for a `font-family` in CSS."""
    return ", ".join(f'"{name}"' for name in fonts())
