"""A text on its way through the model in the page, in a real browser, held to the Python model."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from for_everyone import barriers, each_theme, small_targets, smallest_letters, wear
from page_complaints import complaints_of
from playwright.sync_api import expect

import minigpt
from minigpt.data import shakespeare, train_validation_split

TEXTS = [
    "O",
    "KING RICHARD III:\nA horse, a",
    "To be, or not to be: that is the question.",
    "Zork met Blip, and Zork met Blip, and Zork met",
    "   three  before\n\n\n\tand 안녕 👍 “quoted” – 3.14159",
]
GLASS = "document.querySelector('looking-glass')"
PROMPT = TEXTS[1]
LAPTOP = {"width": 1280, "height": 900}
STAGES = 8
LAYERS, HEADS, HEAD, UNITS = 6, 5, 32, 5  # the shipped model; units told of an MLP


@pytest.fixture(scope="module")
def shipped():
    return minigpt.load("shakespeare", int8=True)


def test_what_the_playground_says_of_the_first_mlp(shipped):
    """It alone adds a vector longer than the one it reads, about twenty times."""
    model, tokenizer = shipped
    trace = traced(model, tokenizer.encode(PROMPT))
    reads = np.stack(trace["norms"][:LAYERS])  # what a block gets; its attention adds less
    attention, mlp = np.stack(trace["attention"]), np.stack(trace["mlp"])
    assert (attention < reads).all() and (mlp[1:] < reads[1:]).all()
    assert 15 < np.median(mlp[0] / reads[0]) < 25


def test_what_the_logit_lens_says_of_two_bytes():
    """The training text holds neither, so their rows moved as all that it does not hold."""
    tokenizer = minigpt.load("shakespeare", int8=True)[1]
    text, _ = train_validation_split(shakespeare())
    assert not {0x8F, 0x1B} & set(tokenizer.encode(text))
    assert tokenizer.vocab[0x8F] == b"\x8f" and tokenizer.vocab[0x1B] == b"\x1b"


def traced(model, ids: list[int]) -> dict[str, np.ndarray]:
    """What gpt-trace.js tells of some tokens, computed by the modules of the package."""
    names = ("norms", "attention", "mlp", "qkv", "matches", "weights", "hidden")
    told: dict = {name: [] for name in names}
    with torch.no_grad():
        told["tokens"] = model.token_embedding(torch.tensor(ids))
        told["positions"] = model.position_embedding(len(ids))
        x = (told["tokens"] + told["positions"])[None]
        told["norms"].append(x.norm(dim=-1)[0])
        for block in model.blocks:
            normed = block.norm_1(x)
            told["qkv"].append(block.attention.qkv(normed)[0])
            q, k, _ = block.attention.heads(normed)
            told["matches"].append((q @ k.transpose(-2, -1))[0].tril() / math.sqrt(q.shape[-1]))
            told["weights"].append(block.attention.weights(normed)[0])
            gathered = block.attention(normed)
            told["attention"].append(gathered.norm(dim=-1)[0])
            hook = block.mlp.down.register_forward_pre_hook(
                lambda _, given: told["hidden"].append(given[0][0])
            )
            made = block.mlp(block.norm_2(x + gathered))
            hook.remove()
            told["mlp"].append(made.norm(dim=-1)[0])
            x = block(x)
            told["norms"].append(x.norm(dim=-1)[0])
        told["scores"] = model(torch.tensor([ids]))[0]
    return {
        name: (torch.stack(part) if isinstance(part, list) else part).detach().numpy()
        for name, part in told.items()
    }


# The numbers that strips of cells show, as shares of the largest.
DRAWN = """strips => strips.map((strip) => [...strip.children].map((cell) =>
    (cell.classList.contains('mg-below') ? -1 : 1)
    * Number(cell.style.getPropertyValue('--tint')) ** 2))"""


def wait_for_element(page, site_url: str) -> None:
    page.goto(site_url + "playground.html")
    page.evaluate("customElements.whenDefined('looking-glass').then(() => true)")


def open_chapter(page, site_url: str) -> None:
    wait_for_element(page, site_url)
    page.evaluate(f"{GLASS}.load()")


def renew(page, prompt: str = PROMPT) -> None:
    """A new element in the place of the old one, its model there at once."""
    page.evaluate(
        """(prompt) => {
            const element = document.createElement('looking-glass');
            element.setAttribute('prompt', prompt);
            document.querySelector('looking-glass').replaceWith(element);
            return element.load();
        }""",
        prompt,
    )


class Glass:
    """What a reader sees of the element."""

    def __init__(self, page):
        self.page = page
        self.root = page.locator("looking-glass")
        self.box = self.root.locator("textarea").first
        self.message = self.root.locator(".mg-traced > .mg-message")
        self.chips = self.root.locator(".mg-glass-chips button")
        self.likely = self.root.locator(".mg-stage").last.locator(".mg-likely")

    def type(self, text: str) -> None:
        self.box.fill(text)
        self.updated()

    def updated(self) -> None:
        self.page.evaluate(f"{GLASS}.updated")

    def choose(self, t: int) -> None:
        self.chips.nth(t).click()
        self.updated()

    def trace(self) -> dict[str, np.ndarray]:
        told = self.page.evaluate(
            f"""() => {{
                const {{ trace }} = {GLASS}, plain = (x) => Array.from(x);
                return {{
                    tokens: plain(trace.tokens), positions: plain(trace.positions),
                    norms: trace.norms.map(plain),
                    attention: trace.added.map((x) => plain(x.attention)),
                    mlp: trace.added.map((x) => plain(x.mlp)),
                    qkv: trace.qkv.map(plain),
                    matches: trace.matches.map((heads) => heads.map(plain)),
                    weights: trace.weights.map((heads) => heads.map(plain)),
                    units: trace.units.map((ts) => ts.map((us) => us.map((u) => u.unit))),
                    largest: trace.units.map((ts) => ts.map((us) => us.map((u) => u.activation))),
                    scores: plain(trace.scores),
                }};
            }}"""
        )
        return {name: np.array(part) for name, part in told.items()}

    def rows(self, selector: str) -> list[list[str]]:
        """The words of a table's rows, without the cells that hold bars."""
        return self.root.locator(selector).evaluate_all(
            "rows => rows.map(row => [...row.cells].slice(0, 2).map(cell => cell.textContent))"
        )

    def widths(self, selector: str) -> np.ndarray:
        return np.array(
            self.root.locator(selector).evaluate_all(
                "bars => bars.map(bar => parseFloat(bar.style.width) / 100)"
            )
        )

    def chosen(self) -> dict[str, list[int]]:
        """Which tokens are chosen, by stage."""
        pressed = "cs => cs.flatMap((c, i) => c.ariaPressed === 'true' ? [i] : [])"
        return {
            "tokens": self.chips.evaluate_all(pressed),
            "attention": self.root.locator(".mg-look").evaluate_all(pressed),
            "lens": self.root.locator("[aria-selected=true]").evaluate_all(
                "cells => cells.map(cell => Number(cell.dataset.token))"
            ),
        }


@pytest.fixture
def glass(page) -> Glass:
    return Glass(page)


def name_of(tokenizer, i: int) -> str:
    """A token of printable text, as elements spell it."""
    return tokenizer.token_bytes(i).decode().replace(" ", "·").replace("\n", "↵")


def percent(p: float) -> str:
    return "<\u00a00.1\u00a0%" if 0 < p < 0.0005 else f"{100 * p:.1f}\u00a0%"


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def test_another_model_ends_a_reading_that_goes_on(browser, site_url):
    """Whoever waits for it is let go, and the other model reads the text. A page of its own: the
    others' would go on with the other model."""
    page = browser.new_page()
    open_chapter(page, site_url)
    glass = Glass(page)
    glass.root.scroll_into_view_if_needed()
    page.wait_for_function(f"{GLASS}.dataset.state === 'ready'")
    glass.type("to be")
    settled = page.evaluate(
        f"""async () => {{
            const {{ text }} = {GLASS};
            const other = Object.create(text.model);
            const reading = text.read();
            text.take(other);
            return Promise.allSettled([reading, text.updated]);
        }}"""
    )
    assert [one["status"] for one in settled] == ["fulfilled", "fulfilled"]
    page.wait_for_function(f"{GLASS}.text.trace && {GLASS}.chips.length === 2")
    page.close()


# The numbers


@pytest.mark.parametrize(
    "text", [*TEXTS[:2], *(pytest.param(text, marks=pytest.mark.slow) for text in TEXTS[2:])]
)
def test_the_trace_in_the_page_equals_python(glass, shipped, text):
    model, tokenizer = shipped
    ids = tokenizer.encode(text)
    glass.type(text)
    got, want = glass.trace(), traced(model, ids)
    want["scores"] = want["scores"][-1]
    hidden = torch.from_numpy(want.pop("hidden"))  # (L, T, 4C)
    units = torch.from_numpy(got.pop("units"))
    want["largest"] = hidden.topk(UNITS).values.numpy()
    # Of two that are level it does not matter which comes first.
    np.testing.assert_allclose(hidden.gather(-1, units), want["largest"], rtol=0, atol=1e-3)
    assert all(len(set(five)) == UNITS for five in units.flatten(0, 1).tolist())
    assert sorted(got) == sorted(want)
    for name, numbers in want.items():
        np.testing.assert_allclose(
            got[name].reshape(numbers.shape), numbers, rtol=0, atol=1e-3, err_msg=name
        )


def test_the_stages_show_the_numbers_of_the_trace(glass, shipped):
    model, tokenizer = shipped
    ids = tokenizer.encode(PROMPT)
    want = traced(model, ids)
    chips = glass.chips.evaluate_all("chips => chips.map(chip => Number(chip.dataset.id))")
    assert chips == ids
    for t in (len(ids) - 1, 2):
        glass.choose(t)
        rows = [want["tokens"][t], want["positions"][t], want["tokens"][t] + want["positions"][t]]
        embeddings = glass.root.locator(".mg-stage").nth(1)
        labels = embeddings.locator(".mg-strips > p").all_inner_texts()
        starts = [f"Row {ids[t]} of the token table", f"Row {t} of the position", "Their sum"]
        for label, start, row in zip(labels, starts, rows, strict=True):
            assert label.startswith(start)
            assert label.endswith(f": length {np.linalg.norm(row):.2f}.")
        strips = embeddings.locator(".mg-strips > .mg-strip").evaluate_all(DRAWN)
        most = np.abs(rows).max()
        np.testing.assert_allclose(np.array(strips) * most, rows, atol=2e-3)
        legend = embeddings.locator(".mg-strip-legend li").all_inner_texts()
        assert [abs(number(text)) for text in legend] == pytest.approx(
            [most * share for share in (1, 0.5, 0.1, 0, 0.1, 0.5, 1)], abs=0.006
        )

        lengths = [("after the tables", want["norms"][0][t])]
        for i in range(len(model.blocks)):
            lengths.append((f"attention {i + 1} adds", want["attention"][i][t]))
            lengths.append((f"MLP {i + 1} adds", want["mlp"][i][t]))
            lengths.append((f"after block {i + 1}", want["norms"][i + 1][t]))
        shown = glass.rows(".mg-stream tr")
        assert [row[0] for row in shown] == [name for name, _ in lengths]
        values = np.array([length for _, length in lengths])
        np.testing.assert_allclose([float(row[1]) for row in shown], values, atol=6e-3)
        widths = glass.widths(".mg-stream-track span")
        np.testing.assert_allclose(widths, values / values.max(), atol=1e-3)

        scores = torch.from_numpy(want["scores"][t])
        best = scores.softmax(-1).sort(descending=True)
        found = zip(best.values[:10], best.indices[:10], strict=True)
        top = [[name_of(tokenizer, int(i)), percent(p)] for p, i in found]
        assert glass.rows(".mg-stage:last-child .mg-likely tr") == top
        end = min(e for e in (0.1, 0.2, 0.5, 1) if e >= best.values[0])
        bars = glass.widths(".mg-stage:last-child .mg-likely-track span")
        np.testing.assert_allclose(bars, best.values[:10] / end, atol=1e-3)
        assert f"A full bar is {round(100 * end)}\u00a0%." in glass.likely.inner_text()


def test_the_fold_holds_every_number_of_the_rows(glass, shipped):
    model, tokenizer = shipped
    ids = tokenizer.encode(PROMPT)
    want = traced(model, ids)
    embeddings = glass.root.locator(".mg-stage").nth(1)
    embeddings.locator(".mg-strips summary").click()
    glass.choose(4)
    cells = embeddings.locator(".mg-strip-numbers tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    assert [int(row[0]) for row in cells] == list(range(want["tokens"].shape[1]))
    got = np.array([[number(text) for text in row[1:]] for row in cells]).T
    rows = [want["tokens"][4], want["positions"][4], want["tokens"][4] + want["positions"][4]]
    np.testing.assert_allclose(got, rows, atol=6e-4)


def test_the_attention_stage_shows_the_models_heads(glass, shipped):
    model, tokenizer = shipped
    want = traced(model, tokenizer.encode(PROMPT))["weights"]
    heads = glass.root.locator(".mg-head")
    assert heads.count() == want.shape[0] * want.shape[1]
    for layer, head, t in ((0, 0, 8), (3, 2, 5), (want.shape[0] - 1, want.shape[1] - 1, 3)):
        heads.nth(layer * want.shape[1] + head).click()
        glass.choose(t)
        tints = glass.root.locator(".mg-look").evaluate_all(
            "chips => chips.map(chip => Number(chip.style.getPropertyValue('--tint')))"
        )
        np.testing.assert_allclose(tints, np.sqrt(want[layer, head, t]), atol=2e-3)
    assert glass.root.locator("attention-explorer textarea").count() == 0


def numbers_of(rows) -> np.ndarray:
    return np.array([[number(text.split("\u00a0")[0]) for text in row] for row in rows])


@pytest.mark.parametrize(("layer", "head", "t"), [(0, 0, 8), (3, 1, 8), (5, 4, 3)])
def test_the_inside_of_a_head_is_that_of_python(glass, shipped, layer, head, t):
    model, tokenizer = shipped
    ids = tokenizer.encode(PROMPT)
    want = traced(model, ids)
    glass.root.locator(".mg-head").nth(layer * HEADS + head).click()
    glass.choose(t)
    inside = glass.root.locator(".mg-stage").nth(4)
    title = inside.locator(".mg-title").inner_text()
    assert title.startswith(f"Block {layer + 1}, head {head + 1}, at “")
    q, k, v = want["qkv"][layer].reshape(len(ids), 3, HEADS, HEAD)[:, :, head].transpose(1, 0, 2)
    scores, weights = want["matches"][layer, head, t], want["weights"][layer, head, t]
    other = max((i for i in range(t + 1) if i != t), key=lambda i: scores[i])
    vectors = np.array([q[t], k[t], v[t], k[other]])
    labels = inside.locator(".mg-strips > p").all_inner_texts()
    starts = ("Its query", "Its key", "Its value")
    for label, start, vector in zip(labels[:3], starts, vectors[:3], strict=True):
        assert label == f"{start}: length {np.linalg.norm(vector):.2f}."
    assert labels[3].startswith("The key of “") and f"(token {other + 1})" in labels[3]
    assert ("after its own" in labels[3]) == (scores[: t + 1].argmax() == t)
    strips = np.array(inside.locator(".mg-strips > .mg-strip").evaluate_all(DRAWN))
    np.testing.assert_allclose(strips * np.abs(vectors).max(), vectors, atol=0.02)
    inside.locator("summary").click()
    inside.locator(".mg-strip-numbers table").wait_for()
    cells = inside.locator(".mg-strip-numbers tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].slice(1).map(cell => cell.textContent))"
    )
    np.testing.assert_allclose(numbers_of(cells).T, vectors, atol=1e-3)

    rows = inside.locator(".mg-scores tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    assert [row[0].split(" ", 1)[0] for row in rows] == [str(i + 1) for i in range(t + 1)]
    np.testing.assert_allclose(
        numbers_of([row[1:2] for row in rows])[:, 0], scores[: t + 1], atol=6e-3
    )
    assert [row[2] for row in rows] == [percent(w) for w in weights[: t + 1]]
    widths = glass.widths(".mg-scores-track span")
    np.testing.assert_allclose(widths, weights[: t + 1], atol=1e-3)

    told = inside.locator(".mg-match").inner_text().split("Query times key of ")[1]
    product = f"{q[t] @ k[other]:.2f}".replace("-", "−")
    assert f" is {product}; divided by √32 = 5.66 that is its score" in told
    assert told.endswith(f"becomes a weight of {percent(weights[other])}.")
    best, second = np.argsort(-scores[: t + 1])[:2]
    told = inside.locator(".mg-compared").inner_text()
    assert f"(token {best + 1}) scores {scores[best] - scores[second]:.2f} higher than" in told
    times = float(told.split(" and gets ")[1].split(" times")[0])
    assert times == pytest.approx(np.exp(scores[best] - scores[second]), abs=0.006)


def test_the_first_token_has_nothing_to_compare(glass):
    glass.choose(0)
    inside = glass.root.locator(".mg-stage").nth(4)
    assert inside.locator(".mg-strips > p:visible").count() == 3
    assert inside.locator(".mg-scores tbody tr").count() == 1
    assert inside.locator(".mg-match").inner_text().endswith("becomes a weight of 100.0\u00a0%.")
    assert inside.locator(".mg-compared").inner_text().startswith("There is one token to look at")
    inside.locator("summary").click()
    expect(inside.locator(".mg-strip-numbers thead th")).to_have_count(4)


@pytest.mark.parametrize(("layer", "t"), [(0, 8), (3, 2), (5, 8)])
def test_the_strongest_units_are_those_of_python(glass, shipped, layer, t):
    model, tokenizer = shipped
    hidden = torch.from_numpy(traced(model, tokenizer.encode(PROMPT))["hidden"])[layer, t]
    glass.choose(t)
    inside = glass.root.locator(".mg-stage").nth(5)
    button = inside.get_by_role("button", name=f"Block {layer + 1}", exact=True)
    button.click()
    glass.updated()
    assert button.get_attribute("aria-pressed") == "true"
    best = hidden.topk(UNITS)
    rows = inside.locator(".mg-units tbody tr")
    shown = rows.evaluate_all("rows => rows.map(row => [...row.cells].map(c => c.textContent))")
    assert [int(row[0]) for row in shown] == best.indices.tolist()
    np.testing.assert_allclose([float(row[1]) for row in shown], best.values, atol=6e-3)
    with torch.no_grad():
        gains = model.token_embedding.weight @ model.blocks[layer].mlp.down.weight[:, best.indices]
    for row, unit_gains in zip(rows.all(), gains.T, strict=True):
        ids = row.locator("[data-id]").evaluate_all("all => all.map(x => Number(x.dataset.id))")
        np.testing.assert_allclose(unit_gains[ids], unit_gains.topk(5).values, atol=1e-4)
        assert len(set(ids)) == 5
    told = inside.locator(".mg-units-said").inner_text()
    ratio = best.values[0] / best.values[-1]
    assert f"Unit {best.indices[0]} is the strongest here, {ratio:.1f} times" in told


def test_a_block_is_chosen_in_both_of_its_stages(glass):
    units = glass.root.locator(".mg-stage").nth(5)
    glass.root.locator(".mg-head").nth(2 * HEADS + 4).click()  # block 3, head 5
    glass.updated()
    assert units.locator("caption").inner_text().startswith("MLP 3 at ")
    units.get_by_role("button", name="Block 6", exact=True).press("Enter")
    glass.updated()
    pressed = glass.root.locator(".mg-head[aria-pressed=true]")
    assert pressed.get_attribute("aria-label") == "Layer 6, head 5"
    title = glass.root.locator(".mg-inside .mg-title").inner_text()
    assert title.startswith("Block 6, head 5, at ")
    told = glass.root.locator(".mg-traced > [role=status]")
    expect(told).to_contain_text("Block 6. Read each row")


def test_what_stands_out_is_said(glass, shipped):
    model, tokenizer = shipped
    want = traced(model, tokenizer.encode(PROMPT))
    for t in (8, 4):  # at the second, MLP 6 adds more, but not beside what it is added to
        glass.choose(t)
        before, added = want["norms"][0][t], want["mlp"][0][t]
        told = glass.root.locator(".mg-stream-said").inner_text()
        assert (
            f"MLP 1 adds {added:.2f} to a vector that came in with {before:.2f}, "
            f"{added / before:.1f} times as much. So the first block all but replaces" in told
        )
    assert want["mlp"][5][4] > added > 10 * before
    # Where nothing stands out, nothing is replaced.
    told = glass.page.evaluate(
        """async () => {
            const path = '_static/elements/looking-glass/stream-lengths.js';
            const { StreamLengths } = await import(new URL(path, document.baseURI));
            const lengths = new StreamLengths();
            const added = [1, 3].map((x) => ({ attention: [1], mlp: [x] }));
            lengths.show({ norms: [[2], [2], [2]], added }, 0, 'x');
            return lengths.said.textContent;
        }"""
    )
    assert "MLP 2 adds 3.00 to a vector that came in with 2.00, 1.5 times as much." in told
    assert "replaces" not in told


def test_what_is_asked_after_a_trace_is_right_too(page, glass, shipped):
    model, tokenizer = shipped
    ids = tokenizer.encode(PROMPT)
    ask = f"ids => {GLASS}.text.model.scores(ids).then((scores) => Array.from(scores))"
    for length in (4, 6):
        got = page.evaluate(ask, ids[:length])
        with torch.no_grad():
            want = model(torch.tensor([ids[:length]]))[0, -1].numpy()
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-3)
        glass.type(PROMPT + ", a" * length)  # a trace between two questions of one beginning


# Choosing a token


def test_a_chosen_token_is_chosen_in_all_stages(glass, shipped):
    _, tokenizer = shipped
    last = len(tokenizer.encode(PROMPT)) - 1
    assert glass.chosen() == {"tokens": [last], "attention": [last], "lens": [last]}
    ways = [
        lambda: glass.chips.nth(1).click(),
        lambda: glass.root.locator(".mg-look").nth(4).click(),
        lambda: glass.root.locator("[role=gridcell][data-token='6']").nth(2).click(),
    ]
    for act, t in zip(ways, (1, 4, 6), strict=True):
        act()
        glass.updated()
        assert glass.chosen() == {"tokens": [t], "attention": [t], "lens": [t]}
        told = f"(token {t + 1})"
        parts = (".mg-stage:nth-child(2) .mg-strips", ".mg-inside .mg-title", ".mg-scores caption")
        for part in (
            *parts,
            ".mg-units caption",
            ".mg-stream-said",
            ".mg-sentence",
            ".mg-lens-verdict",
        ):
            assert told in glass.root.locator(part).inner_text()
        assert told in glass.likely.inner_text()


def test_tokens_are_one_tab_stop_with_arrow_keys(page, glass):
    last = glass.chips.count() - 1
    glass.root.locator(".mg-stage a").first.focus()
    page.keyboard.press("Tab")
    expect(glass.chips.nth(last)).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(glass.chips.nth(1)).to_be_focused()
    glass.updated()
    assert glass.chosen()["lens"] == [1]
    told = glass.root.locator(".mg-traced > [role=status]")
    expect(told).to_contain_text("“RICHARD” (token 2) is chosen. Next come “")
    page.keyboard.press("Tab")
    expect(glass.root.locator(".mg-stage a").nth(1)).to_be_focused()


# Typing


def test_typing_fast_shows_the_newest_text(page, glass, shipped):
    _, tokenizer = shipped
    asked = f"""() => {{
        const model = {GLASS}.text.model, trace = model.trace.bind(model);
        window.asked = [];
        model.trace = (ids) => {{ asked.push(ids); return trace(ids); }};
    }}"""
    page.evaluate(asked)
    glass.type("")
    glass.box.press_sequentially("My lord, I came to see", delay=20)
    glass.updated()
    ids = tokenizer.encode("My lord, I came to see")
    chips = glass.chips.evaluate_all("chips => chips.map(chip => Number(chip.dataset.id))")
    assert chips == ids
    assert len(page.evaluate("asked")) < 8  # and not each of the 22 texts on the way
    # Three at once: the model reads the first, and of the others the newest.
    page.evaluate(
        f"""async () => {{
            asked.length = 0;
            const {{ text }} = {GLASS};
            for (const words of ["one", "one two", "one two three"]) {{
                text.input.value = words;
                text.read();
                await 0;
            }}
            await text.updated;
        }}"""
    )
    assert page.evaluate("asked.at(-1)") == tokenizer.encode("one two three")
    assert tokenizer.encode("one two") not in page.evaluate("asked")
    assert glass.chips.count() == len(tokenizer.encode("one two three"))


def test_an_empty_and_a_long_text_are_said_in_words(glass, shipped):
    _, tokenizer = shipped
    glass.type("")
    assert glass.message.inner_text() == "Type something, and its tokens appear here."
    expect(glass.root.locator(".mg-stages")).to_be_hidden()
    text = "my lord " * 60
    glass.type(text)
    count = len(tokenizer.encode(text))
    assert f"has {count} tokens; the first 48 are shown." in glass.message.inner_text()
    assert glass.chips.count() == 48
    glass.type("my lord")
    expect(glass.message).to_be_empty()
    assert glass.chips.count() == 2


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("Array buffer allocation failed", "This device has too little memory for this text"),
        ("what nobody foresaw", "The model could not read this text: change it, or reload"),
    ],
)
def test_a_text_that_the_model_cannot_read_is_said_in_words(page, glass, problem, words):
    page.evaluate(
        f"""(problem) => {{
            const model = {GLASS}.text.model;
            model.trace = async () => {{
                delete model.trace;
                throw new Error(problem);
            }};
        }}""",
        problem,
    )
    glass.type("my lord")
    assert words in glass.message.inner_text()
    assert problem in glass.message.inner_text()
    glass.type("my lord,")
    expect(glass.message).to_be_empty()
    assert glass.chips.count() == 3


# Loading


@pytest.fixture
def fresh(browser):
    """A page of its own."""
    context = browser.new_context(viewport=LAPTOP)
    yield context.new_page()
    context.close()


def test_the_model_waits_until_the_reader_comes_near(fresh, site_url):
    asked: list[str] = []
    fresh.context.on("request", lambda request: asked.append(request.url))
    fresh.set_viewport_size({"width": 1280, "height": 300})
    fresh.goto(site_url + "playground.html")
    fresh.evaluate("""() => {
        const far = document.createElement('div');
        far.style.height = '9000px';
        document.querySelector('looking-glass').before(far);
    }""")
    fresh.evaluate("customElements.whenDefined('looking-glass').then(() => true)")
    fresh.evaluate("new Promise((resolve) => setTimeout(resolve, 300))")
    element = fresh.locator("looking-glass")
    assert element.get_attribute("data-state") == "waiting"
    element.scroll_into_view_if_needed()
    element.locator(".mg-glass-chips button").first.wait_for()
    assert len([url for url in asked if url.endswith("int8.safetensors")]) == 1


def test_a_model_that_is_missing_is_said_in_words_and_asked_again(fresh, site_url):
    fresh.context.route("**/int8.safetensors", lambda route: route.fulfill(status=404))
    open_chapter(fresh, site_url)
    element = fresh.locator("looking-glass")
    status = element.locator(".mg-loading [role=status]")
    expect(status).to_contain_text("Could not load the model: check the connection")
    expect(status).to_contain_text("int8.safetensors answered 404")
    expect(element.locator(".mg-stages")).to_be_hidden()
    fresh.context.unroute("**/int8.safetensors")
    element.get_by_role("button", name="Try again").press("Enter")
    expect(element.locator(".mg-glass-chips button").first).to_be_visible()
    expect(element.locator("textarea").first).to_be_focused()


def test_a_browser_that_saves_data_waits_for_the_button(fresh, site_url):
    fresh.add_init_script(
        "Object.defineProperty(navigator, 'connection', { value: { saveData: true } })"
    )
    asked: list[str] = []
    fresh.context.on("request", lambda request: asked.append(request.url))
    wait_for_element(fresh, site_url)
    element = fresh.locator("looking-glass")
    element.scroll_into_view_if_needed()
    button = element.get_by_role("button", name="Load the model")
    expect(button).to_be_visible()
    fresh.evaluate("new Promise((resolve) => setTimeout(resolve, 300))")
    assert not [url for url in asked if "/models/" in url]
    button.click()
    expect(element.locator(".mg-glass-chips button").first).to_be_visible()


# For all readers


def test_every_stage_leads_to_its_place_in_the_book(glass, site):
    links = glass.root.locator(".mg-stage > p > a")
    assert links.count() == glass.root.locator("h3").count() == STAGES
    for href in links.evaluate_all("links => links.map(link => link.getAttribute('href'))"):
        file, anchor = href.split("#")
        assert f'id="{anchor}"' in (site / file).read_text("utf-8")


@each_theme
@pytest.mark.slow
def test_no_accessibility_violation(page, glass, width, theme):
    page.set_viewport_size({"width": width, "height": 800})
    wear(page, theme)
    for summary in glass.root.locator(".mg-strips summary").all():
        summary.click()
    glass.choose(3)
    assert barriers(page, "looking-glass") == []


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_does_not_jump_and_fits(page, glass, width):
    page.set_viewport_size({"width": width, "height": 800})
    # The reserved height is that of an ordinary prompt.
    height = glass.root.bounding_box()["height"]
    reserved = glass.root.evaluate("e => parseFloat(getComputedStyle(e).minHeight)")
    assert abs(height - reserved) < 64
    for text in (PROMPT, "\n".join(["antidisestablishmentarianism"] * 8)):
        glass.type(text)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        wide = glass.root.evaluate(
            """e => [...e.querySelectorAll('*:not(.mg-visually-hidden, .mg-percent)')].filter((x) =>
                x.scrollWidth > x.clientWidth + 1 && x.clientWidth
                && !x.matches('.mg-lens-scroll, textarea')).map((x) => x.outerHTML.slice(0, 200))"""
        )
        assert wide == []
    assert small_targets(glass.root, "button, [role=gridcell], summary") == []
    assert smallest_letters(glass.root, "th, td, p, li, button, span:not(:empty)") >= 12


def test_an_explorer_that_is_given_its_maps_loads_nothing(fresh, site_url):
    complaints = complaints_of(fresh)
    asked: list[str] = []
    fresh.context.on("request", lambda request: asked.append(request.url))
    open_chapter(fresh, site_url)
    fresh.locator("looking-glass attention-explorer").scroll_into_view_if_needed()
    fresh.evaluate("document.querySelector('looking-glass attention-explorer').load()")
    assert not [url for url in asked if "attention-only." in url and "/models/" in url]
    assert complaints == []
