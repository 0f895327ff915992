"""Three small tasks on lines of the plays, of which a program knows the right answer."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from minigpt.finetuning import ChatTemplate
from minigpt.finetuning.answer_tensors import Example
from minigpt.generation import Sampling, generate
from minigpt.model import GPT
from minigpt.tokenizer import BPETokenizer

TEMPLATE = ChatTemplate()
WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*")
WORDS = (3, 8)  # of a line, at least and at most
LONGEST = 30  # tokens of an answer

# What is asked about a line, and the answer.
TASKS: dict[str, tuple[str, Callable[[str], str]]] = {
    "first": ("What is the first word?", lambda line: WORD.findall(line)[0]),
    "last": ("What is the last word?", lambda line: WORD.findall(line)[-1]),
    "again": ("Say it again.", lambda line: line),
}


def verse_lines(text: str) -> list[str]:
    """The different lines of a few words, without the names of who speaks."""
    lines = dict.fromkeys(line.strip() for line in text.split("\n") if not line.endswith(":"))
    least, most = WORDS
    return [line for line in lines if least <= len(WORD.findall(line)) <= most]


def question(task: str, line: str) -> list[dict[str, str]]:
    """The line stands alone, so that its tokens are those that an answer has."""
    return [{"role": "user", "content": f"{TASKS[task][0]}\n{line}"}]


def examples(lines: Sequence[str], count: int, tokenizer: BPETokenizer, seed: int) -> list[Example]:
    """So many examples, each of another line, the tasks in turn."""
    chosen = random.Random(f"lines {seed}").sample(lines, count)
    tasks = [*TASKS]
    rows = []
    for number, line in enumerate(chosen):
        task = tasks[number % len(tasks)]
        answer = {"role": "assistant", "content": TASKS[task][1](line)}
        rows.append(TEMPLATE.encode([*question(task, line), answer], tokenizer))
    return rows


def mixed_up(line: str, seed: int) -> str:
    """The words of a line in another order: nobody who only writes verse says that again."""
    words = line.split()
    random.Random(f"{seed} {line}").shuffle(words)
    return " ".join(words)


def share_right(model: GPT, tokenizer: BPETokenizer, task: str, lines: Sequence[str]) -> float:
    """The share of lines about which the likeliest answer (greedy) is the right one.

    An answer ends with its first line break.
    """
    prompts = [TEMPLATE.encode(question(task, line), tokenizer, answer=True)[0] for line in lines]
    (end,) = tokenizer.encode("\n")
    found = generate(model, prompts, LONGEST, Sampling(temperature=0.0), [end])
    wanted = [TASKS[task][1](line) for line in lines]
    pairs = zip(found, wanted, strict=True)
    return sum(tokenizer.decode(ids) == answer for ids, answer in pairs) / len(lines)
