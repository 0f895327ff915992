"""A conversation written down as one text, so that a model which continues texts can answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from minigpt.tokenizer import BPETokenizer, CharTokenizer

Message = Mapping[str, str]  # {"role": "user", "content": "In which play is CASSIO?"}


@dataclass(frozen=True)
class ChatTemplate:
    r"""What stands before and after each message, as in a play: a name, what is said, a blank line.

    Without special tokens a turn is known by the empty line before its name. So inside a message
    lines are closed up: whatever somebody writes, it stays one turn.

    Args:
        system, user, assistant: the name of each role.
        before: a message; ``{name}`` is the name of its role. May hold special tokens of the
            tokenizer.
        after: a message, the end mark: a model that answers learns to write it, and stops there.

    Raises:
        ValueError: a `before` without ``{name}``, an empty `after`, or two roles of one name.

    Derived in https://minigpt-book.github.io/minigpt/finetuning.html
    """

    system: str = "DIRECTOR"
    user: str = "READER"
    assistant: str = "MINIGPT"
    before: str = "{name}:\n"
    after: str = "\n\n"

    def __post_init__(self) -> None:
        if "{name}" not in self.before:
            raise ValueError(
                f"before is {self.before!r}; it must hold {{name}}, or nobody knows who speaks"
            )
        if not self.after:
            raise ValueError("after is empty; a model needs a mark to stop at, such as '\\n\\n'")
        if len({self.system, self.user, self.assistant}) < 3:
            raise ValueError(
                f"the roles are named {self.system!r}, {self.user!r} and {self.assistant!r}; give "
                "each a name of its own"
            )

    def text(self, messages: Sequence[Message], answer: bool = False) -> str:
        """The conversation as one text.

        Args:
            messages: with a "role" (system, user or assistant) and a "content".
            answer: end with what stands before an answer, which is then for the model to write.

        Raises:
            ValueError: another role, or a message without text.
        """
        return "".join(piece for piece, _, _ in self._pieces(messages, answer))

    def encode(
        self,
        messages: Sequence[Message],
        tokenizer: BPETokenizer | CharTokenizer,
        answer: bool = False,
    ) -> tuple[list[int], list[bool]]:
        """The same as tokens, and which of them a model is to learn: answers and their end marks.

        Names, line ends and messages are tokenized apart, so that the tokens of a prompt are
        those that the whole conversation begins with. Special tokens are recognised in the
        template alone: in a message they are text.

        Args:
            messages, answer: as of `text`.
            tokenizer: of the model.

        Returns:
            The ids, (T,), and as many booleans.

        Raises:
            ValueError: as `text`; a character that the tokenizer lacks.
        """
        ids: list[int] = []
        counts: list[bool] = []
        for piece, is_template, counted in self._pieces(messages, answer):
            if is_template:
                allowed = {"allowed_special": "all"} if hasattr(tokenizer, "special_tokens") else {}
                parts = [part for part in re.split(r"(\n)", piece) if part]
                tokens = [i for part in parts for i in tokenizer.encode(part, **allowed)]
            else:
                tokens = tokenizer.encode(piece)
            ids += tokens
            counts += [counted] * len(tokens)
        return ids, counts

    def fit(
        self,
        messages: Sequence[Message],
        tokenizer: BPETokenizer | CharTokenizer,
        most: int,
    ) -> list[Message]:
        """The messages that are kept where a prompt may have so many tokens.

        A system message stays, and the newest question; the oldest question goes first, with its
        answer.

        Args:
            messages: the last of them a question.
            most: tokens of the prompt.

        Raises:
            ValueError: the newest question alone is too long.
        """
        kept = [*messages]
        first = 1 if kept and kept[0].get("role") == "system" else 0
        while (size := len(self.encode(kept, tokenizer, answer=True)[0])) > most:
            if len(kept) <= first + 1:
                system = " and the system message have" if first else " has"
                raise ValueError(
                    f"the question{system} {size} tokens with their names, and there is room for "
                    f"{most}: ask a shorter one"
                )
            del kept[first]
            while len(kept) > first + 1 and kept[first]["role"] != "user":
                del kept[first]
        return kept

    def _pieces(self, messages: Sequence[Message], answer: bool) -> list[tuple[str, bool, bool]]:
        """Each with whether it is the template's, and whether it counts."""
        pieces: list[tuple[str, bool, bool]] = []
        for number, message in enumerate(messages, 1):
            counted = message.get("role") == "assistant"
            pieces += [
                (self._opening(message.get("role"), number), True, False),
                (_closed_up(message.get("content"), number), False, counted),
                (self.after, True, counted),
            ]
        if answer:
            pieces.append((self._opening("assistant", len(pieces) + 1), True, False))
        return pieces

    def _opening(self, role: str | None, number: int) -> str:
        names = {"system": self.system, "user": self.user, "assistant": self.assistant}
        if role not in names:
            raise ValueError(
                f"message {number} has the role {role!r}; it must be one of {', '.join(names)}"
            )
        return self.before.replace("{name}", names[role])


def _closed_up(content: str | None, number: int) -> str:
    """Without the empty lines, and the spaces at both ends, that would end or hide a turn."""
    text = "\n".join(line for line in (content or "").strip().split("\n") if line.strip())
    if not text:
        raise ValueError(f"message {number} has no text (content): write some, or leave it out")
    return text
