"""Checks for the exercises of the chapter on the model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from minigpt.attention.linear import linear
from minigpt.embedding import TokenEmbedding
from minigpt.lessons.judge import Case, Verdict, judge
from minigpt.model import GPT, Block, GPTConfig


def rms_norm(function: Callable[[nn.Module, Tensor], Tensor]) -> Verdict:
    """Check `RMSNorm.forward(self, x)`: each vector over the root of the mean of its squares."""
    x = torch.tensor([[1.0, 7.0], [30.0, 40.0]])  # mean squares 25 and 1250
    root = x.square().mean(dim=-1, keepdim=True).sqrt()
    ones = _norm(torch.ones(2))
    hint = "square the numbers, take the mean along dim=-1 with keepdim=True, add 1e-5, the root"
    down = x.square().mean(dim=0, keepdim=True).sqrt()
    centred = x - x.mean(dim=-1, keepdim=True)
    inside = "1e-5 is added to the mean of the squares, under the root"
    weight = torch.tensor([2.0, -1.0])
    flat = torch.tensor([[0.0, 0.0], [0.001, 0.001]])  # mean squares 0 and 1e-6
    cases = [
        Case(
            (ones, x),
            x / root,
            hint,
            [
                (centred / centred.square().mean(dim=-1, keepdim=True).sqrt(), _AS_BEFORE),
                (centred / root, "the mean stays in: nothing is subtracted"),
                (
                    x / x.square().sum(dim=-1, keepdim=True).sqrt(),
                    "the mean of the squares, not their sum",
                ),
                (x / root**2, "divide by the root of the mean of the squares"),
                (x / x.square().mean().sqrt(), "each vector has a size of its own: dim=-1"),
                (x / down, "you went down the batch: each vector alone, along dim=-1"),
                (x / root[:, 0], "the sizes stand in a row, as one for each column: keepdim=True"),
                (
                    x / x.abs().mean(dim=-1, keepdim=True),
                    "square the numbers; the mean of their sizes is another",
                ),
            ],
        ),
        Case(
            (_norm(weight), x),
            x / root * weight,
            "times self.weight, number by number",
            [
                (x / root, "self.weight is missing"),
                (x / root + weight, "times self.weight, not plus"),
            ],
        ),
        Case(
            (ones, flat),
            flat / (flat.square().mean(dim=-1, keepdim=True) + 1e-5).sqrt(),
            inside,
            [
                (math.nan, "a vector of zeros has the size 0, and 0 / 0 is nan: " + inside),
                (torch.tensor([[0.0, 0.0], [1.0, 1.0]]), inside),
                (torch.tensor([[0.0, 0.0], [1.0, 1.0]]) / 1.01, inside),
            ],
        ),
        Case(
            (ones, x[None].expand(1, 2, 2)),
            (x / root)[None],
            "x may have more dimensions: (B, T, C) here. The last is dim=-1, not dim=1",
        ),
    ]
    with _by_hand():
        return judge(function, cases)


def parallel_block(function: Callable[[nn.Module, Tensor], Tensor]) -> Verdict:
    """Check `ParallelBlock.forward(self, x)`: both parts read one normalised copy of the stream."""
    block = _block()
    x = torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        read = block.norm_1(x)
        found, made = block.attention(read), block.mlp(read)
        other = block.mlp(block.norm_2(x))
        after = x + found
        one_by_one = after + block.mlp(block.norm_1(after))
        mistakes = [
            (block(x), "as before: the MLP waits for attention. Here both read x"),
            (one_by_one, "the MLP reads what attention has added to: here both read the same copy"),
            (after + other, "one norm for both: norm_1"),
            (found + made, "x itself is missing: add to it"),
            (x + x + found + made, "x is added once"),
            (
                read + found + made,
                "add to x, not to its normalised copy: the stream stays as it is",
            ),
            (after, "the MLP is missing"),
            (x + made, "attention is missing"),
            (x + block.attention(x) + block.mlp(x), "both read a copy that norm_1 has normalised"),
            (x + block.mlp(found), "the MLP reads the normalised copy, not what attention made"),
            (
                after + block.mlp(found),
                "the MLP reads the normalised copy, not what attention made",
            ),
        ]
        hint = "one copy, self.norm_1(x); both parts read it, and both are added to x"
        return judge(function, [Case((block, x), after + made, hint, mistakes)])


def swiglu(function: Callable[[nn.Module, Tensor], Tensor]) -> Verdict:
    """Check `SwiGLU.forward(self, x)`: `down(silu(gate(x)) * up(x))`."""
    # By one number each, so that a reader can follow: gate(x) = x, up(x) = 2 x + 1, down(x) = x.
    plain = _gated([[1.0]], [[2.0]], [1.0], [[1.0]])
    x = torch.tensor([[-1.0], [0.0], [2.0]])
    up = 2 * x + 1
    generator = torch.Generator().manual_seed(3)
    draws = (torch.randn(*size, generator=generator) for size in ((6, 4), (6, 4), (6,), (4, 6)))
    wide = _gated(*(draw.tolist() for draw in draws))
    given = torch.randn(2, 3, 4, generator=generator)
    hint = "gate, up and down are layers: call all three; torch.sigmoid is in torch"
    with torch.no_grad():
        gate, raised = wide.gate(given), wide.up(given)
        cases = [
            Case(
                (plain, x),
                x * x.sigmoid() * up,
                hint,
                [
                    (
                        x.sigmoid() * up,
                        "that gate is a sigmoid alone (GLU): silu(g) is g times sigmoid(g)",
                    ),
                    (F.gelu(x) * up, "the bend is silu here; with GELU it is called GEGLU"),
                    (
                        F.gelu(x, approximate="tanh") * up,
                        "the bend is silu here; with GELU it is called GEGLU",
                    ),
                    (x.relu() * up, "the bend is silu here; with ReLU it is called ReGLU"),
                    (up * up.sigmoid() * x, "the bend is on the gate, not on up"),
                    (x * x.sigmoid() + up, "the gate multiplies: times, not plus"),
                    (x * up, "the bend is missing: silu of the gate"),
                    (x * x.sigmoid(), "up is missing: the gate multiplies what it made"),
                    (up * up.sigmoid(), "the gate is missing"),
                ],
            ),
            Case(
                (wide, given),
                wide.down(F.silu(gate) * raised),
                hint,
                [(F.silu(gate) * raised, "down is missing: back to the stream's width")],
            ),
        ]
        return judge(function, cases)


def count_parameters(function: Callable[[nn.Module], int]) -> Verdict:
    """Check `count_parameters(model) -> int`: learned numbers, each tensor counted once.

    A tensor that two modules share counts once, one with `requires_grad=False` not at all.
    """
    hint = "p.numel() of every p in model.parameters(), added up"
    table = 7 * 4
    block = 12 * 4 * 4 + 13 * 4
    rest = 4 * 4 + block + 2 * 4  # positions, one block, the final norm
    random = torch.Generator().manual_seed(0)  # not torch's own, which is the reader's
    layer = linear(3, 2, generator=random)
    shared = nn.Sequential(linear(3, 3, generator=random), linear(3, 3, generator=random))
    shared[1].weight = shared[0].weight
    equal = nn.Sequential(linear(2, 2, generator=random), linear(2, 2, generator=random))
    equal[1].load_state_dict(equal[0].state_dict())
    frozen = nn.Sequential(linear(3, 2, generator=random), linear(2, 1, generator=random))
    frozen[0].requires_grad_(False)
    product = "a matrix of 2 x 3 has 6 numbers: p.numel(), not len(p) or the sum of its sizes"
    by_tensor = "compare tensors with `is` or id(), not their names, shapes or numbers"
    buffers = "buffers, such as running means, are in state_dict() but are not learned"
    cases = [
        Case(
            (layer,),
            8,
            hint,
            [
                (2, "those are the tensors: p.numel() is how many numbers one holds"),
                (6, "biases are learned too"),
                (4, product),
                (7, product),
            ],
        ),
        Case(
            (_small(n_layer=1),),
            table + rest,
            "the parts of parts count too: model.parameters() goes all the way down",
            [
                (
                    2 * table + rest,
                    "the head is the token table: one tensor with two names. model.parameters() "
                    "gives it once, state_dict() twice",
                ),
                (rest, "the token table is learned, whatever else uses it: count it once"),
            ],
        ),
        Case(
            (_small(n_layer=1, tied=False),),
            2 * table + rest,
            hint,
            [(table + rest, "this head has a matrix of its own: " + by_tensor)],
        ),
        Case((equal,), 12, hint, [(6, "two tensors may hold the same numbers: " + by_tensor)]),
        Case(
            (shared,),
            15,
            hint,
            [
                (24, "the second layer uses the weight of the first: count each tensor once"),
                (12, "the second layer uses the first's weight, but has a bias of its own"),
            ],
        ),
        Case((nn.BatchNorm1d(3),), 6, hint, [(13, buffers), (12, buffers)]),
        Case(
            (frozen,),
            3,
            "the first layer is frozen, the second is not: leave out what has requires_grad False",
        ),
    ]
    return judge(function, cases)


def logit_lens(function: Callable[[nn.Module, Tensor], Tensor]) -> Verdict:
    """Check `logit_lens(model, ids) -> (L + 1, B, T, V)`: what the head makes of every layer.

    The final norm and the token table, applied to the vectors before the first block and after
    each block (nostalgebraist 2020), so that the last is what the model returns. The models have
    the names of the reader's own.
    """
    hint = (
        "begin as GPT.forward does; keep x before the first block and after each, then final_norm "
        "and the token table for each of them"
    )
    ids = torch.tensor([[3, 0, 6, 6], [1, 5, 2, 4]])
    model, deep = _Readers(n_layer=2), _Readers(n_layer=11)
    with torch.no_grad():
        x, deep_x = (each.stream(ids) for each in (model, deep))
        table = model.token_embedding.weight
        lens = model.read(x)
        no_positions = model.read(model.token_embedding(ids)[None])
        twice = model.read(model.final_norm(x[-1:]))
        mistakes = [
            (x @ table.T, "the final norm comes before the token table"),
            (lens[1:], "what stands before the first block counts too: L + 1 layers in all"),
            (lens[:-1], "what stands after the last block counts too: L + 1 layers in all"),
            (lens[-1], "that is what the model returns: the last of L + 1 layers"),
            (x, "those are the vectors: final_norm, then the token table, make scores of them"),
            (model.final_norm(x), "normalised vectors, no scores yet: @ token_embedding.weight.T"),
            (lens.softmax(dim=-1), "those are probabilities: return the scores"),
            (lens.log_softmax(dim=-1), "those are log-probabilities: return the scores"),
            (lens.transpose(0, 1), "layers come first: torch.stack(..., dim=0)"),
            (lens.flip(0), "from the first layer to the last"),
            (
                torch.cat([no_positions, lens[1:]]),
                "positions are added before the first block",
            ),
            (
                torch.cat([lens[:1], model.read(x.diff(dim=0))]),
                "that is what each block adds: read all that has been added by then",
            ),
            (torch.cat([lens[:-1], twice]), "the last vectors went through the final norm twice"),
        ]
        cases = [
            Case((model, ids), lens, hint, mistakes),
            Case((deep, ids), deep.read(deep_x), "11 blocks here: a loop over model.blocks"),
        ]
    return judge(function, cases)


_AS_BEFORE = "that is LayerNorm: the mean stays in, nothing is subtracted"


@contextmanager
def _by_hand() -> Iterator[None]:
    """PyTorch's own norms refuse, so that an exercise is not passed by what it asks to write."""

    def refuse(*arguments: object, **more: object) -> None:
        raise ValueError("that is PyTorch's norm; write the arithmetic yourself")

    places: Sequence[Any] = (torch, F)
    names = ("rms_norm", "layer_norm", "group_norm")
    kept = [
        (place, name, getattr(place, name))
        for place in places
        for name in names
        if hasattr(place, name)
    ]
    for place, name, _ in kept:
        setattr(place, name, refuse)
    try:
        yield
    finally:
        for place, name, real in kept:
            setattr(place, name, real)


def _norm(weight: Tensor) -> nn.Module:
    """What `RMSNorm.__init__` of the exercise makes, with these weights."""
    norm = nn.Module()
    norm.weight = nn.Parameter(weight.clone())
    return norm


def _gated(
    gate: list[list[float]], up: list[list[float]], bias: list[float], down: list[list[float]]
) -> nn.Module:
    """What `SwiGLU.__init__` of the exercise makes, with these weights, and a bias in `up`."""
    part = nn.Module()
    for name, weight in (("gate", gate), ("up", up), ("down", down)):
        numbers = torch.tensor(weight)
        layer = nn.Linear(*numbers.T.shape, device="meta", dtype=numbers.dtype)
        layer.weight = nn.Parameter(numbers)
        layer.bias = nn.Parameter(
            torch.tensor(bias) if name == "up" else torch.zeros(len(numbers), dtype=numbers.dtype)
        )
        setattr(part, name, layer)
    return part


def _block() -> Block:
    """A block whose every number is random."""
    generator = torch.Generator().manual_seed(2)
    block = Block(GPTConfig(7, 4, n_layer=1, n_head=2, n_embd=4), generator)
    with torch.no_grad():
        for p in block.parameters():
            p.normal_(generator=generator)
    return block.eval()


class _Readers(nn.Module):
    """A model with the parts of the reader's own GPT, of which every number is random."""

    def __init__(self, n_layer: int) -> None:
        super().__init__()
        whole = _small(n_layer)
        random = torch.Generator().manual_seed(n_layer)
        self.token_embedding = whole.token_embedding
        self.position_embedding = TokenEmbedding(4, 4, random)
        self.position_embedding.load_state_dict(whole.position_embedding.state_dict())
        self.blocks, self.final_norm = whole.blocks, whole.final_norm
        self.context_length = 4

    def stream(self, ids: Tensor) -> Tensor:
        """The vectors before the first block and after each, (L + 1, B, T, C)."""
        places = torch.arange(ids.shape[1])
        layers = [self.token_embedding(ids) + self.position_embedding(places)]
        for block in self.blocks:
            layers.append(block(layers[-1]))
        return torch.stack(layers)

    def read(self, x: Tensor) -> Tensor:
        """The scores of vectors."""
        return self.final_norm(x) @ self.token_embedding.weight.T

    def forward(self, ids: Tensor) -> Tensor:
        return self.read(self.stream(ids)[-1])


_Readers.__name__ = "GPT"  # what a verdict calls it


def _small(n_layer: int, tied: bool = True) -> GPT:
    """A GPT whose every number is random, norms and biases too, so that each of them matters."""
    sizes = GPTConfig(7, 4, n_layer, n_head=2, n_embd=4, tied=tied)
    generator = torch.Generator().manual_seed(n_layer)
    model = GPT(sizes, generator).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.normal_(generator=generator)
    return model
