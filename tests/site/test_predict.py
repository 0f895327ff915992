"""Predict, then run: the reader answers first, and what answers opens then."""

from __future__ import annotations

import book_sources
import predictions
import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from playwright.sync_api import expect

from editions.built import built_page

FIRST = "tokenizer.html"  # its first question is answered by a fold and by one cell


def open_chapter(page, site_url: str) -> None:
    page.goto(f"{site_url}{FIRST}")


def cell() -> nodes.container:
    code, output = (nodes.container(classes=[f"cell_{part}"]) for part in ("input", "output"))
    return nodes.container("", code, output)


def test_what_stands_below_a_question_as_far_as_the_next_text_answers_it():
    question = nodes.paragraph("", "", nodes.strong("", "Predict, then run."), nodes.Text(" Who?"))
    fold, first, second, later = nodes.container(), cell(), cell(), cell()
    section = nodes.section("", question, fold, first, second, nodes.paragraph("", "So."), later)
    assert predictions.answering(question) == [fold, first, second]
    document = nodes.document(None, None)
    document += section
    assert list(predictions.questions(document)) == [question]


def test_the_fold_of_a_figure_is_called_so():
    printed, drawn = nodes.container(), nodes.container("", nodes.container("", nodes.figure()))
    assert "<summary>Show what it prints</summary>" in predictions.opening(printed)
    assert "<summary>Show the figure</summary>" in predictions.opening(drawn)


@pytest.mark.parametrize("stem", book_sources.stems())
def test_every_question_waits_for_an_answer(site, stem):
    """No output that answers it stands open; editions, which ask nobody, have no such fold."""
    page = BeautifulSoup((site / f"{stem}.html").read_text("utf-8"), "html.parser")
    asked = page.select(".mg-predict")
    assert len(asked) == book_sources.source(stem).count("**Predict, then run.**") >= 2
    for fold in page.select("details.mg-foreseen"):
        assert not fold.has_attr("open") and fold.select_one(".output, .highlight-python")
        assert ("figure" in fold.summary.get_text()) == bool(fold.select("figure"))
    assert not built_page.article(stem, site).select(".mg-foreseen")


def test_a_guess_opens_what_comes_and_stays_beside_it(page):
    form = page.locator(".mg-guess").first
    output = page.locator(".mg-foreseen").first
    answer = page.locator(".mg-predict ~ details").first
    said = page.locator(".mg-guess-said").first
    expect(output.locator(".output")).not_to_be_visible()
    form.get_by_role("button").click()
    expect(said).to_contain_text("Say something first")
    expect(output.locator(".output")).not_to_be_visible()
    form.get_by_label("Your guess").fill(" <b>five</b> ")
    form.get_by_label("Your guess").press("Enter")
    expect(said).to_have_text("You said: <b>five</b>")
    expect(output.locator(".output")).to_be_visible()
    expect(answer).to_have_attribute("open", "")
    expect(form).not_to_be_visible()


def test_without_a_script_they_are_folds(browser, site_url):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site_url}{FIRST}")
    output = page.locator(".mg-foreseen").first
    expect(page.locator(".mg-guess")).to_have_count(0)
    output.locator("summary").click()
    expect(output.locator(".output")).to_be_visible()
    context.close()
