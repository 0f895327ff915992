"""A tokenizer in a folder, as other programs leave it: opened as transformers does, or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import GPT2Tokenizer, PreTrainedTokenizerFast

from minigpt.tokenizer import BPETokenizer, CharTokenizer, open_tokenizer
from minigpt.tokenizer.tokenizer_json import PLAIN_SPECIAL

END = "<|endoftext|>"
TEXT = "But soft, what light through yonder window breaks? It is the east.\n" * 3
TRIED = f"But soft, it's  é{END}世 <p>\n light"


@pytest.fixture(scope="module")
def ours() -> BPETokenizer:
    return BPETokenizer.train(TEXT, 280, special_tokens=[END], progress=False)


@pytest.fixture(scope="module")
def contents(ours, tmp_path_factory) -> dict:
    path = tmp_path_factory.mktemp("saved") / "tokenizer.json"
    ours.save(path)
    return json.loads(path.read_text("utf-8"))


def parts(tokenizer: BPETokenizer) -> dict:
    return {
        name: value
        for name, value in vars(tokenizer).items()
        if name in ("vocab", "merges", "special_tokens", "pattern")
    }


def write_pair(
    folder: Path,
    contents: dict,
    names: tuple[str, str] = ("vocab.json", "merges.txt"),
    header: str = "#version: 0.2\n",
    ends: str = "\n",
    mark: bytes = b"",
    vocab: Callable = dict,
) -> None:
    """Vocabulary and merges of a tokenizer.json, in a file each."""
    lines = header + "".join(" ".join(pair) + "\n" for pair in contents["model"]["merges"])
    text = json.dumps(vocab(contents["model"]["vocab"]), ensure_ascii=False)
    (folder / names[0]).write_bytes(mark + text.encode())
    (folder / names[1]).write_bytes(mark + lines.replace("\n", ends).encode())


def backwards(vocab: dict) -> dict:
    """Other ids than the merges' order: the last token is 0."""
    return {token: len(vocab) - 1 - number for token, number in vocab.items()}


PAIRS = {
    "transformers": {},
    "openai": {"names": ("encoder.json", "vocab.bpe")},
    "no-version": {"header": ""},
    "windows": {"ends": "\r\n"},
    "marked": {"mark": b"\xef\xbb\xbf"},
    "blank-lines": {"ends": "\n\n"},
    "other-ids": {"vocab": backwards},
}


@pytest.mark.parametrize("how", PAIRS.values(), ids=PAIRS)
def test_vocabulary_and_merges_in_two_files_open_as_one_tokenizer(tmp_path, ours, contents, how):
    write_pair(tmp_path, contents, **how)
    opened = open_tokenizer(tmp_path)
    if "vocab" in how:
        assert opened.vocab == ours.vocab[::-1]
    else:
        assert parts(opened) == parts(ours)
    assert opened.decode(opened.encode(TRIED)) == TRIED
    for name in how.get("names", ("vocab.json", "merges.txt")):
        assert parts(open_tokenizer(str(tmp_path / name))) == parts(opened)
    if how not in [PAIRS[name] for name in ("openai", "marked", "blank-lines")]:  # it opens none
        theirs = GPT2Tokenizer.from_pretrained(tmp_path)
        assert theirs(TRIED).input_ids == opened.encode(TRIED, allowed_special="all")


def test_a_folders_tokenizer_json_goes_before_the_pair(tmp_path, ours, contents):
    write_pair(tmp_path, contents, vocab=backwards)
    ours.save(tmp_path / "tokenizer.json")
    assert parts(open_tokenizer(tmp_path)) == parts(ours)
    theirs = GPT2Tokenizer.from_pretrained(tmp_path)
    assert theirs(TRIED).input_ids == ours.encode(TRIED, allowed_special="all")
    characters = CharTokenizer.train(TEXT)
    characters.save(tmp_path / "tokenizer.json")
    assert open_tokenizer(tmp_path).vocab == characters.vocab


DECODER = {"280": {"content": "<p>", **PLAIN_SPECIAL, "special": True}}
BESIDE = {
    "added": ("added_tokens.json", {"<p>": 280}),
    "settings": ("tokenizer_config.json", {"added_tokens_decoder": DECODER}),
    "known": ("added_tokens.json", {END: 279, "<p>": 280}),
}


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(("name", "held"), BESIDE.values(), ids=BESIDE)
def test_tokens_that_files_beside_it_add_count(tmp_path, ours, contents, name, held, whole):
    if whole:
        ours.save(tmp_path / "tokenizer.json")
    else:
        write_pair(tmp_path, contents)
    (tmp_path / name).write_text(json.dumps(held))
    opened = open_tokenizer(tmp_path)
    assert opened.special_tokens == {END: 279, "<p>": 280}
    theirs = GPT2Tokenizer.from_pretrained(tmp_path)
    ids = opened.encode(TRIED, allowed_special="all")
    assert 280 in ids and theirs(TRIED).input_ids == ids and theirs.decode(ids) == TRIED


REFUSED = {
    "space": ("tokenizer_config.json", {"add_prefix_space": True}, "sets add_prefix_space"),
    "list": ("tokenizer_config.json", [], r"tokenizer_config\.json is \[\]; it must be an object"),
    "text": ("added_tokens.json", "x", r"added_tokens\.json is 'x'; it must be an object"),
    "id": ("added_tokens.json", {"<p>": "280"}, "its id is '280'; it must be a whole number"),
    "taken": ("added_tokens.json", {"<p>": 3}, "tokens .* and '<p>' both have id 3"),
    "far": ("added_tokens.json", {"<p>": 999}, "no token has id 280, although there are ids to"),
    "decoder": ("tokenizer_config.json", {"added_tokens_decoder": []}, "added_tokens_decoder is"),
    "token": ("tokenizer_config.json", {"added_tokens_decoder": {"3": 3}}, "content is missing"),
    "number": (
        "tokenizer_config.json",
        {"added_tokens_decoder": {"x": {**DECODER["280"]}}},
        "its id is 'x'; it must be a whole number",
    ),
    "sides": (
        "tokenizer_config.json",
        {"added_tokens_decoder": {"280": {**DECODER["280"], "lstrip": True}}},
        "'<p>' takes the spaces beside it",
    ),
}


@pytest.mark.parametrize(("name", "held", "match"), REFUSED.values(), ids=REFUSED)
def test_files_beside_it_that_would_give_other_ids_are_refused(tmp_path, ours, name, held, match):
    ours.save(tmp_path / "tokenizer.json")
    (tmp_path / name).write_text(json.dumps(held))
    with pytest.raises(ValueError, match=match):
        open_tokenizer(tmp_path)


def test_merges_that_were_cut_short_are_refused_by_the_first_token_without_one(tmp_path, contents):
    model = contents["model"]
    write_pair(tmp_path, {"model": model | {"merges": model["merges"][:-2]}})
    with pytest.raises(
        ValueError, match=r"vocab\.json is no .* token 277, .*, is no byte, no merg"
    ):
        open_tokenizer(tmp_path)


@pytest.mark.parametrize("name", ["vocab.json", "merges.txt"])
def test_half_a_pair_is_refused_by_the_name_of_the_other(tmp_path, contents, name):
    write_pair(tmp_path, contents)
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError, match=name.replace(".", r"\.")):
        open_tokenizer(tmp_path)


def test_a_folder_of_something_else_says_what_it_holds(tmp_path):
    (tmp_path / "tokenizer.model").touch()
    (tmp_path / "config.json").touch()
    match = r"has no tokenizer\.json, nor vocab\.json with .*; it holds config\.json, tokenizer\.mo"
    with pytest.raises(FileNotFoundError, match=match):
        open_tokenizer(tmp_path)


OLDER = {
    "merges-as-text": lambda c: c["model"].update(merges=[*map(" ".join, c["model"]["merges"])]),
    "no-type": lambda c: c["model"].pop("type"),
    "few-settings": lambda c: [c["model"].pop(x) for x in ("byte_fallback", "ignore_merges")],
    "unknown": lambda c: c["model"].update(unk_token=END, fuse_unk=True, dropout=0.0),
    "empty-affixes": lambda c: c["model"].update(
        continuing_subword_prefix="", end_of_word_suffix=""
    ),
    "normalised": lambda c: c["added_tokens"][0].update(normalized=True),
    "trimmed": lambda c: c.update(post_processor={**c["decoder"], "trim_offsets": False}),
    "sequence": lambda c: c.update(
        post_processor={"type": "Sequence", "processors": [c["decoder"]]}
    ),
    "no-normaliser": lambda c: c.update(normalizer={}),
}


@pytest.mark.parametrize("change", OLDER.values(), ids=OLDER)
def test_a_file_of_another_version_opens_as_the_same_tokenizer(tmp_path, ours, contents, change):
    changed = json.loads(json.dumps(contents))
    change(changed)
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(changed), "utf-8")
    assert parts(open_tokenizer(path)) == parts(ours)
    if changed["normalizer"] is None:
        theirs = PreTrainedTokenizerFast(tokenizer_file=str(path))
        assert theirs(TRIED).input_ids == ours.encode(TRIED, allowed_special="all")
