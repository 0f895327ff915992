"""Tasks that copy: right answers by hand, and the same tokens in the question as in the answer."""

from __future__ import annotations

import copy_tasks
import pytest
from copy_tasks import TASKS, TEMPLATE, examples, mixed_up, question, share_right, verse_lines

from minigpt.tokenizer import BPETokenizer

LINE = "But, soft! what light's here?"
TEXT = f"ROMEO:\n{LINE}\nHe jests.\n  {LINE}\n\nJULIET:\nAy me, that so it is, and so it was to be."


@pytest.fixture(scope="module")
def tokenizer() -> BPETokenizer:
    return BPETokenizer.shakespeare()


def test_lines_are_of_a_few_words_each_once_without_names():
    assert verse_lines(TEXT) == [LINE]
    assert verse_lines("KING HENRY THE FOURTH:\none two three\nO, no") == ["one two three"]


def test_answers_by_hand():
    answers = {task: answer(LINE) for task, (_, answer) in TASKS.items()}
    assert answers == {"first": "But", "last": "here", "again": LINE}


def test_an_example_is_a_question_and_its_answer(tokenizer):
    lines = [LINE, "To be, or not", "He has gone away"]
    rows = examples(lines, 3, tokenizer, seed=1)
    texts = [tokenizer.decode(ids) for ids, _ in rows]
    for (task, (words, answer)), text in zip(TASKS.items(), texts, strict=True):
        line = text.split("\n")[2]
        assert text == f"READER:\n{words}\n{line}\n\nMINIGPT:\n{answer(line)}\n\n", task
    assert {text.split("\n")[2] for text in texts} == {*lines}
    assert rows != examples(lines, 3, tokenizer, seed=2)
    assert rows == examples(lines, 3, tokenizer, seed=1)


def test_what_is_to_be_said_again_has_the_tokens_that_it_had(tokenizer):
    """So that a head which finds the earlier token finds the next one too."""
    asked, _ = TEMPLATE.encode(question("again", LINE), tokenizer)
    answer = tokenizer.encode(LINE)
    assert any(asked[i : i + len(answer)] == answer for i in range(len(asked)))


def test_mixed_up_words_are_the_same_words():
    mixed = mixed_up(LINE, 0)
    assert sorted(mixed.split()) == sorted(LINE.split()) and mixed != LINE
    assert mixed == mixed_up(LINE, 0)


def test_right_answers_are_counted_whole(tokenizer, monkeypatch):
    """Of four lines one is answered rightly, one in part, one with more, one with nothing."""
    lines = ["Go now and see", "Stay here a while", "Speak to me then", "Look up and weep"]
    said = ["see", "whi", "then again", ""]

    def generate(model, prompts, most, sampling, stop):
        assert sampling.temperature == 0 and tokenizer.decode(stop) == "\n"
        for prompt, line in zip(prompts, lines, strict=True):
            text = f"READER:\nWhat is the last word?\n{line}\n\nMINIGPT:\n"
            assert tokenizer.decode(prompt) == text
        return [tokenizer.encode(answer) for answer in said]

    monkeypatch.setattr(copy_tasks, "generate", generate)
    assert share_right(None, tokenizer, "last", lines) == 0.25
