"""The page's own attention model and its explorer, in a real browser, held to the Python model."""

from __future__ import annotations

import base64
import json
import re
import struct

import numpy as np
import pytest
import torch
from for_everyone import barriers, each_theme, reserved_height, small_targets
from page_complaints import complaints_of
from playwright.sync_api import expect
from safetensors.numpy import save
from safetensors.torch import save as save_torch

from minigpt.attention import AttentionOnly
from minigpt.attention.attention_only import PRETRAINED
from minigpt.tokenizer import BPETokenizer

TEXTS = [
    "O",
    "To be, or not to be: that is the question.",
    "My lord, I came to see your father's funeral.",
    "HAMLET:\nGood night.\n\nHORATIO:\nGood night, my lord.\n\n",
    "Zork met Blip, and Zork met Blip, and Zork met",
    "To-morrow, and to-morrow, and to-morrow,\nCreeps in this petty pace",
    "the the the the the the the the the the",
    "KING RICHARD III:\nA horse! a horse! my kingdom for a horse!",
    "What is the city but the people?",
    "All the world's a stage, and all the men and women merely players",
    "def add(a, b):\n    return a + b",
    "3.14159 + 1234567",
    "안녕 👍",
    "мир",
    "   three before, three after   ",
    "\n\n\n\t",
    "Now is the winter of our discontent made glorious summer by this sun of York",
    "AAAAAAAAAAAAAAAA",
    "If music be the food of love, play on; give me excess of it",
    "“Quoted” – and dashed — text…",
]
EXPLORER = "document.querySelector('attention-explorer')"
PHONE, LAPTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def model() -> AttentionOnly:
    return AttentionOnly.pretrained()


@pytest.fixture(scope="module")
def tokenizer() -> BPETokenizer:
    return BPETokenizer.load(PRETRAINED.parent / "shakespeare" / "tokenizer.json")


@pytest.fixture(scope="module")
def maps(model, tokenizer):
    """A function: the weights of a text as numpy, (L, H, T, T)."""

    def of(text: str) -> np.ndarray:
        return model.attention_maps(torch.tensor([tokenizer.encode(text)]))[:, 0].numpy()

    return of


def start(page, site_url) -> None:
    page.goto(site_url + "attention.html")
    page.evaluate("customElements.whenDefined('attention-explorer').then(() => true)")
    page.evaluate(f"{EXPLORER}.load()")


@pytest.fixture
def page(browser, site_url):
    """The chapter with its explorer ready, which must not complain."""
    context = browser.new_context(viewport=LAPTOP)
    page = context.new_page()
    complaints = complaints_of(page)
    start(page, site_url)
    yield page
    context.close()
    assert complaints == []


class Explorer:
    """What a reader sees of the explorer."""

    def __init__(self, page):
        self.root = page.locator("attention-explorer").first
        self.box = self.root.locator("textarea")
        self.chips = self.root.locator(".mg-look")
        self.heads = self.root.locator(".mg-head")
        self.sentence = self.root.locator(".mg-sentence")
        self.told = self.root.locator("[role=status]")
        self.message = self.root.locator(".mg-message")
        self.canvas = self.root.locator("figure canvas")

    def percents(self) -> list[str]:
        return self.chips.locator(".mg-percent").all_text_contents()

    def tints(self) -> list[float]:
        return self.chips.evaluate_all(
            "chips => chips.map(chip => Number(chip.style.getPropertyValue('--tint')))"
        )

    def pressed(self) -> list[str]:
        return self.root.locator(".mg-head[aria-pressed=true]").evaluate_all(
            "heads => heads.map(head => head.getAttribute('aria-label'))"
        )

    def chosen(self) -> list[int]:
        return self.chips.evaluate_all(
            "chips => chips.flatMap((c, i) => c.ariaPressed === 'true' ? [i] : [])"
        )

    def cells(self, size: int) -> list[list[dict[str, float]]]:
        """For every row and column of the map a place on the canvas inside that cell."""
        side = self.canvas.bounding_box()["width"]
        before = min(64, side / 5)
        middles = [before + (i + 0.5) * (side - before) / size for i in range(size)]
        return [[{"x": x, "y": y} for x in middles] for y in middles]


@pytest.fixture
def explorer(page) -> Explorer:
    """The explorer with its first head chosen, wherever the chapter lets it start."""
    explorer = Explorer(page)
    explorer.heads.first.click()
    return explorer


def percent(weight: float) -> str:
    return "<\u00a01\u00a0%" if weight < 0.005 else f"{round(100 * weight)}\u00a0%"


# The file format


def read(page, data: bytes):
    """What safetensors.js makes of some bytes: {name: [class, shape, numbers]}, or its error."""
    return page.evaluate(
        """async (data) => {
            const file = new URL("_static/engine/safetensors.js", document.baseURI);
            const { readSafetensors } = await import(file);
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            try {
                const tensors = Object.entries(readSafetensors(bytes.buffer));
                return Object.fromEntries(tensors.map(([name, { shape, data }]) =>
                    [name, [data.constructor.name, shape, [...data].map(String)]]));
            } catch (error) {
                return error.message;
            }
        }""",
        base64.b64encode(data).decode(),
    )


GOOD = save({"x": np.ones((2, 3), dtype=np.float32)})


def with_header(header, numbers: bytes = bytes(24)) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def test_every_type_of_tensor_is_read_as_python_wrote_it(page):
    tensors = {
        "a": np.array([[1.5, -2.25, 3e-20], [4, np.inf, -0.0]], dtype=np.float32),
        "b": np.array([255, 0, 7], dtype=np.uint8),
        "c": np.array([[-32768], [32767]], dtype=np.int16),
        "d": np.array([65535, 1], dtype=np.uint16),
        "e": np.array([[[-(2**31), 2**31 - 1]]], dtype=np.int32),
        "f": np.zeros((0, 4), dtype=np.float32),
    }
    kinds = ["Float32Array", "Uint8Array", "Int16Array", "Uint16Array", "Int32Array"]
    got = read(page, save(tensors, metadata={"made": "for a test"}))
    assert sorted(got) == sorted(tensors)
    for (name, want), kind in zip(tensors.items(), [*kinds, "Float32Array"], strict=True):
        assert got[name][:2] == [kind, list(want.shape)]
        numbers = [float(x.replace("Infinity", "inf")) for x in got[name][2]]
        assert np.array(numbers, dtype=want.dtype).tolist() == want.ravel().tolist()


def test_a_tensor_may_start_at_any_byte(page):
    header = {
        "odd": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
        "x": {"dtype": "F32", "shape": [2], "data_offsets": [1, 9]},
    }
    got = read(page, with_header(header, b"\x07" + struct.pack("<2f", 1.5, -2)))
    assert got == {"odd": ["Uint8Array", [1], ["7"]], "x": ["Float32Array", [2], ["1.5", "-2"]]}


def test_all_half_floats_have_their_values(page):
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    kind, _, got = read(page, save({"x": halves}))["x"]
    assert kind == "Float32Array"
    values = np.array([float(x.replace("Infinity", "inf")) for x in got], dtype=np.float32)
    np.testing.assert_array_equal(values, halves.astype(np.float32))


def test_bfloat16_and_double_precision_become_32_bits(page):
    numbers = torch.tensor([1.0, -2.5, 3.389531e38, 1e-40, -0.0, torch.inf])
    got = read(page, save_torch({"b": numbers.bfloat16(), "d": numbers.double()}))
    for name, want in (("b", numbers.bfloat16().float()), ("d", numbers)):
        assert got[name][:2] == ["Float32Array", [6]]
        values = [float(x.replace("Infinity", "inf")) for x in got[name][2]]
        np.testing.assert_array_equal(np.array(values, dtype=np.float32), want.numpy())


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "it has only 0 bytes"),
        (b"<!doctype html><title>Not found</title>", "its header should have"),
        (GOOD[:30], "its header should have"),
        (GOOD[:-5], "x ends at byte 24, but there are 19: the file is truncated"),
        (with_header(b"{nonsense"), "its header is not JSON"),
        (with_header({"x": {"dtype": "F32"}}), "x has no shape or no place"),
        (
            with_header({"x": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 24]}}),
            "x of shape [2,2] takes 16 bytes, not 24",
        ),
        (
            with_header({"x": {"dtype": "F8_E5M2", "shape": [24], "data_offsets": [0, 24]}}),
            "x is of type F8_E5M2; known are F32, F16, BF16, F64, I32, I16, I8, U16, U8",
        ),
    ],
    ids=["empty", "foreign", "header cut", "cut", "no JSON", "no place", "other size", "type"],
)
def test_a_file_that_is_not_right_is_named(page, data, told):
    message = read(page, data)
    assert isinstance(message, str)
    assert message.startswith("not a safetensors file that can be read: ")
    assert told in message


# The model


def test_weights_in_the_page_equal_python(page, tokenizer, maps):
    for text in TEXTS:
        ids = tokenizer.encode(text)
        got = page.evaluate(
            f"ids => {EXPLORER}.model.weights(ids).map(hs => hs.map(h => [...h]))", ids
        )
        want = maps(text)
        got = np.array(got).reshape(want.shape)
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-4, err_msg=text)
        assert (got == np.tril(got)).all()


def test_logits_in_the_page_equal_python(page, model, tokenizer):
    for number, text in enumerate(TEXTS):
        ids = tokenizer.encode(text)
        with torch.no_grad():
            want = model(torch.tensor([ids]))[0].numpy()
        rows = slice(None) if number == 1 else slice(-1, None)  # one text whole, the last of each
        start = len(range(len(ids))[rows]) * want.shape[1]
        got = page.evaluate(
            f"([ids, n]) => [...{EXPLORER}.model.logits(ids).slice(-n)]", [ids, start]
        )
        got = np.array(got).reshape(-1, want.shape[1])
        np.testing.assert_allclose(got, want[rows], rtol=0, atol=1e-3, err_msg=text)


def test_the_model_takes_as_much_as_python_and_nothing(page, model):
    assert page.evaluate(f"{EXPLORER}.model.weights([])[0][0].length") == 0
    longest = model.position_embedding.weight.shape[0]
    size = page.evaluate(f"n => {EXPLORER}.model.logits(Array(n).fill(0)).length", longest)
    assert size == longest * model.token_embedding.weight.shape[0]


def test_what_the_model_cannot_take_is_named(page, model):
    vocab_size, context_length = (
        len(model.token_embedding.weight),
        len(model.position_embedding.weight),
    )
    ask = f"""ids => {{
        try {{ {EXPLORER}.model.weights(ids); }} catch (error) {{ return error.message; }}
    }}"""
    told = page.evaluate(ask, [0] * (context_length + 1))
    assert f"{context_length + 1} tokens" in told
    assert f"context_length of {context_length}" in told
    for wrong in (-1, vocab_size, 0.5):
        told = page.evaluate(ask, [0, wrong])
        assert f"token id {wrong} is not between 0 and {vocab_size - 1}" in told


def test_a_model_with_a_wrong_tensor_is_refused(page):
    told = page.evaluate(
        f"""() => {{
            const model = {EXPLORER}.model, C = model.config.n_embd;
            const tensors = {{ "token_embedding.weight": {{ shape: [7, C], data: [] }} }};
            const errors = [[model.config, tensors], [model.config, {{}}],
                            [{{...model.config, n_head: C + 1}}, {{}}]].map((args) => {{
                try {{ new model.constructor(...args); }} catch (error) {{ return error.message; }}
            }});
            return [...errors, model.config.vocab_size, C];
        }}"""
    )
    wrong, missing, heads, vocab_size, width = told
    shape = f"token_embedding.weight should have the shape [{vocab_size},{width}], not "
    assert (wrong, missing) == (f"{shape}[7,{width}]", f"{shape}[]")
    assert f"n_embd {width} cannot be cut into n_head {width + 1} heads" in heads


# <attention-explorer>


def test_the_model_waits_until_the_reader_comes_near(browser, site_url):
    page = browser.new_page(viewport=LAPTOP)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(site_url + "attention.html")
    page.evaluate("customElements.whenDefined('attention-explorer').then(() => true)")
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "/models/" in url]
    page.locator("attention-explorer").scroll_into_view_if_needed()
    page.locator("attention-explorer .mg-look").first.wait_for()
    files = sorted(url.rsplit("/", 1)[1] for url in asked if "/models/" in url)
    assert files == ["attention-only.json", "attention-only.safetensors"]
    page.close()


def test_every_example_shows_its_tokens(explorer, tokenizer):
    buttons = explorer.root.locator("button[data-text]")
    texts = buttons.evaluate_all("buttons => buttons.map(button => button.dataset.text)")
    assert any("\n\nHORATIO:\n" in text for text in texts)
    for i, text in enumerate(texts):
        buttons.nth(i).click()
        assert explorer.box.input_value() == text
        names = explorer.chips.evaluate_all("cs => cs.map(c => c.getAttribute('aria-label'))")
        pieces = [tokenizer.token_bytes(t) for t in tokenizer.encode(text)]
        assert len(pieces) <= 48  # nothing of an example is cut off
        assert [n.split(":")[0] for n in names] == [f"token {k + 1}" for k in range(len(pieces))]
        shown = explorer.chips.locator(".mg-chip-text").all_text_contents()
        for piece, name in zip(pieces, shown, strict=True):
            if piece.isascii():
                assert name == piece.decode().replace(" ", "·").replace("\n", "↵")


def test_a_chosen_token_shows_where_it_looks(explorer, maps):
    text = TEXTS[2]
    explorer.box.fill(text)
    row = maps(text)[0, 0]
    assert explorer.chosen() == [len(row) - 1]  # the last one, to begin with
    explorer.chips.nth(6).click()
    assert explorer.chosen() == [6]
    np.testing.assert_allclose(explorer.tints(), np.sqrt(row[6]), atol=2e-3)
    for i, told in enumerate(explorer.percents()):
        assert told in ("", percent(row[6, i]))
        if row[6, i] >= 0.051:
            assert told
    best = int(row[6].argmax())
    sentence = explorer.sentence.inner_text()
    assert sentence.startswith(f"“see” (token 7) looks {percent(row[6, best])} at ")
    apart = explorer.chips.evaluate_all("cs => cs.map(c => c.classList.contains('mg-apart'))")
    assert apart == [i > 6 for i in range(len(row))]
    expect(explorer.told).to_have_text(sentence)


def shares(sentence: str) -> list[int]:
    """The percentages of a sentence; less than 1 % counts as 0."""
    found = re.findall(r"(< )?(\d+) %", sentence.replace("\u00a0", " "))
    return [0 if less else int(number) for less, number in found]


def test_the_sentence_accounts_for_all_of_a_row(explorer, maps):
    text = TEXTS[5]
    explorer.box.fill(text)
    for query in range(0, maps(text).shape[-1], 3):
        explorer.chips.nth(query).click()
        told = explorer.sentence.inner_text()
        if "nearly all" not in told:
            assert 97 <= sum(shares(told)) <= 100
    explorer.chips.first.click()
    assert explorer.sentence.inner_text().endswith(" looks 100\u00a0% at itself.")


def test_shares_never_exceed_the_whole(page, tokenizer):
    """Every token of every head, without a click for each."""
    told = page.evaluate(
        f"""async (texts) => {{
            const path = '_static/parts/attention-in-words.js';
            const {{ describe, summarize }} = await import(new URL(path, document.baseURI));
            const explorer = {EXPLORER};
            const rows = [], pairs = [];
            for (const ids of texts) {{
                for (const weights of explorer.model.weights(ids).flat()) {{
                    const given = {{ ids, size: ids.length, backward: false, named: String,
                        weight: (q, k) => weights[q * ids.length + k] }};
                    rows.push(...ids.map((_, at) => describe(given, at)));
                    pairs.push(summarize(given));
                }}
            }}
            return [rows, pairs];
        }}""",
        [tokenizer.encode(text) for text in TEXTS],
    )
    rows, summaries = told
    assert len(rows) > 2000
    assert max(sum(shares(re.sub("“.*?”", "", row))) for row in rows) <= 100
    nearly = [row for row in rows if "gives nearly all of its weight to " in row]
    assert nearly and all("%" not in row and "next to nothing" in row for row in nearly)
    for summary in summaries:
        if summary:
            first, *pair = summary.split(" If it occurred before, ")
            assert all(sum(shares(part)) <= 100 for part in (first, *pair))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([0.337, 0.336, 0.327], ["34 %", "33 %", "33 %"]),
        ([0.997], [">99 %"]),
        ([1.0], ["100 %"]),
        ([0.003, 0.5], ["< 1 %", "50 %"]),
    ],
)
def test_shares_are_rounded_so_that_they_fit(page, given, told):
    got = page.evaluate(
        """async (given) => {
            const path = '_static/parts/attention-in-words.js';
            return (await import(new URL(path, document.baseURI))).percents(given);
        }""",
        given,
    )
    assert sum(shares(" ".join(got).replace(">99", "99"))) <= 100
    assert [text.replace("\u00a0", " ") for text in got] == told


def test_pointing_shows_a_token_until_the_pointer_leaves(explorer, page):
    explorer.box.fill(TEXTS[2])
    explorer.chips.nth(3).click()
    page.mouse.move(0, 0)
    pinned = explorer.sentence.inner_text()
    explorer.chips.nth(6).hover()
    assert "“see” (token 7)" in explorer.sentence.inner_text()
    assert explorer.chosen() == [3]
    page.mouse.move(0, 0)
    assert explorer.sentence.inner_text() == pinned


def test_a_tap_keeps_a_token(browser, site_url):
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    start(page, site_url)
    explorer = Explorer(page)
    explorer.box.fill(TEXTS[2])
    explorer.chips.nth(6).tap()
    assert explorer.chosen() == [6]
    assert "“see” (token 7)" in explorer.sentence.inner_text()
    cells = explorer.cells(explorer.chips.count())
    explorer.canvas.tap(position=cells[9][1])
    assert explorer.chosen() == [9]
    assert "at “lord” (2)." in explorer.root.locator(".mg-readout").inner_text()
    explorer.chips.nth(2).tap()
    assert "Point at a cell" in explorer.root.locator(".mg-readout").inner_text()
    context.close()


def test_tokens_are_one_tab_stop_with_arrow_keys(explorer, page):
    explorer.box.fill(TEXTS[2])
    explorer.root.get_by_role("button", name="Who looks at it").focus()
    last = explorer.chips.count() - 1
    page.keyboard.press("Tab")
    expect(explorer.chips.nth(last)).to_be_focused()
    page.keyboard.press("Home")
    expect(explorer.chips.nth(0)).to_be_focused()
    page.keyboard.press("ArrowLeft")  # there is nothing before the first
    expect(explorer.chips.nth(0)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(explorer.chips.nth(1)).to_be_focused()
    assert explorer.chosen() == [1]
    expect(explorer.sentence).to_contain_text("“lord” (token 2)")
    expect(explorer.told).to_have_text(explorer.sentence.inner_text())
    page.keyboard.press("End")
    assert explorer.chosen() == [last]
    page.keyboard.press("Tab")
    expect(explorer.root.get_by_role("button", name="Show the steps")).to_be_focused()
    page.keyboard.press("Tab")
    expect(explorer.root.locator("summary")).to_be_focused()


def test_every_head_of_every_layer_can_be_chosen(explorer, maps):
    text = TEXTS[4]
    explorer.box.fill(text)
    explorer.chips.nth(12).click()
    want = maps(text)
    layers, heads = want.shape[:2]
    assert explorer.heads.count() == layers * heads
    for layer in range(layers):
        for head in range(heads):
            name = f"Layer {layer + 1}, head {head + 1}"
            explorer.root.get_by_role("button", name=name, exact=True).click()
            assert explorer.pressed() == [name]
            np.testing.assert_allclose(
                explorer.tints(), np.sqrt(want[layer, head, 12]), atol=2e-3, err_msg=name
            )
            assert explorer.chosen() == [12]  # the token stays
            row = want[layer, head]
            before = np.mean([row[q, q - 1] for q in range(2, len(row))])
            summary = explorer.root.locator(".mg-summary").inner_text()
            assert f"a token looks on average {percent(before)} at the one before it" in summary
            expect(explorer.told).to_contain_text(f"{name}. {summary}")


def test_the_summary_tells_of_tokens_that_occurred_before(explorer, maps, tokenizer):
    explorer.heads.last.click()
    for text in (TEXTS[4], TEXTS[5], TEXTS[6]):  # in the last, what followed is the token itself
        explorer.box.fill(text)
        ids = tokenizer.encode(text)
        want = maps(text)[-1, -1]
        copy, after = [], []
        for query in range(2, len(ids)):
            there = {k for k in range(query) if ids[k] == ids[query]}
            if there - {query - 1}:
                followed = {k + 1 for k in there if k + 1 < query} - there
                copy.append(want[query, sorted(there)].sum())
                after.append(want[query, sorted(followed)].sum())
        told = f"it looks {percent(np.mean(copy))} there"
        told += f" and {percent(np.mean(after))} at what followed. What" if any(after) else "."
        assert told in explorer.root.locator(".mg-summary").inner_text()
    assert not any(after)
    explorer.box.fill("What is this")  # nothing repeats, and three tokens have no average
    assert explorer.root.locator(".mg-summary").inner_text() == ""


def test_the_repetition_says_what_to_look_for_and_what_is_seen(explorer, maps, tokenizer):
    hint = explorer.root.locator(".mg-hint")
    expect(hint).to_be_hidden()
    explorer.root.get_by_role("button", name="Repetition").click()
    text = explorer.box.input_value()
    ids, want = tokenizer.encode(text), maps(text)
    after = [k + 1 for k in range(len(ids) - 1) if ids[k] == ids[-1]]
    assert len({ids[k] for k in after}) == 1  # "each time" is true
    given = want[:, :, -1, after].sum(-1)
    layer, head = np.unravel_index(given.argmax(), given.shape)
    even = percent(len(after) / len(ids))
    assert given.max() < 0.2 and given.mean() < len(after) / len(ids)  # "none of them does"
    told = (
        f"The most is {percent(given.max())}, in layer {layer + 1}, head {head + 1}; "
        f"even looks at all {len(ids)} tokens would give {even}."
    )
    assert told in hint.inner_text()
    expect(explorer.told).to_contain_text("What will follow the last “met”?")
    explorer.box.fill(text + " Blip")  # what is typed may be about something else
    expect(hint).to_be_hidden()


def test_heads_are_one_tab_stop_with_arrow_keys(explorer, page, maps):
    layers, heads = maps("O").shape[:2]
    explorer.heads.first.focus()
    page.keyboard.press("ArrowDown")
    expect(explorer.heads.nth(heads)).to_be_focused()
    page.keyboard.press("ArrowRight")
    assert explorer.pressed() == ["Layer 1, head 1"]  # moving alone chooses nothing
    page.keyboard.press("Enter")
    assert explorer.pressed() == ["Layer 2, head 2"]
    page.keyboard.press("End")
    page.keyboard.press("Space")
    assert explorer.pressed() == [f"Layer {layers}, head {heads}"]
    page.keyboard.press("ArrowDown")
    expect(explorer.heads.last).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Where it looks"


def test_the_small_maps_differ_from_head_to_head(explorer):
    pictures = explorer.heads.locator("canvas").evaluate_all("cs => cs.map(c => c.toDataURL())")
    assert len(set(pictures)) == explorer.heads.count()


def test_the_other_direction_shows_who_looks(explorer, maps):
    text = TEXTS[2]
    explorer.box.fill(text)
    explorer.chips.nth(4).click()
    explorer.root.get_by_role("button", name="Who looks at it").click()
    column = maps(text)[0, 0, :, 4]
    np.testing.assert_allclose(explorer.tints(), np.sqrt(column), atol=2e-3)
    apart = explorer.chips.evaluate_all("cs => cs.map(c => c.classList.contains('mg-apart'))")
    assert apart == [i < 4 for i in range(len(column))]
    told = explorer.sentence.inner_text()
    assert told.startswith("“came” (token 5) is looked at by ")
    assert f"with {percent(column.max())}" in told
    expect(explorer.told).to_have_text(told)


def test_the_map_names_its_cells(explorer, page, maps):
    text = TEXTS[2]
    explorer.box.fill(text)
    weights = maps(text)[0, 0]
    cells = explorer.cells(len(weights))
    readout = explorer.root.locator(".mg-readout")
    explorer.canvas.hover(position=cells[6][3])
    assert readout.inner_text() == f"“see” (7) looks {percent(weights[6, 3])} at “I” (4)."
    assert "“see” (token 7)" in explorer.sentence.inner_text()
    explorer.canvas.hover(position=cells[3][6])
    assert readout.inner_text() == "“I” (4) cannot look at “see” (7), which comes later."
    explorer.canvas.hover(position=cells[5][5])
    assert readout.inner_text() == f"“to” (6) looks {percent(weights[5, 5])} at itself."
    assert explorer.chosen() == [len(weights) - 1]
    explorer.canvas.click(position=cells[8][0])
    assert explorer.chosen() == [8]
    explorer.canvas.hover(position={"x": 5, "y": 5})  # beside the map
    assert "Point at a cell" in readout.inner_text()
    explorer.root.get_by_role("button", name="Who looks at it").click()
    explorer.canvas.click(position=cells[8][2])
    assert explorer.chosen() == [2]


def test_the_map_is_drawn_from_the_weights(explorer, page, maps):
    text = TEXTS[4]
    explorer.box.fill(text)
    explorer.chips.first.click()  # its frame hides the least
    page.mouse.move(0, 0)
    weights = maps(text)[0, 0]
    size = len(weights)
    at = [place for row in explorer.cells(size)[1:] for place in row]
    blues = explorer.canvas.evaluate(
        """(canvas, places) => {
            const scale = canvas.width / canvas.clientWidth;
            return places.map(({x, y}) =>
                canvas.getContext("2d").getImageData(x * scale, y * scale, 1, 1).data[0]);
        }""",
        at,
    )
    red = np.array(blues, dtype=float).reshape(size - 1, size)
    seen = np.tril(np.ones_like(weights))[1:] == 1
    assert (red[~seen] == 0).all()  # transparent: there is nothing to look at
    want = 246 + (72 - 246) * np.sqrt(weights[1:])  # from --mg-raised to --mg-hue-6
    assert np.abs(red - want)[seen].max() < 3


def test_the_numbers_are_behind_a_fold(explorer, maps):
    text = TEXTS[8]
    explorer.box.fill(text)
    table = explorer.root.locator("details table")
    assert table.count() == 0
    explorer.root.locator("summary").click()
    weights = maps(text)[0, 0]
    rows = table.locator("tbody tr")
    for query in range(len(weights)):
        cells = rows.nth(query).locator("td").all_text_contents()
        assert cells[query + 1 :] == [""] * (len(weights) - query - 1)
        got = [float(cell) for cell in cells[: query + 1]]
        np.testing.assert_allclose(got, weights[query, : query + 1], atol=0.0051)
    explorer.heads.last.click()
    first = table.locator("tbody tr").last.locator("td").first.inner_text()
    assert abs(float(first) - maps(text)[-1, -1, -1, 0]) <= 0.0051
    layers, heads = maps("O").shape[:2]
    name = f"The numbers of layer {layers}, head {heads}"
    assert explorer.root.locator("summary").inner_text() == name
    expect(explorer.root.get_by_role("region", name=name)).to_be_visible()


def test_a_long_text_shows_its_first_tokens(explorer, tokenizer, maps):
    text = "Speak the speech, I pray you, as I pronounced it to you. " * 400
    explorer.box.fill(text)
    assert explorer.chips.count() == 48
    told = f"The text has {len(tokenizer.encode(text)):,} tokens; the first 48 are shown."
    assert told in explorer.message.inner_text()
    cut = tokenizer.decode(tokenizer.encode(text)[:48])
    explorer.heads.last.click()
    np.testing.assert_allclose(explorer.tints(), np.sqrt(maps(cut)[-1, -1, -1]), atol=2e-3)
    expect(explorer.told).to_contain_text("looks")
    explorer.box.fill("Speak")
    assert explorer.message.inner_text() == ""


def test_an_empty_text_asks_for_one(explorer):
    explorer.box.fill("")
    expect(explorer.message).to_have_text("Type something, and its tokens appear here.")
    expect(explorer.root.locator(".mg-explorer")).to_be_hidden()
    expect(explorer.told).to_have_text("0 tokens. Type something, and its tokens appear here.")
    explorer.box.fill("O")
    expect(explorer.chips).to_have_count(1)
    assert explorer.sentence.inner_text() == "“O” (token 1) looks 100\u00a0% at itself."
    expect(explorer.told).to_contain_text("1 token. ")


def test_what_the_plays_never_used_is_shown_as_bytes(explorer, tokenizer, maps):
    text = "O 👩‍🚀 мир\u0000"
    explorer.box.fill(text)
    assert explorer.chips.count() == len(tokenizer.encode(text))
    assert "\\xf0" in explorer.chips.locator(".mg-byte").all_text_contents()
    np.testing.assert_allclose(explorer.tints(), np.sqrt(maps(text)[0, 0, -1]), atol=2e-3)
    half = "box => { box.value = 'a\\ud83d'; box.dispatchEvent(new Event('input')); }"
    explorer.box.evaluate(half)
    assert explorer.chips.count() == len(tokenizer.encode("a\ufffd"))


def test_attributes_say_where_to_start(page, maps):
    layers, heads = maps("O").shape[:2]
    page.evaluate(
        f"""async () => {{
            const element = document.createElement('attention-explorer');
            const start = {{example: 2, layer: 2, head: 99, token: 7}};
            for (const name in start) element.setAttribute(name, start[name]);
            {EXPLORER}.replaceWith(element);
            await element.load();
        }}"""
    )
    explorer = Explorer(page)
    assert explorer.box.input_value().startswith("HAMLET:")
    assert explorer.pressed() == [f"Layer {min(2, layers)}, head {heads}"]
    assert explorer.chosen() == [6]


@pytest.mark.parametrize("broken", ["attention-only.json", "attention-only.safetensors"])
def test_a_model_that_does_not_load_is_said_in_words(browser, site_url, broken):
    page = browser.new_page(viewport=LAPTOP)
    page.route(f"**/{broken}", lambda route: route.abort())
    start(page, site_url)
    explorer = Explorer(page)
    expect(explorer.message).to_contain_text("Could not load the model: check the connection")
    expect(explorer.told).to_have_text(explorer.message.inner_text())
    retry = explorer.root.get_by_role("button", name="Try again")
    # On top of the old answer: between two, a request could slip through to the file itself.
    page.route(f"**/{broken}", lambda route: route.fulfill(status=404, body="no"))
    retry.click()
    expect(explorer.message).to_contain_text("answered 404")
    page.route(f"**/{broken}", lambda route: route.fulfill(body="<!doctype html>"))
    retry.click()
    message = "not valid JSON" if broken.endswith("json") else "not a safetensors file"
    expect(explorer.message).to_contain_text(message)
    page.unroute_all()
    retry.focus()
    page.keyboard.press("Enter")
    explorer.chips.first.wait_for()
    expect(retry).to_be_hidden()
    expect(explorer.root.locator(".mg-look[aria-pressed=true]")).to_be_focused()
    assert explorer.message.inner_text() == ""
    page.close()


def test_it_says_that_it_is_loading(browser, site_url):
    page = browser.new_page(viewport=LAPTOP)
    held = []
    page.route("**/attention-only.safetensors", lambda route: held.append(route))
    page.goto(site_url + "attention.html")
    explorer = Explorer(page)
    page.evaluate("customElements.whenDefined('attention-explorer').then(() => true)")
    explorer.root.scroll_into_view_if_needed()
    expect(explorer.message).to_have_text("Loading the model …")
    explorer.box.fill("Typed meanwhile")
    page.wait_for_timeout(100)
    held.pop().continue_()
    explorer.chips.first.wait_for()
    assert explorer.chips.first.inner_text().startswith("T")
    assert explorer.message.inner_text() == ""
    page.close()


@each_theme
@pytest.mark.slow
def test_no_accessibility_violation(browser, site_url, width, theme):
    viewport = {"width": width, "height": 800}
    context = browser.new_context(viewport=viewport, color_scheme=theme, reduced_motion="reduce")
    page = context.new_page()
    start(page, site_url)
    explorer = Explorer(page)
    explorer.box.fill("JULIET:\nRomeo! 안 Romeo\n")
    explorer.root.locator("summary").click()
    for i in (0, 6):  # the first token looks 100 % at itself: the strongest tint
        explorer.chips.nth(i).click()
        assert barriers(page, "attention-explorer") == []
    context.close()


def test_the_pictures_follow_the_colours_of_the_page(explorer, page):
    picture = "canvas => canvas.toDataURL()"
    canvases = [explorer.canvas, explorer.heads.first.locator("canvas")]
    light = [canvas.evaluate(picture) for canvas in canvases]
    page.click(".mg-theme-button")
    dark = [canvas.evaluate(picture) for canvas in canvases]
    assert all(a != b for a, b in zip(light, dark, strict=True))
    page.click(".mg-theme-button")
    assert [canvas.evaluate(picture) for canvas in canvases] == light


@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_the_screen_and_keeps_its_height(browser, site_url, width):
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    height = f"{EXPLORER}.offsetHeight"
    before = reserved_height(page, site_url + "attention.html", "attention-explorer")
    start(page, site_url)
    explorer = Explorer(page)
    assert page.evaluate(height) - before <= 24
    explorer.root.locator("summary").click()  # the wide table scrolls in its own box
    for text in (TEXTS[3], "Antidisestablishmentarianism " * 20):
        explorer.box.fill(text)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert explorer.root.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert small_targets(explorer.root, "button, summary, textarea") == []
    context.close()


def test_tokens_keep_their_places_when_another_is_chosen(explorer):
    explorer.box.fill(TEXTS[3])
    places = "chips => chips.map(c => [c.offsetLeft, c.offsetTop, c.offsetWidth, c.offsetHeight])"
    before = explorer.chips.evaluate_all(places)
    for i in range(0, explorer.chips.count(), 2):
        explorer.chips.nth(i).click()
        assert explorer.chips.evaluate_all(places) == before
