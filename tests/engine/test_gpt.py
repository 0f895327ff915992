"""The page's own GPT in a real browser, held to PyTorch: scores, cache, continuations, refusals.

What computes is held to it in WebAssembly and in plain JavaScript.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path

import book_sources
import numpy as np
import pytest
import torch
import wasmtime
from safetensors.torch import load as from_bytes
from safetensors.torch import save

import minigpt
from minigpt.exchange.gpt2_format import config_from_gpt2, gpt2_settings, gpt2_weights
from minigpt.exchange.int8_file import load_int8, save_int8
from minigpt.generation import Reader, Sampling, generate
from minigpt.model import GPT, GPTConfig

ASSETS = book_sources.ROOT / "book" / "assets" / "engine"
TEXTS = [
    "O",
    "To be, or not to be: that is the question.",
    "My lord, I came to see your father's funeral.",
    "JULIET:\nRomeo!\n\nROMEO:\nMy dear?\n\nJULIET:\n",
    "Zork met Blip, and Zork met Blip, and Zork met",
    "KING RICHARD III:\nA horse! a horse! my kingdom for a horse!",
    "All the world's a stage, and all the men and women merely players",
    "“Quoted” – and dashed — text…",
    "def add(a, b):\n    return a + b\n",
    '{"key": [1, 2.5e-3], "0xFF": null}  // done',
    "3.14159 + 1234567 = ²½Ⅷ",
    "안녕하세요 세계",
    "👍 👩‍🚀 🏳️‍🌈",
    "мир, 漢字かな, नमस्ते",
    " " * 60,
    "\n\n\n\t \r\n",
    "the " * 30,
    "A" * 50,
    "\x00\x01\x7f e\u0301",
    "Now is the winter of our discontent made glorious summer by this sun of York",
]
SMALL = GPTConfig(vocab_size=11, context_length=7, n_layer=2, n_head=3, n_embd=12)
CONFIGS = {
    "gpt2": SMALL,
    "untied": replace(SMALL, tied=False),
    "no-bias": replace(SMALL, bias=False),
    "neither": replace(SMALL, bias=False, tied=False, n_layer=1),
    "one-head": replace(SMALL, n_head=1, n_embd=5),
    "deep": replace(SMALL, n_layer=11, n_head=2, n_embd=6, tied=False),
    "narrow": GPTConfig(vocab_size=2, context_length=1, n_layer=1, n_head=2, n_embd=2),
}
configs = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
ways = pytest.mark.parametrize("wasm", [True, False], ids=["wasm", "script"])
LANGUAGE = """async () => {
    const names = ["gpt.js", "gpt-config.js", "gpt-reader.js", "gpt-trace.js", "gpt-weights.js",
        "matrix.js", "safetensors.js", "vector-product.js"];
    const address = (name) => new URL(`_static/engine/${name}`, document.baseURI);
    Object.assign(window, ...await Promise.all(names.map((name) => import(address(name)))));
    window.product = await fetchedProduct();
    window.packed = (floats) => {
        const bytes = new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
        let text = "";
        for (let i = 0; i < bytes.length; i += 4096) {
            text += String.fromCharCode(...bytes.subarray(i, i + 4096));
        }
        return btoa(text);
    };
    window.errorOf = (act) => {
        try { act(); } catch (error) { return error.message; }
    };
    window.same = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);
    // The scores after each of the tokens, which are read one at a time.
    window.everywhere = (ids) => {
        const V = model.config.vocab_size;
        const rows = new Float32Array(ids.length * V);
        model.rewind(0);
        ids.forEach((id, t) => rows.set(model.read([id]), t * V));
        return packed(rows);
    };
    window.best = (scores) => scores.indexOf(scores.reduce((a, b) => Math.max(a, b)));
    window.greedy = (reader, ids, number) => {
        for (let i = 0; i < number; i++) ids.push(best(reader.scores(ids)));
        return ids.slice(-number);
    };
}"""


def open_chapter(page, site_url: str) -> None:
    page.goto(site_url + "status.html")  # a page with no element that computes
    page.evaluate(LANGUAGE)


def put(page, settings: dict, weights: bytes, wasm: bool = True) -> str | None:
    """Make the page's `model` of a config.json and a file of weights. Returns its error, or None.

    `made()` makes one more.

    An earlier one is forgotten, so that a test cannot pass with the last one's model.
    """
    page.route("**/weights-of-a-test", lambda route: route.fulfill(body=weights))
    error = page.evaluate(
        """async ([config, wasm]) => {
            delete window.model;
            const buffer = await (await fetch("weights-of-a-test")).arrayBuffer();
            const bytes = wasm ? product : undefined;
            window.made = () => new GPT(config, readSafetensors(buffer), bytes);
            return errorOf(() => { window.model = made(); });
        }""",
        [settings, wasm],
    )
    page.unroute("**/weights-of-a-test")
    return error


def scores_everywhere(page, ids: list[int]) -> np.ndarray:
    """What the page's model says after each of these tokens, (T, V)."""
    numbers = base64.b64decode(page.evaluate("ids => everywhere(ids)", ids))
    return np.frombuffer(numbers, dtype=np.float32).reshape(len(ids), -1)


@torch.inference_mode()
def by_python(model: GPT, ids: list[int]) -> np.ndarray:
    return model(torch.tensor([ids]))[0].numpy()


def made(config: GPTConfig = SMALL, seed: int = 0) -> GPT:
    """With numbers that are all different, so that none can take another's place."""
    generator = torch.Generator().manual_seed(seed)
    model = GPT(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.4, generator=generator)
    return model.eval()


def our_names(model: GPT) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def as_half(model: GPT) -> bytes:
    return save({name: tensor.half() for name, tensor in gpt2_weights(model).items()})


# The shipped model


@pytest.fixture(scope="module")
def shipped() -> tuple[dict, bytes, bytes]:
    """Its config.json, its weights in 16 bits and in 8."""
    folder = Path(minigpt.__file__).parent / "pretrained" / "shakespeare"
    return (
        json.loads((folder / "config.json").read_text("utf-8")),
        (folder / "model.safetensors").read_bytes(),
        (folder / "int8.safetensors").read_bytes(),
    )


@pytest.fixture(scope="module")
def int8() -> GPT:
    return minigpt.load("shakespeare", int8=True)[0]


@pytest.fixture(scope="module")
def texts() -> list[list[int]]:
    """The tokens of all texts, and a text as long as the model sees."""
    model, tokenizer = minigpt.load("shakespeare")
    length = model.config.context_length
    ids = [tokenizer.encode(text) for text in TEXTS]
    longest = tokenizer.encode("\n".join(TEXTS))[:length]
    assert len(longest) == length
    return [*(some[:length] for some in ids), longest]


def assert_equal_everywhere(page, model: GPT, texts: list[list[int]], atol: float) -> None:
    for ids in texts:
        np.testing.assert_allclose(
            scores_everywhere(page, ids), by_python(model, ids), rtol=0, atol=atol
        )


@ways
def test_the_shipped_model_in_8_bits(page, shipped, int8, texts, wasm):
    config, _, weights = shipped
    assert put(page, config, weights, wasm) is None
    assert_equal_everywhere(page, int8, texts, atol=1e-3)


@ways
def test_the_shipped_model_in_16_bits(page, shipped, texts, wasm):
    config, weights, _ = shipped
    assert put(page, config, weights, wasm) is None
    assert_equal_everywhere(page, minigpt.load("shakespeare")[0], texts, atol=1e-3)


@pytest.mark.slow
@ways
@pytest.mark.parametrize("layout", [our_names, gpt2_weights])
def test_a_model_of_its_size_in_32_bits(page, texts, layout, wasm):
    model = minigpt.load("shakespeare")[0]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 1.001  # so that 16 bits would not hold the numbers
    assert put(page, gpt2_settings(model.config), save(layout(model)), wasm) is None
    assert_equal_everywhere(page, model, texts, atol=1e-4)


@ways
def test_the_best_continuation_is_python_s(page, shipped, int8, texts, wasm):
    config, _, weights = shipped
    put(page, config, weights, wasm)
    prompts = [texts[number] for number in (1, 3, 8, 11)]
    want = generate(int8, prompts, 100, Sampling(temperature=0.0))
    for prompt, continuation in zip(prompts, want, strict=True):
        got = page.evaluate("ids => greedy(new GPTReader(model), ids, 100)", prompt)
        assert got == continuation


@ways
def test_the_best_continuation_beyond_the_context_is_python_s(page, shipped, int8, texts, wasm):
    config, _, weights = shipped
    put(page, config, weights, wasm)
    number = config["n_positions"] + 44
    (want,) = generate(int8, texts[3:4], number, Sampling(temperature=0.0))
    ask = "([ids, n]) => greedy(new GPTReader(model), ids, n)"
    assert page.evaluate(ask, [texts[3], number]) == want


# Small models, held to double precision


@ways
@configs
@pytest.mark.parametrize("kind", ["our names", "GPT-2's names", "16 bits", "8 bits"])
def test_scores_equal_double_precision(page, tmp_path, config, kind, wasm):
    model, settings = made(config), gpt2_settings(config)
    match kind:
        case "our names":
            weights = save(our_names(model))
        case "GPT-2's names":
            weights = save(gpt2_weights(model))
        case "16 bits":
            weights = as_half(model)
            model = model.half()
        case "8 bits":
            save_int8(model, tmp_path / "int8.safetensors")
            weights = (tmp_path / "int8.safetensors").read_bytes()
            model = load_int8(config, tmp_path / "int8.safetensors")
    assert put(page, settings, weights, wasm) is None
    ids = torch.randint(
        config.vocab_size, (config.context_length,), generator=torch.Generator().manual_seed(1)
    ).tolist()
    np.testing.assert_allclose(
        scores_everywhere(page, ids), by_python(model.double(), ids), rtol=0, atol=1e-5
    )


def test_an_early_config_leaves_out_bias_and_the_tied_head(page):
    model = made()
    optional = ("bias", "tie_word_embeddings", "scale_attn_weights", "add_cross_attention")
    settings = {k: v for k, v in gpt2_settings(SMALL).items() if k not in optional}
    assert config_from_gpt2(settings) == SMALL
    assert put(page, settings, save(gpt2_weights(model))) is None
    ids = [3, 1, 4, 1, 5]
    np.testing.assert_allclose(
        scores_everywhere(page, ids), by_python(model.double(), ids), rtol=0, atol=1e-5
    )


def test_reading_at_once_in_parts_and_again_is_the_same(page):
    put(page, gpt2_settings(SMALL), save(our_names(made())))
    assert page.evaluate(
        """() => {
            const ids = [3, 1, 4, 1, 5, 9, 2];
            const whole = model.read(ids);
            model.rewind(0);
            model.read(ids.slice(0, 3));
            const parts = model.read(ids.slice(3));
            model.rewind(5);
            const again = model.read(ids.slice(5));
            return [same(parts, whole), same(again, whole), model.length];
        }"""
    ) == [True, True, 7]


@ways
def test_after_many_rewinds_the_scores_are_a_new_model_s(page, wasm):
    weights = our_names(made())
    put(page, gpt2_settings(SMALL), save(weights), wasm)
    generator = np.random.default_rng(0)
    steps = []  # how far back, and what is read then
    length = 0
    for _ in range(60):
        back = int(generator.integers(0, length + 1))
        ids = generator.integers(0, 11, generator.integers(1, 8)).tolist()[: 7 - back] or [0]
        back = min(back, 7 - len(ids))
        length = back + len(ids)
        steps.append([back, ids])
    got = page.evaluate(
        """(steps) => {
            let read = [];
            return steps.map(([back, ids]) => {
                model.rewind(back);
                read = [...read.slice(0, back), ...ids];
                return [read, [...model.read(ids)]];
            });
        }""",
        steps,
    )
    model = made().double()
    for ids, scores in got:
        np.testing.assert_allclose(scores, by_python(model, ids)[-1], rtol=0, atol=1e-5)


def test_scores_given_out_stay_as_they_are(page):
    put(page, gpt2_settings(SMALL), save(our_names(made())))
    assert page.evaluate(
        """() => {
            const reader = new GPTReader(model);
            const first = reader.scores([1, 2]), copy = first.slice();
            const wanted = reader.scores([1, 2, 3]).slice();
            const kept = same(first, copy);
            // What a caller does to its scores is not the reader's.
            reader.scores([1, 2, 4]);
            reader.scores([1, 2, 3]).fill(0);
            reader.scores([1, 2, 3]).fill(0);
            return kept && same(reader.scores([1, 2, 3]), wanted);
        }"""
    )


# The reader


@pytest.mark.parametrize("room", [1, 2, 3, 7, 8, pytest.param(256, marks=pytest.mark.slow)])
def test_what_is_seen_of_a_text_is_what_python_sees(page, room):
    most = 3 * room + 20
    config = GPTConfig(most, room, n_layer=1, n_head=1, n_embd=1)
    reader = Reader(GPT(config).eval(), [[0]])
    want = [[0]]
    for token in range(1, most):
        reader.append([token])
        want.append(list(reader.windows[0]))
    got = page.evaluate(
        """([room, most]) => {
            const ids = Array.from({ length: most }, (_, i) => i);
            return ids.map((_, i) => visible(ids.slice(0, i + 1), room));
        }""",
        [room, most],
    )
    assert got == want


@pytest.mark.parametrize("room", [1, 2, 7])
def test_the_reader_beyond_the_context_is_python_s(page, room):
    config = replace(SMALL, context_length=room)
    put(page, gpt2_settings(config), save(our_names(made(config))))
    text = torch.randint(11, (30,), generator=torch.Generator().manual_seed(2)).tolist()
    got = page.evaluate(
        """(ids) => {
            const reader = new GPTReader(model);
            return ids.map((_, i) => [...reader.scores(ids.slice(0, i + 1))]);
        }""",
        text,
    )
    reader = Reader(made(config).double(), [text[:1]])
    for number, scores in enumerate(got):
        if number:
            reader.append([text[number]])
        np.testing.assert_allclose(scores, reader.logits[0].numpy(), rtol=0, atol=1e-5)


BRANCHES = [
    [1, 2, 3],
    [1, 2, 3, 4, 5],  # longer
    [1, 2, 9, 9],  # another ending
    [1, 2],  # shorter
    [1, 2],  # the same
    [1, 2, 5],
    [7],  # nothing in common
    [7, 1, 2, 3, 4, 5, 6],  # full
    [7, 1, 2, 3, 4, 5, 6, 7],  # more than full
    [7, 1, 2, 3, 4, 5, 6, 7, 8],
    [7, 1, 2, 3, 4, 5, 6],  # back
    [1],
]


@pytest.mark.parametrize("between", ["nothing", "an error", "no token", "failure"])
def test_whatever_was_read_before_the_scores_are_a_new_reader_s(page, between):
    """`between`: what comes between two questions. `failure`: reading stops half-way."""
    put(page, gpt2_settings(SMALL), save(our_names(made())))
    wrong = page.evaluate(
        """([branches, between]) => {
            const other = made();
            const disturb = {
                "nothing": () => {},
                "an error": (reader) => errorOf(() => reader.scores([1, 2, 11])),
                "no token": (reader) => errorOf(() => reader.scores([])),
                "failure": (reader) => {
                    model.step = function (id) {
                        if (this.length === 2) throw new Error("Array buffer allocation failed");
                        return GPT.prototype.step.call(this, id);
                    };
                    errorOf(() => reader.scores([9, 2, 3, 4]));
                    delete model.step;
                },
            };
            const reader = new GPTReader(model);
            return branches.filter((ids) => {
                disturb[between](reader);
                other.rewind(0);
                return !same(reader.scores(ids), other.read(visible(ids, 7)));
            });
        }""",
        [BRANCHES, between],
    )
    assert wrong == []


def test_the_reader_reads_only_what_is_new(page):
    put(page, gpt2_settings(SMALL), save(our_names(made())))
    read = page.evaluate(
        """(branches) => {
            const reader = new GPTReader(model);
            let read = 0;
            model.step = function (id) { read++; return GPT.prototype.step.call(this, id); };
            return branches.map((ids) => {
                const before = read;
                reader.scores(ids);
                return read - before;
            });
        }""",
        BRANCHES,
    )
    # The last token of a text is read again for its scores; 3 and then 4 stay of one too long.
    assert read == [3, 2, 2, 1, 0, 1, 1, 6, 3, 1, 7, 1]


def test_no_token_is_refused_by_a_new_reader_and_by_an_old_one(page):
    put(page, gpt2_settings(SMALL), save(our_names(made())))
    told = page.evaluate(
        """() => {
            const reader = new GPTReader(model);
            const fresh = errorOf(() => reader.scores([]));
            reader.scores([1]);
            errorOf(() => reader.scores([11]));
            return [fresh, errorOf(() => reader.scores([]))];
        }"""
    )
    assert told == ["there is no token to read: give at least one"] * 2


# What cannot be read


@pytest.mark.parametrize(
    ("act", "told"),
    [
        ("model.read([])", "there is no token to read: give at least one"),
        (
            "model.read(Array(8).fill(0))",
            "0 tokens were read, and 8 more are beyond the 7 that the model sees (n_positions): "
            "shorten the text",
        ),
        (
            "model.read([1, 2]), model.read(Array(6).fill(0))",
            "2 tokens were read, and 6 more are beyond the 7 that the model sees (n_positions): "
            "shorten the text",
        ),
        ("model.read([0, -1])", "token id -1 is not between 0 and 10"),
        ("model.read([0, 11])", "token id 11 is not between 0 and 10"),
        ("model.read([0.5])", "token id 0.5 is not between 0 and 10"),
        ("model.read([NaN])", "token id NaN is not between 0 and 10"),
        ("model.read(['1'])", "token id 1 is not between 0 and 10"),
        ("model.read([undefined])", "token id undefined is not between 0 and 10"),
        ("model.rewind(1)", "0 tokens were read: not back to 1"),
        ("model.rewind(-1)", "0 tokens were read: not back to -1"),
        ("new GPTReader(model).scores([11])", "token id 11 is not between 0 and 10"),
        ("trace(model, [])", "there is no token to read: give at least one"),
        ("trace(model, Array(8).fill(0))", "8 more are beyond the 7 that the model sees"),
    ],
)
def test_what_the_model_cannot_read_is_named(page, act, told):
    put(page, gpt2_settings(SMALL), save(our_names(made())))
    message, length = page.evaluate(f"() => [errorOf(() => {{ {act}; }}), model.length]")
    assert told in message
    assert length == (2 if "[1, 2]" in act else 0)  # nothing of it was read
    ids = [3, 1, 4]
    np.testing.assert_allclose(
        scores_everywhere(page, ids), by_python(made().double(), ids), rtol=0, atol=1e-5
    )


# Weights and configs that are not right


def changed(weights: dict[str, torch.Tensor], name: str, tensor: torch.Tensor | None) -> bytes:
    """A file in which one tensor is another; None leaves it out."""
    weights = dict(weights)
    if tensor is None:
        del weights[name]
    else:
        weights[name] = tensor
    return save(weights)


UNFINISHED = torch.tensor([float("nan"), *[0.0] * 11])


@pytest.mark.parametrize(
    ("layout", "name", "tensor", "told"),
    [
        (our_names, "blocks.1.mlp.up.bias", None, "should have the shape [48], not []"),
        (our_names, "position_embedding.weight", None, "should have the shape [7,12], not []"),
        (our_names, "token_embedding.weight", torch.zeros(11, 13), "[11,12], not [11,13]"),
        (our_names, "blocks.0.attention.qkv.weight", torch.zeros(12, 36), "[36,12], not [12,36]"),
        (our_names, "blocks.1.norm_1.weight", UNFINISHED, "holds numbers that are not finite"),
        (our_names, "final_norm.bias", -torch.full((12,), torch.inf), "that are not finite"),
        (our_names, "blocks.0.mlp.up.weight", torch.zeros(48, 12).char(), "has no scale"),
        (our_names, "blocks.0.norm_2.weight", torch.zeros(12).int(), "has no scale"),
        (gpt2_weights, "transformer.h.0.mlp.c_fc.weight", torch.zeros(48, 12), "[12,48], not"),
        (gpt2_weights, "transformer.h.1.attn.c_attn.bias", None, "[36], not []"),
        (gpt2_weights, "transformer.ln_f.weight", UNFINISHED, "that are not finite"),
    ],
)
def test_weights_that_are_not_right_are_named(page, layout, name, tensor, told):
    error = put(page, gpt2_settings(SMALL), changed(layout(made()), name, tensor))
    assert told in error
    names = dict(zip(gpt2_weights(made()), our_names(made()), strict=True))
    assert names.get(name, name) in error  # in our words, whichever file they come from
    assert ": " in error and error.endswith("?")  # what is wrong, and what it may be


@pytest.mark.parametrize(
    ("name", "tensor", "told"),
    [
        ("blocks.0.mlp.up.weight.scale", torch.ones(47), "has 47 scales for its 48 rows"),
        ("blocks.0.mlp.up.weight.scale", torch.ones(0), "has 0 scales for its 48 rows"),
        ("blocks.0.mlp.up.weight.scale", None, "has no scale"),
        ("blocks.0.mlp.up.weight.scale", torch.full((48,), torch.nan), "that are not finite"),
        ("blocks.0.mlp.up.weight", torch.zeros(48, 11).char(), "[48,12], not [48,11]"),
    ],
)
def test_weights_in_8_bits_that_are_not_right_are_named(page, tmp_path, name, tensor, told):
    save_int8(made(), tmp_path / "int8.safetensors")
    weights = from_bytes((tmp_path / "int8.safetensors").read_bytes())
    error = put(page, gpt2_settings(SMALL), changed(weights, name, tensor))
    assert error.startswith("blocks.0.mlp.up.weight ")
    assert told in error and error.endswith("?")


@pytest.mark.parametrize("kept", [0, 7, 100, -1])
def test_a_file_that_is_cut_short_is_refused(page, kept):
    error = put(page, gpt2_settings(SMALL), save(our_names(made()))[:kept])
    assert error.startswith("not a safetensors file that can be read: ")


def test_the_weights_of_another_model_are_refused(page, shipped):
    config, weights, int8 = shipped
    for file in (save(our_names(made())), save(gpt2_weights(made()))):
        assert "are these the weights of another model?" in put(page, config, file)
    for file in (weights, int8):
        told = put(page, gpt2_settings(SMALL), file)
        assert "are these the weights of another model?" in told


REFUSED = [
    ("n_layer", None, "n_layer"),
    ("n_head", None, "n_head"),
    ("n_embd", None, "n_embd"),
    ("n_positions", None, "n_positions"),
    ("vocab_size", None, "vocab_size"),
    ("n_layer", 0, "n_layer is 0"),
    ("n_layer", 1.5, "n_layer is 1.5"),
    ("n_layer", "2", "n_layer is 2"),
    ("n_head", 0, "n_head is 0"),
    ("n_embd", True, "n_embd is true"),
    ("n_head", 5, "n_embd 12 cannot be cut into n_head 5 heads"),
    ("n_inner", 50, "n_inner is 50"),
    ("model_type", "llama", "model_type is llama"),
    ("activation_function", "relu", "activation_function is relu"),
    ("layer_norm_epsilon", 1e-6, "layer_norm_epsilon is 0.000001"),
    ("scale_attn_weights", False, "scale_attn_weights is false"),
    ("scale_attn_by_inverse_layer_idx", True, "scale_attn_by_inverse_layer_idx is true"),
    ("add_cross_attention", True, "add_cross_attention is true"),
]


@pytest.mark.parametrize(("name", "value", "told"), REFUSED)
def test_a_config_that_python_refuses_is_refused_in_the_page(
    page, as_readers_run_it, name, value, told
):
    settings = gpt2_settings(SMALL)
    if value is None:
        del settings[name]
    else:
        settings[name] = value
    with pytest.raises(ValueError):
        config_from_gpt2(settings)
    assert told in put(page, settings, save(our_names(made())))


def test_settings_that_change_nothing_are_taken(page):
    settings = gpt2_settings(SMALL) | {"activation_function": "gelu_pytorch_tanh", "n_inner": 48}
    assert put(page, settings, save(our_names(made()))) is None
    assert put(page, settings | {"n_inner": None}, save(our_names(made()))) is None


# The code


def test_the_model_is_short_and_needs_its_weights_and_products_alone():
    code = (ASSETS / "gpt.js").read_text("utf-8")
    assert len(code.splitlines()) <= 160
    own = ["./gpt-memory.js", "./gpt-weights.js", "./matrix.js", "./vector-product.js"]
    assert re.findall(r'\bimport\b.*?"(.*)"', code) == own
    for name in own:
        imported = re.findall(r'\bimport\b.*?"(.*)"', (ASSETS / name).read_text("utf-8"))
        assert set(imported) <= {"./fetched.js", "./gpt-config.js", "./matrix.js"}


# The product


def test_the_product_s_bytes_are_those_of_its_text():
    text = (ASSETS / "vector-product.wat").read_text("utf-8")
    assert (ASSETS / "vector-product.wasm").read_bytes() == bytes(wasmtime.wat2wasm(text)), (
        "assemble it: CONTRIBUTING.md says how"
    )


def test_a_product_is_that_of_double_precision_whatever_its_sizes(page):
    """Of rows as matrix.js puts them, and of columns, as attention's values are."""
    worst, spoilt = page.evaluate(
        """() => {
            let seed = 1;
            const numbers = (length) => Float32Array.from({ length }, () => {
                seed = (seed * 16807) % 2147483647;
                return seed / 2147483647 - 0.5;
            });
            const apart = (found, right) =>
                Math.max(...found.map((x, i) => Math.abs(x - right(i))));
            const dot = (length, a, b) =>
                [...Array(length).keys()].reduce((sum, i) => sum + a(i) * b(i), 0);
            const sevens = new Float32Array(8).fill(7);
            let [worst, spoilt] = [0, 0];
            for (const rows of [1, 5, 8, 9, 16, 23, 40]) {
                for (const width of [1, 2, 3, 4, 5, 8, 31, 64, 97]) {
                    const { take, multiply } = memoryFor(9000, product);
                    const all = numbers(rows * width);
                    const filled = (from) => {
                        const to = take(from.length);
                        to.set(from);
                        return to;
                    };
                    const { weight } = matrix(all, width, take);
                    const columns = filled(all);
                    const [x, y, before] = [numbers(width), numbers(rows), sevens].map(filled);
                    const [out, sums, after] = [take(rows), take(width), filled(sevens)];
                    multiply(weight, 8 * width, 8, x, out);
                    multiply(columns, 8, width, y, sums);
                    worst = Math.max(worst,
                        apart(out, (row) => dot(width, (i) => all[row * width + i], (i) => x[i])),
                        apart(sums, (i) => dot(rows, (n) => all[n * width + i], (n) => y[n])));
                    if (![...before, ...after].every((value) => value === 7)) spoilt++;
                }
            }
            return [worst, spoilt];
        }"""
    )
    assert worst < 5e-6
    assert spoilt == 0


@pytest.mark.parametrize("tied", [True, False])
def test_a_model_s_memory_is_what_was_told_and_all_of_it_is_used(page, tied):
    """WebAssembly counts memory in pages of 64 kB, so less than one is left over."""
    config = GPTConfig(4099, context_length=256, n_layer=2, n_head=5, n_embd=160, tied=tied)
    assert put(page, gpt2_settings(config), save(our_names(made(config)))) is None
    used, whole, told, own = page.evaluate(
        """() => {
            const last = model.work.scores;
            const { buffer } = last;
            const all = [model.tokens.weight, model.head.weight, ...Object.values(model.work),
                ...model.blocks.flatMap(({ qkv, projection, up, down, keys, values }) =>
                    [qkv.weight, projection.weight, up.weight, down.weight, keys, values])];
            return [last.byteOffset + 32 * Math.ceil(last.length / 8), buffer.byteLength,
                gptCosts(gptConfig(model.config)).bytes,
                all.every((array) => array.buffer === buffer)];
        }"""
    )
    assert own
    assert 0 <= whole - used < 65536
    assert whole < told + 65536


def test_bytes_that_a_browser_cannot_run_are_left_out(page):
    assert page.evaluate(
        """() => {
            const damaged = new Uint8Array(product.slice(0)).fill(99, 20);
            return memoryFor(8, damaged).multiply === multiply
                && memoryFor(8, product).multiply !== multiply;
        }"""
    )
