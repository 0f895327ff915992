"""A reader's text in the page: tokens, refusals, and the folder that a trained model leaves in."""

from __future__ import annotations

import base64
import math
from dataclasses import asdict
from itertools import pairwise

import pytest
import torch
from transformers import GPT2LMHeadModel

from minigpt.data import shakespeare, train_validation_split
from minigpt.exchange import load
from minigpt.tokenizer import BPETokenizer, CharTokenizer, open_tokenizer
from minigpt.training import Recipe

TEXT = shakespeare()[:20_000] + "naïve café 안녕 👍 0123 9\n"
RECIPE = asdict(Recipe(steps=20, batch_size=4, learning_rate=1e-2, warmup=5))
LANGUAGE = """async () => {
    const names = ["training/texts.js", "training/room.js", "training/training-run.js",
        "training/model-files.js", "training/learned-merges.js", "tokenizer-files.js",
        "safetensors.js", "gpt.js", "gpt-weights.js"];
    const address = (name) => new URL(`_static/engine/${name}`, document.baseURI);
    Object.assign(window, ...await Promise.all(names.map((name) => import(address(name)))));
    window.bytes = await window.fetchedWasm();
    window.errorOf = (act) => {
        try { act(); } catch (error) { return error.message; }
    };
    window.packed = (data) => btoa([...data].map((byte) => String.fromCharCode(byte)).join(""));
}"""


def open_chapter(page, site_url: str) -> None:
    page.goto(site_url + "status.html")  # a page with no element that computes
    page.evaluate(LANGUAGE)


def test_the_same_merges_are_learned_as_in_python(page):
    merges, ids = page.evaluate(
        """(text) => {
            const tokenizer = learnTokenizer(text, 300);
            return [[...tokenizer.merges], tokenizer.encode(text)];
        }""",
        TEXT,
    )
    ours = BPETokenizer.train(TEXT, 256 + 300, progress=False)
    assert [*zip(merges[::2], merges[1::2], strict=True)] == ours.merges
    assert ids == ours.encode(TEXT)


def test_merging_ends_where_every_piece_is_one_token(page):
    merges = page.evaluate("learnTokenizer('abab abab', 100).mergeCount")
    assert merges == 3  # ab, abab, and that with its space


def test_a_text_is_cut_as_in_python(page):
    ids, cut, vocab = page.evaluate(
        """(text) => {
            const { tokenizer, training, validation } = readText(text, { merges: 0, length: 16 });
            return [[...training, ...validation], training.length, tokenizer.characters];
        }""",
        TEXT,
    )
    ours = CharTokenizer.train(TEXT)
    assert ids == ours.encode(TEXT) and vocab == [*ours.vocab]
    assert cut == len(train_validation_split(TEXT)[0])


def test_bpe_is_learned_from_the_training_part_alone(page):
    merges = page.evaluate(
        "(text) => [...readText(text, { merges: 200, length: 16 }).tokenizer.merges]", TEXT
    )
    ours = BPETokenizer.train(train_validation_split(TEXT)[0], 456, progress=False)
    assert [*zip(merges[::2], merges[1::2], strict=True)] == ours.merges


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "There is no text: paste one"),
        ("aaaaaa" * 100, "one character, “a”, again and again"),
        ("ab\0c" * 300, "no text, or in an encoding other than UTF-8"),
        ("To be, or not to be", "too short: of its 19 characters"),
        ("ab" * 150, "30 tokens, where the model needs 33. Give about 400 characters"),
    ],
)
def test_what_is_no_text_to_learn_from_is_refused(page, text, said):
    assert said in page.evaluate(
        "(text) => errorOf(() => readText(text, { merges: 0, length: 16 }))", text
    )


def test_line_ends_of_windows_are_line_ends(page):
    size = page.evaluate(
        "readText('ab\\r\\ncd\\r'.repeat(99), { merges: 0, length: 4 }).tokenizer.size"
    )
    assert size == 5


def test_the_loss_of_counting_pairs(page):
    ids = torch.tensor([0, 1, 2] * 50 + [0, 2, 1])
    training, validation = ids[:120], ids[120:]
    counts = torch.full((4, 4), 1e-3, dtype=torch.float64)
    for left, right in pairwise(training):
        counts[left, right] += 1
    shares = counts / counts.sum(dim=1, keepdim=True)
    wanted = -shares[validation[:-1], validation[1:]].log().mean().item()
    found = page.evaluate(
        "([a, b]) => lossOfPairs(a, b, 4)", [training.tolist(), validation.tolist()]
    )
    assert math.isclose(found, wanted, rel_tol=1e-9)


@pytest.mark.usefixtures("as_readers_run_it")  # JSON of JavaScript has 0 for 0.0
@pytest.mark.parametrize("merges", [0, 120], ids=["characters", "bpe"])
def test_the_folder_opens_in_python_with_the_same_scores(page, merges, tmp_path):
    """And in the page, where it is written again to the same bytes."""
    found = page.evaluate(
        """async ([text, merges, recipe]) => {
            const { tokenizer, training, validation } = readText(text, { merges, length: 16 });
            const config = { vocab_size: tokenizer.size, n_positions: 16, n_embd: 12, n_head: 3,
                n_layer: 2, bias: true, tie_word_embeddings: true };
            const run = await TrainingRun.make({
                config, recipe, text: { training, validation }, wasm: bytes });
            for (let i = 0; i < 10; i++) run.step();
            const files = modelFiles(run.model, tokenizer);
            const ids = [...training.subarray(0, 16)];
            const scores = [...run.written().read(ids)];
            // Opened again in the page, and written again.
            const json = (name) => JSON.parse(new TextDecoder().decode(files[name]));
            const again = tokenizerOf(json("tokenizer.json"));
            const weights = readSafetensors(files["model.safetensors"].buffer);
            const model = new GPT(json("config.json"), weights);
            const load = gptWeights(model.config, weights);
            const second = await TrainingRun.make({
                config, recipe: { ...recipe, seed: 2 }, text: { training, validation } });
            for (const { name, at } of second.model.tensors) {
                second.model.weights.set(load(name), at);
            }
            // A BPE is opened with other ids inside: of it, what it encodes is compared below.
            const written = modelFiles(second.model, again.characters ? again : tokenizer);
            const unchanged = Object.keys(files).every((name) =>
                packed(written[name]) === packed(files[name]));
            const part = text.slice(0, 500);
            const same = unchanged && String(model.read(ids)) === String(scores)
                && String(again.encode(part)) === String(tokenizer.encode(part));
            return [Object.fromEntries(Object.entries(files).map(([n, data]) => [n, packed(data)])),
                ids, scores, same];
        }""",
        [TEXT, merges, RECIPE],
    )
    files, ids, scores, same = found
    assert same and sorted(files) == ["config.json", "model.safetensors", "tokenizer.json"]
    for name, data in files.items():
        (tmp_path / name).write_bytes(base64.b64decode(data))
    model, tokenizer = load(tmp_path), open_tokenizer(tmp_path)
    with torch.no_grad():
        ours = model(torch.tensor([ids]))[0, -1]
        theirs = GPT2LMHeadModel.from_pretrained(tmp_path)(torch.tensor([ids])).logits[0, -1]
    wanted = torch.tensor(scores)
    torch.testing.assert_close(ours, wanted, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(theirs, wanted, atol=1e-4, rtol=1e-4)
    assert tokenizer.encode(TEXT)[: len(ids)] == ids
