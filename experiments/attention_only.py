"""Train the small attention-only model that two chapters take apart, and store its weights.

    python experiments/attention_only.py            # as shipped: about ten minutes on two cores
    python experiments/attention_only.py --steps 20 --out /tmp/trial

Reads Shakespeare's plays in the book's 4,096 tokens; writes model.safetensors (float16) and
config.json (sizes, seed, losses in nats per token) into minigpt/pretrained/attention-only, each
file whole or not at all. The chapter on training explains what happens here.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
from safetensors.torch import save
from tqdm.auto import trange
from windows import random_windows

from minigpt.attention import AttentionOnly
from minigpt.attention.attention_only import PRETRAINED
from minigpt.data import shakespeare, train_validation_split
from minigpt.data.whole_file import write_whole
from minigpt.tokenizer import BPETokenizer
from minigpt.training import evaluate, next_token_loss
from minigpt.training.schedule import warmup_trapezoid

SIZES = {"vocab_size": 4096, "context_length": 128, "n_embd": 64, "n_head": 4, "n_layer": 2}
SEED, BATCH_SIZE = 1616, 32
TABLE_RATE, MATRIX_RATE = 3e-3, 2e-2  # steps of AdamW for the tables, of Muon for the matrices


def train(steps: int) -> tuple[AttentionOnly, list[float]]:
    """The trained model and its loss at each step."""
    tokenizer = BPETokenizer.shakespeare()
    ids = torch.tensor(tokenizer.encode(train_validation_split(shakespeare())[0]))
    generator = torch.Generator().manual_seed(SEED)
    model = AttentionOnly(**SIZES, generator=generator)
    named = dict(model.named_parameters())
    matrices = [p for name, p in named.items() if name.startswith("layers.")]
    tables = [p for name, p in named.items() if not name.startswith("layers.")]
    optimizers = [
        torch.optim.AdamW(tables, lr=TABLE_RATE, betas=(0.9, 0.95), weight_decay=0.1),
        torch.optim.Muon(matrices, lr=MATRIX_RATE, weight_decay=0.0),
    ]
    schedulers = [
        torch.optim.lr_scheduler.LambdaLR(o, lambda step: rate(step, steps)) for o in optimizers
    ]
    losses = []
    for _ in (bar := trange(steps, unit="step")):
        inputs, targets = random_windows(ids, SIZES["context_length"], BATCH_SIZE, generator)
        loss = next_token_loss(model(inputs), targets)
        model.zero_grad()
        loss.backward()
        for optimizer, scheduler in zip(optimizers, schedulers, strict=True):
            optimizer.step()
            scheduler.step()
        losses.append(loss.item())
        bar.set_postfix(loss=f"{losses[-1]:.3f}")
    return model, losses


def rate(step: int, steps: int) -> float:
    """The scheduler also asks for the rate after the last step."""
    return warmup_trapezoid(min(step, steps - 1), steps, min(100, steps))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=2000, help="training steps (default 2000)")
    parser.add_argument("--out", type=Path, default=PRETRAINED, help="folder to write into")
    arguments = parser.parse_args()
    if arguments.steps < 1:
        parser.error(f"--steps is {arguments.steps}; it must be at least 1")
    arguments.out.mkdir(parents=True, exist_ok=True)  # a folder that cannot be written shows now
    begin = time.perf_counter()
    model, losses = train(arguments.steps)
    weights = {name: p.detach().half() for name, p in model.named_parameters()}
    model.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    tokenizer = BPETokenizer.shakespeare()
    ids = torch.tensor(tokenizer.encode(train_validation_split(shakespeare())[1]))
    last = losses[-100:]
    config = SIZES | {
        "seed": SEED,
        "steps": arguments.steps,
        "batch_size": BATCH_SIZE,
        "train_loss": round(sum(last) / len(last), 3),
        "validation_loss": round(evaluate(model, ids, model.context_length, BATCH_SIZE), 3),
        "minutes": round((time.perf_counter() - begin) / 60, 1),
        "torch": torch.__version__,
    }
    write_whole(arguments.out / "model.safetensors", save(weights))
    write_whole(arguments.out / "config.json", (json.dumps(config, indent=2) + "\n").encode())
    print(json.dumps(config, indent=2))


if __name__ == "__main__":
    main()
