"""A model that was taught a few answers gives them, and stops where the end mark comes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from minigpt.finetuning import ChatTemplate, Examples, answer
from minigpt.generation import Sampling
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import CharTokenizer
from minigpt.training import RECIPES, Trainer

PLAY = ChatTemplate(user="Q", assistant="A")
TAUGHT = {"IAGO?": "Othello", "HAL?": "Henry IV", "ARIEL?": "The Tempest"}
GREEDY = Sampling(temperature=0.0)


def chat(question: str, reply: str | None = None) -> list[dict[str, str]]:
    messages = [{"role": "user", "content": question}]
    return messages + ([{"role": "assistant", "content": reply}] if reply else [])


CHATS = [chat(question, reply) for question, reply in TAUGHT.items()]
TOKENIZER = CharTokenizer.train("".join(map(PLAY.text, CHATS)))


@pytest.fixture(scope="module")
def taught() -> GPT:
    config = GPTConfig(TOKENIZER.vocab_size, context_length=32, n_layer=2, n_head=2, n_embd=32)
    model = GPT(config, torch.Generator().manual_seed(1))
    recipe = replace(RECIPES["adamw"], steps=150, batch_size=3, learning_rate=1e-2, warmup=5)
    examples = [PLAY.encode(messages, TOKENIZER) for messages in CHATS]
    trainer = Trainer(model, Examples(examples, 32, seed=1), recipe)
    losses = [trainer.step() for _ in range(recipe.steps)]
    assert losses[-1] < 0.05
    return model.eval()


@pytest.mark.parametrize("question", TAUGHT)
def test_it_answers_what_it_was_taught_and_stops(taught, question):
    pieces = [*answer(taught, TOKENIZER, PLAY, chat(question), 15, GREEDY)]
    assert "".join(pieces) == TAUGHT[question] and len(pieces) > 1


def test_the_oldest_questions_make_room(taught):
    long = [*CHATS[0], *CHATS[1], *CHATS[0], *chat("HAL?")]
    assert "".join(answer(taught, TOKENIZER, PLAY, long, 15, GREEDY)) == "Henry IV"


def test_an_answer_ends_after_so_many_tokens(taught):
    assert "".join(answer(taught, TOKENIZER, PLAY, chat("HAL?"), 3, GREEDY)) == "Hen"


def test_no_room_is_told(taught):
    with pytest.raises(ValueError, match=r"^max_new_tokens is 32, which leaves no room for the qu"):
        answer(taught, TOKENIZER, PLAY, chat("HAL?"), 32)
    with pytest.raises(ValueError, match=r"^the question has 12 tokens .* room for 2: ask"):
        answer(taught, TOKENIZER, PLAY, chat("HAL?"), 30)
