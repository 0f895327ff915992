"""The page on data sets says what their cards say, for it is made from them."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

from minigpt.data.sets import SETS
from minigpt.data.sets.facts import facts


@pytest.fixture(scope="module")
def article(site):
    page = BeautifulSoup((site / "data.html").read_text("utf-8"), "html.parser")
    return page.select_one(".mg-article")


def plain(element) -> str:
    """Its words, with the quotation marks that were typed."""
    return " ".join(element.get_text().split()).translate(str.maketrans("‘’“”", "''\"\""))


def test_every_data_set_has_its_section(article):
    found = [section["id"].removeprefix("data-") for section in article.select("section section")]
    assert found[: len(SETS)] == [*SETS] and len(found) == len(SETS) + 2


@pytest.mark.parametrize("card", SETS.values(), ids=lambda card: card.name)
def test_a_section_holds_the_card(article, card):
    section = article.find("section", id=f"data-{card.name}")
    assert plain(section.find("h2")).startswith(card.title)
    assert card.about in plain(section)
    labels, values = (map(plain, section.find("dl").find_all(name)) for name in ("dt", "dd"))
    assert list(zip(labels, values, strict=True)) == facts(card)
    lines = [line.get_text().rstrip("\n") for line in section.select(".mg-begins .line")]
    assert [line.replace("\xa0", "") for line in lines] == card.begins.splitlines()
    if card.url:
        assert section.find("a", href=card.url)
