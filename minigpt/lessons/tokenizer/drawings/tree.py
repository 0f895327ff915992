"""The merges of a word as a tree."""

from __future__ import annotations

from dataclasses import dataclass

from minigpt.lessons.drawing.boxes import Number
from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing
from minigpt.lessons.drawing.token_text import token_text
from minigpt.tokenizer import BPETokenizer

LEVEL = 46  # from one height of the tree to the next


@dataclass(frozen=True)
class Node:
    """A token on the way: its id, where its middle is, and how high it stands above the bytes."""

    token: int
    middle: Number
    height: int = 0


def merge_tree(tokenizer: BPETokenizer, word: str) -> Drawing:
    """How merges join the bytes of a word, those of lowest rank first, as a tree.

    Args:
        tokenizer: whose merges are replayed.
        word: 2 to 12 bytes that the tokenizer does not split before merging.

    Raises:
        ValueError: a word that is shorter or longer, or is split.

    Shown in https://minigpt-book.github.io/minigpt/tokenizer.html
    """
    data = word.encode()
    if not 2 <= len(data) <= 12:
        raise ValueError(f"{word!r} has {len(data)} bytes; the tree has room for 2 to 12")
    ids = {text: i for i, text in enumerate(tokenizer.vocab)}
    step = WIDTH / len(data)
    nodes = [Node(ids[bytes([b])], step * (i + 0.5)) for i, b in enumerate(data)]
    every, joined = [*nodes], []
    while pairs := [
        (tokenizer.ranks[pair], i)
        for i in range(len(nodes) - 1)
        if (pair := (nodes[i].token, nodes[i + 1].token)) in tokenizer.ranks
    ]:
        _, i = min(pairs)
        left, right = nodes[i : i + 2]
        height = max(left.height, right.height) + 1
        joint = tokenizer.vocab[left.token] + tokenizer.vocab[right.token]
        made = Node(ids[joint], (left.middle + right.middle) / 2, height)
        joined.append((left, right, made))
        nodes[i : i + 2] = [made]
    if [node.token for node in nodes] != tokenizer.encode(word):
        raise ValueError(f"{word!r} is split before it is merged: give one word")
    top = max(node.height for node in nodes)
    canvas = Canvas(LEVEL * top + 58)

    def base(node: Node) -> Number:
        return 30 + LEVEL * (top - node.height)

    for number, (left, right, made) in enumerate(joined, 1):
        for part in (left, right):
            canvas.line(
                (part.middle, base(part) - 12), (made.middle, base(made) + 12), role="token"
            )
        text = token_text(tokenizer, made.token)
        canvas.words(f"{number}.", (made.middle + _width(text) / 2 + 9, base(made)), "muted", 11)
    for node in [*every, *(made for _, _, made in joined)]:
        text = token_text(tokenizer, node.token)
        width = _width(text)
        role = "token" if node in nodes else "muted"
        canvas.tokens(node.middle - width / 2, base(node) - 12, [text], role=role, width=width)
    ends = ", ".join(f"“{token_text(tokenizer, node.token)}”" for node in nodes)
    return canvas.shown(
        f"The {len(data)} bytes of “{word}” in a row, and above them {len(joined)} merges, in the "
        f"order of their numbers, each joining two neighbours. What is left on top: {ends}."
    )


def _width(text: str) -> Number:
    return max(22, len(text) * 8 + 8)
