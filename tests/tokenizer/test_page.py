"""The page's own tokenizer and merge stepper, in a real browser, held to the Python ones."""

from __future__ import annotations

import itertools
import random
import unicodedata
from collections.abc import Iterator

import pytest
from for_everyone import barriers, small_targets, wear
from page_complaints import complaints_of
from playwright.sync_api import expect

from minigpt.tokenizer import BPETokenizer

TOY = "97 97 97 98 100 97 97 97 98 97 99"

HAND_PICKED = [
    "",
    "hello world",
    "Hello,",
    "strawberry",
    " strawberry",
    "It's they'll WE'LL we've I'm you're don't he'd 'tis ''s",
    "def add(a, b):\n    return a + b\n\n\tpass  # done\r\n",
    "x = {'key': [1, 2.5e-3]}; // 0xFF != 1_000_000",
    "3.14159 1234567890 ² Ⅷ ٣٤٥ ½",
    "   three before, three after   ",
    "\n\n \n\t \r\n",
    "tabs\tand\x0bvertical\x0cfeeds",
    "a\x1cb\x1db\x1eb\x1fb \x1c\x1d",  # a space for Python's str.isspace, not for Unicode
    "next\x85line \x85 \x85",  # a space for Unicode, not for JavaScript's \s
    "\ufeffmark first, \ufeff later \ufeff",  # the other way round; TextDecoder drops the first
    "\u00a0no\u00a0break\u2003em\u3000wide\u2028line\u2029paragraph\u180e\u200b",
    "안녕하세요 세계",
    "漢字かな交じり文、そして句読点。",
    "مرحبا بالعالم ١٢٣",
    "שלום עולם, left then right",
    "नमस्ते दुनिया สวัสดีชาวโลก",
    "e\u0301 n\u0303 a\u0308\u0323 Z\u0351\u036b\u0343",
    "👩‍🚀 👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇰🇷🇬🇧 1️⃣",
    "<|endoftext|> typed is text",
    "\x00\x01\x7f\x80",
    "a" * 3000,
    "ab" * 1500,
    " " * 500 + "x",
    "\uffff\U0010ffff\ufdd0",
]
ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz'sdmtrelv ",
    " \t\n\r\x0b\x0c\x1c\x1f\x85\xa0\u1680\u2003\u2028\u202f\u3000\ufeff\u200b\u200d",
    "0123456789²Ⅷ٣½",
    "éßſñ\u0301\u0308\u20dd",
    "안녕漢字かなカナ",
    "שלוםمرحبا\u200f",
    "👩🚀🇬🇧👍🏽\ufe0f\u200d",
    "{}[]()<>;:=+-*/\\\"'`~!@#$%^&_|,.?",
]


def random_strings(n: int, seed: int) -> Iterator[str]:
    """Half from mixed alphabets, half from all planes.

    A code point that is not assigned yet may become a letter in a newer Unicode, and the browser
    and Python's `regex` follow different versions, so only assigned ones are drawn.
    """
    generator = random.Random(seed)
    assigned = [
        c for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")
    ]
    for _ in range(n // 2):
        length = generator.randint(1, 40)
        yield "".join(generator.choice(generator.choice(ALPHABETS)) for _ in range(length))
    for _ in range(n - n // 2):
        yield "".join(chr(generator.choice(assigned)) for _ in range(generator.randint(1, 20)))


STRINGS = [*HAND_PICKED, *random_strings(280, seed=20)]


@pytest.fixture(scope="module")
def tokenizers() -> dict[str, BPETokenizer]:
    return {"gpt2": BPETokenizer.gpt2(), "shakespeare": BPETokenizer.shakespeare()}


@pytest.fixture
def page(browser, site_url):
    """The tokenizer chapter, which must not complain."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints = complaints_of(page)
    page.goto(site_url + "tokenizer.html")
    wait_for_widgets(page)
    yield page
    context.close()
    assert complaints == []


def wait_for_widgets(page) -> None:
    """Until the elements' scripts, which are imported after the page has loaded, have run."""
    for name in ("live-tokenizer", "merge-stepper"):
        page.evaluate("(name) => customElements.whenDefined(name).then(() => true)", name)


def load_both(page) -> None:
    wait_for_widgets(page)
    page.evaluate(
        "async () => { const e = document.querySelector('live-tokenizer');"
        " await Promise.all([e.load('gpt2'), e.load('shakespeare')]); }"
    )


def shown_ids(page, name: str) -> list[int]:
    chips = page.locator(f"live-tokenizer [data-vocabulary={name}] .mg-chip")
    return [int(i) for i in chips.evaluate_all("chips => chips.map(chip => chip.dataset.id)")]


def stepper(page, mode: str):
    element = page.locator(f"merge-stepper[mode={mode}]").first
    element.scroll_into_view_if_needed()
    element.locator(".mg-row").first.wait_for()
    return element


def current_ids(element) -> str:
    return element.locator(".mg-row[data-current]").get_attribute("data-ids")


def focused_text(page) -> str:
    return page.evaluate("document.activeElement.textContent")


# The tokenizer, without its looks


@pytest.mark.parametrize("name", ["gpt2", "shakespeare"])
def test_ids_in_the_page_equal_python(page, tokenizers, name):
    load_both(page)
    got = page.evaluate(
        """([name, texts]) => {
            const tokenizer = document.querySelector('live-tokenizer').tokenizers[name];
            return texts.map((text) => {
                const ids = tokenizer.encode(text);
                const plain = tokenizer.pieces(text).flatMap(
                    (piece) => [...tokenizer.steps(piece)].at(-1).symbols);
                return {ids, plain, text: tokenizer.decode(ids)};
            });
        }""",
        [name, [text for text in STRINGS if len(text) < 1000]],
    )
    for text, result in zip((t for t in STRINGS if len(t) < 1000), got, strict=True):
        assert result["ids"] == list(tokenizers[name].encode(text)), repr(text)
        assert result["plain"] == result["ids"], repr(text)  # steps() against the heap
        assert result["text"] == text


@pytest.mark.parametrize("name", ["gpt2", "shakespeare"])
def test_long_runs_equal_python_and_are_quick(page, tokenizers, name):
    load_both(page)
    generator = random.Random(3)
    run = "".join(generator.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(50_000))
    mixed = " ".join(t for t in STRINGS if len(t) < 1000) * 8
    texts = [*(t for t in STRINGS if len(t) >= 1000), run[:5000], run, mixed[:100_000]]
    got = page.evaluate(
        """([name, texts]) => {
            const tokenizer = document.querySelector('live-tokenizer').tokenizers[name];
            return texts.map((text) => {
                const start = performance.now();
                const ids = tokenizer.encode(text);
                return [ids, performance.now() - start];
            });
        }""",
        [name, texts],
    )
    for text, (ids, milliseconds) in zip(texts, got, strict=True):
        assert ids == list(tokenizers[name].encode(text)), repr(text[:40])
        assert milliseconds < 1000  # usually below 50; merging in n * n steps takes many seconds


def test_vocabularies_have_the_sizes_on_the_labels(page, tokenizers):
    load_both(page)
    for name, tokenizer in tokenizers.items():
        size = page.evaluate(
            "name => document.querySelector('live-tokenizer').tokenizers[name].size", name
        )
        title = page.locator(f"live-tokenizer [data-vocabulary={name}] .mg-title").inner_text()
        assert size == len(tokenizer.vocab)
        assert f"({size:,} tokens)" in title


def test_half_a_surrogate_pair_becomes_the_replacement_character(page, tokenizers):
    load_both(page)
    got = page.evaluate(
        """() => {
            const tokenizer = document.querySelector('live-tokenizer').tokenizers.gpt2;
            const text = 'a\\ud83d b\\udc69';
            return [tokenizer.encode(text), tokenizer.pieces(text).join('')];
        }"""
    )
    assert got == [list(tokenizers["gpt2"].encode("a\ufffd b\ufffd")), "a\ufffd b\ufffd"]


@pytest.mark.slow
def test_every_assigned_character_falls_in_the_same_class_as_in_python(page):
    """Letter, number, space or other, over all planes: JavaScript's own \\s would differ."""
    import regex

    load_both(page)
    codes = [c for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs")]
    got = page.evaluate(
        r"""(codes) => {
            const t = document.querySelector('live-tokenizer').tokenizers.shakespeare;
            const joins = (text) => t.pieces(text).length === 1;
            return codes.map((code) => {
                const c = String.fromCodePoint(code);
                return joins('a' + c) ? 'L' : joins('1' + c) ? 'N' : joins('!' + c) ? '.' : 's';
            }).join('');
        }""",
        codes,
    )
    space = regex.compile(r"\s")
    want = []
    for code in codes:
        category = unicodedata.category(chr(code))[0]
        want.append(category if category in "LN" else "s" if space.match(chr(code)) else ".")
    assert [hex(c) for c, a, b in zip(codes, got, want, strict=True) if a != b] == []


# <live-tokenizer>


def test_both_show_tokens_when_near_and_load_nothing_before(page, tokenizers):
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.reload()
    wait_for_widgets(page)
    page.wait_for_load_state("networkidle")
    assert not any("/tokenizers/" in url for url in requests)
    page.locator("live-tokenizer").scroll_into_view_if_needed()
    text = page.locator("live-tokenizer textarea").input_value()
    for name, tokenizer in tokenizers.items():
        page.locator(f"live-tokenizer [data-vocabulary={name}] .mg-chip").first.wait_for()
        assert shown_ids(page, name) == list(tokenizer.encode(text))


def test_typing_shows_ids_and_counts(page, tokenizers):
    box = page.locator("live-tokenizer textarea")
    box.fill("")
    page.locator("live-tokenizer [data-vocabulary=gpt2][data-state=ready]").wait_for()
    page.locator("live-tokenizer [data-vocabulary=shakespeare][data-state=ready]").wait_for()
    box.press_sequentially("hello world")
    assert shown_ids(page, "gpt2") == [31373, 995]
    text = "hello 안녕하세요 👩‍🚀"
    box.fill(text)
    for name, tokenizer in tokenizers.items():
        ids = list(tokenizer.encode(text))
        assert shown_ids(page, name) == ids
        counts = page.locator(f"live-tokenizer [data-vocabulary={name}] .mg-counts").inner_text()
        ratio = len(text.encode()) / len(ids)
        assert counts == f"{len(ids)} tokens, {ratio:.2f} bytes per token"
    sizes = page.locator("live-tokenizer .mg-sizes").inner_text()
    assert sizes == (
        f"13 signs of {len(text)} code points, {len(text.encode())} UTF-8 bytes. "
        "U+200D, which cannot be seen, joins several to one sign."
    )
    box.fill("")
    for name in tokenizers:
        counts = page.locator(f"live-tokenizer [data-vocabulary={name}] .mg-counts").inner_text()
        assert counts == "0 tokens"
    box.fill(text)
    status = page.locator("live-tokenizer [role=status]")
    told = f"GPT-2: {len(tokenizers['gpt2'].encode(text))} tokens."  # after a pause in typing
    page.wait_for_function(
        "([status, told]) => status.textContent.includes(told)", arg=[status.element_handle(), told]
    )


def test_every_example_button(page, tokenizers):
    load_both(page)
    buttons = page.locator("live-tokenizer button[data-text]")
    assert buttons.count() == 8
    for i in range(buttons.count()):
        text = buttons.nth(i).get_attribute("data-text")
        buttons.nth(i).click()
        assert page.locator("live-tokenizer textarea").input_value() == text
        for name, tokenizer in tokenizers.items():
            assert shown_ids(page, name) == list(tokenizer.encode(text)), text


def test_a_part_of_a_character_is_shown_in_hex_and_explained(page):
    load_both(page)
    page.locator("live-tokenizer textarea").fill("안녕하세요")
    chips = page.locator("live-tokenizer [data-vocabulary=gpt2] .mg-chip")
    assert chips.count() == 14
    assert chips.first.locator(".mg-byte").inner_text() == "\\xec"
    chips.first.hover()
    detail = page.locator("live-tokenizer [data-vocabulary=gpt2] .mg-detail").inner_text()
    assert "1 byte: ec" in detail
    assert "a part of “안”" in detail


def test_a_token_tells_its_bytes_and_its_merge(page, tokenizers):
    load_both(page)
    page.locator("live-tokenizer textarea").fill(" strawberry")
    page.locator("live-tokenizer [data-vocabulary=gpt2] .mg-chip").first.hover()
    detail = page.locator("live-tokenizer [data-vocabulary=gpt2] .mg-detail").inner_text()
    (token,) = tokenizers["gpt2"].encode(" strawberry")
    left, right = tokenizers["gpt2"].merges[token - 256]
    assert f"Token {token}" in detail
    assert "20 73 74 72 61 77 62 65 72 72 79" in detail
    assert f"merge rank {token - 256:,}" in detail
    assert f"(ids {left} and {right})" in detail


def test_tokens_of_right_to_left_words_stand_from_right_to_left(page):
    load_both(page)
    lefts = "chips => chips.map(chip => chip.getBoundingClientRect().left)"
    chips = page.locator("live-tokenizer [data-vocabulary=gpt2] .mg-chip")
    page.locator("live-tokenizer textarea").fill("مرحبا")
    x = chips.evaluate_all(lefts)
    assert x == sorted(x, reverse=True)
    page.locator("live-tokenizer textarea").fill("ab مر cd")  # within a left-to-right line too
    x = chips.evaluate_all(lefts)
    assert x[0] < x[-1]
    assert any(a > b for a, b in itertools.pairwise(x))


def test_tokens_are_one_tab_stop_with_arrow_keys(page):
    load_both(page)
    box = page.locator("live-tokenizer textarea")
    box.fill("one two three")
    chips = page.locator("live-tokenizer [data-vocabulary=gpt2] .mg-chip")
    box.focus()
    for _ in range(9):  # eight examples, then GPT-2's tokens
        page.keyboard.press("Tab")
    assert focused_text(page) == chips.nth(0).text_content()
    page.keyboard.press("ArrowRight")
    assert focused_text(page) == chips.nth(1).text_content()
    detail = page.locator("live-tokenizer [data-vocabulary=gpt2] .mg-detail")
    assert "“·two”" in detail.inner_text()
    page.keyboard.press("End")
    assert focused_text(page) == chips.nth(2).text_content()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    assert focused_text(page) == chips.nth(0).text_content()


def test_a_long_text_shows_its_first_tokens_and_counts_all(page, tokenizers):
    load_both(page)
    text = "to be or not " * 500
    page.locator("live-tokenizer textarea").fill(text)
    assert shown_ids(page, "gpt2") == list(tokenizers["gpt2"].encode(text))[:400]
    counts = page.locator("live-tokenizer [data-vocabulary=gpt2] .mg-counts").inner_text()
    assert counts.startswith(f"{len(tokenizers['gpt2'].encode(text)):,} tokens")


def test_a_file_that_does_not_load_is_said_in_words(browser, site_url):
    page = browser.new_page()
    page.route("**/gpt2.json", lambda route: route.abort())
    page.goto(site_url + "tokenizer.html")
    wait_for_widgets(page)
    page.locator("live-tokenizer button[data-text]").first.click()
    panel = page.locator("live-tokenizer [data-vocabulary=gpt2]")
    page.locator("live-tokenizer [data-vocabulary=gpt2][data-state=failed]").wait_for()
    assert "Could not load GPT-2’s vocabulary: check the connection and press" in panel.inner_text()
    page.unroute("**/gpt2.json")
    panel.get_by_role("button").click()
    page.locator("live-tokenizer [data-vocabulary=gpt2] .mg-chip").first.wait_for()
    page.close()


# <merge-stepper>


def test_training_reaches_the_classic_ids(page):
    element = stepper(page, "train")
    step = element.get_by_role("button", name="Step", exact=True)
    status = element.get_by_role("status")
    assert current_ids(element) == TOY
    assert "“a” “a” (97, 97), 4 times" in status.inner_text()
    seen = []
    for _ in range(3):
        step.click()
        seen.append(current_ids(element))
    assert seen == [
        "256 97 98 100 256 97 98 97 99",
        "256 257 100 256 257 97 99",  # (97, 98) and (256, 97) tie: the smaller ids go first
        "258 100 258 97 99",
    ]
    assert "Merged “aa” and “ab” into token 258." in status.inner_text()
    assert step.get_attribute("aria-disabled") == "true"
    step.click(force=True)  # stays focusable at the end, and does nothing
    assert current_ids(element) == "258 100 258 97 99"


def test_training_counts_pairs_and_marks_the_chosen_one(page):
    element = stepper(page, "train")
    rows = element.locator(".mg-table:not(.mg-later) tbody tr")
    cells = [row.locator("td").all_inner_texts() for row in rows.all()]
    assert [row[1:3] for row in cells] == [
        ["(97, 97)", "4"],
        ["(97, 98)", "2"],
        ["(97, 99)", "1"],
        ["(98, 97)", "1"],
        ["(98, 100)", "1"],
        ["(100, 97)", "1"],
    ]
    assert [row[3] for row in cells] == ["merge", "", "", "", "", ""]


def test_back_undoes_step_and_reset_returns(page):
    element = stepper(page, "train")
    button = lambda name: element.get_by_role("button", name=name, exact=True)  # noqa: E731
    button("Step").click()
    once = current_ids(element)
    button("Step").click()
    button("Back").click()
    assert current_ids(element) == once
    button("Back").click()
    assert current_ids(element) == TOY
    button("Back").click(force=True)  # stays focusable at the start, and does nothing
    assert current_ids(element) == TOY
    button("Step").click()
    button("Reset").click()
    assert current_ids(element) == TOY
    assert element.get_by_role("slider").input_value() == "0"


def test_play_runs_to_the_end_and_pause_stops_it(page):
    page.clock.install()
    page.reload()
    element = stepper(page, "train")
    play = element.locator("[data-action=play]")
    play.click()
    assert play.inner_text() == "Pause"
    page.clock.run_for(1500)
    play.click()
    halfway = current_ids(element)
    assert halfway not in (TOY, "258 100 258 97 99")
    page.clock.run_for(10_000)
    assert current_ids(element) == halfway
    play.click()
    page.clock.run_for(10_000)
    assert current_ids(element) == "258 100 258 97 99"
    assert play.inner_text() == "Play"


def test_stepper_works_with_the_keyboard_alone(page):
    element = stepper(page, "train")
    element.locator("[data-action=back]").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    assert current_ids(element) == "256 257 100 256 257 97 99"
    for _ in range(3):  # play, reset, slider
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert current_ids(element) == "258 100 258 97 99"
    page.keyboard.press("Home")
    assert current_ids(element) == TOY
    assert element.get_by_role("slider").get_attribute("aria-valuetext") == "step 0 of 3"


@pytest.mark.parametrize("name", ["gpt2", "shakespeare"])
def test_encoding_takes_the_lowest_rank_each_time(page, tokenizers, name):
    element = stepper(page, "encode")
    element.locator("select").select_option(name)
    page.wait_for_function(
        "element => element.tokenizer && element.vocabulary && element.tokenizer.mergeCount"
        f" {'>' if name == 'gpt2' else '<'} 10000",
        arg=element.element_handle(),
    )
    element.locator("input[type=text]").fill("strawberry")
    ranks = {pair: rank for rank, pair in enumerate(map(tuple, tokenizers[name].merges))}
    last = int(element.get_by_role("slider").get_attribute("max"))
    assert last > 0
    for _ in range(last):
        ids = [int(i) for i in current_ids(element).split()]
        shown = element.locator(".mg-row[data-current] .mg-rank")
        want = [ranks.get(pair) for pair in itertools.pairwise(ids)]
        assert shown.evaluate_all("e => e.map(x => x.dataset.rank ?? null)") == [
            None if rank is None else str(rank) for rank in want
        ]
        chosen = element.locator(".mg-row[data-current] .mg-rank.mg-chosen").first
        assert int(chosen.get_attribute("data-rank")) == min(r for r in want if r is not None)
        element.locator("[data-action=step]").click()
    ids = [int(i) for i in current_ids(element).split()]
    assert ids == list(tokenizers[name].encode("strawberry"))
    if name == "gpt2":
        assert [tokenizers[name].vocab[i] for i in ids] == [b"st", b"raw", b"berry"]


def test_encoding_names_the_ranks_and_shows_whole_rows(page):
    element = stepper(page, "encode")
    assert "stands the rank of their pair, – where it has none" in element.inner_text()
    element.get_by_role("slider").press("End")
    view, rows = element.locator(".mg-view"), element.locator(".mg-row")
    top = view.evaluate("e => e.getBoundingClientRect().top")
    tops = rows.evaluate_all("all => all.map(row => row.getBoundingClientRect().top)")
    bottoms = rows.evaluate_all("all => all.map(row => row.getBoundingClientRect().bottom)")
    cut = [a for a, b in zip(tops, bottoms, strict=True) if a < top - 1 and b > top + 9]
    assert cut == []


def test_encoding_several_pieces_steps_through_the_chosen_one(page, tokenizers):
    element = stepper(page, "encode")
    element.locator("input[type=text]").fill("the horse")
    pieces = element.locator(".mg-pieces button")
    assert pieces.all_inner_texts() == ["the", "·horse"]
    pieces.nth(1).click()
    bytes_of = tokenizers["gpt2"].vocab.index
    assert current_ids(element) == " ".join(str(bytes_of(bytes([b]))) for b in b" horse")
    element.get_by_role("slider").press("End")
    ids = [int(i) for i in current_ids(element).split()]
    assert ids == list(tokenizers["gpt2"].encode(" horse"))
    element.locator("input[type=text]").fill("")
    assert "Type something" in element.get_by_role("status").inner_text()


def test_another_vocabulary_shows_nothing_of_the_old_one(browser, site_url, tokenizers):
    page = browser.new_page()
    held = []
    page.route("**/gpt2.json", lambda route: held.append(route))
    page.goto(site_url + "tokenizer.html")
    wait_for_widgets(page)
    element = page.locator("merge-stepper[mode=encode]")
    element.scroll_into_view_if_needed()
    element.locator("select").select_option("shakespeare")
    element.locator(".mg-row").first.wait_for()
    status = element.get_by_role("status")
    element.locator("input[type=text]").fill("the horse")
    element.locator("[data-action=step]").click()

    def try_all() -> None:
        assert not element.locator(".mg-pieces").is_visible()
        for action in ("step", "play", "back", "reset"):
            element.locator(f"[data-action={action}]").click(force=True)
        element.locator("input[type=text]").fill("strawberry")
        assert element.locator(".mg-row").count() == 0

    def choose(name: str) -> None:
        element.locator("select").select_option(name)

    choose("gpt2")
    try_all()
    assert status.inner_text() == "Loading GPT-2’s vocabulary …"
    held.pop().abort()
    expect(status).to_contain_text("Could not load GPT-2’s vocabulary: check the connection and re")
    try_all()
    expect(status).to_contain_text("Could not load GPT-2’s vocabulary: check the connection and re")
    choose("shakespeare")
    element.locator(".mg-row").first.wait_for()
    page.unroute("**/gpt2.json")
    choose("gpt2")
    element.locator(".mg-row").first.wait_for()
    element.get_by_role("slider").press("End")
    ids = [int(i) for i in current_ids(element).split()]
    assert ids == list(tokenizers["gpt2"].encode("strawberry"))
    page.close()


# Both


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.slow
def test_no_accessibility_violation(page, theme):
    page.emulate_media(reduced_motion="reduce")
    load_both(page)
    wear(page, theme)
    page.locator("live-tokenizer textarea").fill("Hello 안녕하세요\n\tمرحبا")
    stepper(page, "train").locator("[data-action=step]").click()
    stepper(page, "encode").locator("[data-action=step]").click()
    for tag in ("live-tokenizer", "merge-stepper"):
        assert barriers(page, tag) == []


@pytest.mark.parametrize("width", [360, 1280])
def test_widgets_fit_the_screen_and_keep_their_height(browser, site_url, width):
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    scripts = "**/*tokenizer*.js*"
    page.route(scripts, lambda route: None)  # on their way for ever
    page.route("**/merge-stepper.js*", lambda route: None)
    page.goto(site_url + "tokenizer.html", wait_until="domcontentloaded")
    heights = (
        "[...document.querySelectorAll('live-tokenizer, merge-stepper')]"
        ".map(element => element.offsetHeight)"
    )
    before = page.evaluate(heights)
    page.unroute_all()
    page.goto(site_url + "tokenizer.html")
    load_both(page)
    after = page.evaluate(heights)
    assert [b - a for a, b in zip(before, after, strict=True) if b - a > 24] == []
    wide = page.locator("live-tokenizer, merge-stepper").evaluate_all(
        "elements => elements.filter(e => e.scrollWidth > e.clientWidth).length"
    )
    assert wide == 0
    controls = ":is(live-tokenizer, merge-stepper) :is(button, input, select)"
    assert small_targets(page, controls) == []
    context.close()
