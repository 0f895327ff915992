"""The whole GPT as a stack, read off the object, and what its parts add to the stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import nn

from minigpt.lessons.drawing.boxes import Number
from minigpt.lessons.drawing.canvas import Canvas, Drawing, number_text
from minigpt.lessons.model.drawings.parts import ATTENTION, MLP, plus


def stack(model: nn.Module, shapes: Mapping[str, tuple[int, ...]], ids: tuple[int, ...]) -> Drawing:
    """A GPT from its ids to its scores, with the shape of what each part puts out.

    Args:
        model: with the names of a GPT's parts. shapes: by part, as `activations` has them; ""
            has that of the scores.
        ids: the shape of what it reads.

    Shown in https://minigpt-book.github.io/minigpt/model.html
    """
    total = sum(p.numel() for p in model.parameters())

    def share(*names: str) -> str:
        parts = [p for n, p in model.named_parameters() if n.startswith(names)]
        return f"{sum(p.numel() for p in parts) / total:.1%}".replace("%", " %")

    n_layer = len(model.blocks)
    canvas = Canvas(486)
    line, left, width = 92, 14, 156
    canvas.words("what it puts out", (250, 14), "muted", 11)
    canvas.words("numbers", (358, 14), "muted", 11, "end")

    def row(y: Number, shape: tuple[int, ...], told: str = "") -> None:
        text = str(tuple(shape)).replace(" ", "")
        canvas.words(text, (250, y), size=11, mono=True)
        canvas.words(told, (358, y), size=12, anchor="end")

    canvas.box(left, 4, width, 24, "ids of a text", filled=False, role="token")
    row(34, ids)
    canvas.line((line, 28), (line, 46), role="token", arrow=True)
    canvas.box(left, 48, width, 28, "token table", role="token")
    row(62, shapes["token_embedding"], share("token_embedding"))
    canvas.line((line, 76), (line, 92), role="stream")
    plus(canvas, line, 101, 9)
    canvas.box(left + 106, 90, 78, 24, "positions", role="position", size=12)
    canvas.line((left + 106, 102), (line + 10, 102), role="position", arrow=True)
    row(102, shapes["position_embedding"], share("position_embedding"))
    canvas.line((line, 110), (line, 400), role="stream", width=4, arrow=True)
    for name, y, told in (("block 1", 140, True), (f"block {n_layer}", 294, False)):
        canvas.box(left, y, width, 88, filled=False, role="stream")
        canvas.words(name, (left + 8, y + 13), "stream", 12, "start", bold=True)
        for part, role, down in (("attention", ATTENTION, 26), ("MLP", MLP, 58)):
            box = canvas.box(left + 94, y + down, 56, 20, part, role=role, size=11)
            canvas.line((line, y + down + 4), (box.x, y + down + 4), role=role)
            canvas.line((box.x, y + down + 16), (line + 2, y + down + 16), role=role, arrow=True)
        if told:
            row(y + 36, shapes["blocks.0.attention"], "")
            row(y + 68, shapes["blocks.0.mlp"], "")
    canvas.words("⋮", (left + 20, 261), "stream", 18)
    canvas.words(f"{n_layer} blocks alike", (250, 254), size=12)
    canvas.words(share("blocks."), (358, 254), size=12, anchor="end")
    row(354, shapes[f"blocks.{n_layer - 1}"])
    canvas.box(left, 402, width, 22, "norm", filled=False)
    row(413, shapes["final_norm"], "< 0.1 %")
    canvas.line((line, 424), (line, 438), role="stream", arrow=True)
    canvas.box(left, 440, width, 28, "token table again", role="token")
    row(454, shapes[""], "shared")
    canvas.words("scores", (250, 472), "muted", 12)
    made, scores = tuple(shapes["token_embedding"]), tuple(shapes[""])
    return canvas.shown(
        f"A GPT from top to bottom: ids of shape {ids}; the token table "
        f"({share('token_embedding')} of all {total:,} numbers) makes vectors of shape {made}, to "
        f"which positions are added; {n_layer} blocks ({share('blocks.')}) of attention and MLP "
        f"add to them; a norm; and the token table again, for scores of shape {scores}."
    )


def stream_by_block(
    tables: float, attention: Sequence[float], mlp: Sequence[float], after: Sequence[float]
) -> Drawing:
    """How large are the tables' sum, what each part adds, and the stream behind each block.

    Args:
        tables: the size (RMS) of the two tables' sum.
        attention, mlp: the sizes of what they add, a block each. after: of the stream behind it.

    Shown in https://minigpt-book.github.io/minigpt/model.html
    """
    step, left = 17, 118
    canvas = Canvas(36 + len(after) * (3 * step + 10))
    largest = max(*attention, *mlp, *after, tables)

    def bar(y: Number, name: str, size: float, role: str) -> None:
        long = (312 - left) * size / largest
        canvas.words(name, (left - 8, y), "muted", 12, "end")
        canvas.box(left, y - 6, max(long, 1), 12, role=role)
        canvas.words(number_text(size, 2), (left + long + 6, y), size=12, anchor="start", mono=True)

    bar(12, "two tables", tables, "token")
    for i in range(len(after)):
        y = 36 + i * (3 * step + 10)
        canvas.words(f"{i + 1}", (8, y + step), size=13, bold=True)
        bar(y, "attention adds", attention[i], ATTENTION)
        bar(y + step, "MLP adds", mlp[i], MLP)
        bar(y + 2 * step, "stream", after[i], "stream")
    told = "; ".join(
        f"block {i}: attention {number_text(a, 2)}, MLP {number_text(m, 2)}, stream after it "
        f"{number_text(s, 2)}"
        for i, (a, m, s) in enumerate(zip(attention, mlp, after, strict=True), 1)
    )
    return canvas.shown(
        f"Bars for the size of vectors. The sum of the two tables: {number_text(tables, 2)}; "
        f"{told}."
    )
