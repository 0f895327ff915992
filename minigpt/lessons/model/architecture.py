"""A model drawn from the object itself: its parts, their shapes, and where the numbers sit."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

import torch
from torch import nn

from minigpt.attention import CausalSelfAttention
from minigpt.embedding import PositionEmbedding, TokenEmbedding
from minigpt.lessons.drawing.palette import BLUE, GREEN, OLIVE, ORANGE, PINK, VIOLET
from minigpt.lessons.model.module_tree import Part, parts_of
from minigpt.model import MLP

# The colours of a model's parts in all pictures of the chapter, named as in `minigpt.model.ledger`.
HUES = {
    "token_embedding": BLUE,
    "position_embedding": ORANGE,
    "attention": GREEN,
    "mlp": PINK,
    "norms": OLIVE,
    "lm_head": VIOLET,
}
# What is in a part has its colour too.
_HUES = {
    TokenEmbedding: HUES["token_embedding"],
    PositionEmbedding: HUES["position_embedding"],
    CausalSelfAttention: HUES["attention"],
    MLP: HUES["mlp"],
    nn.LayerNorm: HUES["norms"],
}

_STYLE = Path(__file__).with_suffix(".css").read_text("utf-8")


class Architecture:
    """A model's parts, as text and as a picture: for Jupyter, Colab and the book.

    Args:
        root: the model.
        ids_shape: of the ids for which its shapes hold.
    """

    def __init__(self, root: Part, ids_shape: tuple[int, ...]) -> None:
        self.root, self.ids_shape = root, ids_shape

    def share(self, part: Part, times: int = 1) -> str:
        """The share of the model's parameters that `times` of a part hold, such as 31.0 %."""
        share = times * part.parameters / max(1, self.root.parameters)
        return "< 0.1 %" if 0 < share < 0.0005 else f"{share:.1%}".replace("%", " %")

    def __repr__(self) -> str:
        rows = list(self._rows(self.root, "", "", 1))
        *widths, _ = (max(map(len, column)) for column in zip(*rows, strict=True))
        lines = []
        for label, shape, count, share, same in rows:
            cells = [label.ljust(widths[0]), shape.ljust(widths[1])]
            if count:
                cells += [count.rjust(widths[2]), share.rjust(widths[3])]
            lines.append("  ".join([*cells, same]).rstrip())
        return "\n".join(lines)

    def _rows(self, part: Part, first: str, rest: str, times: int) -> Iterator[tuple[str, ...]]:
        times *= part.times
        named = f"{part.name}{_alike(part)}  " if part.name else ""
        shape = "" if part.shape is None else str(part.shape)
        share = self.share(part, times) if part.parameters else ""
        label = f"{first}{named}{part.kind.__name__}"
        yield label, shape, _count(part, times), share, _same(part)
        for child in part.parts:
            last = child is part.parts[-1]
            corner, line = ("└─ ", "   ") if last else ("├─ ", "│  ")
            yield from self._rows(child, rest + corner, rest + line, times)

    def _repr_html_(self) -> str:
        root, length = self.root, self.ids_shape[1]
        name, output = root.kind.__name__, "logits" if root.wired else "output"
        told = (
            f"<b>{escape(name)}</b>, {root.parameters:,} parameters. Beside each part: the shape "
            f"of its output for {length} {'token' if length == 1 else 'tokens'}, its parameters, "
            "and their share of all. Open a part for its formula."
        )
        shape = "" if root.shape is None else f" <code>{root.shape}</code>"
        steps = "".join(self._stream(root) if root.wired else self._listed(root.parts, 1))
        return (
            f'<figure class="mg-arch" dir="ltr" aria-label="The parts of {escape(name)}"'
            f' style="--most:{_depth(root)};--stream:{BLUE};--focus:{ORANGE}">'
            f"<style>{_STYLE}</style>"
            f"<figcaption>{told}</figcaption>"
            '<div class="arch-row arch-columns" aria-hidden="true" style="--deep:0">'
            '<span>part</span><span class="arch-shape">output</span>'
            '<span class="arch-count">parameters</span>'
            '<span class="arch-share">share of all</span></div>'
            f'<ol role="list" class="{"arch-flow" if root.wired else "arch-loose"}">'
            f'<li class="arch-end"><b>ids</b> <code>{self.ids_shape}</code></li>'
            f'{steps}<li class="arch-end"><b>{output}</b>{shape}</li></ol></figure>'
        )

    def _stream(self, gpt: Part) -> Iterator[str]:
        """The parts of a `GPT`, along the vectors that it hands from one to the next."""
        tokens, positions, *on, norm, head = gpt.parts
        known = all(part.wired for part in on[1:])  # on[0] is the dropout
        what = "the residual stream" if known else "a vector a token"
        shape = "" if tokens.shape is None else f" <code>{tokens.shape}</code>"
        both = self._box(tokens, 1, 1) + self._box(positions, 1, 1)
        yield (f'<li class="arch-tables"><ol role="list">{both}</ol>{_plus(f"{what}{shape}")}</li>')
        for part in (*on, norm):
            yield self._box(part, 1, 1, "arch-stream")
        yield self._box(head, 1, 1, hue=HUES["lm_head"])

    def _listed(self, parts: tuple[Part, ...], deep: int, times: int = 1) -> Iterator[str]:
        for part in parts:
            yield self._box(part, deep, times)

    def _box(self, part: Part, deep: int, times: int, place: str = "", hue: str = "") -> str:
        """A list item: the part's own line, and the boxes of what is in it."""
        times *= part.times
        inside, framed = "", ""
        if part.parts and part.wired:
            framed = " arch-block"
            inside = f'<ol role="list">{self._branches(part, deep + 1, times)}</ol>'
        elif part.parts:
            boxes = "".join(self._listed(part.parts, deep + 1, times))
            inside = f'<ol role="list" class="arch-in">{boxes}</ol>'
        many = " arch-many" if part.times > 1 else ""
        hue = _HUES.get(part.kind, hue)
        style = f' style="--hue:{hue}"' if hue else ""
        place = f' class="{place}"' if place else ""
        return (
            f'<li{place}{style}><div class="arch-box{framed}{many}">'
            f"{self._line(part, deep, times)}{inside}</div></li>"
        )

    def _branches(self, block: Part, deep: int, times: int) -> str:
        """What a `Block` does: two branches that leave the stream and are added to it."""
        norm_1, attention, norm_2, mlp, dropout = block.parts
        out = ""
        for norm, part in ((norm_1, attention), (norm_2, mlp)):
            boxes = "".join(self._listed((norm, part, dropout), deep, times))
            hue = _HUES.get(part.kind, "var(--muted)")
            out += (
                f'<li class="arch-branch" style="--arm:{hue}"><ol role="list">{boxes}</ol>'
                f"{_plus(f'<code>x + {part.name}({norm.name}(x))</code>')}</li>"
            )
        return out

    def _line(self, part: Part, deep: int, times: int) -> str:
        """A part's name, class, shape and numbers, and on demand its formula."""
        alike = f" <em>{_alike(part).strip()}</em>" if part.times > 1 else ""
        cells = (
            f'<span class="arch-name"><b>{escape(part.name)}</b>{alike} '
            f"<span>{escape(part.kind.__name__)}</span></span>"
        )
        if part.shape is not None:
            cells += f'{_told(", output ")}<code class="arch-shape">{part.shape}</code>'
        if part.parameters or not part.same_as:
            count = _count(part, times) or "0"
            cells += f'{_told(", ")}<span class="arch-count">{count}</span>{_told(" parameters")}'
        if part.parameters:
            share = 100 * times * part.parameters / self.root.parameters
            cells += (
                f'{_told(", ")}<span class="arch-share"><i class="arch-bar"'
                f' style="--share:{share:.2f}%"></i>{escape(self.share(part, times))}</span>'
            )
        if part.same_as:
            cells += f'{_told(", ")}<span class="arch-same">{escape(_same(part))}</span>'
        if part.formula is None:
            return f'<div class="arch-row" style="--deep:{deep}">{cells}</div>'
        formula = escape(part.formula)
        return (
            f'<details><summary data-formula="{formula}">'
            f'<span class="arch-row" style="--deep:{deep}">{cells}</span></summary>'
            f'<p class="arch-formula">{formula}</p></details>'
        )


def architecture(model: nn.Module, length: int = 8) -> Architecture:
    """Draw a model from the object itself; it reads ids of zeros, (1, length), to learn shapes.

    Parts that are alike and in a row, such as the blocks, are drawn once. A `GPT` and its `Block`
    are drawn with their wiring; of any other class only the parts are known, in the order in which
    the model has them. A model on the meta device, which holds no numbers, can be drawn too.

    Args:
        model: takes ids (B, T). Its state is left as it was.
        length: tokens T.

    Raises:
        ValueError: `length` below 1; what the model refuses.

    Shown in https://minigpt-book.github.io/minigpt/model.html
    """
    if length < 1:
        raise ValueError(f"length is {length}; a model reads at least 1 token")
    parameter = next(model.parameters(), None)
    device = torch.device("cpu") if parameter is None else parameter.device
    ids = torch.zeros(1, length, dtype=torch.long, device=device)
    return Architecture(parts_of(model, ids), tuple(ids.shape))


def _alike(part: Part) -> str:
    return f" × {part.times}" if part.times > 1 else ""


def _count(part: Part, times: int) -> str:
    if not part.parameters:
        return ""
    return f"{times} × {part.parameters:,}" if times > 1 else f"{part.parameters:,}"


def _same(part: Part) -> str:
    if not part.same_as:
        return ""
    tensors = "tensor" if len(part.same_as) == 1 else "tensors"
    return f"the same {tensors} as {', '.join(part.same_as)}"


def _depth(part: Part) -> int:
    return 1 + max(map(_depth, part.parts), default=-1)


def _plus(told: str) -> str:
    return f'<p class="arch-plus"><b>+</b> <span>{told}</span></p>'


def _told(words: str) -> str:
    """For screen readers alone."""
    return f'<span class="arch-told">{words}</span>'
