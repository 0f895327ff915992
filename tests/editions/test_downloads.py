"""What the site offers to download is there, and is what was made last."""

import re
from pathlib import Path

import book_sources
import download_links
import pytest

from editions import downloads

pytestmark = pytest.mark.slow  # reads what `make formats` made


@pytest.fixture(scope="module")
def offered(site) -> Path:
    folder = site / "downloads"
    if not folder.exists():
        pytest.fail(f"{folder} is missing: make it with `make formats`")
    return folder


def linked(site: Path) -> set[str]:
    """The downloads that the site's pages link to, below the folder of downloads."""
    start = re.escape(download_links.address(""))
    html = "".join(path.read_text("utf-8") for path in site.glob("*.html"))
    return set(re.findall(rf'href="{start}([^"#]+)"', html))


def test_every_download_that_a_page_links_to_is_there(offered, site):
    found = linked(site)
    assert {"minigpt.pdf", "minigpt.epub"} < found
    assert {name for name in found if not (offered / name).is_file()} == set()


def test_every_chapter_has_slides_a_hand_out_and_a_key(offered, site):
    for stem in book_sources.stems():
        wanted = {path.format(stem=stem) for path in download_links.OFFERED.values()}
        assert len(wanted) == 3 and wanted <= linked(site)


def test_they_are_what_was_made_last(offered):
    for pattern, folder in downloads.OFFERED.items():
        made = {path.name: path.read_bytes() for path in downloads.BUILD.glob(pattern)}
        assert made
        assert made == {name: (offered / folder / name).read_bytes() for name in made}


def build(folder: Path) -> Path:
    """The outputs of every format, in small."""
    for name in ("html/index.html", "formats/minigpt.pdf", "formats/minigpt.epub"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, "utf-8")
    for name in ("slides/a.html", "workshop/a-answers.html", "blog/a/images/a-01.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, "utf-8")
    return folder


def test_the_folder_is_replaced_as_a_whole(tmp_path):
    old = build(tmp_path) / "html" / "downloads" / "slides" / "gone.html"
    old.parent.mkdir(parents=True)
    old.write_text("", "utf-8")
    names = {path.relative_to(tmp_path / "html").as_posix() for path in downloads.gather(tmp_path)}
    assert names == {
        "downloads/minigpt.pdf",
        "downloads/minigpt.epub",
        "downloads/slides/a.html",
        "downloads/workshop/a-answers.html",
        "downloads/images/a-01.png",
    }
    assert not old.exists()


def test_a_format_that_was_not_made_is_named_and_nothing_is_lost(tmp_path):
    kept = build(tmp_path) / "html" / "downloads" / "minigpt.pdf"
    kept.parent.mkdir(parents=True)
    kept.write_text("kept", "utf-8")
    (tmp_path / "slides" / "a.html").unlink()
    with pytest.raises(ValueError, match=r"slides.*make formats"):
        downloads.gather(tmp_path)
    assert kept.read_text("utf-8") == "kept"


def test_two_pictures_of_one_name_are_refused(tmp_path):
    other = build(tmp_path) / "blog" / "b" / "images" / "a-01.png"
    other.parent.mkdir(parents=True)
    other.write_text("", "utf-8")
    with pytest.raises(ValueError, match=r"called a-01\.png"):
        downloads.gather(tmp_path)
