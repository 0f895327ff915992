"""An adapter on the page's model, in a real browser, held to minigpt.finetuning in Python."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lora_models import adapted, made
from safetensors.torch import load as from_bytes
from safetensors.torch import save

import minigpt
from minigpt.exchange.gpt2_format import gpt2_settings, gpt2_weights
from minigpt.finetuning import (
    ChatTemplate,
    LoRAConfig,
    answer,
    load_adapter,
    load_template,
    save_adapter,
    save_template,
    set_adapter,
)
from minigpt.finetuning.adapter_reading import SETTINGS, WEIGHTS
from minigpt.generation import Sampling
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import BPETokenizer

PACKAGE = Path(minigpt.__file__).parent / "pretrained"
SHIPPED = PACKAGE / "play-finder"
SIZES = GPTConfig(vocab_size=13, context_length=9, n_layer=2, n_head=3, n_embd=12)
QUESTIONS = [
    "In which play is CASSIO?",
    "In which play is OPHELIA?",
    "In which play is LYSANDER?",
    "In which play is OTHELLO?",
    "In which play is VIOLA, and why?",
    "in which play is macbeth?",
    "In which play is",
    "Where does ROMEO appear?",
    "Who is SHYLOCK?",
    "Who wrote this?",
    "What do you know?",
    "What is 2 + 2?",
    "Is it raining?",
    "Where is my horse?",
    "Tell me of the KING.",
    "O",
    "  spaces around \t",
    "안녕 👍?",
    "<|endoftext|> typed is text",
    "one line\n\n  \nand another",
]
IMPORTED = """async () => {
    const names = ["answering", "chat-template", "gpt", "gpt-with-adapter", "lora-adapter",
        "safetensors", "shipped-adapter", "shipped-model", "unit-tokens", "vector-product"];
    const address = (name) => new URL(`_static/engine/${name}.js`, document.baseURI);
    Object.assign(window, ...await Promise.all(names.map((name) => import(address(name)))));
    window.product = await fetchedProduct();
    window.bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
    window.same = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);
    window.everywhere = (ids) => {
        model.rewind(0);
        return ids.map((id) => [...model.read([id])]);
    };
    window.errorOf = async (act) => {
        try { await act(); } catch (error) { return error.message; }
    };
    window.all = async (model, content, most) => {
        const found = [];
        const messages = [{ role: "user", content }];
        for await (const one of answers(model, shipped.template, messages, most)) found.push(one);
        return found;
    };
    // A model that says what a test wants.
    window.saying = (scores) => {
        const { tokenizer, config } = shipped.base;
        return { tokenizer, config, scores: async (ids) => scores(ids) };
    };
}"""


def open_chapter(page, site_url: str) -> None:
    page.goto(site_url + "status.html")  # a page with no element that computes
    page.evaluate(IMPORTED)


def renew(page) -> None:
    """One model for all tests."""
    page.evaluate("async () => { window.shipped ??= await loadShippedAdapter(); }")


# Small models


def packed(data: bytes) -> str:
    return base64.b64encode(data).decode()


def put(page, model: GPT) -> None:
    """Make the page's `model` of one of `lora_models`, its adapter left out; and a plain GPT."""
    page.evaluate(
        """([config, weights]) => {
            window.model = new GPTWithAdapter(config, readSafetensors(bytesOf(weights)), product);
            window.plain = new GPT(config, readSafetensors(bytesOf(weights)), product);
        }""",
        [gpt2_settings(model.config), packed(save(gpt2_weights(made(model.config))))],
    )


def put_on(page, settings: dict, weights: bytes) -> str | None:
    """Put an adapter on the page's `model`. Returns its error, or None."""
    return page.evaluate(
        """([settings, weights]) => errorOf(() => {
            const read = readAdapter(model.config, settings, readSafetensors(bytesOf(weights)));
            window.adapter = model.prepared(read);
            model.use(adapter);
        })""",
        [settings, packed(weights)],
    )


def stored(model: GPT, folder: Path, dtype: torch.dtype = torch.float32) -> tuple[dict, bytes]:
    save_adapter(model, folder / "adapter", dtype=dtype)
    settings = json.loads((folder / "adapter" / SETTINGS).read_text("utf-8"))
    return settings, (folder / "adapter" / WEIGHTS).read_bytes()


@torch.inference_mode()
def by_python(model: GPT, ids: list[int]) -> np.ndarray:
    return model(torch.tensor([ids]))[0].numpy()


@pytest.mark.parametrize(
    ("sizes", "lora"),
    [
        ({}, LoRAConfig(rank=3, alpha=6)),
        ({}, LoRAConfig(rank=8, alpha=2, targets=("qkv",))),
        ({"bias": False}, LoRAConfig(rank=1, alpha=1.5, targets=("projection", "up"))),
        ({"tied": False}, LoRAConfig(rank=9, alpha=1, targets=("blocks.1.mlp.down",))),
    ],
)
def test_scores_equal_python_s_and_off_they_are_the_base_s(page, tmp_path, sizes, lora):
    model = adapted(replace(SIZES, **sizes), lora)
    put(page, model)
    ids = [3, 1, 4, 1, 5, 9, 2, 6]
    before = page.evaluate("ids => everywhere(ids)", ids)
    assert put_on(page, *stored(model, tmp_path)) is None
    found = np.array(page.evaluate("ids => everywhere(ids)", ids))
    np.testing.assert_allclose(found, by_python(model, ids), rtol=0, atol=1e-5)
    assert np.abs(found - np.array(before)).max() > 0.01  # it does something
    # What was read with another adapter is forgotten.
    assert page.evaluate("() => { model.use(undefined); return model.length; }") == 0
    assert page.evaluate("ids => everywhere(ids)", ids) == before
    page.evaluate("() => { window.model = plain; }")
    assert page.evaluate("ids => everywhere(ids)", ids) == before


def test_by_hand(page):
    """One layer of two numbers: W x is not asked for here, B A x with alpha / r = 6 / 2 is."""
    added = page.evaluate(
        """() => {
            const layer = {};
            const model = Object.create(GPTWithAdapter.prototype);
            Object.assign(model, { blocks: [{ up: layer }] });
            const A = Float32Array.of(1, 2, 0, -1), B = Float32Array.of(1, 0, 0, 1, 1, 1);
            const layers = { "blocks.0.mlp.up": { A, B } };
            model.adapter = model.prepared({ rank: 2, scale: 3, layers });
            return [...model.change(Float32Array.of(5, 7), layer)];
        }"""
    )
    # A x is (19, -7); B A x is (19, -7, 12).
    assert added == [57, -21, 36]


def test_an_adapter_of_our_own_names_and_in_16_bits(page, tmp_path):
    model = adapted(SIZES)
    put(page, model)
    settings, weights = stored(model, tmp_path, torch.float16)
    ours = {"c_attn": "qkv", "attn.c_proj": "attention.projection", "c_fc": "up"}
    ours |= {"transformer.h": "blocks", "mlp.c_proj": "mlp.down", "attn.qkv": "attention.qkv"}
    tensors = {}
    for name, tensor in from_bytes(weights).items():
        for theirs, our in ours.items():
            name = name.replace(theirs, our)
        tensors[name] = tensor
    assert any("blocks.1.attention.qkv.lora_A" in name for name in tensors)
    ids = [3, 1, 4, 1, 5]
    assert put_on(page, settings, weights) is None
    first = page.evaluate("ids => everywhere(ids)", ids)
    assert put_on(page, settings, save(tensors)) is None
    assert page.evaluate("ids => everywhere(ids)", ids) == first
    load_adapter(model, tmp_path / "adapter", "rounded")
    np.testing.assert_allclose(np.array(first), by_python(model, ids), rtol=0, atol=1e-5)


def test_a_unit_speaks_through_its_adapter_too(page, tmp_path):
    model = adapted(SIZES, LoRAConfig(rank=3, alpha=30, targets=("down",)))
    put(page, model)
    ask = "() => [0, 1, 5, 47].map((unit) => unitTokens(model, 1, unit))"
    before = page.evaluate(ask)
    assert put_on(page, *stored(model, tmp_path)) is None
    after = page.evaluate(ask)
    with torch.inference_mode():
        down = model.blocks[1].mlp.down.effective_weight()
        scores = model.token_embedding.weight @ down[:, [0, 1, 5, 47]]  # (V, units)
    assert after == scores.topk(5, dim=0).indices.T.tolist() != before


# What is refused


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("peft_type", "IA3", "peft_type is IA3; only LORA"),
        ("peft_type", None, "peft_type is "),
        ("r", 0, "r is 0; it must be a whole number"),
        ("r", 1.5, "r is 1.5; it must be a whole number"),
        ("r", "8", "r is 8; it must be a whole number"),
        ("r", 4, "with r as in adapter_config.json, it is [4,12]"),
        ("lora_alpha", None, "lora_alpha is "),
        ("lora_alpha", "16", "lora_alpha is 16; it must be a number"),
        ("lora_alpha", -1, "lora_alpha is -1; it must be a number above 0"),
        ("use_dora", True, "use_dora is true, which asks for more than W x"),
        ("use_rslora", True, "use_rslora is true, which asks for more than W x"),
        ("bias", "all", 'bias is "all", which asks for more than W x'),
        ("modules_to_save", ["lm_head"], 'modules_to_save is ["lm_head"], which asks for more'),
        ("alpha_pattern", {"c_fc": 4}, 'alpha_pattern is {"c_fc":4}, which asks for more'),
        ("of_next_year", 1, "of_next_year is 1, which asks for more"),
        ("init_lora_weights", "pissa", "init_lora_weights is pissa, which changes the model"),
    ],
)
def test_settings_that_python_refuses_are_refused(
    page, tmp_path, as_readers_run_it, name, value, told
):
    model = adapted(SIZES)
    put(page, model)
    settings, weights = stored(model, tmp_path)
    settings[name] = value
    (tmp_path / "adapter" / SETTINGS).write_text(json.dumps(settings), "utf-8")
    with pytest.raises(ValueError):
        load_adapter(model, tmp_path / "adapter", "again")
    assert told in put_on(page, settings, weights)


@pytest.mark.parametrize(
    ("name", "value"),
    [("lora_dropout", 0.1), ("r_of", 0), ("layer_replication", None), ("loftq_config", {})],
)
def test_settings_that_change_nothing_are_taken(page, tmp_path, name, value):
    model = adapted(SIZES)
    put(page, model)
    settings, weights = stored(model, tmp_path)
    settings[name] = value
    (tmp_path / "adapter" / SETTINGS).write_text(json.dumps(settings), "utf-8")
    load_adapter(model, tmp_path / "adapter", "again")
    assert put_on(page, settings, weights) is None


A = "base_model.model.transformer.h.1.mlp.c_fc.lora_A.weight"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({A: None}, "it lacks A of blocks.1.mlp.up: was the file cut short"),
        ({A: torch.zeros(12, 3)}, f"{A} (A of blocks.1.mlp.up) has the shape [12,3]"),
        ({A: torch.zeros(3, 12).int()}, "holds no floating-point numbers"),
        ({A: torch.full((3, 12), torch.nan)}, "holds numbers that are not finite"),
        ({A.replace("h.1", "h.2"): torch.zeros(3, 12)}, "no linear layer transformer.h.2.mlp.c_fc"),
        ({A.replace("c_fc", "toString"): torch.zeros(3, 12)}, "no linear layer"),
        ({A.replace("lora_A", "lora_C"): torch.zeros(3, 12)}, "which is no matrix A or B"),
        (None, "it holds no matrix: save the adapter again"),
    ],
)
def test_matrices_that_python_refuses_are_refused(page, tmp_path, as_readers_run_it, change, told):
    model = adapted(SIZES)
    put(page, model)
    settings, weights = stored(model, tmp_path)
    tensors = {} if change is None else from_bytes(weights) | change
    weights = save({name: tensor for name, tensor in tensors.items() if tensor is not None})
    (tmp_path / "adapter" / WEIGHTS).write_bytes(weights)
    with pytest.raises(ValueError):
        load_adapter(model, tmp_path / "adapter", "again")
    assert told in put_on(page, settings, weights)
    assert page.evaluate("() => model.adapter === undefined")


@pytest.mark.parametrize("kept", [0, 7, 100, -1])
def test_a_file_that_is_cut_short_is_refused(page, tmp_path, kept):
    model = adapted(SIZES)
    put(page, model)
    settings, weights = stored(model, tmp_path)
    told = put_on(page, settings, weights[:kept])
    assert told.startswith("not a safetensors file that can be read: ")


# The template


@pytest.mark.parametrize(
    "template",
    [
        ChatTemplate(),
        ChatTemplate("S", "Q", "A", before="<|endoftext|>\n{name} said {name}: ", after=".\n\n\n"),
        ChatTemplate(after="<|endoftext|>"),
    ],
)
def test_prompts_equal_python_s(page, tmp_path, template):
    save_template(template, tmp_path)
    tokenizer = BPETokenizer.shakespeare()
    text = (tmp_path / "chat_template.jinja").read_text("utf-8")
    for question in [*QUESTIONS, "\x1c\x85\u2028 a \x1f\n\x1d\nb\r\n \r\nc $& $1 {name}"]:
        messages = [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Who?"},
            {"role": "assistant", "content": "Othello"},
            {"role": "user", "content": question},
        ]
        for some in (messages, messages[-1:]):
            found = page.evaluate(
                """([text, messages]) =>
                    ChatTemplate.of(text).prompt(messages, shipped.base.tokenizer)""",
                [text, some],
            )
            assert found == template.encode(some, tokenizer, answer=True)[0]


@pytest.mark.parametrize(
    ("act", "told"),
    [
        ("ChatTemplate.of('{{ messages }}')", "the chat template was not written by minigpt"),
        ("prompt([{ role: 'tool', content: 'x' }])", "message 1 has the role tool; it must be one"),
        ("prompt([{ role: 'user', content: ' \\n ' }])", "message 1 has no text"),
    ],
)
def test_what_is_no_conversation_is_named(page, act, told):
    found = page.evaluate(
        f"""() => {{
            const prompt = (messages) => shipped.template.prompt(messages, shipped.base.tokenizer);
            return errorOf(() => {act});
        }}"""
    )
    assert told in found


# The shipped adapter


@pytest.fixture(scope="module")
def tuned():
    model, tokenizer = minigpt.load("shakespeare", int8=True)  # as the page has it
    load_adapter(model, SHIPPED, other_base=True)
    return model, tokenizer, load_template(SHIPPED)


@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
def test_answers_equal_python_s(page, tuned, on):
    model, tokenizer, template = tuned
    set_adapter(model, "default" if on else None)
    name = "tuned" if on else "base"
    near = 0
    for question in QUESTIONS:
        messages = [{"role": "user", "content": question}]
        want = "".join(
            answer(model, tokenizer, template, messages, sampling=Sampling(temperature=0.0))
        )
        found = page.evaluate(
            f"async (question) => (await all(shipped.{name}, question)).at(-1)", question
        )
        assert found["ended"]
        prompt, _ = template.encode(messages, tokenizer, answer=True)
        scores = by_python(model, prompt + found["ids"])[len(prompt) - 1 : -1]
        best = np.sort(scores, axis=1)
        if (best[:, -1] - best[:, -2]).min() < 0.003:  # another processor may choose the second
            near += 1
            continue
        assert scores.argmax(axis=1).tolist() == found["ids"]
        assert found["text"] == want
    assert near <= 2


def test_its_scores_equal_python_s(page, tuned):
    model, tokenizer, template = tuned
    for question in QUESTIONS[::3]:
        ids, _ = template.encode([{"role": "user", "content": question}], tokenizer, answer=True)
        for name, which in (("base", None), ("tuned", "default")):
            set_adapter(model, which)
            ask = f"async (ids) => [...await shipped.{name}.scores(ids)]"
            found = page.evaluate(ask, ids)
            np.testing.assert_allclose(found, by_python(model, ids)[-1], rtol=0, atol=1e-3)


def test_off_is_the_shipped_model_to_the_bit(page):
    """Whoever asks in between, and whatever was read with the other."""
    assert page.evaluate(
        """async () => {
            const plain = await loadShippedModel();
            const ids = plain.tokenizer.encode("My lord, I came to see");
            const alone = new Worker(new URL("_static/engine/gpt-worker.js", document.baseURI),
                                     { type: "module" });
            const folder = new URL("_static/models/shakespeare/", document.baseURI).href;
            const before = await new Promise((resolve) => {
                alone.onmessage = ({ data }) => { if (data.number === 2) resolve(data.result); };
                const load = { folder, weights: "int8.safetensors" };
                alone.postMessage({ number: 1, method: "load", args: [load] });
                alone.postMessage({ number: 2, method: "scores", args: [ids] });
            });
            alone.terminate();
            const { base, tuned } = shipped;
            const more = [...ids, 5];
            const [first, on, second, , third, traced] = await Promise.all([
                base.scores(ids), tuned.scores(ids), plain.scores(ids), tuned.scores(more),
                base.scores(ids), tuned.trace(ids),
            ]);
            const again = await tuned.scores(ids);
            return same(first, before) && same(second, before) && same(third, before)
                && !same(on, before) && same(traced.scores, on) && same(again, on)
                && same((await base.trace(ids)).scores, before);
        }"""
    )


def test_an_answer_that_does_not_end_is_cut_off(page):
    found, text = page.evaluate(
        """async () => {
            const model = saying(() => new Float32Array(4096).fill(1, 300, 301));
            return [(await all(model, "Why?", 7)).at(-1), model.tokenizer.decode([300]).repeat(7)];
        }"""
    )
    assert found == {"ids": [300] * 7, "text": text, "ended": True, "cut": True}


def said(page, text: str, then: str = "undefined") -> list[list]:
    """What an answer is after each of its tokens: the settled text, and whether it has ended."""
    return page.evaluate(
        f"""async (text) => {{
            const {{ tokenizer }} = shipped.base;
            const ids = [...[...text].flatMap((one) => tokenizer.encode(one)), {then}];
            let at = 0;
            const model = saying(() => new Float32Array(4096).fill(1, ids[at], ids[at++] + 1));
            return (await all(model, "Why?")).map(({{ text, ended }}) => [text, ended]);
        }}""",
        text,
    )


def test_an_answer_comes_in_whole_characters_and_without_its_end_mark(page):
    """A part of 안 is not settled, nor a line end, which may be half of the end mark."""
    part, whole, more = ["", False], ["안", False], ["안\na", False]
    assert said(page, "안\na\n\nb") == [part, part, whole, whole, more, more, ["안\na", True]]


def test_the_end_of_a_text_ends_an_answer_too(page):
    found = said(page, "a\n", then="tokenizer.end")
    assert found == [["a", False], ["a", False], ["a\n", True]]


@pytest.mark.parametrize(
    ("scores", "content", "told"),
    [
        ("Float32Array.of(1)", "why " * 200, "tokens with its names, and there is room for 156"),
        ("new Float32Array(4096).fill(NaN)", "Why?", "its scores are not finite"),
    ],
)
def test_what_has_no_answer_is_named(page, scores, content, told):
    ask = f"(content) => errorOf(() => all(saying(() => {scores}), content))"
    assert told in page.evaluate(ask, content)


def test_an_adapter_that_was_not_loaded_is_named(page):
    told = page.evaluate("() => errorOf(() => shipped.base.withAdapter('other').scores([1]))")
    assert told == "there is no adapter other on this model: load it first"


@pytest.mark.parametrize(
    ("name", "answered", "told"),
    [
        (SETTINGS, {"status": 404}, "answered 404"),
        (
            SETTINGS,
            {"body": '{"peft_type": "LORA", "r": 8}'},
            "the adapter: lora_alpha is undefined",
        ),
        (WEIGHTS, {"body": "cut short"}, "the adapter: not a safetensors file that can be read"),
        (
            "chat_template.jinja",
            {"body": "{{ x }}"},
            "the chat template was not written by minigpt",
        ),
    ],
)
def test_what_does_not_come_is_told_and_comes_later(browser, site_url, name, answered, told):
    context = browser.new_context()
    page = context.new_page()
    open_chapter(page, site_url)
    page.route(f"**/{name}", lambda route: route.fulfill(**answered))
    assert told in page.evaluate("() => errorOf(loadShippedAdapter)")
    page.unroute_all()
    assert page.evaluate("async () => (await loadShippedAdapter()).numbers") == 122_880
    context.close()


def test_it_is_loaded_once_a_page(browser, site_url):
    context = browser.new_context()
    page = context.new_page()
    open_chapter(page, site_url)
    asked = []
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[1]))
    assert page.evaluate(
        """async () => {
            const [one, other, base] = await Promise.all(
                [loadShippedAdapter(), loadShippedAdapter(), loadShippedModel()]);
            return one === other && one.base === base;
        }"""
    )
    for name in (SETTINGS, WEIGHTS, "chat_template.jinja", "int8.safetensors"):
        assert asked.count(name) == 1
    context.close()
