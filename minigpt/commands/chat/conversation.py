"""What was said so far, and what the model makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from minigpt.finetuning import ChatTemplate, answer
from minigpt.generation import Sampling
from minigpt.model import GPT
from minigpt.model.ledger import parameter_count
from minigpt.tokenizer import BPETokenizer, CharTokenizer


@dataclass
class Conversation:
    """Messages, and the model that answers them.

    Attributes:
        messages: so far.
        news: of the newest question: what of the conversation the model does not see any more.
    """

    model: GPT
    tokenizer: BPETokenizer | CharTokenizer
    template: ChatTemplate
    tokens: int
    sampling: Sampling
    generator: torch.Generator
    system: str = ""
    messages: list[dict[str, str]] = field(default_factory=list)
    news: str = ""

    @property
    def limits(self) -> str:
        """What the model is, and what not to expect of it."""
        config = self.model.config
        return (
            f"A GPT with {parameter_count(config):,} numbers. It was taught a form of answer and "
            "little knowledge: what it says may be wrong, or mean nothing. Of a conversation it "
            f"sees {config.context_length} tokens at once."
        )

    def order(self, line: str) -> str:
        """Do what a line with a slash asks for; what to say of it.

        Raises:
            ValueError: an order that there is not.
        """
        name, _, text = line.partition(" ")
        if name == "/system" and text.strip():
            self.system = text.strip()
        elif name != "/reset" or text.strip():
            raise ValueError(
                f"{line!r} is no order: there are /reset and /system TEXT; a question begins with "
                "another letter"
            )
        self.messages = []
        return "a new conversation" + (f", with the instruction {self.system!r}" * bool(text))

    def ask(self, question: str) -> Iterator[str]:
        """The answer, in pieces; what has come of it joins the conversation when it ends.

        Raises:
            ValueError: no room for the question, or a character that the model does not know;
                the conversation is then as it was.
        """
        before = [{"role": "system", "content": self.system}] if self.system else []
        asked = [*before, *self.messages, {"role": "user", "content": question}]
        pieces = answer(
            self.model,
            self.tokenizer,
            self.template,
            asked,
            self.tokens,
            self.sampling,
            self.generator,
        )
        room = self.model.config.context_length - self.tokens
        left = len(asked) - len(self.template.fit(asked, self.tokenizer, room))
        self.news = f"the model does not see the oldest {left} messages any more" * bool(left)
        return self._kept(question, pieces)

    def _kept(self, question: str, pieces: Iterator[str]) -> Iterator[str]:
        said = ""
        try:
            for piece in pieces:
                said += piece
                yield piece
        finally:
            self.messages.append({"role": "user", "content": question})
            if said.strip():
                self.messages.append({"role": "assistant", "content": said})
