"""Our LoRA's step against peft's, on the same model, and against full tuning.

    python benchmarks/finetuning.py [--quick]

A step is what training repeats: scores, loss, gradients, AdamW. The model has the shipped one's
sizes and random weights; adapters of rank 8 are on its four kinds of linear layers, with the same
matrices for both. peft wraps our GPT as it is, so that nothing else differs. Both are held to
each other first. --quick takes a third of the rounds.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
from collections.abc import Callable

import torch
from harness import alternate, machine, print_ratios, print_table, versions
from torch import Tensor, nn

from minigpt.finetuning import LoRAConfig, add_adapter, trained_numbers
from minigpt.model import GPT, GPTConfig
from minigpt.training import next_token_loss

CONFIG = GPTConfig.preset("shakespeare")
LORA = LoRAConfig(rank=8, alpha=16)
OURS, PEFT, FULL = "ours", "peft", "full tuning, ours"
# Windows, tokens of each, rounds, and the ending of the ratios' names.
WORKLOADS = [(8, 64, 21, ""), (8, 16, 45, "_short"), (4, 256, 9, "_long")]


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def our_model(base: GPT) -> GPT:
    """With an adapter as after some training, so that no matrix is 0."""
    model = copy.deepcopy(base)
    add_adapter(model, LORA, generator=generator(1))
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith(".B"):
                p.normal_(std=0.02, generator=generator(2))
    return model


def peft_model(ours: GPT, base: GPT) -> nn.Module:
    """peft's, with our matrices."""
    from peft import LoraConfig, get_peft_model

    settings = LoraConfig(r=LORA.rank, lora_alpha=LORA.alpha, target_modules=[*LORA.targets])
    theirs = get_peft_model(copy.deepcopy(base), settings)
    words = {"lora_A": "A", "lora_B": "B"}
    with torch.no_grad():
        for name, p in theirs.named_parameters():
            if not p.requires_grad:
                continue
            layer, word = name.removeprefix("base_model.model.").split(".default")[0].rsplit(".", 1)
            p.copy_(ours.get_parameter(f"{layer}.adapters.default.{words[word]}"))
    return theirs


def steps(model: nn.Module, ids: Tensor) -> Callable[[], float]:
    """A step with AdamW; returns its loss. The rate is too small to move anything."""
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=1e-12, fused=True
    )

    def step() -> float:
        optimizer.zero_grad()
        loss = next_token_loss(model(ids[:, :-1]), ids[:, 1:])
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def everyone(base: GPT) -> dict[str, nn.Module]:
    """Everyone who is here."""
    ours = our_model(base)
    models = {OURS: ours, FULL: base}
    if importlib.util.find_spec("peft"):
        models[PEFT] = peft_model(ours, base)
    return {name: model.train() for name, model in models.items()}


def milliseconds(models: dict[str, nn.Module], ids: Tensor, rounds: int) -> dict[str, float]:
    """Of a step of everyone, over rounds in turn, after one that is not counted."""
    runs = {name: steps(model, ids) for name, model in models.items()}
    losses = {name: run() for name, run in runs.items()}
    if PEFT in losses and abs(losses[OURS] - losses[PEFT]) > 1e-5:
        raise RuntimeError(f"not the same loss: {losses}")
    contestants = {n: ((lambda: None), lambda _, run=run: run()) for n, run in runs.items()}
    return {name: 1000 * seconds for name, seconds in alternate(contestants, rounds).items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="2 if not given")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(machine() + f", {torch.get_num_threads()} threads")
    print(versions(["minigpt", "torch", "peft"]), end="\n\n")
    models = everyone(GPT(CONFIG, generator(0)))
    rows, ratios = [], {}
    for batch, length, rounds, suffix in WORKLOADS:
        ids = torch.randint(CONFIG.vocab_size, (batch, length + 1), generator=generator(3))
        times = milliseconds(models, ids, rounds // 3 if arguments.quick else rounds)
        if PEFT in times:
            ratios[f"lora_step_vs_peft{suffix}"] = times[PEFT] / times[OURS]
        ratios[f"lora_step_vs_full{suffix}"] = times[FULL] / times[OURS]
        rows += [
            (f"{batch} x {length}", name, f"{trained_numbers(models[name]):,}", f"{time:.1f}",
             f"{time / times[OURS]:.2f}")
            for name, time in times.items()
        ]  # fmt: skip
    print_table(("windows x tokens", "who", "numbers learnt", "ms a step", "this : ours"), rows)
    print()
    print_ratios("finetuning", ratios)


if __name__ == "__main__":
    main()
