"""Our generation against nanoGPT's and transformers', and against the memory's speed.

    python benchmarks/generation.py [--nanogpt PATH] [--quick]

One token is continued by 255, so that a context of 256 is filled; 65 characters, float32, two
threads, nothing cut off (no top-k), at two sizes, for one text and for 16 side by side. All have
the same random weights; nanoGPT's GELU is the exact one, ours and GPT-2's the approximation by a
tanh. PATH is a checkout of https://github.com/karpathy/nanoGPT, whose `generate` keeps no keys
and values; transformers' GPT-2 keeps them in its own cache, with its fastest form of that GELU and
no stop token. --quick adds 31 tokens instead of 255, which spares those without a cache the most.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import time
from collections.abc import Callable
from pathlib import Path

import torch
from harness import alternate, machine, print_ratios, print_table, versions
from torch import Tensor, nn
from torch.nn import functional as F

from minigpt.exchange.gpt2_format import gpt2_name, gpt2_settings, gpt2_weights
from minigpt.generation import generate
from minigpt.model import GPT, GPTConfig

VOCAB_SIZE, LENGTH = 65, 256
SIZES = {
    "10.7 M": GPTConfig(VOCAB_SIZE, LENGTH, n_layer=6, n_head=6, n_embd=384),
    "0.8 M": GPTConfig(VOCAB_SIZE, LENGTH, n_layer=4, n_head=4, n_embd=128),
}
OURS, UNCACHED, NANO, TRANSFORMERS = "ours", "ours, without cache", "nanoGPT", "transformers"
PEERS = {NANO: "nanogpt", TRANSFORMERS: "transformers"}
READING = "limit: reading"
# The workloads: size, batch, rounds, and the ending of the ratios' names.
WORKLOADS = [
    ("10.7 M", 1, 3, ""),
    ("0.8 M", 1, 5, "_small"),
    ("10.7 M", 16, 1, "_batch16"),  # a round takes minutes
    ("0.8 M", 16, 2, "_small_batch16"),
]
REPEATS = 3  # of those with a cache in a turn: they take a fraction of the others' time
FAR = 100_000_000  # numbers in 400 MB, more than any cache holds

Generate = Callable[[int], object]  # given how many tokens to add


def our_generate(model: GPT, batch: int, cached: bool) -> Generate:
    generator = torch.Generator().manual_seed(0)
    prompts = [[0]] * batch
    return lambda count: generate(model, prompts, count, generator=generator, cached=cached)


def nano_generate(checkout: Path, model: GPT, batch: int) -> Generate:
    """nanoGPT's, with our weights."""
    spec = importlib.util.spec_from_file_location("nanogpt_model", checkout / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    config = model.config
    sizes = {name: getattr(config, name) for name in ("vocab_size", "n_layer", "n_head", "n_embd")}
    with contextlib.redirect_stdout(io.StringIO()):  # it prints how many parameters it has
        nano = module.GPT(module.GPTConfig(block_size=config.context_length, bias=True, **sizes))
    nano.load_state_dict({gpt2_name(name): t for name, t in model.state_dict().items()})
    nano.eval()
    check_same(model, lambda ids: nano(ids, ids)[0], NANO, 0.02)
    prompt = torch.zeros(batch, 1, dtype=torch.long)
    return lambda count: nano.generate(prompt, count)


def transformers_generate(model: GPT, batch: int) -> Generate:
    """transformers' GPT-2, with our weights."""
    import transformers

    settings = gpt2_settings(model.config)
    # GPT-2's files say "gelu_new", the same formula in eight steps instead of one.
    settings |= {"activation_function": "gelu_pytorch_tanh"}
    settings |= {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
    theirs = transformers.GPT2LMHeadModel(transformers.GPT2Config(**settings)).eval()
    theirs.load_state_dict(gpt2_weights(model), strict=False)  # a tied head is not given
    check_same(model, lambda ids: theirs(ids).logits, TRANSFORMERS, 1e-4)
    prompt = torch.zeros(batch, 1, dtype=torch.long)
    mask = torch.ones_like(prompt)

    def run(count: int) -> None:
        ids = theirs.generate(
            prompt, attention_mask=mask, max_new_tokens=count, do_sample=True, top_k=0
        )
        if ids.shape[1] != 1 + count:
            raise RuntimeError(f"transformers made {ids.shape[1] - 1} tokens, not {count}")

    return run


@torch.inference_mode()
def check_same(model: GPT, other: Callable[[Tensor], Tensor], name: str, limit: float) -> None:
    """Raise RuntimeError if another model's scores are not ours."""
    ids = torch.arange(VOCAB_SIZE)[None]
    distance = (model(ids) - other(ids)).abs().max().item()
    if not distance < limit:
        raise RuntimeError(f"{name} computes other scores than ours, by up to {distance:.3g}")


def contestants(model: GPT, batch: int, nanogpt: Path | None) -> dict[str, Generate]:
    """Everyone who is here."""
    everyone = {
        OURS: our_generate(model, batch, cached=True),
        UNCACHED: our_generate(model, batch, cached=False),
    }
    if nanogpt is not None:
        everyone[NANO] = nano_generate(nanogpt, model, batch)
    if importlib.util.find_spec("transformers"):
        everyone[TRANSFORMERS] = transformers_generate(model, batch)
    return everyone


def tokens_per_second(
    everyone: dict[str, Generate], batch: int, count: int, rounds: int
) -> dict[str, float]:
    """Of everyone, over rounds in turn, after a short run that is not counted."""
    repeats = {name: REPEATS if name in (OURS, TRANSFORMERS) else 1 for name in everyone}

    def contestant(name: str) -> tuple[Callable[[], None], Callable[[None], None]]:
        return (lambda: None), lambda _: [everyone[name](count) for _ in range(repeats[name])]

    for run in everyone.values():
        run(8)
    taken = alternate({name: contestant(name) for name in everyone}, rounds)
    return {name: repeats[name] * batch * count / seconds for name, seconds in taken.items()}


def limits(model: GPT, count: int) -> dict[str, float]:
    """Tokens per second of one text that nobody can exceed, each by its name.

    Reading at the memory's speed: a token needs all weights, and the keys and values so far. The
    weights may lie in a cache of the processor in part, so the speed is measured twice: far
    beyond any cache, and over as many bytes as they have. The products with every matrix, each
    a call of torch and nothing else, say how much of that torch's own kernels reach.
    """
    weights, cache = bytes_per_token(model, count)
    found = {}
    for size in (FAR, weights // 4):
        speed = read_speed(size)
        name = f"{READING} {weights / 1e6:.1f} + {cache / 1e6:.1f} MB a token"
        found[f"{name} at {speed / 1e9:.1f} GB/s, as over {4 * size / 1e6:.1f} MB"] = speed / (
            weights + cache
        )
    run = matrix_products(model)
    run(8)
    seconds = alternate({"": (lambda: None, lambda _: run(count))}, 5)[""]
    return found | {"matrix products alone": count / seconds}


def read_speed(numbers: int) -> float:
    """Bytes per second of reading as many float32 in order, the best of several ways and tries.

    A fair bound: every byte is read once, its neighbours are asked for in advance, and nothing is
    written. What fits a cache is read from there after the first try, as the weights would be.
    """
    rows = 1000
    table = torch.ones(rows, numbers // rows)
    vector = torch.ones(table.shape[1])
    best = float("inf")
    for read in (table.sum, table.amax, lambda: torch.mv(table, vector)):
        for _ in range(max(5, FAR // table.numel())):
            start = time.perf_counter()
            read()
            best = min(best, time.perf_counter() - start)
    return table.nbytes / best


def bytes_per_token(model: GPT, count: int) -> tuple[int, int]:
    """What a new token of one text has to read: the weights, and the mean of keys and values.

    Of the table of positions it reads one row; that of tokens is read whole, for the scores.
    """
    config, table = model.config, model.position_embedding.weight
    weights = sum(parameter.nbytes for parameter in model.parameters())
    per_position = 2 * config.n_layer * config.n_embd * table.element_size()
    return weights - table.nbytes + table[0].nbytes, per_position * (count + 1) // 2


def matrix_products(model: GPT) -> Callable[[int], None]:
    """The products of a token with every matrix and nothing else, so with no attention either."""
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    pairs = [(layer, torch.ones(1, 1, layer.in_features)) for layer in layers]

    @torch.inference_mode()
    def run(count: int) -> None:
        for _ in range(count):
            for layer, x in pairs:
                F.linear(x, layer.weight, layer.bias)

    return run


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nanogpt", type=Path, help="a checkout of nanoGPT")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="2 if not given")
    parser.add_argument("--quick", action="store_true", help="fewer new tokens and rounds")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    count = 31 if arguments.quick else LENGTH - 1
    print(machine() + f", {torch.get_num_threads()} threads")
    print(versions(["minigpt", "torch", "transformers"]), end="\n\n")
    models = {
        name: GPT(config, torch.Generator().manual_seed(0)).eval() for name, config in SIZES.items()
    }
    rows, ratios = [], {}
    for size, batch, rounds, suffix in WORKLOADS:
        model = models[size]
        speeds = tokens_per_second(
            contestants(model, batch, arguments.nanogpt),
            batch,
            count,
            min(rounds, 2) if arguments.quick else rounds,
        )
        ours = speeds[OURS]
        for name, key in PEERS.items():
            if name in speeds:
                ratios[f"generate_vs_{key}{suffix}"] = ours / speeds[name]
        if batch == 1:
            speeds |= limits(model, count)
        if not suffix:
            best = max(speed for name, speed in speeds.items() if name.startswith(READING))
            ratios |= {
                "generate_vs_uncached": ours / speeds[UNCACHED],
                "share_of_bandwidth": ours / best,
            }
        rows += [
            (size, str(batch), name, f"{speed:,.0f}", f"{ours / speed:.2f}")
            for name, speed in speeds.items()
        ]
    print_table(("parameters", "texts", "who", "tokens per second", "ours : this"), rows)
    print()
    print_ratios("generation", ratios)


if __name__ == "__main__":
    main()
