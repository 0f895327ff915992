"""A run in the page outlives what happens to it: another tab, a hidden one, a dead worker, no room.

Nothing is lost: after each, its losses are those of a run that nothing happened to.
"""

from __future__ import annotations

import re

import pytest
from page_complaints import complaints_of
from page_scripts import ASSETS
from playwright.sync_api import expect

KEPT = 'text="names" size="4 thousand" steps="60" keep="a robust test"'
PARTS = """async () => {
    const address = (name) => new URL(`_static/engine/training/${name}`, document.baseURI);
    Object.assign(window, await import(address("run-lock.js")),
        await import(address("run-in-worker.js")), await import(address("kept-run.js")));
}"""
HELD = """async (e, step) => {  // a run that stands at a step, and is kept
    const { board } = e;
    const { goOn } = board;
    board.goOn = async () => { await board.run.go(step); };
    await board.train();
    while (board.state !== "paused") await new Promise((r) => setTimeout(r, 5));
    board.goOn = goOn;
}"""


def open_chapter(page, site_url: str) -> None:
    page.goto(site_url + "train.html")
    page.evaluate(PARTS)
    put(page)


def put(page) -> None:
    page.evaluate(
        """async (attributes) => {
            await customElements.whenDefined("training-run");
            const made = document.createElement("div");
            made.innerHTML = `<training-run ${attributes}></training-run>`;
            document.querySelector("training-run").replaceWith(made.firstChild);
            await document.querySelector("training-run").load();
        }""",
        KEPT,
    )


def renew(page) -> None:
    page.evaluate("forget('a robust test')")
    put(page)


@pytest.fixture(scope="module")
def whole(chapter) -> list[float]:
    """The losses of a run that nothing happens to."""
    page, _ = chapter
    return page.evaluate(
        """async () => {
            const e = document.querySelector("training-run");
            await e.train();
            const { losses } = e.board.current;
            await e.board.forget();
            return losses;
        }"""
    )


@pytest.fixture
def element(page):
    return page.locator("training-run")


@pytest.fixture
def second(page, site_url):
    """A second tab of the same browser."""
    tab = page.context.new_page()
    complaints = complaints_of(tab)
    yield tab
    tab.close()
    assert complaints == []


def button(element, name: str):
    return element.get_by_role("button", name=name, exact=True)


def message(element):
    return element.locator("p.mg-message")


def losses(element) -> list[float]:
    return element.evaluate("e => e.board.current.losses")


def ended(element) -> None:
    expect(button(element, "Train again")).to_be_visible(timeout=20_000)


def test_a_second_tab_says_so_and_takes_over(whole, element, second, site_url):
    element.evaluate(HELD, 33)
    open_chapter(second, site_url)
    other = second.locator("training-run")
    expect(message(other)).to_have_text(
        re.compile(r"^A run of yours is open in another tab: .* step 33 of 60\. “Take it over”")
    )
    button(other, "Take it over").click()
    ended(other)
    assert losses(other) == whole
    expect(message(element)).to_have_text("This run goes on in another tab.")
    button(element, "Take it over").click()  # and back: it has ended there
    ended(element)
    assert losses(element) == whole


def test_a_run_that_goes_is_taken_over_where_it_is(element, second, site_url):
    element.evaluate("e => { e.train({ steps: 100000 }); }")
    expect(button(element, "Forget what is kept")).to_be_visible(timeout=20_000)  # it is kept
    open_chapter(second, site_url)
    other = second.locator("training-run")
    button(other, "Take it over").click()
    expect(button(other, "Pause")).to_be_visible(timeout=20_000)
    expect(button(element, "Take it over")).to_be_visible()
    button(other, "Pause").click()
    expect(button(other, "Go on")).to_be_visible()
    before, after = losses(element), losses(other)
    assert after[: len(before)] == before and len(before) > 20
    button(other, "Forget what is kept").click()


@pytest.mark.slow
def test_a_tab_that_is_asleep_loses_the_run_to_the_one_that_is_awake(
    whole, element, second, site_url
):
    element.evaluate(HELD, 33)
    element.evaluate("e => { e.board.lock.letGo = (late) => late || new Promise(() => {}); }")
    open_chapter(second, site_url)
    second.evaluate("RunLock.patience = 100")
    other = second.locator("training-run")
    button(other, "Take it over").click()
    ended(other)
    assert losses(other) == whole


@pytest.mark.slow
def test_a_new_run_beside_one_in_another_tab_is_not_kept(element, second, site_url):
    element.evaluate(HELD, 33)
    open_chapter(second, site_url)
    other = second.locator("training-run")
    other.evaluate("e => e.train({ steps: 10 })")
    assert "open in another tab is the one that is kept" in message(other).inner_text()
    assert second.evaluate("kept('a robust test').then(({ losses }) => losses.length)") == 33


def test_a_hidden_tab_goes_on(whole, page, element):
    """Browsers draw no frames there."""
    page.evaluate(
        """() => {
            window.waiting = { frame: window.requestAnimationFrame, draws: [] };
            window.requestAnimationFrame = (draw) => window.waiting.draws.push(draw);
            Object.defineProperty(document, "hidden", { value: true, configurable: true });
        }"""
    )
    try:
        element.evaluate("e => { e.train(); }")
        ended(element)
        assert losses(element) == whole
    finally:
        page.evaluate(
            """() => {
                delete document.hidden;
                window.requestAnimationFrame = window.waiting.frame;
                for (const draw of window.waiting.draws) draw();
            }"""
        )
    expect(element.locator(".mg-progress-line")).to_contain_text("Step 60 of 60:")
    assert len(element.locator(".mg-chart .mg-raw").get_attribute("d")) > 100


@pytest.mark.slow
def test_a_frozen_page_goes_on_when_it_wakes(whole, page, element):
    session = page.context.new_cdp_session(page)
    element.evaluate("e => { e.train(); }")
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    session.send("Page.setWebLifecycleState", {"state": "active"})
    session.detach()
    ended(element)
    assert losses(element) == whole


@pytest.mark.parametrize(
    "told", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["with an error", "silently"]
)
def test_a_worker_that_dies_says_so_and_the_run_goes_on(whole, page, element, told):
    element.evaluate(HELD, 33)
    page.evaluate("RunInWorker.silence = 100")
    element.evaluate(
        """(e, told) => {
            const { run } = e.board;
            e.board.goOn();
            const event = new ErrorEvent("error", { message: "out of memory" });
            if (told) run.worker.dispatchEvent(event);
            run.worker.terminate();
        }""",
        told,
    )
    why = "out of memory" if told else "does not answer any more"
    expect(message(element)).to_contain_text(why)
    expect(message(element)).to_contain_text("Nothing before step 33 is lost: “Go on”")
    page.evaluate("RunInWorker.silence = 20000")
    button(element, "Go on").click()
    ended(element)
    assert losses(element) == whole


def test_no_room_is_told_in_words_and_it_trains_all_the_same(whole, page, site_url):
    tab = page.context.browser.new_page()
    complaints = complaints_of(tab)
    source = (ASSETS / "engine" / "training" / "kept-run.js").read_text("utf-8")
    full = 'throw new DOMException("too much", "QuotaExceededError")'
    body = source.replace(
        "if (!globalThis.indexedDB)", f'if (mode === "readwrite") {full}; if (false)'
    )
    assert body != source
    tab.route("**/kept-run.js", lambda r: r.fulfill(body=body, content_type="text/javascript"))
    open_chapter(tab, site_url)
    element = tab.locator("training-run")
    element.evaluate("e => e.train()")
    said = message(element).inner_text()
    assert said.startswith(
        "This device has no room left for what the browser keeps: the run is lost"
    )
    assert losses(element) == whole and complaints == []
    tab.close()
