"""A small model that was taught three answers, in a second."""

from __future__ import annotations

from dataclasses import replace

import torch

from minigpt.finetuning import ChatTemplate, Examples
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import CharTokenizer
from minigpt.training import RECIPES, Trainer

PLAY = ChatTemplate("S", "Q", "A")
TAUGHT = {"IAGO?": "Othello", "HAL?": "Henry IV", "ARIEL?": "The Tempest"}


def chat(question: str, reply: str | None = None) -> list[dict[str, str]]:
    messages = [{"role": "user", "content": question}]
    return messages + ([{"role": "assistant", "content": reply}] if reply else [])


CHATS = [chat(question, reply) for question, reply in TAUGHT.items()]
TOKENIZER = CharTokenizer.train("S/" + "".join(map(PLAY.text, CHATS)))


def taught_model() -> GPT:
    config = GPTConfig(TOKENIZER.vocab_size, context_length=40, n_layer=2, n_head=2, n_embd=32)
    model = GPT(config, torch.Generator().manual_seed(1))
    recipe = replace(RECIPES["adamw"], steps=150, batch_size=3, learning_rate=1e-2, warmup=5)
    examples = [PLAY.encode(messages, TOKENIZER) for messages in CHATS]
    trainer = Trainer(model, Examples(examples, 40, seed=1), recipe)
    losses = [trainer.step() for _ in range(recipe.steps)]
    assert losses[-1] < 0.05
    return model.eval()
