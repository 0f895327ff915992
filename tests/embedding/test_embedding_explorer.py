"""The map of the tokens, in a real browser, held to Python's own numbers."""

from __future__ import annotations

import random
import re

import model_files
import pytest
import torch
from for_everyone import barriers, each_theme, reserved_height, small_targets, wear
from page_complaints import complaints_of
from playwright.sync_api import expect
from safetensors.torch import load_file
from torch.nn import functional as F

from minigpt.attention import AttentionOnly
from minigpt.attention.attention_only import PRETRAINED
from minigpt.embedding import nearest_neighbours, principal_components
from minigpt.tokenizer import BPETokenizer

PAGE = "embedding.html"
MAP_FILE = "**/token-map.safetensors"


@pytest.fixture(scope="module")
def tokenizer() -> BPETokenizer:
    return BPETokenizer.shakespeare()


@pytest.fixture(scope="module")
def maps() -> dict[str, dict]:
    """What Python finds of the table before and after training."""
    found = {}
    for when, model in (
        ("before", AttentionOnly.untrained()),
        ("after", AttentionOnly.pretrained()),
    ):
        table = model.token_embedding.weight.detach()
        places, shares = principal_components(F.normalize(table, dim=1))
        ids, cosines = nearest_neighbours(table, 10)
        found[when] = {"places": places, "shares": shares, "ids": ids, "cosines": cosines}
    return found


@pytest.fixture
def page(browser, site_url):
    """The chapter, with everything in its place at once; it must not complain."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 1000}, reduced_motion="reduce", has_touch=True
    )
    page = context.new_page()
    complaints = complaints_of(page)
    page.goto(site_url + PAGE)
    ready(page)
    yield page
    context.close()
    assert complaints == []


def ready(page):
    """The element, once its map is there."""
    defined(page)
    page.evaluate("document.querySelector('embedding-explorer').load()")
    element = explorer(page)
    expect(element).to_have_attribute("data-state", "ready")
    element.scroll_into_view_if_needed()
    return element


def explorer(page):
    return page.locator("embedding-explorer")


def defined(page) -> None:
    page.evaluate("customElements.whenDefined('embedding-explorer').then(() => true)")


def call(page, code: str, argument=None):
    """Run code with the element as `e` and an argument as `a`."""
    return page.evaluate(
        f"a => {{ const e = document.querySelector('embedding-explorer'); return {code}; }}",
        argument,
    )


def marked(page) -> int:
    return call(page, "e.picked")


def token(tokenizer: BPETokenizer, text: str) -> int:
    (found,) = tokenizer.encode(text)
    return found


def shown(tokenizer: BPETokenizer, i: int) -> str:
    """A token of plain characters as pages spell it."""
    return tokenizer.token_bytes(i).decode().replace(" ", "·").replace("\n", "↵")


def search(page, text: str) -> list[str]:
    box = explorer(page).get_by_role("combobox", name="Find a token")
    box.fill(text)
    return (
        explorer(page)
        .get_by_role("listbox", name="Tokens found")
        .locator("li bdi")
        .all_inner_texts()
    )


# The files


def test_the_map_in_the_file_is_pythons(site, maps):
    tensors = load_file(site / "_static" / "models" / "token-map.safetensors")
    for when, expected in maps.items():
        part = {
            name: tensors.pop(f"{when}.{name}")
            for name in ("coordinates", "scale", "shares", "neighbours", "cosines")
        }
        assert part["coordinates"].abs().max() == 32767
        places = part["coordinates"] * part["scale"]
        torch.testing.assert_close(places, expected["places"], atol=part["scale"].item(), rtol=0)
        torch.testing.assert_close(part["shares"], expected["shares"])
        assert torch.equal(part["neighbours"].long(), expected["ids"])
        cosines = part["cosines"] / 32767
        torch.testing.assert_close(cosines, expected["cosines"], atol=1 / 32767, rtol=0)
    assert tensors == {}


def test_the_model_is_copied_as_it_is(site):
    models = site / "_static" / "models"
    for suffix, source in (("safetensors", "model.safetensors"), ("json", "config.json")):
        copy = (models / f"attention-only.{suffix}").read_bytes()
        assert copy == (PRETRAINED / source).read_bytes()


def test_a_table_too_long_for_16_bit_ids_is_refused():
    with pytest.raises(ValueError, match=r"65537 rows, .* up to 65535: store them as I32"):
        model_files.table_map(torch.ones(2**16 + 1, 1))


def test_pages_link_the_style_of_the_widgets_they_use(site):
    linked = {
        page.name
        for page in site.glob("*.html")
        if "embedding-explorer.css" in page.read_text("utf-8")
    }
    assert linked == {PAGE}


# What it shows


def test_a_click_picks_the_token_that_is_shown_under_the_pointer(page):
    """A click's place is in whole pixels, where another token may be the nearest."""
    picked, shown = call(
        page,
        """(() => {
            const other = e.picture.nearest({ offsetX: 0, offsetY: 0 });
            const pointed = other === 300 ? 301 : 300;
            e.hover(pointed);
            e.canvas.dispatchEvent(new MouseEvent("click", { bubbles: true }));
            return [e.picked - pointed, e.querySelector(".mg-here").textContent];
        })()""",
    )
    assert picked == 0 and "token 30" in shown


@pytest.mark.parametrize("when", ["before", "after"])
def test_neighbours_are_pythons(page, maps, when):
    expected = maps[when]
    rows = len(expected["ids"])
    picked = [*random.Random(11).sample(range(rows), 29), rows - 1]
    call(page, "e.show(a)", when)
    shown_ids = call(
        page,
        """a.map((id) => {
            e.pick(id);
            return [...e.querySelectorAll('.mg-nearby button')].map(
                (b) => [Number(b.dataset.id), b.lastChild.textContent]);
        })""",
        picked,
    )
    for i, neighbours in zip(picked, shown_ids, strict=True):
        assert [n for n, _ in neighbours] == expected["ids"][i].tolist()
        cosines = [float(text.replace("−", "-")) for _, text in neighbours]
        assert cosines == pytest.approx(expected["cosines"][i].tolist(), abs=0.00501)
        assert all(re.fullmatch(r"−?[01]\.\d\d", text) for _, text in neighbours)


@pytest.mark.parametrize("when", ["before", "after"])
def test_points_stand_where_python_puts_them(page, maps, when):
    places = maps[when]["places"].double()
    call(page, "e.show(a)", when)
    rows = range(len(places))
    told = torch.tensor(call(page, "a.map((id) => e.place(id))", list(rows)))
    assert (told - places).abs().max() < places.abs().max() / 32767
    drawn = torch.tensor(call(page, "a.map((id) => e.point(id))", list(rows)), dtype=torch.float64)
    for axis, sign in ((0, 1), (1, -1)):  # pixels count downwards
        line = torch.stack([places[:, axis], torch.ones(len(places))], dim=1).double()
        slope, start = torch.linalg.lstsq(line, drawn[:, axis : axis + 1]).solution
        assert (line @ torch.stack([slope, start]) - drawn[:, axis : axis + 1]).abs().max() < 0.1
        if axis == 0:
            scale = slope.item()
        assert slope.item() == pytest.approx(sign * scale, rel=1e-3)


def test_every_point_is_on_the_whole_map(page):
    while call(page, "e.zoom") > 1:
        explorer(page).get_by_role("button", name="Zoom out").click()
    size = call(page, "[e.canvas.clientWidth, e.canvas.clientHeight]")
    for when in ("before", "after"):
        call(page, "e.show(a)", when)
        points = torch.tensor(call(page, "e.tokens.map(({ id }) => e.point(id))"))
        assert points.min() > 10
        assert (points < torch.tensor(size) - 10).all()


def test_marks_are_drawn_at_the_points_in_the_colour_of_their_kind(page, tokenizer):
    colours = {" king": (31, 105, 159), "The": (185, 81, 0), "ing": (224, 109, 154)}
    for text, colour in colours.items():
        i = token(tokenizer, text)
        pixel = call(
            page,
            """(() => {
                e.pick(a);
                const [x, y] = e.point(a).map((x) => Math.round(x * e.picture.ratio));
                return [...e.canvas.getContext("2d").getImageData(x, y, 1, 1).data];
            })()""",
            i,
        )
        assert pixel == [*colour, 255], text


def test_it_says_what_is_shown(page, maps, tokenizer):
    king = token(tokenizer, " king")
    assert marked(page) == king
    status = explorer(page).locator(".mg-status")
    for when, button in (("before", "Before training"), ("after", "After training")):
        explorer(page).get_by_role("button", name=button).click()
        near = [call(page, "e.tokens[a].shown", i) for i in maps[when]["ids"][king, :3].tolist()]
        first, second, third = (
            f"“{name}” ({'' if place else 'cosine '}{cosine:.2f})"
            for place, (name, cosine) in enumerate(
                zip(near, maps[when]["cosines"][king].tolist(), strict=False)
            )
        )
        expect(status).to_have_text(
            f"{button}, the nearest to “·king” are {first}, {second} and {third}."
        )
        one, two = (100 * share for share in maps[when]["shares"].double().tolist())
        axes = explorer(page).locator(".mg-axes").inner_text()
        assert f"explain {one + two:.1f} % of the variance." in axes
        picture = explorer(page).locator("canvas")
        expect(picture).to_have_accessible_name(
            re.compile(
                rf"Map of {len(tokenizer.vocab):,} tokens {button.lower()}\. Marked: “·king”"
            )
        )
        expect(picture).to_have_accessible_description(axes)
        pressed = explorer(page).locator("[data-when][aria-pressed=true]")
        assert pressed.all_inner_texts() == [button]


def test_the_table_has_both_sides(page, maps, tokenizer):
    king = token(tokenizer, " king")
    explorer(page).locator("summary").click()
    table = explorer(page).locator("table")
    rows = [row.locator("td").all_inner_texts() for row in table.locator("tbody tr").all()]
    for side, when in enumerate(("before", "after")):
        x, y = maps[when]["places"][king].tolist()
        told = [float(n) for n in re.findall(r"[\d.-]+", rows[0][side].replace("−", "-"))]
        assert told == pytest.approx([x, y], abs=0.00501)
        for row, i, cosine in zip(
            rows[1:], maps[when]["ids"][king].tolist(), maps[when]["cosines"][king], strict=True
        ):
            assert row[2 * side] == call(page, "e.tokens[a].shown", i)
            assert float(row[2 * side + 1]) == pytest.approx(cosine.item(), abs=0.00501)


def test_kinds_are_told_from_the_text(page, tokenizer):
    kinds = {
        "lower case": (" king", " o", " it"),
        "CAPITALS": ("KING", "A", " HENRY"),
        "Capitalised": (" Caesar", "The", " I", "First"),
        "no space": ("ing", "'d", "s"),
        "signs": (",", "\n", " ", "7", "."),
    }
    for kind, texts in kinds.items():
        for text in texts:
            name = call(page, "(e.pick(a), e.here.textContent)", token(tokenizer, text))
            assert f", {kind}, at (" in name, text
    last = call(page, "(e.pick(e.tokens.length - 1), e.here.textContent)")
    assert "<|endoftext|>" in last
    assert ", not text, at (" in last


# What the reader does


def test_points_travel_unless_motion_is_unwelcome(page):
    before = explorer(page).get_by_role("button", name="Before training")
    after = explorer(page).get_by_role("button", name="After training")
    before.click()
    assert call(page, "[e.picture.view.progress, e.picture.moving]") == [0, False]
    page.emulate_media(reduced_motion="no-preference")
    after.click()
    page.wait_for_function(
        "(p => p > 0 && p < 1)(document.querySelector('embedding-explorer').picture.view.progress)",
        polling="raf",
    )
    page.wait_for_function(
        "document.querySelector('embedding-explorer').picture.view.progress === 1"
    )
    assert call(page, "e.picture.moving") is False


def test_searching_finds_and_marks(page, tokenizer):
    assert search(page, "queen")[0] == "·queen"
    assert search(page, " queen")[0] == search(page, "·queen")[0] == search(page, "qUEEn")[0]
    assert search(page, " lov") == search(page, "lov")
    assert search(page, "KING")[0] == "KING"
    assert search(page, "↵")[0] == "↵"
    assert search(page, "the")[0] == "·the" and search(page, "ing")[0] == "ing"
    found = search(page, "king")
    assert found[:2] == ["·king", "king"]  # as it stands between words, then without a space
    assert len(found) == 8
    assert "KING" in found
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    second = explorer(page).locator("[role=option][aria-selected=true]")
    assert second.locator("bdi").inner_text() == found[1]
    box = explorer(page).get_by_role("combobox")
    assert box.get_attribute("aria-activedescendant") == second.get_attribute("id")
    page.keyboard.press("Enter")
    assert call(page, "e.tokens[e.picked].shown") == found[1]
    assert box.input_value() == found[1]
    assert box.get_attribute("aria-expanded") == "false"
    search(page, "#300")
    page.keyboard.press("Enter")
    assert marked(page) == 300
    search(page, "father")
    explorer(page).locator("[role=option]").first.click()
    assert marked(page) == token(tokenizer, " father")


def test_the_list_opens_and_closes(page):
    box = explorer(page).get_by_role("combobox")
    options = explorer(page).locator("[role=option]")
    search(page, "lov")
    page.keyboard.press("ArrowUp")  # from the box to the last one
    assert options.last.get_attribute("aria-selected") == "true"
    page.keyboard.press("ArrowDown")
    assert options.first.get_attribute("aria-selected") == "true"
    page.keyboard.press("Escape")
    expect(options.first).to_be_hidden()
    was = marked(page)
    page.keyboard.press("Enter")  # with the list closed nothing is chosen
    assert marked(page) == was
    page.keyboard.press("ArrowDown")
    expect(options.first).to_be_visible()
    box.fill("")
    expect(options.first).to_be_hidden()
    search(page, "lov")
    box.blur()
    expect(options.first).to_be_hidden()


def test_what_is_no_token_is_explained(page, tokenizer):
    note = explorer(page).locator(".mg-note")
    assert search(page, "laptop") == []
    parts = [shown(tokenizer, i) for i in tokenizer.encode("laptop")]
    spelled = " ".join(f"“{part}”" for part in parts)
    assert note.inner_text() == (
        f"No token contains that text. The tokenizer spells it with {len(parts)}: {spelled}."
    )
    assert search(page, f"#{len(tokenizer.vocab)}") == []
    assert f"ids run from 0 to {len(tokenizer.vocab) - 1}" in note.inner_text()
    assert search(page, "x" * 500) == []
    assert "…" in note.inner_text()
    page.keyboard.press("Escape")
    assert note.inner_text() == ""


def test_everything_is_reached_with_the_keyboard(page):
    explorer(page).get_by_role("combobox").focus()
    names = []
    for _ in range(3 + 2 + 6 + 10 + 1):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.innerText")
        )
    assert names[:2] == ["Before training", "After training"]
    assert names[2:4] == ["Zoom in on the marked token", "Zoom out"]
    assert names[4:10] == [
        "lower case",
        "CAPITALS",
        "Capitalised",
        "no space",
        "signs",
        "not text",
    ]
    assert names[20].startswith("The numbers")
    first = explorer(page).locator(".mg-nearby button").first
    wanted = int(first.get_attribute("data-id"))
    first.focus()
    page.keyboard.press("Enter")
    assert marked(page) == wanted
    assert page.evaluate(
        "document.activeElement.parentElement.matches('.mg-nearby > :first-child')"
    )
    explorer(page).locator("[data-when=before]").focus()
    page.keyboard.press("Space")
    assert call(page, "e.when") == "before"


def test_nothing_is_read_out_before_the_reader_acts(page):
    status = explorer(page).locator(".mg-status")
    assert status.get_attribute("aria-live") == "off"
    explorer(page).locator("[data-when=before]").click()
    assert status.get_attribute("aria-live") == "polite"


def alone(page) -> int:
    """A token in sight with no other point near, so that a press can mean no other."""
    return call(
        page,
        """(() => {
            const points = e.tokens.map(({ id }) => e.point(id));
            const { width, height } = e.picture.size;
            const free = (x, y) => x > 20 && x < width - 110 && y > 20 && y < height - 20;
            const apart = points.map(([x, y], id) => free(x, y) && id !== e.picked
                ? Math.min(...points.map(([u, v], other) =>
                    other === id ? Infinity : Math.hypot(x - u, y - v)))
                : 0);
            return apart.indexOf(Math.max(...apart));
        })()""",
    )


@pytest.mark.parametrize("how", ["tap", "click"])
def test_a_press_on_a_point_picks_it(page, how):
    lonely = alone(page)
    x, y = call(page, "e.point(a)", lonely)
    getattr(explorer(page).locator("canvas"), how)(position={"x": x + 2, "y": y - 2})
    assert marked(page) == lonely
    here = explorer(page).locator(".mg-here").inner_text()
    assert f"token {lonely}," in here


def test_a_press_on_empty_ground_changes_nothing(page):
    was = marked(page)
    empty = call(
        page,
        """(() => {
            const points = e.tokens.map(({ id }) => e.point(id));
            for (let x = 5; x < e.picture.size.width - 110; x += 10) {
                for (let y = 5; y < e.picture.size.height; y += 10) {
                    const away = ([u, v]) => Math.hypot(u - x, v - y) > 24;
                    if (points.every(away)) return { x, y };
                }
            }
        })()""",
    )
    explorer(page).locator("canvas").click(position=empty)
    assert marked(page) == was


def test_pointing_tells_of_a_token_and_picks_nothing(page):
    was = marked(page)
    here = explorer(page).locator(".mg-here")
    told = here.inner_text()
    lonely = alone(page)
    x, y = call(page, "e.point(a)", lonely)
    explorer(page).locator("canvas").hover(position={"x": x, "y": y})
    place = call(page, "e.place(a)", lonely)
    text = here.inner_text()
    assert f"token {lonely}," in text
    numbers = re.search(r"at \((.*), (.*)\)", text.replace("−", "-")).groups()
    assert [float(n) for n in numbers] == pytest.approx(place, abs=0.00501)
    page.mouse.move(0, 0)
    assert here.inner_text() == told
    assert marked(page) == was


def test_kinds_can_be_put_away(page, tokenizer):
    picture = explorer(page).locator("canvas")
    pieces = explorer(page).get_by_role("button", name="no space")

    def pink() -> int:
        """Pixels in the colour of pieces of words."""
        return call(
            page,
            """(() => {
                const { width, height } = e.canvas;
                const { data } = e.canvas.getContext("2d").getImageData(0, 0, width, height);
                let count = 0;
                for (let i = 0; i < data.length; i += 4) {
                    const off = [224, 109, 154].map((x, j) => Math.abs(data[i + j] - x));
                    count += data[i + 3] > 150 && Math.max(...off) < 8;
                }
                return count;
            })()""",
        )

    find = "e.tokens[e.picture.nearest({ offsetX: a[0], offsetY: a[1] })]?.kind"
    at = call(page, "e.point(a)", token(tokenizer, "ing"))
    shown = pink()
    assert shown > 100
    assert call(page, find, at) == 3
    pieces.click()
    assert pieces.get_attribute("aria-pressed") == "false"
    assert "Without: no space." in picture.get_attribute("aria-label")
    assert pink() < shown / 50
    assert call(page, find, at) != 3
    pieces.click()
    assert "Without" not in picture.get_attribute("aria-label")
    assert pink() > 0.9 * shown


def test_zoom_goes_to_the_marked_token_and_back(page):
    closer = explorer(page).get_by_role("button", name="Zoom in on the marked token")
    farther = explorer(page).get_by_role("button", name="Zoom out")
    while farther.get_attribute("aria-disabled") == "false":
        farther.click()
    farther.click(force=True)
    assert call(page, "e.picture.view.zoom") == 1
    whole = call(page, "e.tokens.map(({ id }) => e.point(id))")
    for zoom in (2, 4, 8, 16):
        closer.click()
        assert call(page, "e.picture.view.zoom") == zoom
    assert closer.get_attribute("aria-disabled") == "true"
    closer.click(force=True)
    assert call(page, "e.picture.view.zoom") == 16
    x, y = call(page, "e.point(e.picked)")
    width, height = call(page, "[e.picture.size.width, e.picture.size.height]")
    assert [x, y] == pytest.approx([width / 2, height / 2], abs=1)
    name = explorer(page).locator("canvas").get_attribute("aria-label")
    assert "Enlarged 16 times" in name
    for _ in range(4):
        farther.click()
    assert call(page, "e.tokens.map(({ id }) => e.point(id))") == whole


def test_the_wheel_scrolls_the_page_and_zooms_with_control(page):
    box = explorer(page).locator("canvas").bounding_box()
    zoom = call(page, "e.zoom")
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    page.wait_for_function(
        f"document.querySelector('embedding-explorer').zoom === {2 * zoom}", timeout=3000
    )
    at = page.evaluate("scrollY")
    page.mouse.wheel(0, -100 if at > 200 else 100)
    page.wait_for_function(f"scrollY !== {at}", timeout=3000)
    assert call(page, "e.zoom") == 2 * zoom


def test_the_picture_takes_the_colours_of_the_page(page):
    light = call(page, "e.canvas.toDataURL()")
    wear(page, "dark")
    page.wait_for_function(
        "light => document.querySelector('embedding-explorer').canvas.toDataURL() !== light",
        arg=light,
    )
    assert call(page, "e.picture.colours.ink") == "#e4e2dc"


# Getting there


def test_the_map_is_fetched_when_it_comes_near(browser, site_url):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.add_init_script(
        "document.addEventListener('readystatechange', () => {"
        " document.querySelector('main, body').style.paddingTop = '9000px'; })"
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(site_url + PAGE)
    defined(page)
    page.wait_for_timeout(300)
    assert not any("token-map" in url for url in asked)
    explorer(page).scroll_into_view_if_needed()
    expect(explorer(page)).to_have_attribute("data-state", "ready")
    assert any("token-map" in url for url in asked)
    page.close()


@pytest.mark.parametrize("fault", ["no answer", "404", "foreign file", "no vocabulary"])
def test_a_failure_is_said_in_words_and_can_be_mended(browser, site_url, fault):
    page = browser.new_page()
    broken = "**/tokenizers/shakespeare.json" if fault == "no vocabulary" else MAP_FILE
    held = []

    def answer(route) -> None:
        held.append(fault)
        if fault in ("no answer", "no vocabulary"):
            route.abort()
        else:
            route.fulfill(status=404 if fault == "404" else 200, body="not a map of anything")

    page.route(broken, answer)
    page.goto(site_url + PAGE)
    defined(page)
    element = explorer(page)
    element.scroll_into_view_if_needed()
    expect(element).to_have_attribute("data-state", "failed")
    assert held
    said = "Could not load the map of the tokens: check the connection"
    if fault == "foreign file":
        said = "Could not read the map of the tokens: the file is damaged"
    message = element.get_by_text(said)
    expect(message).to_be_visible()
    for button in element.locator("button:visible").all():  # nothing breaks meanwhile
        if button.inner_text() != "Try again":
            button.click(force=True)
    element.locator("[data-when=before]").click(force=True)
    element.get_by_role("combobox").fill("king")
    page.unroute(broken)
    retry = element.get_by_role("button", name="Try again")
    retry.focus()
    page.keyboard.press("Enter")
    expect(element).to_have_attribute("data-state", "ready")
    expect(message).to_be_hidden()
    expect(element.get_by_role("combobox")).to_be_focused()
    assert call(page, "[e.when, e.zoom, e.unseen.size]") == ["after", 1, 0]  # presses meanwhile
    page.close()


# Its looks


@each_theme
@pytest.mark.slow
def test_no_accessibility_violation(page, width, theme):
    page.set_viewport_size({"width": width, "height": 900})
    wear(page, theme)
    explorer(page).locator("summary").click()
    explorer(page).get_by_role("button", name="not text").click()
    for text in ("lov", "laptop"):
        search(page, text)
        page.keyboard.press("ArrowDown")
        assert barriers(page, "embedding-explorer") == []


@pytest.mark.parametrize("width", [360, 412, 768, 1280])
def test_it_fits_the_screen_and_keeps_its_height(browser, site_url, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    height = "document.querySelector('embedding-explorer').offsetHeight"
    before = reserved_height(page, site_url + PAGE, "embedding-explorer")
    page.goto(site_url + PAGE)
    element = ready(page)
    longest = call(page, "e.tokens.reduce((m, t) => t.shown.length > m.shown.length ? t : m).id")
    for pick in (marked(page), longest):
        call(page, "e.pick(a)", pick)
        assert page.evaluate(height) - before <= 24
        element.locator("details").evaluate("details => { details.open = true }")
        assert element.evaluate("e => e.scrollWidth <= e.clientWidth")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        element.locator("details").evaluate("details => { details.open = false }")
    assert small_targets(element, "button, input, summary") == []
    page.close()
