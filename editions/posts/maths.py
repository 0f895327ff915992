"""Formulas for editors that know no formulas: inline ones as text, displayed ones as pictures.

Both come from the MathML that the book is built with. Text is made of characters, `₁` and `²`
and `θ`, because a character survives every paste; where Unicode has no raised or lowered form,
what is lowered becomes `<sub>`, which reads well when an editor drops the tag, and what is
raised becomes `^(…)`, which would not.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

from mathml import to_mathml

from editions.browser import photographed_page
from editions.built import built_site
from editions.shared.html_words import plain

LOWERED = dict(
    zip(
        "0123456789+−=()aehijklmnoprstuvxβγρφχ",
        "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ",
        strict=True,
    )
)
RAISED = dict(zip("0123456789+−=()in⊤", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁱⁿᵀ", strict=True))
SPACED = set("+−=<>≤≥≈≠≪≫∈∉→←↦⇒⇔·⋅×⊙∘±∼∣∪∩⊂⊆∝≡") | {":="}
ACCENTS = {"ˆ": "\u0302", "^": "\u0302", "˜": "\u0303", "~": "\u0303", "¯": "\u0304"}
ACCENTS |= {"‾": "\u0304", "→": "\u20d7", "˙": "\u0307"}
OPENING = ("(", "[", "{")
APPLY = "\u2061"  # between a function and what it is applied to
THIN = "\u2009"


class Text:
    """One formula as HTML that is text: letters in italics, nothing else but `<sub>`."""

    def __init__(self, latex: str) -> None:
        self.latex = latex

    def convert(self) -> str:
        named = re.sub(
            r"&(?!amp;|lt;|gt;|quot;|#)\w+;",
            lambda found: html.unescape(found[0]),
            to_mathml(self.latex, display=False),
        )
        shown = re.sub(f"{THIN}{{2,}}", THIN, self.show(ElementTree.fromstring(named)).strip())
        return re.sub(f"(?<= )−{THIN}|^−{THIN}", "−", shown)

    def show(self, node: ElementTree.Element) -> str:
        children = list(node)
        if node.tag == "semantics":
            return self.show(children[0])  # the second child is the LaTeX
        if node.tag in ("math", "mrow", "mstyle", "mpadded"):
            return self.row(children)
        if node.tag in ("mi", "mn", "mtext", "mo"):
            return self.letters(node)
        if node.tag == "mspace":
            return THIN if re.match(r"0?\.\d*[1-9]|[1-9]", node.get("width", "")) else ""
        if node.tag in ("msub", "munder"):
            return self.show(children[0]) + self.below(children[1])
        if node.tag == "msup":
            return self.show(children[0]) + self.above(children[1])
        if node.tag in ("msubsup", "munderover"):
            return self.show(children[0]) + self.below(children[1]) + self.above(children[2])
        if node.tag == "mfrac":
            return "/".join(self.grouped(child) for child in children)
        if node.tag == "msqrt":
            return "√" + self.grouped(node)
        if node.tag == "mover" and (accent := ACCENTS.get(plain(self.show(children[1])))):
            return f"{self.show(children[0])}{accent}"
        raise ValueError(
            f"the formula {self.latex!r} has no form as text (<{node.tag}>): display it, or teach "
            f"{__name__} to show it"
        )

    def letters(self, node: ElementTree.Element) -> str:
        text = (node.text or "").strip("\n") if node.tag == "mtext" else (node.text or "").strip()
        if node.tag == "mi" and len(text) == 1 and node.get("mathvariant") != "normal":
            return f"<i>{html.escape(text)}</i>" if text.isalpha() else html.escape(text)
        return html.escape(text, quote=False)

    def row(self, children: list[ElementTree.Element]) -> str:
        shown = ""
        for child, after in zip(children, [*children[1:], None], strict=True):
            text = self.show(child)
            sign = (after.text or "").strip() if after is not None and after.tag == "mo" else ""
            joined = after is not None and (sign in OPENING or after.tag not in ("mo", "mspace"))
            if joined and child.tag == "mfrac":
                text = f"({text})"  # x/2(1 + y) would have all of it below the line
            elif joined and (child.tag in ("munder", "munderover") or "^" in plain(text)):
                text += THIN
            if child.tag == "mo":
                sign = plain(text)
                if sign == APPLY:
                    text = THIN if child.get("lspace") else ""
                elif sign == ",":
                    text = ", "
                elif sign in ("∑", "∏", "∫"):
                    text += THIN
                elif sign in SPACED and shown and child.get("lspace") != "0":
                    text = f" {text} "
            shown += text
        return shown.replace(", ...", ", …").replace("... ,", "…,").replace("...", "…")

    def grouped(self, node: ElementTree.Element) -> str:
        """A part that stands beside a sign of its own, in brackets when it has several pieces."""
        children = list(node)
        shown = self.row(children) if node.tag == "msqrt" else self.show(node)
        return shown if re.fullmatch(r"\w|[\d.]+", plain(shown)) else f"({shown})"

    def below(self, node: ElementTree.Element) -> str:
        shown = self.show(node)
        letters = plain(shown)
        if all(letter in LOWERED for letter in letters):
            return "".join(map(LOWERED.__getitem__, letters))
        return f"<sub>{shown}</sub>"

    def above(self, node: ElementTree.Element) -> str:
        shown = self.show(node)
        letters = plain(shown)
        if all(letter in RAISED for letter in letters):
            return "".join(map(RAISED.__getitem__, letters))
        return f"^{shown}" if re.fullmatch(r"\w+", letters) else f"^({shown})"


def as_text(latex: str) -> str:
    """An inline formula as HTML without MathML.

    Raises:
        ValueError: for a formula that cannot be written in a line.
    """
    return Text(latex).convert()


def key(latex: str) -> str:
    """What the same formula has in common in a notebook and on a page."""
    return " ".join(latex.split())


# Every displayed formula, when folds are open and fonts there.
FORMULAS = """async () => {
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  document.body.getBoundingClientRect(); // lays out what was folded, which asks for its fonts
  await document.fonts.ready;
  return [...document.querySelectorAll(".mg-article .mg-math math")];
}"""
STYLE = ".mg-math math { width: fit-content; padding: 4px; background: white; color: black }"


@contextmanager
def photographer(browser, site=built_site.SITE) -> Iterator:
    """A function from a chapter's stem to pictures of its displayed formulas.

    They are PNGs of ``photographed_page.DENSITY`` pixels to one of CSS, by the formula's LaTeX
    as `key` writes it, from the built page and in its font.
    """

    def pictures(stem: str) -> dict[str, bytes]:
        found = {}
        with photographed_page.opened(browser, f"{address}{stem}.html", scripts=False) as page:
            page.add_style_tag(content=STYLE)
            page.evaluate("document.fonts.ready")
            for handle in page.evaluate_handle(FORMULAS).get_properties().values():
                element = handle.as_element()
                latex = element.evaluate("(e) => e.querySelector('annotation').textContent")
                found[key(latex)] = element.screenshot(animations="disabled")
        return found

    with built_site.served(site) as address:
        yield pictures
