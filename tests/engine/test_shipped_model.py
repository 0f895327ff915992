"""The shipped model's way into the page, in a real browser: its files, worker and tokenizer."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from for_everyone import barriers, wear
from hypothesis import given, settings
from hypothesis import strategies as st
from page_complaints import complaints_of
from page_scripts import ASSETS, fetched_by
from playwright.sync_api import expect

import minigpt
from minigpt.tokenizer import BPETokenizer, CharTokenizer

FILES = ["config.json", "int8.safetensors", "tokenizer.json"]
ADAPTER = ("adapter_config.json", "adapter_model.safetensors", "chat_template.jinja")
TEXTS = [
    "",
    "O",
    "To be, or not to be: that is the question.",
    "JULIET:\nRomeo!\n\nROMEO:\nMy dear?\n\nJULIET:\n",
    "It's they'll WE'LL we've I'm you're don't he'd 'tis ''s",
    "def add(a, b):\n    return a + b\n\n\tpass  # done\r\n",
    "3.14159 1234567890 ² Ⅷ ٣٤٥ ½",
    "안녕하세요 세계",
    "漢字かな交じり文、мир नमस्ते مرحبا",
    "👩‍🚀 👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇰🇷🇬🇧 1️⃣",
    "   three before, three after   ",
    "\n\n \n\t \r\n",
    "a\x1cb\x1db\x1eb\x1fb next\x85line \x85",
    "\ufeffmark first, \ufeff later",
    "<|endoftext|> typed is text",
    "\x00\x01\x7f\x80\xad\xa0",
    "a" * 500,
]
# A code point that is not assigned yet may become a letter in the browser's Unicode.
assigned = st.characters(exclude_categories=["Cn", "Cs", "Co"])
unicode_texts = st.lists(
    st.one_of(st.text(assigned), st.text("aab'  \n\tstrdlve19.é한\x1c\x85")),
    min_size=20,
    max_size=40,
)
IMPORTED = """async () => {
    const address = (name) => new URL(`_static/${name}.js`, document.baseURI);
    const names = ["engine/shipped-model", "engine/fetched", "engine/tokenizer-json",
                   "parts/model-loading", "parts/what-failed",
                   "engine/gpt", "engine/gpt-reader", "engine/safetensors"];
    Object.assign(window, ...await Promise.all(names.map((name) => import(address(name)))));
    window.why = (promise) => Promise.race([
        promise.then(() => "it came", (error) => error.message),
        new Promise((resolve) => setTimeout(resolve, 20000, "neither came nor failed")),
    ]);
    window.same = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);
}"""


def open_chapter(page, site_url: str) -> None:
    page.goto(site_url + "status.html")  # a page with no element that asks for the model
    page.evaluate(IMPORTED)


def renew(page) -> None:
    """One model for all tests."""
    page.evaluate("async () => { window.model ??= await loadShippedModel(); }")


@pytest.fixture
def new_page(browser, site_url):
    """A page that has loaded nothing yet, in a context of its own: no cache, no worker."""
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    open_chapter(page, site_url)
    yield page
    context.close()


@pytest.fixture(scope="module")
def tokenizer() -> BPETokenizer:
    return BPETokenizer.shakespeare()


# The tokenizer


@pytest.fixture(scope="module")
def tokenizers(tokenizer) -> dict[str, BPETokenizer]:
    return {"shakespeare": tokenizer, "gpt2": BPETokenizer.gpt2()}


@pytest.fixture(scope="module")
def forms(chapter, tokenizers, tmp_path_factory) -> dict[str, str]:
    """Tokenizers in the page's `tokenizers`, from both forms of the file that Python reads: ours,
    and the one of GPT-2's own, with merges as text and its pattern not written out."""
    folder, names = tmp_path_factory.mktemp("tokenizers"), {}
    for name, python in tokenizers.items():
        python.save(folder / "pairs.json")
        contents = json.loads((folder / "pairs.json").read_text("utf-8"))
        assert all(isinstance(merge, list) for merge in contents["model"]["merges"])
        if name == "shakespeare":
            names["shakespeare, pairs"] = name
            put_tokenizer(chapter[0], "shakespeare, pairs", contents)
        contents["model"]["merges"] = [" ".join(merge) for merge in contents["model"]["merges"]]
        contents["pre_tokenizer"] = contents["decoder"] | {"use_regex": True}
        (folder / "text.json").write_text(json.dumps(contents), "utf-8")
        assert BPETokenizer.load(folder / "text.json").merges == python.merges
        names[f"{name}, text"] = name
        put_tokenizer(chapter[0], f"{name}, text", contents)
    return names


def put_tokenizer(page, name: str, contents: dict) -> None:
    page.evaluate(
        """([name, contents]) => {
            window.tokenizers ??= {};
            tokenizers[name] = fromTokenizerJson(JSON.parse(contents));
        }""",
        [name, json.dumps(contents)],
    )


ENCODED = "([name, texts]) => texts.map((text) => tokenizers[name].encode(text))"


def test_ids_equal_python_s(page, forms, tokenizers):
    for form, name in forms.items():
        want = [tokenizers[name].encode(text) for text in TEXTS]
        assert page.evaluate(ENCODED, [form, TEXTS]) == want, form


def test_ids_of_any_unicode_equal_python_s(page, forms, tokenizers):
    @settings(max_examples=10)
    @given(unicode_texts)
    def check(texts):
        for form in ("shakespeare, pairs", "gpt2, text"):
            want = [tokenizers[forms[form]].encode(text) for text in texts]
            assert page.evaluate(ENCODED, [form, texts]) == want

    check()


def test_tokens_and_their_texts_equal_python_s(page, forms, tokenizers):
    for form, name in forms.items():
        python = tokenizers[name]
        size = page.evaluate("name => tokenizers[name].size", form)
        assert size == python.vocab_size
        step = max(1, size // 2000)
        ids = [*range(0, size, step), size - 1]
        ask = "([name, ids]) => ids.map((id) => [...tokenizers[name].tokenBytes(id)])"
        got = page.evaluate(ask, [form, ids])
        assert [bytes(token) for token in got] == [python.token_bytes(i) for i in ids]
        ask = "([name, ids]) => tokenizers[name].decode(ids)"
        ids = [i for text in TEXTS for i in python.encode(text)]
        assert page.evaluate(ask, [form, ids]) == python.decode(ids)


def test_several_special_tokens_are_in_order_of_their_ids(page):
    tokens = page.evaluate(
        """async () => {
            const address = new URL("_static/models/shakespeare/tokenizer.json", document.baseURI);
            const contents = await (await fetch(address)).json();
            const first = 256 + contents.model.merges.length;
            const added = ["<a>", "<b>"].map((content, i) => ({ id: first + i, content }));
            contents.added_tokens = added.toReversed();
            const made = fromTokenizerJson(contents);
            return [first, first + 1].map((id) => new TextDecoder().decode(made.tokenBytes(id)));
        }"""
    )
    assert tokens == ["<a>", "<b>"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("contents.model = undefined", "it has no merges"),
        ("contents.model.merges = undefined", "it has no merges"),
        ("contents.model.vocab = undefined", "it has no merges"),
        ("delete contents.model.vocab['!']", "“!” is in its merges and not in its vocabulary"),
        ("contents.model.vocab['!'] = 300", "its first 256 tokens are not the bytes"),
        ("contents.model.vocab['!'] = 1", "its first 256 tokens are not the bytes"),
        ("contents.model.merges.reverse()", "merge 0 does not make token 256"),
        ("contents.model.merges.splice(100, 1)", "merge 100 does not make token 356"),
        ("contents.model.merges[5] = ['Ġ', '☂']", "“Ġ☂” is in its merges and not in its"),
        ("contents.model.merges[5] = 'one'", "is in its merges and not in its vocabulary"),
        ("contents.added_tokens[0].id = 7", "“<|endoftext|>” is not after the last merge"),
    ],
)
def test_a_tokenizer_that_is_not_right_is_named(page, change, told):
    message = page.evaluate(
        f"""async () => {{
            const address = new URL("_static/models/shakespeare/tokenizer.json", document.baseURI);
            const contents = await (await fetch(address)).json();
            {change};
            try {{ fromTokenizerJson(contents); }} catch (error) {{ return error.message; }}
        }}"""
    )
    assert message.startswith("not a tokenizer.json of byte-level BPE: ")
    assert told in message


def test_a_tokenizer_of_another_kind_is_refused(page, tmp_path):
    CharTokenizer.train("To be").save(tmp_path / "tokenizer.json")
    contents = json.loads((tmp_path / "tokenizer.json").read_text("utf-8"))
    ask = "c => why((async () => fromTokenizerJson(c))())"
    told = "not a tokenizer.json of byte-level BPE: it has no merges"
    for wrong in (contents, {}, []):
        assert page.evaluate(ask, wrong) == told


# The model, loaded


def test_the_page_s_model_is_the_package_s(page, tokenizer):
    python, _ = minigpt.load("shakespeare", int8=True)
    config = page.evaluate("() => model.config")
    folder = Path(minigpt.__file__).parent / "pretrained" / "shakespeare"
    assert config == json.loads((folder / "config.json").read_text("utf-8"))
    for text in TEXTS[1:5]:
        ids = page.evaluate("text => model.tokenizer.encode(text)", text)
        assert ids == tokenizer.encode(text)
        got = page.evaluate("async (ids) => [...await model.scores(ids)]", ids)
        with torch.inference_mode():
            want = python(torch.tensor([ids]))[0, -1].numpy()
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-3)


@pytest.mark.parametrize(("model", "files"), [("shakespeare", FILES), ("play-finder", ADAPTER)])
def test_its_files_are_the_package_s(site, model, files):
    package = Path(minigpt.__file__).parent / "pretrained" / model
    for name in files:
        copy = site / "_static" / "models" / model / name
        assert copy.read_bytes() == (package / name).read_bytes()


def test_a_trace_ends_in_the_scores(page):
    assert page.evaluate(
        """async () => {
            const ids = model.tokenizer.encode("My lord, I came to see");
            await model.scores(ids);
            const traced = await model.trace(ids);
            const next = await model.scores([...ids, ids[0]]);  // what comes after a trace is right
            const alone = await model.scores([...ids, ids[0]]);
            await model.scores([1]);
            const again = await model.scores([...ids, ids[0]]);
            return same(traced.scores, await model.scores(ids)) && same(next, alone)
                && same(next, again) && !same(next, traced.scores);
        }"""
    )


def test_questions_asked_at_once_are_answered_in_order(page):
    answered, right = page.evaluate(
        """async () => {
            const answered = [];
            const ask = (name, promise) => promise.then((answer) => {
                answered.push(name);
                return answer;
            }, (error) => { answered.push(`${name}: ${error.message}`); });
            const to_be = model.tokenizer.encode("To be, or not to be"), question = [1, 2, 3];
            const [first, second, traced, , last] = await Promise.all([
                ask("long", model.scores(to_be)),
                ask("short", model.scores(question)),
                ask("trace", model.trace(to_be)),
                ask("wrong", model.scores([1, 4096 * 4096])),
                ask("again", model.scores(question)),
            ]);
            const right = [
                same(first, traced.scores), same(second, last), !same(first, second),
                same(second, await model.scores(question)),
            ];
            return [answered, right];
        }"""
    )
    size = page.evaluate("() => model.config.vocab_size")
    wrong = f"wrong: token id {4096 * 4096} is not between 0 and {size - 1}: "
    assert [name.replace(wrong, "") for name in answered] == [
        "long",
        "short",
        "trace",
        "was the text encoded with another tokenizer?",
        "again",
    ]
    assert right == [True] * 4


def test_a_question_asked_while_the_weights_come_waits_for_them(page):
    """The worker is asked directly: the page's model cannot be asked before it is there."""
    order, right = page.evaluate(
        """async () => {
            const folder = new URL("_static/models/shakespeare/", document.baseURI).href;
            const worker = new Worker(new URL("_static/engine/gpt-worker.js", document.baseURI),
                                      { type: "module" });
            const load = { folder, weights: "int8.safetensors" };
            const answers = await new Promise((resolve) => {
                const answers = [];
                worker.onmessage = ({ data }) => {
                    if (!data.progress && answers.push(data) === 2) resolve(answers);
                };
                worker.postMessage({ number: 1, method: "load", args: [load] });
                worker.postMessage({ number: 2, method: "scores", args: [[1, 2]] });
            });
            worker.terminate();
            const { error, result } = answers[1];
            return [answers.map((answer) => answer.number),
                    error ?? same(result, await model.scores([1, 2]))];
        }"""
    )
    assert (order, right) == ([1, 2], True)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("model.scores([])", "there is no token to read: give at least one"),
        ("model.scores([-1])", "token id -1 is not between 0 and"),
        ("model.trace(Array(model.config.n_positions + 1).fill(0))", "shorten the text"),
    ],
)
def test_a_question_without_an_answer_is_refused_and_the_next_is_answered(page, question, told):
    assert told in page.evaluate(f"() => why({question})")
    assert page.evaluate(
        """async () => {
            const scores = await model.scores([1, 2]);
            await model.scores([3]);
            return same(scores, await model.scores([1, 2])) && scores.every(Number.isFinite);
        }"""
    )


def test_the_page_goes_on_while_the_model_computes(page):
    frames, result = page.evaluate(
        """async () => {
            const traced = model.trace(Array(48).fill(1));
            let frames = 0, answered = false;
            const tick = () => { if (!answered) { frames++; requestAnimationFrame(tick); } };
            requestAnimationFrame(tick);
            const { scores } = await traced;
            answered = true;
            return [frames, scores.length === model.config.vocab_size];
        }"""
    )
    assert result
    assert frames > 1


# The model, on its way

# How many workers the page starts: the browser does not report one that ends at once.
COUNTED = """() => {
    window.started = 0;
    window.Worker = class extends Worker {
        constructor(...args) { super(...args); started++; }
    };
}"""


def test_all_elements_of_a_page_share_one_model(new_page):
    asked = []
    new_page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[1]))
    new_page.evaluate(COUNTED)
    shared, reports, later = new_page.evaluate(
        """async () => {
            const reports = [[], [], []];
            const first = loadShippedModel((progress) => reports[0].push(progress));
            const second = loadShippedModel((progress) => reports[1].push(progress));
            const third = loadShippedModel();
            const models = await Promise.all([first, second, third]);
            const later = await loadShippedModel((progress) => reports[2].push(progress));
            return [new Set([...models, later]).size, reports, reports[2].length];
        }"""
    )
    assert shared == 1
    assert new_page.evaluate("() => started") == 1
    assert sorted(name for name in asked if name in FILES) == FILES
    assert reports[0] == reports[1] and reports[0]
    assert later == 0  # it was there already


def test_progress_grows_to_the_size_of_the_weights(new_page, site):
    size = (site / "_static" / "models" / "shakespeare" / "int8.safetensors").stat().st_size
    reports = new_page.evaluate(
        """async () => {
            const reports = [];
            await loadShippedModel((progress) => reports.push(progress));
            return reports;
        }"""
    )
    loaded = [report["loaded"] for report in reports]
    assert loaded == sorted(set(loaded))
    assert loaded[-1] == size
    assert {report["total"] for report in reports} == {size}


def test_progress_without_a_known_size(new_page, site):
    weights = site / "_static" / "models" / "shakespeare" / "int8.safetensors"

    def compressed(route) -> None:
        # A body that a test gives is not decoded: this is what the worker gets of a real one.
        headers = {"Content-Encoding": "gzip", "Content-Length": "1000"}
        route.fulfill(body=weights.read_bytes(), headers=headers)

    new_page.route("**/int8.safetensors", compressed)
    reports = new_page.evaluate(
        """async () => {
            const reports = [];
            await loadShippedModel(({ loaded, total }) => reports.push([loaded, `${total}`]));
            return reports;
        }"""
    )
    assert reports[-1] == [weights.stat().st_size, "undefined"]
    assert {total for _, total in reports} == {"undefined"}


SCRIPTS = ["gpt-worker.js", "gpt.js", "gpt-weights.js", "lora-adapter.js", "vector-product.js"]
PRODUCT = "vector-product.wasm"


@pytest.mark.parametrize("missing", [*FILES, *SCRIPTS, PRODUCT])
def test_what_does_not_come_is_told_and_comes_later(new_page, missing):
    new_page.route(f"**/{missing}*", lambda route: route.abort())
    folder = "engine" if missing == PRODUCT else "models/shakespeare"
    told = new_page.evaluate("() => why(loadShippedModel())")
    if missing in SCRIPTS:
        assert told == "the model's script did not load"
    else:
        assert re.fullmatch(rf"http\S*/{folder}/{missing}: Failed to fetch", told)
        new_page.route(f"**/{missing}*", lambda route: route.fulfill(status=404, body="no"))
        told = new_page.evaluate("() => why(loadShippedModel())")
        assert re.fullmatch(rf"http\S*/{folder}/{missing} answered 404", told)
    new_page.unroute_all()
    assert new_page.evaluate("() => why(loadShippedModel())") == "it came"
    scores = "loadShippedModel().then((model) => model.scores([1])).then((s) => s.length)"
    size = new_page.evaluate("loadShippedModel().then((model) => model.config.vocab_size)")
    assert new_page.evaluate(scores) == size


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("config.json", b"<!doctype html>", "not valid JSON"),
        ("config.json", b"{}", "vocab_size is undefined; it must be a whole number"),
        ("tokenizer.json", b"<!doctype html>", "not valid JSON"),
        ("tokenizer.json", b"{}", "not a tokenizer.json of byte-level BPE"),
        ("int8.safetensors", b"<!doctype html>", "not a safetensors file that can be read"),
        ("int8.safetensors", b"", "not a safetensors file that can be read: it has only 0 bytes"),
        ("int8.safetensors", None, "not a safetensors file that can be read: its header should"),
    ],
)
def test_what_comes_damaged_is_told_and_comes_later(new_page, site, name, answer, told):
    if answer is None:
        answer = (site / "_static" / "models" / "shakespeare" / name).read_bytes()[:1000]
    new_page.route(f"**/shakespeare/{name}", lambda route: route.fulfill(body=answer))
    assert told in new_page.evaluate("() => why(loadShippedModel())")
    new_page.unroute_all()
    assert new_page.evaluate("() => why(loadShippedModel())") == "it came"


def test_after_a_failure_all_elements_share_one_model_again(new_page):
    new_page.evaluate(COUNTED)
    new_page.route("**/tokenizer.json", lambda route: route.abort(), times=1)
    count = new_page.evaluate(
        """async () => {
            // Each asks again as soon as it hears.
            const ask = () => loadShippedModel().catch(() => loadShippedModel());
            return new Set(await Promise.all([ask(), ask(), ask()])).size;
        }"""
    )
    assert count == 1
    assert new_page.evaluate("() => started") == 2


def test_a_worker_that_breaks_is_told_to_all_who_ask(new_page):
    assert new_page.evaluate(
        """async () => {
            const model = await loadShippedModel();
            const waiting = why(model.scores([1]));
            model.worker.dispatchEvent(new ErrorEvent("error", { message: "it broke" }));
            return [await waiting, await why(model.scores([1]))];
        }"""
    ) == ["it broke", "it broke"]


# What a reader sees of it


LOADING = """() => {
    window.came = [];
    window.loading = new ModelLoading((model) => came.push(model));
    document.querySelector("main").prepend(loading.node);
    loading.node.id = "loading";
}"""


@pytest.fixture
def shown(new_page):
    new_page.evaluate(LOADING)
    return new_page.locator("#loading")


def test_a_button_loads_the_model_and_all_goes_when_it_is_there(new_page, shown, site):
    button, bar = shown.get_by_role("button"), shown.get_by_role("progressbar")
    size = (site / "_static" / "models" / "shakespeare" / "int8.safetensors").stat().st_size
    expect(button).to_have_text(f"Load the model ({size / 1e6:.1f}\u00a0MB)")
    expect(bar).to_be_hidden()
    held = []
    new_page.route("**/int8.safetensors", lambda route: held.append(route))
    button.click()
    expect(shown.get_by_role("status")).to_have_text("Loading the model …")
    expect(bar).to_be_visible()
    expect(bar).to_have_accessible_name("Loading the model")
    expect(button).to_be_hidden()
    assert not bar.evaluate("bar => bar.hasAttribute('value')")  # nothing is known yet
    while not held:
        new_page.wait_for_timeout(20)
    held.pop().continue_()
    expect(shown).to_be_hidden()
    bar = shown.locator("progress")
    assert bar.evaluate("bar => [bar.value, bar.max]") == [size, size]
    megabytes = f"{size / 1e6:.1f}\u00a0MB"
    assert bar.get_attribute("aria-valuetext") == f"{megabytes} of {megabytes}"
    assert new_page.evaluate("() => came.length") == 1
    # Asked again, it has it, and tells nobody a second time.
    assert new_page.evaluate("async () => await loading.load() === came[0] && came.length === 1")


def test_a_model_that_does_not_come_is_said_in_words(new_page, shown):
    button, message = shown.get_by_role("button"), shown.get_by_role("status")
    new_page.route("**/config.json", lambda route: route.abort())
    button.focus()
    new_page.keyboard.press("Enter")
    expect(message).to_have_text(
        re.compile(
            "Could not load the model: check the connection and press the button, or reload the "
            r"page\. \(http\S*/config\.json: Failed to fetch\)"
        )
    )
    expect(button).to_have_text("Try again")
    expect(button).to_be_focused()  # where the keyboard was
    expect(shown.locator("progress")).to_be_hidden()
    assert barriers(new_page, "#loading") == []
    new_page.unroute_all()
    new_page.keyboard.press("Enter")
    expect(shown).to_be_hidden()
    assert new_page.evaluate("() => came.length") == 1


def test_asking_twice_is_asking_once(new_page, shown):
    assert new_page.evaluate(
        """async () => {
            const [first, second] = await Promise.all([loading.load(), loading.load()]);
            return first === second && came.length === 1;
        }"""
    )


MEMORY = "This device has too little memory for the model: close other tabs and try again. "


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("RangeError('Array buffer allocation failed')", MEMORY),
        ("RangeError('Out of memory')", MEMORY),
        ("Error('allocation size overflow')", MEMORY),
        ("NetworkError('a.json answered 404')", "Could not load the model: check the connection"),
        ("Error('a.json is not JSON')", "Could not read the model: the file is damaged, or of"),
        ("TypeError('x.y is not a function')", "The page made a mistake: reload it. If that does"),
        ("SyntaxError('bad escape')", "The page made a mistake"),
    ],
)
def test_what_failed_is_told_by_its_kind(page, error, told):
    words = page.evaluate(f"whatFailed('the model', new {error})")
    message = re.search(r"'(.*)'", error)[1]
    assert words.startswith(told)
    assert words.endswith(f"{message})")


@pytest.mark.parametrize(
    ("file", "body", "told"),
    [
        ("tokenizer.json", "<!doctype html>", "Could not read the model: the file is damaged"),
        ("tokenizer.json", "{}", "Could not read the model: the file is damaged"),
        ("config.json", '{"n_layer": 2', "Could not read the model: the file is damaged"),
        ("config.json", "{}", "Could not read the model: the file is damaged"),
        ("int8.safetensors", "half a file", "Could not read the model: the file is damaged"),
        ("gpt-trace.js", "export const trace = no.such", "The page made a mistake"),
        ("gpt-trace.js", "export const trace =", "The page made a mistake"),
    ],
)
def test_a_damaged_file_and_a_faulty_program_are_told_apart(new_page, shown, file, body, told):
    kind = "text/javascript" if file.endswith(".js") else "application/json"
    new_page.route(f"**/{file}*", lambda route: route.fulfill(body=body, content_type=kind))
    shown.get_by_role("button").click()
    expect(shown.get_by_role("status")).to_contain_text(told)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_accessibility_violation_while_it_loads(new_page, shown, theme):
    wear(new_page, theme)
    assert barriers(new_page, "#loading") == []
    new_page.route("**/int8.safetensors", lambda route: None)  # never comes
    shown.get_by_role("button").click()
    expect(shown.locator("progress")).to_be_visible()
    assert barriers(new_page, "#loading") == []
    assert new_page.evaluate("document.documentElement.scrollWidth") <= 360


# Over the wire


def all_fetched(script: Path) -> set[Path]:
    """A script of the page, and all that it fetches, directly or not."""
    return {script}.union(*map(all_fetched, fetched_by(script)))


def test_the_engine_is_a_short_download(site):
    scripts = all_fetched(ASSETS / "parts" / "model-loading.js")
    assert {"gpt-worker.js", "gpt.js", "gpt-reader.js", "safetensors.js"} < {
        script.name for script in scripts
    }
    static = site / "_static"
    files = [static / script.relative_to(ASSETS) for script in scripts]
    files += [static / "models" / "shakespeare" / name for name in FILES]
    files.append(static / "engine" / PRODUCT)
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) <= 4_000_000


def test_the_engine_asks_for_nothing_else(browser, site_url):
    page = browser.new_page()
    complaints = complaints_of(page)
    asked = []
    page.context.on("request", lambda request: asked.append(request.url))
    page.goto(site_url + "status.html", wait_until="networkidle")
    asked.clear()
    page.evaluate(
        """async () => {
            const address = new URL("_static/parts/model-loading.js", document.baseURI);
            const { ModelLoading } = await import(address);
            await new ModelLoading(() => {}).load();
        }"""
    )
    page.close()
    scripts = all_fetched(ASSETS / "parts" / "model-loading.js")
    known = {f"{site_url}_static/{path.relative_to(ASSETS).as_posix()}" for path in scripts}
    known |= {site_url + "_static/models/shakespeare/" + name for name in FILES}
    known.add(f"{site_url}_static/engine/{PRODUCT}")
    assert set(asked) - {site_url + "_static/site/favicon.svg"} == known
    assert complaints == []
