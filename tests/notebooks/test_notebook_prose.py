"""Notebooks say in plain Markdown what the pages say in MyST."""

from __future__ import annotations

import book_sources
import pytest
from notebook_prose import Prose

PAGE = "https://example.org/book/tokenizer.html"
TEXT = """
(sec:tokenizer-merge)=
## Merge *pairs*

```{math}
:label: eq:first
a
```

```{math}
:label: eq:second
b
```
"""
LABELS = {"sec:tokenizer-merge": "tokenizer", "sec:model-gpt": "model", "sec:two_words": "model"}


@pytest.fixture
def prose():
    return Prose(PAGE, book_sources.BOOK / "references.bib", {"words": "61,018"}, TEXT, LABELS)


@pytest.mark.parametrize(
    ("myst", "markdown"),
    [
        ("(sec:here)=\n## Here", "## Here"),
        ("a {term}`token`, {term}`tokens <token>`", "a token, tokens"),
        ("It has {glue:text}`words` entries.", "It has 61,018 entries."),
        ("see {eq}`eq:second`", "see (2)"),
        ("the {doc}`glossary`", "the [glossary](https://example.org/book/glossary.html)"),
        ("{doc}`a chapter <model>`", "[a chapter](https://example.org/book/model.html)"),
        ("as {cite:t}`gage1994` says", "as Gage (1994) says"),
        ("as said {cite:p}`sennrich2016`", "as said (Sennrich et al., 2016)"),
        ("{cite:p}`gage1994,sennrich2016`", "(Gage, 1994; Sennrich et al., 2016)"),
        ("{cite:t}`gage1994,sennrich2016`", "Gage (1994), Sennrich et al. (2016)"),
        ("see [](#sec:tokenizer-merge)", f"see [Merge *pairs*]({PAGE}#sec-tokenizer-merge)"),
        ("[One {term}`token`.]{.key} Two.", "One token. Two."),
        ("[See [it](https://a.b/).]{.key}", "See [it](https://a.b/)."),
        ("as [above](#sec:tokenizer-merge)", f"as [above]({PAGE}#sec-tokenizer-merge)"),
        (
            "the [whole](#sec:model-gpt)",
            "the [whole](https://example.org/book/model.html#sec-model-gpt)",
        ),
        ("[it](#sec:two_words)", "[it](https://example.org/book/model.html#sec-two-words)"),
        ("```{math}\n:label: eq:second\n\\frac{a}{b}\n```", "$$\n\\frac{a}{b} \\tag{2}\n$$"),
        ("```{math}\na\n```", "$$\na\n$$"),
        (
            ":::{dropdown} Answer\nIt is {term}`token`.\n:::",
            "<details><summary>Answer</summary>\n\nIt is token.\n\n</details>",
        ),
        (
            ":::{admonition} Box\n:class: box\nOne.\n\n```{chapter-cost} tokenizer\n```\n:::",
            "> **Box**\n>\n> One.",
        ),
        (
            "```{page-widget} merge-stepper\n:attributes: mode=train\nA stepper.\n```",
            f"> A stepper. [Open the page]({PAGE}).",
        ),
        (
            "```{list-table} Costs\n:header-rows: 1\n\n* - A\n  - B\n* - `a|b`\n  - 2\n```",
            "*Costs*\n\n| A | B |\n| --- | --- |\n| `a\\|b` | 2 |",
        ),
        ("`\\p{L}` is a letter, `\\p{N}` a number", "`\\p{L}` is a letter, `\\p{N}` a number"),
        ("```python\n{'a': 1}\n```", "```python\n{'a': 1}\n```"),
    ],
)
def test_each_construct(prose, myst, markdown):
    assert prose.convert(myst) == markdown


@pytest.mark.parametrize("myst", ["```{figure} a.png\n```", "{download}`a.zip`"])
def test_what_is_unknown_is_refused(prose, myst):
    with pytest.raises(ValueError, match="notebooks cannot show"):
        prose.convert(myst)


def test_a_link_to_a_section_that_is_not_there_is_refused(prose):
    with pytest.raises(ValueError, match="has the label 'sec:nowhere'"):
        prose.convert("see [](#sec:nowhere)")


def test_a_link_to_another_page_without_words_is_refused(prose):
    with pytest.raises(ValueError, match="another page: give it words"):
        prose.convert("see [](#sec:model-gpt)")
