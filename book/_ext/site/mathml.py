"""Maths as MathML Core, made when the book is built: no script in the page.

A formula that cannot be converted fails the build. The maths font is cut down to the
characters that the book uses.
"""

from __future__ import annotations

import html
import re
import unicodedata
from importlib.util import find_spec
from pathlib import Path

from docutils import nodes
from fontTools.subset import Options, Subsetter, load_font, save_font
from math_core import LatexToMathML
from sphinx.errors import ExtensionError
from sphinx.util.math import get_node_equation_number

FONT = "ziamath/fonts/STIXTwoMath-Regular.ttf"  # OFL
_converter = LatexToMathML(annotation=True)

# From a letter's code point to its mathematical italic form: Latin, dotless i and j, Greek
# with ∇ and ∂, and h, whose form is the Planck constant's. Unicode tells the letters.
ITALIC = {
    int(form.split()[1], 16): code
    for code in (*range(0x1D434, 0x1D468), 0x1D6A4, 0x1D6A5, *range(0x1D6E2, 0x1D71C), 0x210E)
    if (form := unicodedata.decomposition(chr(code)))
}


def to_mathml(latex: str, display: bool) -> str:
    """MathML for one formula; raises `ExtensionError` naming a formula that is not LaTeX."""
    try:
        return _converter.convert_with_local_state(latex, displaystyle=display)
    except Exception as error:
        reason = re.sub(r"\x1b\[[0-9;]*m", "", str(error))  # the message is coloured
        raise ExtensionError(
            f"cannot turn this formula into MathML: {latex!r}: {reason}"
        ) from error


def inline(self, node) -> None:
    self.body.append(to_mathml(node.astext(), display=False))
    raise nodes.SkipNode


def block(self, node) -> None:
    self.body.append(self.starttag(node, "div", CLASS="mg-math"))
    formula = to_mathml(node.astext(), display=True)
    self.body.append(f'<div class="mg-formula">{formula}</div>')  # which may scroll
    if node["number"]:
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def characters(page: str) -> set[int]:
    """The code points that the formulas of a page are drawn with."""
    found: set[int] = set()
    for formula in re.findall(r"<math\b.*?</math>", page, re.DOTALL):
        drawn = re.sub(r"<annotation\b.*?</annotation>", "", formula, flags=re.DOTALL)
        for letter in re.findall(r"<mi>(.)</mi>", html.unescape(drawn)):
            # Browsers slant a lone letter by themselves.
            found.add(ITALIC.get(ord(letter), ord(letter)))
        found.update(map(ord, html.unescape(re.sub(r"<[^>]*>", "", drawn))))
        if re.search(r"<m(?:sqrt|root)\b", drawn):
            found.add(ord("√"))  # which no text of the formula spells
    return found


def write_font(app, error) -> None:
    """Write the characters in use, and the tables that lay formulas out, as a web font."""
    if error or app.builder.format != "html":
        return
    pages = [path.read_text("utf-8") for path in Path(app.outdir).glob("**/*.html")]
    wanted = set().union(*map(characters, pages))
    target = Path(app.outdir) / "_static" / "fonts"
    target.mkdir(parents=True, exist_ok=True)
    ziamath = Path(find_spec("ziamath").origin).parents[1]
    options = Options(flavor="woff2", layout_features=["ssty"])
    font = load_font(str(ziamath / FONT), options)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=wanted)
    subsetter.subset(font)
    save_font(font, str(target / "math.woff2"), options)


def setup(app) -> None:
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    app.connect("build-finished", write_font)
