"""A model from a reader's folder, opened in a real browser: minigpt's and transformers' files give
PyTorch's scores, and what minigpt refuses is refused in words."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file, save_model
from small_models import awake, kinds_of
from transformers import GPT2Config, GPT2LMHeadModel

from minigpt.exchange import load, save
from minigpt.exchange.gpt2_format import config_from_gpt2
from minigpt.model import GPT, GPTConfig
from minigpt.model.ledger import parameter_count
from minigpt.tokenizer import BPETokenizer, CharTokenizer, open_tokenizer
from minigpt.tokenizer.tokenizer_json import PLAIN_SPECIAL

END = "<|endoftext|>"
TEXT = "But soft, what light through yonder window breaks? It is the east.\n" * 3
TRIED = f"But soft, it's  é{END}世 <p>\n light"
TOKENIZERS = {
    "characters": lambda: CharTokenizer.train(TEXT + "é👍\r"),
    "bpe": lambda: BPETokenizer.train(TEXT, 300, special_tokens=[END], progress=False),
    "whole": lambda: BPETokenizer.train(TEXT, 270, pattern=None, progress=False),
    "gpt2": BPETokenizer.gpt2,
}
LANGUAGE = """async () => {
    const names = ["engine/own-model.js", "engine/gpt-config.js", "engine/tokenizer-files.js"];
    const address = (name) => new URL(`_static/${name}`, document.baseURI);
    Object.assign(window, ...await Promise.all(names.map((name) => import(address(name)))));
    const input = Object.assign(document.createElement("input"), { type: "file", multiple: true });
    document.body.append(Object.assign(input, { id: "own-files" }));
    window.opened = async () => {
        window.model?.close();
        delete window.model;
        const files = new Map([...input.files].map((file) => [file.name, file]));
        try {
            window.sizes = await sizesOf(files);
            window.reports = [];
            const report = (progress) => reports.push(progress);
            window.model = await openModel(files, sizes, report, new AbortController().signal);
        } catch (error) {
            return error.message;
        }
    };
}"""


def open_chapter(page, site_url: str) -> None:
    page.goto(site_url + "status.html")
    page.evaluate(LANGUAGE)


def put(page, folder: Path) -> str | None:
    """Open a folder as the page's `model`. Returns its error, or None."""
    page.locator("#own-files").set_input_files([path for path in folder.iterdir()])
    return page.evaluate("opened()")


def everywhere(page, ids: list[int]) -> np.ndarray:
    ask = (
        "ids => Promise.all(ids.map(async (_, t) => [...await model.scores(ids.slice(0, t + 1))]))"
    )
    return np.array(page.evaluate(ask, ids))


@torch.inference_mode()
def assert_same_scores(page, folder: Path, atol: float = 1e-5) -> None:
    model = load(folder).double()
    V, T = model.config.vocab_size, model.config.context_length
    ids = torch.randint(V, (T,), generator=torch.Generator().manual_seed(1)).tolist()
    want = model(torch.tensor([ids]))[0].numpy()
    np.testing.assert_allclose(everywhere(page, ids), want, rtol=0, atol=atol)


def saved(folder: Path, config: GPTConfig | None = None, kind: str = "characters", **more) -> Path:
    """A small model of ours, as `minigpt train` writes it."""
    tokenizer = TOKENIZERS[kind]()
    config = config or GPTConfig(tokenizer.vocab_size, 7, n_layer=2, n_head=3, n_embd=12)
    save(awake(GPT(config)).eval(), folder, tokenizer, **more)
    return folder


def theirs(folder: Path, tokenizer=None, **settings) -> Path:
    """A small model as transformers writes it."""
    tokenizer = tokenizer or TOKENIZERS["bpe"]()
    ends = {"bos_token_id": None, "eos_token_id": None}
    sizes = {"n_positions": 7, "n_layer": 2, "n_head": 2, "n_embd": 8} | settings
    config = GPT2Config(vocab_size=tokenizer.vocab_size, **ends, **sizes)
    model = awake(GPT2LMHeadModel(config), seed=1).eval()
    model.to(getattr(torch, settings.get("dtype", "float32"))).save_pretrained(folder)
    tokenizer.save(folder / "tokenizer.json")
    return folder


def change_json(folder: Path, name: str, change: Callable) -> None:
    contents = json.loads((folder / name).read_text("utf-8"))
    contents = change(contents) or contents
    (folder / name).write_text(json.dumps(contents), "utf-8")


def change_tensors(folder: Path, change: Callable) -> None:
    tensors = load_file(folder / "model.safetensors")
    save_file(change(tensors) or tensors, folder / "model.safetensors", {"format": "pt"})


# What opens


@pytest.mark.parametrize(
    "kind", ["characters", "bpe", "whole", pytest.param("gpt2", marks=pytest.mark.slow)]
)
def test_what_minigpt_saved_gives_pytorch_s_scores_and_python_s_ids(page, tmp_path, kind):
    tokenizer = TOKENIZERS[kind]()
    config = GPTConfig(tokenizer.vocab_size, 7, n_layer=2, n_head=2, n_embd=6)
    folder = saved(tmp_path / "m", config, kind)
    assert put(page, folder) is None
    assert page.evaluate("sizes.numbers") == parameter_count(config)
    assert_same_scores(page, folder)
    tried = TEXT + "é" if kind == "characters" else TRIED
    ids = tokenizer.encode(tried)
    assert page.evaluate("text => model.tokenizer.encode(text)", tried) == ids
    assert page.evaluate("ids => model.tokenizer.decode(ids)", ids) == tried
    end = getattr(tokenizer, "special_tokens", {}).get(END)
    assert page.evaluate("model.tokenizer.end ?? null") == end
    ids = [0, tokenizer.vocab_size // 2, tokenizer.vocab_size - 1]
    texts = page.evaluate("ids => ids.map((id) => [...model.tokenizer.tokenBytes(id)])", ids)
    assert [bytes(text).decode("utf-8", "replace") for text in texts] == [
        tokenizer.decode([i]) for i in ids
    ]


SMALL = GPTConfig(60, 7, n_layer=2, n_head=3, n_embd=12)
KINDS = kinds_of(SMALL)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("config", KINDS.values(), ids=KINDS)
def test_every_kind_of_size_and_number(page, tmp_path, config, dtype):
    folder = saved(tmp_path / "m", config, dtype=dtype)
    assert put(page, folder) is None
    # Those of the tokenizer: what has no text gets no score.
    known = CharTokenizer.load(folder / "tokenizer.json").vocab_size
    assert len(everywhere(page, [1])[0]) == known < config.vocab_size
    change_json(folder, "tokenizer.json", lambda contents: fill(contents, config.vocab_size))
    change_tensors(folder, lambda tensors: tensors)  # forgets the tokenizer's digest
    assert put(page, folder) is None
    assert_same_scores(page, folder)


def fill(contents: dict, size: int) -> None:
    vocab = contents["model"]["vocab"]
    vocab |= {chr(0x3000 + i): i for i in range(len(vocab), size)}


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("form", ["", "bare", "masks", "head too", "head alone", "parts"])
def test_what_transformers_saved_gives_pytorch_s_scores(page, tmp_path, dtype, form):
    folder = theirs(tmp_path / "m", dtype=dtype)

    def masks(tensors):
        square = torch.ones(7, 7, dtype=torch.bool).tril()[None, None]
        tensors |= {f"transformer.h.{i}.attn.bias": square.clone() for i in range(2)}
        tensors |= {f"transformer.h.{i}.attn.masked_bias": torch.tensor(-1e4) for i in range(2)}

    def bare(tensors):
        masks(tensors)
        return {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}

    def head(tensors):
        tensors["lm_head.weight"] = tensors["transformer.wte.weight"].clone()
        if form == "head alone":
            del tensors["transformer.wte.weight"]

    match form:
        case "bare":
            change_tensors(folder, bare)
        case "masks":
            change_tensors(folder, masks)
        case "head too" | "head alone":
            change_tensors(folder, head)
        case "parts":
            model = GPT2LMHeadModel.from_pretrained(folder, dtype=getattr(torch, dtype))
            (folder / "model.safetensors").unlink()
            model.save_pretrained(folder, max_shard_size="5KB")
            assert len([*folder.glob("model-*-of-*.safetensors")]) > 1
    assert put(page, folder) is None
    assert_same_scores(page, folder)
    read = page.evaluate("reports.map(({ loaded, total }) => loaded / total)")
    assert read == sorted(read) and read[-1] == 1


def test_a_tied_model_that_save_model_wrote(page, tmp_path):
    folder = theirs(tmp_path / "m")
    model = GPT2LMHeadModel.from_pretrained(folder)
    save_model(model, str(folder / "model.safetensors"))
    assert put(page, folder) is None
    assert_same_scores(page, folder)


@pytest.mark.parametrize("names", [("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe")])
@pytest.mark.parametrize("backwards", [False, True])
def test_vocabulary_and_merges_in_two_files(page, tmp_path, names, backwards):
    """And ids in another order than that of the merges."""
    folder = theirs(tmp_path / "m")
    contents = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]
    (folder / "tokenizer.json").unlink()
    vocab = contents["vocab"]
    if backwards:
        vocab = {token: len(vocab) - 1 - number for token, number in vocab.items()}
    lines = "#version: 0.2\n" + "".join(" ".join(pair) + "\n" for pair in contents["merges"])
    (folder / names[0]).write_text(json.dumps(vocab), "utf-8")
    (folder / names[1]).write_text(lines, "utf-8")
    assert put(page, folder) is None
    tokenizer = open_tokenizer(folder)
    ids = tokenizer.encode(TRIED)
    assert page.evaluate("text => model.tokenizer.encode(text)", TRIED) == ids
    assert page.evaluate("ids => model.tokenizer.decode(ids)", ids) == TRIED
    assert page.evaluate("model.tokenizer.end") == tokenizer.special_tokens[END]
    assert_same_scores(page, folder)


def test_tokens_that_files_beside_the_tokenizer_add(page, tmp_path):
    folder = theirs(tmp_path / "m")
    (folder / "added_tokens.json").write_text('{"<pad>": 300}', "utf-8")
    added = {"301": {"content": "<sep>", "special": True, **PLAIN_SPECIAL}}
    settings = json.dumps({"added_tokens_decoder": added})
    (folder / "tokenizer_config.json").write_text(settings, "utf-8")
    assert put(page, folder) is None
    assert open_tokenizer(folder).vocab_size == page.evaluate("model.tokenizer.size") == 302
    assert page.evaluate("model.tokenizer.decode([300, 301])") == "<pad><sep>"


# What does not, and what is said then


OTHERS = [
    ("config.json", "", "There is no config.json: choose it too, or the folder that has it."),
    ("model.safetensors", "", "There is no model.safetensors: choose it too"),
    (
        "model.safetensors",
        "pytorch_model.bin",
        "model.safetensors; pytorch_model.bin is a pickle",
    ),
    ("model.safetensors", "model.Q4.gguf", "model.Q4.gguf is llama.cpp’s: fetch the model in saf"),
    ("model.safetensors", "state.pt", "state.pt is a pickle, which could run code"),
    ("model.safetensors", "adapter_config.json", "is a LoRA adapter’s: join it with its model"),
    ("model.safetensors", "int8.safetensors", "int8.safetensors is minigpt’s of 8 bits"),
    ("model.safetensors", "model-00001-of-00002.safetensors", "is a part: choose all parts"),
    ("model.safetensors", "mine.safetensors", "mine.safetensors has another name: call it model"),
    ("tokenizer.json", "", "There is no tokenizer.json: choose it too"),
    ("tokenizer.json", "vocab.txt", "vocab.txt is a WordPiece tokenizer’s"),
    ("tokenizer.json", "spiece.model", "spiece.model is a SentencePiece tokenizer’s"),
    ("tokenizer.json", "vocab.json", "vocab.json needs its merges beside it, merges.txt"),
]


@pytest.mark.parametrize(("gone", "instead", "told"), OTHERS)
def test_a_file_that_is_missing_is_named(page, tmp_path, gone, instead, told):
    folder = saved(tmp_path / "m")
    (folder / gone).unlink()
    if instead:
        (folder / instead).write_bytes(b"{}")
    assert told in put(page, folder)


def test_parts_of_which_one_is_missing(page, tmp_path):
    folder = theirs(tmp_path / "m")
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")
    (folder / "model-1-of-2.safetensors").write_bytes(b"x")
    assert put(page, folder).startswith("There is no model-2-of-2.safetensors: choose it too")


CONFIGS = [
    {"model_type": "llama", "architectures": ["LlamaForCausalLM"]},
    {"architectures": ["GPTNeoForCausalLM"]},
    {"architectures": ["GPT2Model"]},
    {"activation_function": "gelu_fast"},
    {"activation_function": "gelu"},
    {"layer_norm_epsilon": 1e-6},
    {"scale_attn_weights": False},
    {"scale_attn_by_inverse_layer_idx": True},
    {"add_cross_attention": True},
    {"n_inner": 48},
    {"n_inner": 50},
    {"n_inner": None},
    {"bias": "yes"},
    {"tie_word_embeddings": None},
    {"n_layer": 0},
    {"n_layer": "2"},
    {"n_head": 5},
    {"n_embd": None},
    {"vocab_size": 2.5},
    {"n_ctx": 9},
]


@pytest.mark.parametrize("change", CONFIGS, ids=str)
def test_a_config_is_taken_or_refused_as_by_python(page, tmp_path, as_readers_run_it, change):
    settings = json.loads((saved(tmp_path / "m") / "config.json").read_text("utf-8")) | change
    told = page.evaluate(
        "(s) => { try { return [gptConfig(s)]; } catch ({ message }) { return message; } }",
        settings,
    )
    try:
        config = config_from_gpt2(settings)
    except ValueError as error:
        assert isinstance(told, str)
        assert str(error).split("; ")[0].split()[0] == told.split()[0]  # the same setting is named
        return
    assert told[0] == {
        "vocab_size": config.vocab_size,
        "n_positions": config.context_length,
        "n_layer": config.n_layer,
        "n_head": config.n_head,
        "n_embd": config.n_embd,
        "bias": config.bias,
        "tie_word_embeddings": config.tied,
    }


@pytest.mark.parametrize(
    ("name", "also"),
    [
        ("n_positions", "max_position_embeddings"),
        ("n_positions", "n_ctx"),
        ("n_layer", "num_hidden_layers"),
        ("n_head", "num_attention_heads"),
        ("n_embd", "hidden_size"),
    ],
)
def test_other_names_of_the_sizes(page, tmp_path, name, also):
    folder = saved(tmp_path / "m")
    change_json(folder, "config.json", lambda config: config.update({also: config.pop(name)}))
    assert put(page, folder) is None
    assert_same_scores(page, folder)


def test_a_llama_is_named(page, tmp_path):
    folder = saved(tmp_path / "m")
    llama = {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}
    change_json(folder, "config.json", lambda config: config.update(llama))
    assert put(page, folder) == (
        "config.json: model_type is llama (of a LlamaForCausalLM); this GPT computes gpt2 only: "
        "choose another model"
    )


def test_a_model_that_is_too_large_is_refused_by_its_config_alone(page, tmp_path):
    folder = saved(tmp_path / "m")
    medium = {"n_layer": 24, "n_head": 16, "n_embd": 1024, "n_positions": 1024}
    change_json(folder, "config.json", lambda c: c.update(medium | {"vocab_size": 50257}))
    told = page.evaluate(
        """async (config) => {
            const file = new File([config], "config.json");
            const weights = { name: "model.safetensors", size: 1.5e9 };
            const files = new Map([[file.name, file], [weights.name, weights]]);
            return sizesOf(files).catch(({ message }) => message);
        }""",
        (folder / "config.json").read_text("utf-8"),
    )
    assert told == (
        "It has 354,823,168 numbers and would need 1.6\u00a0GB of memory; this page opens what "
        "needs up to 0.6\u00a0GB, as GPT-2’s smallest does: choose a smaller one"
    )


@pytest.mark.parametrize("size", [10**9, 2**52])
def test_sizes_beyond_all_measure_are_refused_at_once(page, tmp_path, size):
    folder = saved(tmp_path / "m")
    change_json(folder, "config.json", lambda config: config.update(n_layer=size))
    assert "they ask for" in put(page, folder)


def test_gpt2_small_is_small_enough(page):
    config = GPTConfig.preset("gpt2")
    sizes = {"vocab_size": 50257, "n_positions": 1024, "n_layer": 12, "n_head": 12, "n_embd": 768}
    costs, most = page.evaluate("(s) => [gptCosts(gptConfig(s)), MOST_BYTES]", sizes)
    assert costs == {"numbers": parameter_count(config), "bytes": 573_256_704}
    assert costs["bytes"] < most


NAME = "transformer.h.0.mlp.c_fc.weight"
TENSORS = [
    (lambda t: t.pop(NAME), f"it lacks 1 of 28 tensors, among them {NAME}"),
    (lambda t: t.update({NAME: torch.zeros(8, 31)}), f"({NAME}) should have the shape [8,32], not"),
    (lambda t: t.update({NAME: torch.zeros(8, 32).int()}), "holds whole numbers"),
    (lambda t: t.update({NAME: torch.full((8, 32), torch.nan)}), "that are not finite"),
    (lambda t: t.update({NAME + ".absmax": torch.ones(1)}), "it is a quantised model’s; open one"),
    (lambda t: t.update({"score.weight": torch.ones(1)}), "it is a classifier’s; open the model"),
    (lambda t: t.update({NAME + ".lora_A": torch.ones(1)}), "it is a LoRA adapter’s; join it"),
    (lambda t: t.update({"transformer.h.2.ln_1.bias": torch.ones(8)}), "do the two files belong"),
    (lambda t: t.update({"lm_head.weight": torch.ones(300, 8)}), "config.json ties them: set tie"),
    (lambda t: t.update({"wte.weight": torch.ones(300, 8)}), "they are one tensor by two names"),
]


@pytest.mark.parametrize(("change", "told"), TENSORS, ids=[told for _, told in TENSORS])
def test_weights_that_do_not_fit_the_config_are_named(page, tmp_path, change, told):
    folder = theirs(tmp_path / "m")
    change_tensors(folder, lambda tensors: (change(tensors), tensors)[1])
    with pytest.raises(ValueError):
        load(folder)
    message = put(page, folder)
    assert message.startswith("model.safetensors: ")
    assert told in message


def test_a_model_without_biases_may_hold_zeros_for_them(page, tmp_path):
    folder = saved(tmp_path / "m", replace(SMALL, bias=False))
    change_tensors(folder, lambda t: t.update({"transformer.ln_f.bias": torch.ones(12)}))
    assert "it holds transformer.ln_f.bias, [12], which a GPT" in put(page, folder)


def test_another_number_of_heads_than_it_was_saved_with(page, tmp_path):
    folder = saved(tmp_path / "m")
    change_json(folder, "config.json", lambda config: config.update(n_head=4))
    assert put(page, folder) == (
        "model.safetensors: n_head is 4 in config.json, and these weights were saved with 3: set "
        "it back there"
    )


@pytest.mark.parametrize("kept", [0, 5, 200, -3])
def test_a_file_that_is_cut_short(page, tmp_path, kept):
    folder = saved(tmp_path / "m")
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    assert re.search("model.safetensors(:| is) no.* file", put(page, folder))


def test_a_config_that_is_no_json(page, tmp_path):
    folder = saved(tmp_path / "m")
    for text, told in (("{", "it is not JSON, or not all"), ("[]", "it holds no object")):
        (folder / "config.json").write_text(text, "utf-8")
        assert put(page, folder).startswith(f"config.json: {told}")


STEP = {"type": "TemplateProcessing", "single": [{"SpecialToken": {}}, {"Sequence": {}}]}
CHANGES = [
    ("model", {"type": "WordPiece"}, "it holds a WordPiece tokenizer; this page opens byte-level"),
    ("model", {"type": "Unigram"}, "it holds a Unigram tokenizer"),
    ("model", {"byte_fallback": True}, "its byte_fallback is true; this page has none"),
    ("model", {"dropout": 0.1}, "its dropout is 0.1"),
    ("model", {"end_of_word_suffix": "</w>"}, "its end_of_word_suffix"),
    ("model", {"merges": [["Ġ", "t"], ["q", "zz"]]}, "merge 1 joins “zz”"),
    ("model", {"merges": []}, "no merge makes it, and it is no special token: were the merges cut"),
    ("normalizer", {"type": "NFC"}, 'its normalizer is {"type":"NFC"}; this page has none'),
    ("padding", {"length": 3}, "its padding is"),
    ("post_processor", STEP, "its post_processor adds tokens around the text"),
    ("decoder", {"type": "WordPiece"}, "its decoder is"),
    ("pre_tokenizer", {"type": "Whitespace"}, "it cuts words by"),
    ("pre_tokenizer", {"type": "ByteLevel", "add_prefix_space": True}, "without a space put in"),
    ("added_tokens", [{"id": 300, "content": "<x>", "special": False}], "is no special one"),
    (
        "added_tokens",
        [{"id": 300, "content": "<x>", "special": True, "lstrip": True}],
        "the spaces",
    ),
    ("added_tokens", [{"id": 310, "content": "<x>", "special": True}], "“<x>” has the id 310"),
]


@pytest.mark.parametrize(("part", "change", "told"), CHANGES, ids=[told for *_, told in CHANGES])
def test_a_tokenizer_of_another_kind_is_named(page, tmp_path, part, change, told):
    folder = theirs(tmp_path / "m")

    def put_in(contents):
        change_is_part = part == "model" and isinstance(change, dict)
        contents[part] = contents[part] | change if change_is_part else change

    change_json(folder, "tokenizer.json", put_in)
    with pytest.raises(ValueError):
        open_tokenizer(folder)
    message = put(page, folder)
    assert message.startswith("tokenizer.json: ")
    assert told in message


def test_words_of_another_pattern_are_python_s_alone(page, tmp_path):
    BPETokenizer.train(TEXT, 290, pattern=r"\w+|\W+", progress=False).save(tmp_path / "t.json")
    folder = theirs(tmp_path / "m")
    shutil.copy(tmp_path / "t.json", folder / "tokenizer.json")
    open_tokenizer(folder)
    assert "it cuts words by" in put(page, folder)


def test_a_prefix_space_is_refused(page, tmp_path):
    folder = saved(tmp_path / "m")
    (folder / "tokenizer_config.json").write_text('{"add_prefix_space": true}', "utf-8")
    assert put(page, folder).startswith("tokenizer_config.json sets add_prefix_space")


def test_a_character_that_the_model_does_not_know(page, tmp_path):
    put(page, saved(tmp_path / "m"))
    told = page.evaluate(
        "() => { try { model.tokenizer.encode('But ☂'); } catch ({ message }) { return message; } }"
    )
    assert told.startswith("“☂”, character 5 of the text, is not among the 2")
