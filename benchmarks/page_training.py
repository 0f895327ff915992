"""A GPT that learns in the page, against PyTorch and TensorFlow.js, in headless Chromium.

    python benchmarks/page_training.py [--text FILE] [--tensorflow-js FOLDER FOLDER] [--quick]

FILE is a text, such as tiny Shakespeare; without it, the package's plays. The FOLDERs are the
unpacked npm packages @tensorflow/tfjs and @tensorflow/tfjs-backend-wasm (`npm pack`, `tar xf`);
without them that peer is left out. Every size of the page trains by the page's recipe: ours in a
worker, with WebAssembly and without; `minigpt.training`'s trainer, which is PyTorch, on one thread
and on two; TensorFlow.js in a worker, by its WebAssembly backend where that has the gradients, and
by its CPU backend else. All take steps in turn. Before any timing TensorFlow.js is held to our loss
of the same weights.

Seconds to a loss: steps alone, without what measuring takes, until the validation text's loss in
nats per character is below it.
--quick takes fewer turns, and leaves the seconds to a loss out.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from harness import alternate, machine, print_ratios, print_table, versions
from page_server import HERE, chromium, npm_version, served
from playwright.sync_api import Browser, Page

from minigpt.data import read_text, shakespeare, train_validation_split
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import CharTokenizer
from minigpt.training import Recipe, Trainer, evaluate

sys.path.append(str(HERE.parent / "book" / "_ext" / "site"))
sys.path.append(str(HERE.parent / "book" / "_ext" / "notebooks"))
from training_files import SIZES, Size

GOAL = 2.2  # nats per character
OURS = "the page"
SCRIPT = "the page, without WebAssembly"
TORCH = {"PyTorch, 1 thread": 1, "PyTorch, 2 threads": 2}
NEAR = 1e-4  # of a loss: how far TensorFlow.js may be
OPENED = """(script) => {
    const type = script.includes("tensorflow") ? "classic" : "module";
    const worker = new Worker(script, { type });
    window.ask = (message) => new Promise((resolve, reject) => {
        worker.onmessage = ({ data: { result, error } }) =>
            error ? reject(new Error(error)) : resolve(result);
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage(message);
    });
}"""


class Worker:
    """A trainer in a worker of a page of its own."""

    def __init__(self, browser: Browser, url: str, script: str) -> None:
        self.page: Page = browser.new_page()
        self.page.set_default_timeout(120_000)
        self.page.goto(url)
        self.page.evaluate(OPENED, f"/benchmarks/{script}")

    def ask(self, method: str, given: Any = None) -> Any:
        return self.page.evaluate("(message) => ask(message)", [method, given])

    def steps(self, count: int) -> float:
        return self.ask("steps", count)

    def close(self) -> None:
        self.page.close()


class Torch:
    """`minigpt.training`'s trainer on some threads."""

    def __init__(self, order: dict[str, Any], threads: int) -> None:
        config = as_ours(order["config"])
        recipe = Recipe(**order["recipe"])
        model = GPT(config, torch.Generator().manual_seed(recipe.seed))
        self.trainer = Trainer(model, torch.tensor(order["training"]), recipe)
        self.validation = torch.tensor(order["validation"])
        self.threads = threads

    def steps(self, count: int) -> float:
        torch.set_num_threads(self.threads)
        return [self.trainer.step() for _ in range(count)][-1]

    def measure(self) -> float:
        config = self.trainer.model.config
        return evaluate(self.trainer.model, self.validation[:25_000], config.context_length)


def as_ours(config: dict[str, int]) -> GPTConfig:
    sizes = dict(config)
    return GPTConfig(context_length=sizes.pop("n_positions"), **sizes)


def order_of(size: Size, text: str, steps: int | None = None) -> dict[str, Any]:
    """What everyone is given: sizes, recipe and both parts of the text, as ids of characters."""
    training, validation = train_validation_split(text)
    tokenizer = CharTokenizer.train(text)
    payload = size.payload(Recipe.named("adamw"))
    if steps:
        payload["recipe"]["steps"] = steps
    config = {"vocab_size": tokenizer.vocab_size, **payload["sizes"]}
    ids = {
        "training": tokenizer.encode(training)[:500_000],
        "validation": tokenizer.encode(validation)[:100_000],
    }
    return {"config": config, "recipe": payload["recipe"], **ids}


def begun(browser: Browser, url: str, order: dict[str, Any], script: bool = False) -> Worker:
    worker = Worker(browser, url, "our_training_worker.js")
    settings = {"bias": True, "tie_word_embeddings": True}
    worker.first = worker.ask(
        "start", order | {"config": order["config"] | settings, "script": script}
    )
    return worker


def tensorflow(browser: Browser, url: str, order: dict[str, Any], ours: Worker) -> tuple[str, Any]:
    """TensorFlow.js by the first backend that can take a step, and that backend's name."""
    refused = []
    for backend in ("wasm", "cpu"):
        worker = Worker(browser, url, "tensorflow_worker.js")
        worker.ask("start", order | {"backend": backend, "first": ours.first})
        T = order["config"]["n_positions"]
        rows = [order["training"][i * T : i * T + T + 1] for i in range(2)]
        windows = {"inputs": [r[:-1] for r in rows], "targets": [r[1:] for r in rows]}
        try:
            loss = worker.ask("loss", windows)
            worker.steps(1)
        except Exception as error:  # what this backend lacks, in its own words
            refused.append(f"{backend}: {str(error).splitlines()[0]}")
            worker.close()
            continue
        expected = loss_of(ours.first, order["config"], windows)
        if not abs(loss - expected) < NEAR:
            raise RuntimeError(f"TensorFlow.js has a loss of {loss}, PyTorch of {expected}")
        for reason in refused:
            print(f"TensorFlow.js leaves out {reason}")
        return f"TensorFlow.js, {backend}", worker
    raise RuntimeError("; ".join(refused))


@torch.inference_mode()
def loss_of(first: dict[str, Any], config: dict[str, int], windows: dict[str, Any]) -> float:
    """PyTorch's loss of the weights that a page begins with."""
    model = GPT(as_ours(config))
    weights = {n: torch.tensor(t["numbers"]).view(t["shape"]) for n, t in first.items()}
    model.load_state_dict(weights, strict=False)
    scores = model(torch.tensor(windows["inputs"]))
    return torch.nn.functional.cross_entropy(
        scores.flatten(0, 1), torch.tensor(windows["targets"]).flatten()
    ).item()


def speeds(
    browser: Browser, url: str, size: Size, text: str, peer: bool, rounds: int
) -> tuple[dict[str, float], str | None]:
    """Steps per second of everyone, in turn, and the name of TensorFlow.js's row."""
    order = order_of(size, text, steps=10**6)
    everyone: dict[str, Any] = {
        OURS: begun(browser, url, order),
        SCRIPT: begun(browser, url, order, script=True),
    }
    everyone |= {name: Torch(order, threads) for name, threads in TORCH.items()}
    name = None
    if peer:
        name, worker = tensorflow(browser, url, order, everyone[OURS])
        everyone[name] = worker
    counts = {who: steps_in(0.4, one.steps) for who, one in everyone.items()}
    seconds = alternate(
        {
            who: ((lambda: None), lambda _, one=one, count=counts[who]: one.steps(count))
            for who, one in everyone.items()
        },
        rounds,
    )
    for one in everyone.values():
        if isinstance(one, Worker):
            one.close()
    return {who: counts[who] / seconds[who] for who in everyone}, name


def steps_in(seconds: float, steps: Callable[[int], float]) -> int:
    """How many steps take about that long, after some to warm up."""
    count = 1
    while True:
        steps(count)
        begin = time.perf_counter()
        steps(count)
        taken = time.perf_counter() - begin
        if taken > seconds / 4:
            return max(1, round(count * seconds / taken))
        count *= 2


def seconds_to(goal: float, one: Any, steps: int) -> tuple[float, int] | None:
    """Seconds of steps, and their number, until the validation text's loss is below `goal`."""
    taken, every = 0.0, 50
    for done in range(0, steps, every):
        begin = time.perf_counter()
        one.steps(every)
        taken += time.perf_counter() - begin
        loss = one.ask("measure") if isinstance(one, Worker) else one.measure()
        if loss < goal:
            return taken, done + every
    return None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--text", type=Path, help="a text, such as tiny Shakespeare")
    parser.add_argument("--tensorflow-js", type=Path, nargs=2, help="two unpacked npm packages")
    parser.add_argument("--quick", action="store_true", help="fewer turns, and speeds alone")
    arguments = parser.parse_args()
    text = read_text(arguments.text) if arguments.text else shakespeare()[:1_100_000]
    packages = arguments.tensorflow_js or []
    places = zip(("/tensorflow/", "/tensorflow-wasm/"), packages, strict=False)
    folders = {place: package / "dist" for place, package in places}
    ratios, rows, goals = {}, [], []
    with chromium.launched() as browser, served(folders) as server:
        print(machine())
        print(versions(["minigpt", "torch"]) + f", Chromium {browser.version}", end="")
        print("".join(f", {npm_version(package)}" for package in packages), end="\n\n")
        for size in SIZES:
            rounds = 3 if arguments.quick else 9
            found, peer = speeds(browser, server.url, size, text, bool(packages), rounds)
            for who, speed in found.items():
                ratio = f"{found[OURS] / speed:.2f}"
                rows.append((size.name, who, f"{speed:,.1f}", ratio))
            suffix = size.name.replace(" ", "_").replace(".", "_")
            for who, threads in TORCH.items():
                ratios[f"page_vs_torch_{threads}_{suffix}"] = found[OURS] / found[who]
            if peer:
                ratios[f"page_vs_tensorflow_js_{suffix}"] = found[OURS] / found[peer]
            if not arguments.quick and size.n_layer > 1:
                goals += times_to_goal(browser, server.url, size, text)
    print_table(("numbers", "who", "steps per second", "the page : this"), rows)
    if goals:
        print(f"\nTo {GOAL} nats per character on the validation text:\n")
        print_table(("numbers", "who", "seconds", "steps"), goals)
    print()
    print_ratios("page_training", ratios)


def times_to_goal(browser: Browser, url: str, size: Size, text: str) -> list[tuple[str, ...]]:
    order = order_of(size, text)
    page = begun(browser, url, order)
    everyone: dict[str, Any] = {OURS: page} | {who: Torch(order, n) for who, n in TORCH.items()}
    rows = []
    for who, one in everyone.items():
        found = seconds_to(GOAL, one, order["recipe"]["steps"])
        seconds, steps = (f"{found[0]:.1f}", f"{found[1]:,}") if found else ("not reached", "")
        rows.append((size.name, who, seconds, steps))
    page.close()
    return rows


if __name__ == "__main__":
    main()
