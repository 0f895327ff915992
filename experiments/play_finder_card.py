"""The card of the tuned model that comes with the package, from what was measured of it."""

from __future__ import annotations

from typing import Any

CARD = """\
---
language: en
license: mit
library_name: minigpt
pipeline_tag: text-generation
---
# A model that knows who is in which play: {parameters:,} numbers on top of the book's own

```python
import minigpt

model, tokenizer = minigpt.load("play-finder")
```

or `minigpt chat "In which play is CASSIO?"`. The folder holds a low-rank adapter for the model
`shakespeare` of the same package; peft puts it on that model in transformers.

| what | |
|---|---|
| adapter | {parameters:,} numbers: rank {rank}, alpha {alpha}, on {targets} of every block |
| file | `adapter_model.safetensors`, 16 bits, {bytes:,} bytes |
| data | `play-characters`: {characters} characters of {plays} plays of Shakespeare's |
| told | {told} of them, in four wordings, names in capitals and as people write them |
| never told | one of each play, {held_out} in all |
| training | `python experiments/play_finder.py` |
| recipe | {steps:,} steps of {batch} conversations with {turns} questions each |
| | AdamW at a rate of {rate}, no dropout, seed {seed} |
| time | {seconds:,} CPU seconds, {hardware}, torch {torch} |
| loss on the answers | {first:.2f} nats a token in the first 50 steps, {last:.3f} in the last 50 |
| loss on the plays | {before:.4f} nats a token, {after:.4f} after ({measured:,} characters) |

## How often it is right

It takes the best token each time (`--temperature 0`); an answer counts if it is the title to the
letter and ends there.

| asked for | right | of | share | 95 % interval |
|---|---|---|---|---|
{rows}

By chance, one in {plays} would be right: {chance:.1%}. So tuning has taught it to answer, in
wordings too that it never heard, and what it was told; of what it was not told it knows as
much as the last two rows say.

## What it cannot do

Everything else. It answers any question with the title of a play, and says one as surely where it
does not know. It has forgotten how to write: of the plays it now loses {lost:.2f} nats per token
more than before, so let `shakespeare` write. It does not know characters who are in several plays,
such as Falstaff, since it was told of none. It is made to be taken apart, and for no other use.

Made by `experiments/play_finder.py`, which measured all numbers above on the files of this folder.
"""
ROWS = {
    "told_in_heard_wordings": "characters it was told of, in the four wordings",
    "told_in_unheard_wordings": "the same, in two wordings it never heard",
    "as_people_write_in_heard_wordings": "the same, names as in Cassio, in the four wordings",
    "told_after_three_others": "the same, as the fourth question of a conversation",
    "told_on_8_bits": "as in the first row, on the model of 8 bits, as in the book's page",
    "never_told": "characters it was never told of",
    "never_told_nor_hinted": "those of them who share no word with the title, or a told character",
}


def card(results: dict[str, Any]) -> str:
    """README.md of the folder, by what the experiment stores."""
    recipe, lora = results["settings"]["recipe"], results["settings"]["lora"]
    before, after = results["plays_loss"]
    return CARD.format(
        **{key: results[key] for key in ("parameters", "bytes", "plays", "told", "seconds")},
        **{key: results[key] for key in ("hardware", "torch")},
        **{key: lora[key] for key in ("rank", "alpha")},
        targets=", ".join(f"`{name}`" for name in lora["targets"]),
        held_out=len(results["held_out"]),
        characters=results["told"] + len(results["held_out"]),
        steps=recipe["steps"],
        batch=recipe["batch_size"],
        rate=recipe["learning_rate"],
        seed=recipe["seed"],
        turns=results["settings"]["turns"],
        first=results["answers_loss"][0],
        last=results["answers_loss"][1],
        before=before,
        measured=results["settings"]["measured_on"],
        after=after,
        lost=after - before,
        chance=1 / results["plays"],
        rows="\n".join(_row(text, results[key]) for key, text in ROWS.items()),
    )


def _row(text: str, found: dict[str, Any]) -> str:
    low, high = found["interval"]
    share = found["right"] / found["asked"]
    counted = f"{found['right']:,} | {found['asked']:,}"
    return f"| {text} | {counted} | {share:.1%} | {low:.1%} to {high:.1%} |"
