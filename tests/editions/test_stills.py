"""The pictures of what is not text: all of them, whole, and in words too."""

import re
from pathlib import Path

import pytest
from PIL import Image

from editions.browser import photographed_page
from editions.built import stills

pytestmark = pytest.mark.slow  # reads what `make formats` made


@pytest.fixture(scope="module")
def all_stills():
    try:
        return stills.taken()
    except ValueError as error:
        pytest.fail(str(error))


def planted(folder: Path, body: str) -> str:
    """A site of one page; returns its address."""
    (folder / "page.html").write_text(f'<main><div class="mg-article">{body}</div></main>', "utf-8")
    return f"{folder.as_uri()}/"


OUTPUT = '<div class="cell_output"><div class="output text_html">{}</div></div>'
BOX = '<svg width="100" height="60" {}><rect width="100" height="60"/></svg>'


def test_every_output_and_element_of_the_pages_has_one(all_stills, site):
    for path in site.glob("*.html"):
        html = path.read_text("utf-8")
        outputs = len(re.findall(r'class="output text_html"', html))
        widgets = len(re.findall(r"data-still=", html))
        kinds = [still.kind for still in all_stills if still.page == path.stem]
        assert kinds.count("output") == outputs, path.name
        assert kinds.count("widget") == widgets, path.name
    assert {still.kind for still in all_stills} == {"output", "widget"}


def test_each_is_drawn_and_told(all_stills):
    for still in all_stills:
        with Image.open(stills.STILLS / still.file) as picture:
            assert picture.size[0] // stills.DENSITY == still.width <= photographed_page.WIDTH
            assert picture.size[1] // stills.DENSITY == still.height > 30
            low, high = picture.convert("L").getextrema()
            assert high - low > 100, f"{still.file} shows nothing"
        assert len(still.alt) > 10
        assert (still.text != "") == (still.kind == "output")


def test_its_anchor_is_on_the_page(all_stills, site):
    for still in all_stills:
        assert f'id="{still.anchor}"' in (site / f"{still.page}.html").read_text("utf-8")


def test_folds_are_opened_and_the_ground_is_cut_off(tmp_path, browser, monkeypatch):
    monkeypatch.setattr(stills, "texts", lambda stem: ["a box"])
    folded = f"<details><summary>more</summary>{OUTPUT.format(BOX.format(''))}</details>"
    (one,) = stills.take(browser, planted(tmp_path, folded), "page", tmp_path)
    assert (one.alt, one.text, one.anchor) == ("a box", "a box", "")
    assert one.width == 108 and 60 <= one.height <= 68


def test_an_element_without_words_is_refused(tmp_path, browser):
    define = "<script>customElements.define('my-box', class extends HTMLElement {})</script>"
    body = f"<my-box>{BOX.format('')}</my-box>{define}"
    with pytest.raises(ValueError, match=r"page.html: picture 1 \(my-box\) has no words.*:still:"):
        stills.take(browser, planted(tmp_path, body), "page", tmp_path)


def test_what_never_draws_is_refused_by_name(tmp_path, browser, monkeypatch):
    monkeypatch.setattr(stills, "PATIENCE", 0.2)
    define = "<script>customElements.define('my-box', class extends HTMLElement {})</script>"
    body = f'<my-box data-still="a box" data-state="loading">{BOX.format("")}</my-box>{define}'
    with pytest.raises(ValueError, match=r"picture 1 \(my-box\) does not draw within 0.2"):
        stills.take(browser, planted(tmp_path, body), "page", tmp_path)


def test_what_never_rests_is_refused(tmp_path, browser, monkeypatch):
    monkeypatch.setattr(stills, "LOOKS", 4)
    monkeypatch.setattr(stills, "texts", lambda stem: ["a box"])
    tick = """<script>
      const change = () => rect.setAttribute("height", Math.random() * 60);
      const rect = document.querySelector("rect");
      setInterval(change, 5);
    </script>"""
    with pytest.raises(ValueError, match="does not come to rest"):
        stills.take(
            browser, planted(tmp_path, OUTPUT.format(BOX.format("")) + tick), "page", tmp_path
        )


@pytest.mark.parametrize(
    ("beside", "message"), [([], "is not in the notebook"), (["a", "b"], "1 outputs too few")]
)
def test_a_page_and_a_notebook_that_disagree_are_refused(
    tmp_path, browser, monkeypatch, beside, message
):
    monkeypatch.setattr(stills, "texts", lambda stem: list(beside))
    with pytest.raises(ValueError, match=message):
        stills.take(browser, planted(tmp_path, OUTPUT.format(BOX.format(""))), "page", tmp_path)


def test_an_empty_picture_is_refused():
    with pytest.raises(ValueError, match="empty"):
        stills.trimmed(Image.new("RGB", (40, 40), "white"))


def test_stills_not_taken_yet_say_how(tmp_path):
    with pytest.raises(ValueError, match="make stills"):
        stills.taken(folder=tmp_path)
