"""The model in the page against ONNX Runtime Web, in headless Chromium.

    python benchmarks/page.py [--onnxruntime-web FOLDER] [--quick]

FOLDER is the unpacked npm package onnxruntime-web (`npm pack onnxruntime-web`, then `tar xf`);
without it, or without the Python packages onnx and onnxscript, that peer is left out. Theirs is
WebAssembly with SIMD, on one thread and on two; ours is the site's JavaScript with products in
WebAssembly of its own, on one. Both have the weights of the shipped model's file of 8 bits, ours
as that file and theirs as a graph of float32. Both keep keys and values, and compute in a worker
that is asked for the scores after every token. One token is continued by the 255 best; before any
timing, both are held equal to PyTorch.

Ready: the first scores are there, in a new browser with nothing stored, the files being on this
machine. The bytes are those of all files that this took, ours with its tokenizer.
--quick adds 63 tokens instead of 255, in fewer turns.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import statistics
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from harness import alternate, machine, print_ratios, print_table, versions
from onnx_step import write_onnx
from page_server import HERE, Server, chromium, npm_version, served
from playwright.sync_api import Browser, Page

import minigpt
from minigpt.exchange.shipped import PRETRAINED
from minigpt.model import GPT

OURS = "ours"
# Who, and how page_engines.js starts it; of the peers also the ending of the ratios' names.
ENGINES = {
    OURS: ("ours", 1),
    "ONNX Runtime Web, 1 thread": ("onnxruntime", 1),
    "ONNX Runtime Web, 2 threads": ("onnxruntime", 2),
}
PEERS = dict(zip(list(ENGINES)[1:], ("", "_2_threads"), strict=True))
NEAR = 1e-3  # how far scores may be from PyTorch's


def served_with(package: Path | None, graph: Path) -> AbstractContextManager[Server]:
    """A server of our weights too, of those of the peer, and of its graph."""
    folders = {"/assets/models/": PRETRAINED}
    if package:
        folders |= {"/onnxruntime-web/": package / "dist", "/graph/": graph.parent}
    return served(folders)


class Engine:
    """One engine in a page of its own."""

    def __init__(self, browser: Browser, url: str, who: str) -> None:
        self.context = browser.new_context()  # with a cache of its own
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.page.goto(url)
        self.ready = self.call("start", *ENGINES[who]) / 1000  # seconds

    def call(self, function: str, *arguments: Any) -> Any:
        script = """async ([name, given]) =>
            (await import("/benchmarks/page_engines.js"))[name](...given)"""
        return self.page.evaluate(script, [function, arguments])

    def generate(self, count: int) -> list[int]:
        return self.call("generate", count)

    def close(self) -> None:
        self.context.close()


@torch.inference_mode()
def check_same(model: GPT, engine: Engine, who: str, count: int) -> None:
    """Raise RuntimeError if an engine computes other tokens or scores than PyTorch."""
    ids = engine.generate(count)
    scores = model(torch.tensor([ids[:-1]]))[0]
    if (expected := [0, *scores.argmax(dim=1).tolist()]) != ids:
        place = next(i for i in range(len(ids)) if ids[i] != expected[i])
        raise RuntimeError(f"{who} has {ids[place]} as token {place}, PyTorch {expected[place]}")
    distance = (torch.tensor(engine.call("last")) - scores[-1]).abs().max().item()
    if not distance < NEAR:
        raise RuntimeError(f"{who} computes other scores than PyTorch, by up to {distance:.3g}")


def start_times(
    browser: Browser, server: Server, everyone: list[str], rounds: int
) -> tuple[dict[str, float], dict[str, set[Path]]]:
    """Median seconds until each is ready, in turn, and the files that each fetched."""
    times: dict[str, list[float]] = {who: [] for who in everyone}
    files = {}
    for _ in range(rounds):
        for who in everyone:
            server.fetched.clear()
            engine = Engine(browser, server.url, who)
            engine.close()
            times[who].append(engine.ready)
            files[who] = {path for path in server.fetched if path.parent != HERE}
    return {who: statistics.median(seconds) for who, seconds in times.items()}, files


def megabytes(paths: set[Path], zipped: bool) -> float:
    contents = [path.read_bytes() for path in paths]
    return sum(len(gzip.compress(c, 9) if zipped else c) for c in contents) / 1e6


def missing(package: Path | None) -> list[str]:
    """What the peer needs and is not here."""
    found = [name for name in ("onnx", "onnxscript") if not importlib.util.find_spec(name)]
    return found if package else [*found, "--onnxruntime-web"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--onnxruntime-web", type=Path, help="its unpacked npm package")
    parser.add_argument("--quick", action="store_true", help="fewer new tokens and rounds")
    arguments = parser.parse_args()
    count, rounds = (63, 3) if arguments.quick else (255, 9)
    package = arguments.onnxruntime_web
    if package and not (package / "dist" / "ort.wasm.min.mjs").is_file():
        parser.error(f"{package} is not the unpacked npm package: it has no dist/ort.wasm.min.mjs")
    everyone = list(ENGINES)
    if lacking := missing(package):
        package, everyone = None, [OURS]
    torch.set_num_threads(1)
    model, _ = minigpt.load("shakespeare", int8=True)
    with tempfile.TemporaryDirectory() as folder, chromium.launched() as browser:
        graph = Path(folder) / "model.onnx"
        if package:
            write_onnx(model, graph)
        print(machine())
        print(versions(["minigpt", "torch"]) + f", Chromium {browser.version}", end="")
        print(f", {npm_version(package)}" if package else "", end="\n\n")
        if lacking:
            print(f"ONNX Runtime Web is left out, for lack of {', '.join(lacking)}.\n")
        with served_with(package, graph) as server:
            ready, files = start_times(browser, server, everyone, 1 if arguments.quick else 5)
            engines = {who: Engine(browser, server.url, who) for who in everyone}
            for who, engine in engines.items():
                check_same(model, engine, who, count)
            taken = alternate(
                {
                    who: ((lambda: None), lambda _, engine=engine: engine.generate(count))
                    for who, engine in engines.items()
                },
                rounds,
            )
            sizes = {who: [megabytes(files[who], z) for z in (False, True)] for who in everyone}
    rows = [
        (
            who,
            f"{count / taken[who]:,.0f}",
            f"{taken[who] / taken[OURS]:.2f}",
            f"{ready[who]:.2f} s",
            *[f"{size:.2f} MB" for size in sizes[who]],
        )
        for who in everyone
    ]
    print_table(("who", "tokens per second", "ours : this", "ready", "bytes", "gzip -9"), rows)
    ratios = {}
    for who in everyone[1:]:
        suffix = PEERS[who]
        ratios[f"page_vs_onnxruntime_web{suffix}"] = taken[who] / taken[OURS]
        ratios[f"page_ready_vs_onnxruntime_web{suffix}"] = ready[who] / ready[OURS]
    if package:
        zipped = [sizes[who][1] for who in everyone]
        ratios["page_bytes_vs_onnxruntime_web"] = zipped[1] / zipped[0]
    print()
    print_ratios("page", ratios)


if __name__ == "__main__":
    main()
