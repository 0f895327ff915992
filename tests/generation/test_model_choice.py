"""A reader's own model in the playground, in a real browser: it writes what minigpt writes."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
import torch
from for_everyone import barriers, each_theme, small_targets, too_wide, wear
from playwright.sync_api import expect
from small_models import awake
from transformers import GPT2Config, GPT2LMHeadModel

import minigpt
from minigpt.__main__ import main
from minigpt.exchange import load, save
from minigpt.exchange.shipped import PRETRAINED
from minigpt.finetuning import load_adapter
from minigpt.generation import Sampling, generate
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import BPETokenizer, CharTokenizer, open_tokenizer

TEXT = "To be, or not to be: that is the question.\n"
FILES = ".mg-model input[type=file]:not([webkitdirectory])"


def open_chapter(page, site_url: str) -> None:
    page.goto(site_url + "playground.html")
    page.evaluate("customElements.whenDefined('text-playground').then(() => true)")


def renew(page) -> None:
    page.evaluate(
        """async () => {
            const file = new URL("_static/engine/model-in-use.js", document.baseURI);
            (await import(file)).useModel(undefined);
            const element = document.createElement('text-playground');
            element.setAttribute('prompt', 'to be');
            document.querySelector('text-playground').replaceWith(element);
            element.querySelector('.mg-model').open = true;
        }"""
    )


@pytest.fixture
def element(page):
    return page.locator("text-playground")


def sized(tokenizer, **sizes) -> GPTConfig:
    return GPTConfig(
        tokenizer.vocab_size,
        **{"context_length": 16, "n_layer": 2, "n_head": 2, "n_embd": 16} | sizes,
    )


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """A model with each tokenizer, one of transformers, and one that asks before it is opened."""
    root = tmp_path_factory.mktemp("models")
    characters = CharTokenizer.train(TEXT)
    bpe = BPETokenizer.train(TEXT * 9, 280, special_tokens=["<|endoftext|>"], progress=False)
    save(awake(GPT(sized(characters))).eval(), root / "characters", characters)
    save(awake(GPT(sized(bpe)), seed=1).eval(), root / "bpe", bpe)
    large = sized(characters, context_length=2**16, n_embd=64)
    save(awake(GPT(large)).eval(), root / "large", characters)
    config = GPT2Config(vocab_size=280, n_positions=16, n_layer=2, n_head=2, n_embd=16)
    model = awake(GPT2LMHeadModel(config), seed=2).eval()
    model.half().save_pretrained(root / "transformers")
    bpe.save(root / "transformers" / "tokenizer.json")
    return {path.name: path for path in root.iterdir()}


def choose(element, folder: Path) -> None:
    element.locator(FILES).set_input_files([path for path in folder.iterdir()])


def told(element):
    return element.locator(".mg-model p.mg-message")


def opened(element, folder: Path) -> None:
    choose(element, folder)
    expect(told(element)).to_contain_text("It is open: the whole page uses it now.")


def button(element, name: str):
    return element.get_by_role("button", name=name, exact=True)


def greedy(element, number: int, prompt: str = "to be") -> str:
    """What the page writes after a prompt, without it."""
    return element.evaluate(
        """async (element, [tokens, prompt]) => {
            const settings = { temperature: 0, top_k: null, top_p: null, min_p: null };
            element.form.fill({ prompt, settings, tokens });
            await element.write();
            return element.text.slice(prompt.length);
        }""",
        [number, prompt],
    )


@pytest.mark.parametrize("name", ["characters", "bpe", "transformers"])
def test_the_greedy_text_is_that_of_minigpt_generate(element, folders, capsys, name):
    """Beyond the 16 tokens that it sees, too."""
    opened(element, folders[name])
    options = [f"--model={folders[name]}", "--temperature=0", "--tokens=40", "--prompt=to be"]
    assert main(["generate", *options]) == 0
    wanted = capsys.readouterr().out.removeprefix("to be").removesuffix("\n")
    assert greedy(element, 40) == wanted
    assert element.locator(".mg-token").count() == element.evaluate("e => e.written")


def test_the_list_of_tokens_and_the_looking_glass_are_its_own(page, element, folders):
    glass = page.locator("looking-glass")
    glass.scroll_into_view_if_needed()
    expect(glass.locator(".mg-head")).to_have_count(30)  # the book's
    opened(element, folders["bpe"])
    model, tokenizer = load(folders["bpe"]), open_tokenizer(folders["bpe"])
    greedy(element, 5)
    element.locator(".mg-token").nth(2).click()
    ids = element.evaluate("e => e.ids")
    place = len(tokenizer.encode("to be")) + 2
    with torch.inference_mode():
        want = model(torch.tensor([ids[:place]]))[0, -1].softmax(-1)
    own = torch.tensor(element.evaluate("e => [...e.drawn.own]"))
    torch.testing.assert_close(own, want, atol=1e-5, rtol=0)
    assert element.locator("[data-value=rank]").inner_text().endswith("of 280")
    glass.scroll_into_view_if_needed()
    expect(glass.locator(".mg-head")).to_have_count(4)
    expect(glass).to_contain_text("Two tables hold a row of 16 numbers")
    glass.get_by_role("textbox").fill("to be, or")
    ids = tokenizer.encode("to be, or")
    page.wait_for_function(
        "n => document.querySelector('looking-glass').chips?.length === n", arg=len(ids)
    )
    with torch.inference_mode():
        want = model(torch.tensor([ids]))[0, -1]
    scores = torch.tensor(glass.evaluate("e => [...e.trace.scores]"))
    torch.testing.assert_close(scores, want, atol=1e-5, rtol=0)


def test_nothing_is_sent_anywhere(page, element, folders):
    sent = []
    page.on("request", lambda request: sent.append((request.method, request.post_data)))
    opened(element, folders["bpe"])
    greedy(element, 3)
    assert set(sent) <= {("GET", None)}  # the worker's scripts
    expect(element.locator(".mg-model")).to_contain_text("nothing of it is sent anywhere")


def test_the_folder_s_name_and_size_stand_in_the_line_that_opens_it(element, folders):
    summary = element.locator(".mg-model summary")
    expect(summary).to_have_text("Model the book’s own")
    opened(element, folders["bpe"])
    expect(summary).to_have_text(re.compile(r"^Model Your model, [\d,]+ numbers$"))


def test_a_chosen_folder_leaves_out_what_lies_in_folders_inside(page):
    listed = page.evaluate(
        """async () => {
            const file = "_static/elements/text-playground/folder-files.js";
            const { chosenFiles } = await import(new URL(file, document.baseURI));
            const at = (path) => ({ name: path.split("/").at(-1), webkitRelativePath: path });
            const paths = ["run/config.json", "run/states/config.json", "run/model.safetensors"];
            const { name, files } = chosenFiles(paths.map(at));
            return [name, [...files.values()].map((one) => one.webkitRelativePath)];
        }"""
    )
    assert listed == ["“run”", ["run/config.json", "run/model.safetensors"]]


DROP = """async (element, [names, folder]) => {
    const files = names.map(([name, text]) =>
        new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name));
    const entries = files.map((file) => ({
        isFile: true, file: (resolve) => resolve(file),
    }));
    const inside = [entries.slice(0, 1), entries.slice(1), []];
    const reader = { readEntries: (resolve) => resolve(inside.shift()) };
    const entry = { isDirectory: true, name: folder, createReader: () => reader };
    for (const type of ["dragover", "drop"]) {
        const event = new Event(type, { bubbles: true, cancelable: true });
        const items = folder ? [{ webkitGetAsEntry: () => entry }] : [];
        event.dataTransfer = { types: ["Files"], items, files };
        element.firstElementChild.dispatchEvent(event);
        if (!event.defaultPrevented) throw new Error(`${type} was left to the browser`);
        if (type === "dragover" && !element.hasAttribute("data-drop")) throw new Error("not shown");
    }
}"""


@pytest.mark.parametrize("name", ["mine", None])
def test_a_folder_or_its_files_are_dropped(element, folders, name):
    element.evaluate("e => { e.querySelector('.mg-model').open = false; }")
    files = [
        [path.name, base64.b64encode(path.read_bytes()).decode()]
        for path in folders["bpe"].iterdir()
    ]
    element.evaluate(DROP, [files, name])
    expect(told(element)).to_contain_text("“mine” is a GPT" if name else "Your model is a GPT")
    expect(told(element)).to_contain_text("It is open")
    expect(element).not_to_have_attribute("data-drop", re.compile(".*"))


def test_a_large_one_is_told_first_and_opened_at_a_second_press(page, element, folders):
    choose(element, folders["large"])
    numbers = sum(p.numel() for p in load(folders["large"]).parameters())
    expect(told(element)).to_have_text(
        f"Your model is a GPT with {numbers:,} numbers, in 2 blocks. "
        "This page will need 84\u00a0MB of memory for it."
    )
    expect(button(element, "Open it")).to_be_focused()
    button(element, "Not now").click()
    expect(told(element)).to_have_text("Nothing was opened.")
    expect(button(element, "Open it")).to_be_hidden()
    expect(button(element, "Choose its files")).to_be_focused()
    choose(element, folders["large"])
    button(element, "Open it").press("Enter")
    expect(told(element)).to_contain_text("It is open")
    expect(button(element, "Not now")).to_be_hidden()


def test_an_error_leaves_the_model_that_was_there_at_work(element, folders, tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "llama"}', "utf-8")
    choose(element, tmp_path)
    expect(told(element)).to_have_text(
        "Your model was not opened. config.json: model_type is llama; this GPT computes gpt2 only: "
        "choose another model. The book’s model stays."
    )
    opened(element, folders["bpe"])
    before = greedy(element, 6)
    for name, body in (("config.json", b"{"), ("model.safetensors", b"x" * 99_999)):
        for path in folders["bpe"].iterdir():
            (tmp_path / path.name).write_bytes(body if path.name == name else path.read_bytes())
        choose(element, tmp_path)
        expect(told(element)).to_contain_text(f"Your model was not opened. {name}: ")
        expect(told(element)).to_contain_text("The model that was here stays.")
        assert element.evaluate("e => e.text") == "to be" + before  # what was written is there
        assert greedy(element, 6) == before


def test_back_to_the_book_s_model(page, element, folders):
    books = greedy(element, 8)
    expect(button(element, "Back to the book’s model")).to_be_hidden()
    opened(element, folders["characters"])
    assert element.evaluate("e => [e.written, e.text, e.dataset.state]") == [0, "", "waiting"]
    expect(element.locator(".mg-written")).to_contain_text("What the model writes appears here.")
    assert greedy(element, 8) != books
    button(element, "Back to the book’s model").click()
    expect(element.locator(".mg-model summary")).to_have_text("Model the book’s own")
    expect(button(element, "Choose its files")).to_be_focused()
    assert greedy(element, 8) == books
    assert element.evaluate("e => e.model.config.vocab_size") == 4096


def test_an_adapter_that_does_not_come_leaves_the_model_that_was_there(page, element):
    """Before the next test, which loads it for all that follow."""
    books = greedy(element, 6)
    page.evaluate(
        """async () => {
            const file = new URL("_static/engine/model-in-worker.js", document.baseURI);
            const { ModelInWorker } = await import(file);
            const { withAdapter } = ModelInWorker.prototype;
            ModelInWorker.prototype.withAdapter = () => { throw new Error("adapter gone"); };
            window.mend = () => { ModelInWorker.prototype.withAdapter = withAdapter; };
        }"""
    )
    button(element, "The tuned one, play-finder").click()
    expect(told(element)).to_have_text(
        "play-finder was not opened. adapter gone. The book’s model stays."
    )
    page.evaluate("mend()")
    assert greedy(element, 6) == books


def test_the_book_s_model_with_its_adapter_on(page, element, folders):
    books = greedy(element, 8)
    model, tokenizer = minigpt.load("shakespeare", int8=True)
    load_adapter(model, PRETRAINED / "play-finder", other_base=True)
    prompt = "READER:\nIn which play is CASSIO?\n\nMINIGPT:\n"
    opened(element, folders["bpe"])  # closing it later must not close the book's
    button(element, "The tuned one, play-finder").click()
    expect(told(element)).to_contain_text("now has its adapter on")
    expect(element.locator(".mg-model summary")).to_have_text(
        "Model play-finder, the book’s with an adapter on"
    )
    ids = tokenizer.encode(prompt)
    wanted = generate(model, [ids], 6, Sampling(temperature=0.0))[0]
    assert greedy(element, 6, prompt) == tokenizer.decode(wanted)
    glass = page.locator("looking-glass")
    glass.scroll_into_view_if_needed()
    glass.get_by_role("textbox").fill(prompt)
    page.wait_for_function(
        "n => document.querySelector('looking-glass').chips?.length === n", arg=len(ids)
    )
    with torch.inference_mode():
        want = model(torch.tensor([ids]))[0, -1]
    scores = torch.tensor(glass.evaluate("e => [...e.trace.scores]"))
    torch.testing.assert_close(scores, want, atol=1e-3, rtol=0)
    button(element, "Back to the book’s model").click()
    assert greedy(element, 8) == books
    button(element, "The tuned one, play-finder").click()  # it is there still
    expect(told(element)).to_contain_text("now has its adapter on")
    assert greedy(element, 6, prompt) == tokenizer.decode(wanted)


def test_another_model_while_it_writes_ends_the_text(page, element, folders):
    element.evaluate(
        """async (element) => {
            const { scores } = await element.load();
            element.model.scores = async (ids) => {
                await new Promise((resolve) => setTimeout(resolve, 150));
                return scores.call(element.model, ids);
            };
            element.books = element.model;
            element.form.fill({ prompt: "HAMLET:", tokens: 400 });
            element.write();
        }"""
    )
    expect(element.locator(".mg-token").nth(3)).to_be_visible()
    opened(element, folders["bpe"])
    expect(element).to_have_attribute("data-state", "waiting")
    page.wait_for_timeout(300)  # the book's model gives its last scores
    element.evaluate("e => { delete e.books.scores; }")
    assert element.locator(".mg-token").count() == element.evaluate("e => e.written") == 0
    assert element.evaluate("e => e.view.unpainted") == []  # nor is one of its tokens left over
    first = greedy(element, 12)
    opened(element, folders["bpe"])
    for _ in range(200):  # the browser tells of a worker's end in its own time
        if len(page.workers) <= 2:
            break
        page.wait_for_timeout(50)
    assert len(page.workers) == 2  # the book's, and not the one before
    assert greedy(element, 12) == first


def test_a_character_that_it_does_not_know_is_told_and_the_text_stays(page, element, folders):
    opened(element, folders["characters"])
    before = greedy(element, 4)
    assert greedy(element, 4, "to bé") == before
    expect(element.locator("p.mg-message").last).to_have_text(
        "The prompt cannot be read. “é”, character 5 of the text, is not among the 18 that this "
        "model knows: take it out, or write another."
    )
    greedy(element, 4, "")
    expect(element.locator("p.mg-message").last).to_contain_text("begins with an empty line.")
    glass = page.locator("looking-glass")
    glass.scroll_into_view_if_needed()
    glass.get_by_role("textbox").fill("to bé")
    expect(glass.locator(".mg-traced p.mg-message").last).to_contain_text("“é”, character 5 of")


def test_a_link_does_not_promise_a_text_of_a_model_that_is_not_in_it(page, element, folders):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    greedy(element, 5)
    link = element.evaluate("e => e.link")
    assert "written=5" in link
    opened(element, folders["bpe"])
    greedy(element, 5)
    element.locator(".mg-token").nth(1).click()
    element.locator(".mg-alternative:not([aria-disabled])").first.click()
    expect(element).to_have_attribute("data-state", "waiting")
    button(element, "Copy link").click()
    message = element.locator("p.mg-message").last
    expect(message).to_contain_text("This model is not in it: whoever opens it gets the book’s")
    assert not re.search("written|branches", page.url)
    assert "prompt=to%20be&temperature=0&" in page.url
    page.evaluate("link => { location.hash = link; }", link + "&branches=1:7")
    expect(message).to_contain_text("From a link to a text of the book’s model: this one will")
    assert element.evaluate("async (e) => { await e.write(); return e.written; }") == 5
    assert element.locator(".mg-token.mg-by-hand").count() == 0
    button(element, "Back to the book’s model").click()
    element.evaluate("e => e.write()")
    assert element.evaluate("e => e.link") == link + "&branches=1%3A7"


@each_theme
def test_no_accessibility_violation_and_it_fits(page, element, folders, width, theme):
    page.set_viewport_size({"width": width, "height": 800})
    wear(page, theme)
    choose(element, folders["large"])
    expect(button(element, "Open it")).to_be_visible()
    assert barriers(page, "text-playground") == []
    opened(element, folders["bpe"])
    assert barriers(page, "text-playground") == []
    assert too_wide(element) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert small_targets(element, ".mg-model button, .mg-model summary") == []


def test_of_a_large_vocabulary_fewer_texts_are_kept(element, folders):
    """Each token keeps a score for every token of the vocabulary."""
    opened(element, folders["bpe"])
    greedy(element, 30)
    written, kept = element.evaluate(
        """async (element) => {
            Object.defineProperty(element.model.tokenizer, "size", { value: 1e6 });
            for (const id of [3, 4, 5, 6]) { element.choose(1); await element.branch(id); }
            element.form.tokens.value = 60;
            await element.goOn();
            return [element.written, element.texts.length];
        }"""
    )
    assert written == 50
    assert kept < 4
