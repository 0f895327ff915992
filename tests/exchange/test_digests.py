"""One changed bit of what we save is found and named; what means the same opens as before."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from damages import INTERNAL
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from small_models import awake, seeded
from transformers import AutoModelForCausalLM, AutoTokenizer

from minigpt.exchange import load, save
from minigpt.exchange.digests import with_digests
from minigpt.exchange.int8_file import load_int8, save_int8
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import BPETokenizer, CharTokenizer, open_tokenizer

END = "<|endoftext|>"
TEXT = "But soft, what light through yonder window breaks? It is the east.\n" * 3
TOKENIZERS = {
    "byte-pairs": BPETokenizer.train(TEXT, 270, special_tokens=[END], progress=False),
    "characters": CharTokenizer.train(TEXT),
}
CONFIG = GPTConfig(vocab_size=270, context_length=4, n_layer=1, n_head=2, n_embd=4, dropout=0.1)
INT8 = "int8.safetensors"


def made(config: GPTConfig = CONFIG) -> GPT:
    return awake(GPT(config, seeded(0)), 0).eval()


def saved(folder: Path, name: str = "byte-pairs") -> Path:
    save(made(), folder, TOKENIZERS[name])
    save_int8(made(), folder / INT8)
    return folder


@pytest.fixture
def folder(tmp_path) -> Path:
    return saved(tmp_path / "m")


def meaning(folder: Path) -> list:
    """All that a model and its tokenizer compute, read from a folder."""
    model, tokenizer = load(folder), open_tokenizer(folder)
    small = load_int8(model.config, folder / INT8)
    bits = [p.detach().numpy().tobytes() for m in (model, small) for p in m.parameters()]
    names = ("vocab", "merges", "special_tokens", "pattern")
    return [model.config, *bits, *(getattr(tokenizer, name, None) for name in names)]


def flip(path: Path, bit: int) -> bytes:
    """Change one bit of a file; what it was before."""
    before = path.read_bytes()
    data = bytearray(before)
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)
    return before


@pytest.mark.parametrize(
    ("name", "tokenizer"),
    [
        ("config.json", "byte-pairs"),
        ("tokenizer.json", "byte-pairs"),
        ("tokenizer.json", "characters"),
        ("model.safetensors", "byte-pairs"),
        (INT8, "byte-pairs"),
    ],
)
def test_no_flipped_bit_gives_another_model(tmp_path, name, tokenizer):
    path = saved(tmp_path / "m", tokenizer) / name
    whole, refused = meaning(path.parent), 0
    for bit in random.Random(0).sample(range(8 * path.stat().st_size), 40):
        before = flip(path, bit)
        try:
            assert meaning(path.parent) == whole, bit
        except ValueError as error:
            refused += 1
            assert path.name in str(error) and not INTERNAL.search(str(error)), error
        path.write_bytes(before)
    assert refused > 15 and meaning(path.parent) == whole


@pytest.mark.parametrize("name", ["model.safetensors", INT8])
def test_a_tensor_that_was_changed_is_named(folder, name):
    path = folder / name
    with safe_open(path, "pt") as file:
        tensors = [*file.keys()]
    header = 8 + int.from_bytes(path.read_bytes()[:8], "little")
    places = json.loads(path.read_bytes()[8:header])
    for tensor in tensors:
        before = flip(path, 8 * (header + places[tensor]["data_offsets"][0]))
        with pytest.raises(ValueError, match=rf"^{tensor} in .*m/{name} is not what was saved: "):
            load(folder) if name != INT8 else load_int8(CONFIG, path)
        path.write_bytes(before)


def change(path: Path, **settings) -> None:
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | settings), "utf-8")


def test_another_number_of_heads_is_refused_although_all_shapes_fit(folder):
    """The same matrices, cut otherwise, are another model."""
    change(folder / "config.json", n_head=4)
    with pytest.raises(ValueError, match=r"n_head is 4, and .*model\.safetensors was saved with 2"):
        load(folder)
    with pytest.raises(ValueError, match=r"n_head is 4, and .*int8\.safetensors was saved with 2"):
        load_int8(replace(CONFIG, n_head=4), folder / INT8)


def test_what_changes_nothing_that_is_computed_may_be_edited(folder):
    dropouts = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0)
    change(folder / "config.json", **dropouts, task_specific_params=None, dtype="float64")
    assert load(folder).config == replace(CONFIG, dropout=0.0)


def test_another_tokenizer_beside_the_weights_is_refused(folder):
    other = BPETokenizer.train(TEXT[::-1], 270, special_tokens=[END], progress=False)
    other.save(folder / "tokenizer.json")
    with pytest.raises(
        ValueError, match=r"m/tokenizer\.json is not the tokenizer that the weights"
    ):
        load(folder)
    (folder / "tokenizer.json").unlink()
    model = load(folder)
    save(model, folder.parent / "other", other)  # what the message says to do
    assert open_tokenizer(folder.parent / "other").vocab == other.vocab
    load(folder.parent / "other")


def test_the_same_tokenizer_as_transformers_writes_it_is_no_other(folder):
    before = (folder / "tokenizer.json").read_bytes()
    AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
    assert (folder / "tokenizer.json").read_bytes() != before
    load(folder)


def test_a_model_saved_without_a_tokenizer_takes_any(tmp_path):
    save(made(), tmp_path / "m")
    TOKENIZERS["characters"].save(tmp_path / "m" / "tokenizer.json")
    load(tmp_path / "m")


def test_files_without_digests_open_as_before(folder):
    whole = meaning(folder)
    for name in ("model.safetensors", INT8):
        save_file(load_file(folder / name), folder / name)
    assert meaning(folder) == whole
    change(folder / "config.json", n_head=4)
    assert load(folder).config.n_head == 4


def test_transformers_keeps_no_digest_of_weights_that_it_changed(folder):
    theirs = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        theirs.transformer.wte.weight.add_(1.0)
    theirs.save_pretrained(folder)
    assert torch.equal(load(folder).token_embedding.weight, theirs.transformer.wte.weight)


def test_the_file_is_the_librarys_own_but_for_the_order_of_its_metadata():
    tensors = {"b": torch.arange(3.0), "a": torch.tensor([[1, 2]], dtype=torch.int8)}
    said = {name: "x" for name in "pqrstuvw"}
    data = with_digests(tensors, said)
    assert len({with_digests(tensors, said) for _ in range(9)}) == 1
    end = 8 + int.from_bytes(data[:8], "little")
    held = json.loads(data[8:end])["__metadata__"]
    assert [*held] == sorted(held) and held.items() >= said.items()
    # As `sha256sum` gives it of the numbers: 01 02.
    assert held["sha256 a"] == "a12871fee210fb8619291eaea194581cbd2531e4b23759d225f6806923f63222"
    assert (len(data) - end, end % 8) == (3 * 4 + 2, 0)
