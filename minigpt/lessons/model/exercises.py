"""Checks for the exercises of the chapter on the model."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from minigpt.attention.linear import linear
from minigpt.lessons.judge import Case, Verdict, judge
from minigpt.model import GPT, GPTConfig


def layer_norm(function: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Verdict:
    """Check `layer_norm(x, weight, bias)`: mean 0, variance 1 along the last dimension."""
    x = torch.tensor([[1.0, 5.0], [10.0, 30.0]])  # means 3 and 20, standard deviations 2 and 10
    ones, zeros = torch.ones(2), torch.zeros(2)
    signs = torch.tensor([[-1.0, 1.0], [-1.0, 1.0]])
    hint = (
        "(x - mean) / sqrt(variance + 1e-5), each of its own row: dim=-1, keepdim=True; then "
        "times weight, plus bias"
    )
    columns = "you went down the batch: each vector is normalised on its own, along dim=-1"
    mean, variance = x.mean(dim=-1), x.var(dim=-1, correction=0)
    pair = torch.tensor([[1.0, 5.0]])
    weight, bias = torch.tensor([2.0, 0.5]), torch.tensor([10.0, -1.0])
    flat = torch.tensor([[5.0, 5.0], [0.0, 0.002]])  # variances 0 and 1e-6
    small = 0.001 / math.sqrt(1e-6 + 1e-5)
    inside = "eps stands under the root: sqrt(variance + 1e-5)"
    three = torch.tensor([[[1.0, 5.0], [10.0, 30.0], [0.0, 2.0]]])
    cases = [
        Case(
            (x, ones, zeros),
            signs,
            hint,
            [
                (
                    signs / math.sqrt(2),
                    "divide the squares by C, not by C - 1: var(dim=-1, correction=0)",
                ),
                ((x - x.mean()) / x.std(correction=0), "each row has its own mean and variance"),
                ((x - x.mean()) / x.std(), "each row has its own mean and variance"),
                ((x - x.mean(dim=0)) / x.std(dim=0, correction=0), columns),
                ((x - x.mean(dim=0)) / x.std(dim=0), columns),
                (
                    torch.tensor([[-0.5, 0.5], [-0.1, 0.1]]),
                    "divide by the root of the variance, the standard deviation",
                ),
                (
                    (x - mean) / variance.sqrt(),
                    "the means stand in a row, as one for each column: keepdim=True",
                ),
                (x / variance.sqrt()[:, None], "subtract the mean of the row first"),
                (x - mean[:, None], "divide by the standard deviation of the row"),
                (
                    x / x.square().mean(dim=-1, keepdim=True).sqrt(),
                    "that is RMSNorm, which leaves the mean in: subtract it first",
                ),
            ],
        ),
        Case(
            (pair, weight, bias),
            torch.tensor([[8.0, -0.5]]),
            "times weight, plus bias, number by number, once the row is normalised",
            [
                (torch.tensor([[-1.0, 1.0]]), "weight and bias are missing"),
                (torch.tensor([[-2.0, 0.5]]), "the bias is missing"),
                (torch.tensor([[9.0, 0.0]]), "the weight is missing"),
                (torch.tensor([[18.0, 0.0]]), "weight first, bias after: w * x + b"),
            ],
        ),
        Case(
            (flat, ones, zeros),
            torch.tensor([[0.0, 0.0], [-small, small]]),
            "eps is 1e-5, added to the variance under the root",
            [
                (math.nan, "a row of equal numbers has variance 0, and 0 / 0 is nan: " + inside),
                (torch.tensor([[0.0, 0.0], [-1.0, 1.0]]), inside),  # an eps too small to matter
                (torch.tensor([[0.0, 0.0], [-1.0, 1.0]]) / 1.01, inside),
            ],
        ),
        Case(
            (three, ones, zeros),
            torch.tensor([[[-1.0, 1.0], [-1.0, 1.0], [-1.0, 1.0]]]),
            "x may have more dimensions: (B, T, C) here. The last is dim=-1, not dim=1",
        ),
    ]
    return judge(function, cases)


def gelu_tanh(function: Callable[[Tensor], Tensor]) -> Verdict:
    """Check `gelu_tanh(x)`: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x³)))."""
    x = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0])
    hint = "0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))"
    far = "far from 0 it is 0 or x. torch.tanh takes numbers of any size; exp does not"
    root = math.sqrt(2 / math.pi)
    cube = x + 0.044715 * x**3
    cases = [
        Case(
            (x,),
            torch.tensor([-0.045402306, -0.15880801, 0.0, 0.84119199, 1.9545977]),
            hint,
            [
                (F.gelu(x), "that is the exact GELU, with erf: GPT-2 uses the form with tanh"),
                (F.relu(x), "that is ReLU: a GELU lets a little of -1 through"),
                (x * (1.702 * x).sigmoid(), "that is the form with a sigmoid, a rougher one"),
                (F.silu(x), "that is SiLU, x * sigmoid(x)"),
                (_halved(x, root * (x + 0.044715 * x**2)), "cube x in the sum: x**3, not x**2"),
                (_halved(x, 2 / math.pi * cube), "the factor is the square root of 2 / pi"),
                (_halved(x, cube), "the factor sqrt(2 / pi) inside tanh is missing"),
                (
                    _halved(x, root * x + 0.044715 * x**3),
                    "sqrt(2 / pi) multiplies the whole sum: parentheses",
                ),
                (_halved(x, root * x), "add 0.044715 * x**3 to x inside tanh"),
                (2 * _halved(x, root * cube), "half of it: 0.5 * x"),
                (0.5 * x * (root * cube).tanh(), "1 + tanh lies between 0 and 2: add the 1"),
                (_halved(torch.ones(5), root * cube), "multiply that share by x"),
            ],
        ),
        Case((torch.tensor([[3.0, -3.0]]),), torch.tensor([[2.9963627, -0.0036373623]]), hint),
        Case(
            (torch.tensor([-1000.0, 1000.0]),),
            torch.tensor([0.0, 1000.0]),
            far,
            [(math.nan, far)],
        ),
    ]
    return judge(function, cases)


def block_parameters(function: Callable[[int, bool], int]) -> Verdict:
    """Check `block_parameters(n_embd, bias) -> int`: learned numbers of one block."""
    C = 768
    square = C * C
    hint = (
        "4 C x C matrices in attention, C x 4C and 4C x C in the MLP, and a weight of C numbers "
        "in each of two norms"
    )
    with_bias = "biases are one number for each output: 3C and C, 4C and C, and C in each norm"
    wide = "the MLP is 4 C wide inside: two matrices of 4 C x C"
    no_norms = "the two norms learn too: a weight for each of the C numbers"
    cases = [
        Case(
            (C, False),
            12 * square + 2 * C,
            hint,
            [
                (12 * square, no_norms),
                (12 * square + C, "a block has two norms, one before each part"),
                (12 * square + 13 * C, "without biases: look at the second argument"),
                (12 * square + 4 * C, "without biases the norms have none either"),
                (12 * square + 2, "a norm learns C numbers, not one"),
                (6 * square + 2 * C, wide),
                (6 * square, wide),
                (8 * square + 2 * C, "4 C x C in attention and 8 in the MLP: 12 in all"),
                (8 * square, "4 C x C in attention and 8 in the MLP: 12 in all"),
                (4 * square + 2 * C, "attention is a third of it: the MLP is missing"),
                (4 * square, "attention is a third of it: the MLP is missing"),
                (11 * square + 2 * C, "the projection after the heads is a matrix too"),
                (11 * square, "the projection after the heads is a matrix too"),
            ],
        ),
        Case(
            (C, True),
            12 * square + 13 * C,
            with_bias,
            [
                (12 * square + 2 * C, "with biases: one more number for each output"),
                (12 * square + 9 * C, no_norms + ", and a bias"),
                (12 * square + 11 * C, "the norms have biases too: 2 C numbers each, two norms"),
                (12 * square + 4 * C, "the four linear layers have biases too: 9 C numbers"),
                (12 * square + 10 * C, "the MLP's first layer has 4 C outputs, so 4 C biases"),
                (12 * square + 8 * C, "the MLP has biases too: 4 C and C"),
            ],
        ),
        Case((2, False), 52, hint),
        Case((2, True), 74, with_bias),
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

    The final norm and the head, applied to the vectors before the first block and after each
    block (nostalgebraist 2020), so that the last is what the model returns.
    """
    hint = (
        "activations(model, ids) keeps 'dropout', the vectors before the first block, and "
        "'blocks.0', 'blocks.1' and so on: final_norm and lm_head for each of them"
    )
    ids = torch.tensor([[3, 0, 6, 6], [1, 5, 2, 4]])
    tied = _small(n_layer=2)
    untied = _small(n_layer=2, tied=False, bias=False, dropout=0.5)
    deep = _small(n_layer=11)
    as_text = [0] + [1 + int(name) for name in sorted(map(str, range(11)))]
    with torch.no_grad():
        x, untied_x, deep_x = (_stream(model, ids) for model in (tied, untied, deep))
        lens = _read(tied, x)
        no_positions = _read(tied, tied.token_embedding(ids)[None])
        twice = _read(tied, tied.final_norm(x[-1:]))
        mistakes = [
            (tied.lm_head(x), "the final norm comes before the head"),
            (lens[1:], "what stands before the first block counts too: L + 1 layers in all"),
            (lens[:-1], "what stands after the last block counts too: L + 1 layers in all"),
            (lens[-1], "that is what the model returns: the last of L + 1 layers"),
            (x, "those are the vectors: final_norm, then lm_head, make scores of them"),
            (tied.final_norm(x), "normalised vectors, no scores yet: lm_head is missing"),
            (lens.softmax(dim=-1), "those are probabilities: return the scores"),
            (lens.log_softmax(dim=-1), "those are log-probabilities: return the scores"),
            (lens.transpose(0, 1), "layers come first: torch.stack(..., dim=0)"),
            (lens.flip(0), "from the first layer to the last"),
            (
                torch.cat([no_positions, lens[1:]]),
                "positions are added before the first block: 'dropout' holds the sum",
            ),
            (
                torch.cat([lens[:1], _read(tied, x.diff(dim=0))]),
                "that is what each block adds: read all that has been added so far",
            ),
            (torch.cat([lens[:-1], twice]), "the last vectors went through the final norm twice"),
        ]
        own_head = (
            untied.final_norm(untied_x) @ untied.token_embedding.weight.T,
            "this head has a matrix of its own: call lm_head",
        )
        cases = [
            Case((tied, ids), lens, hint, mistakes),
            Case((untied, ids), _read(untied, untied_x), hint, [own_head]),
            Case(
                (deep, ids),
                _read(deep, deep_x),
                "11 blocks here: len(model.blocks) says how many",
                [
                    (
                        _read(deep, deep_x[as_text]),
                        "sorted as text, 'blocks.10' comes before 'blocks.2': count instead",
                    )
                ],
            ),
        ]
    return judge(function, cases)


def _halved(x: Tensor, inner: Tensor) -> Tensor:
    return 0.5 * x * (1 + inner.tanh())


def _small(n_layer: int, tied: bool = True, bias: bool = True, dropout: float = 0.0) -> GPT:
    """A GPT whose every number is random, norms and biases too, so that each of them matters."""
    sizes = GPTConfig(7, 4, n_layer, n_head=2, n_embd=4, dropout=dropout, bias=bias, tied=tied)
    generator = torch.Generator().manual_seed(n_layer)
    model = GPT(sizes, generator).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.normal_(generator=generator)
    return model


def _stream(model: GPT, ids: Tensor) -> Tensor:
    """The vectors before the first block and after each, (L + 1, B, T, C)."""
    layers = [model.token_embedding(ids) + model.position_embedding(ids.shape[1])]
    for block in model.blocks:
        layers.append(block(layers[-1]))
    return torch.stack(layers)


def _read(model: GPT, x: Tensor) -> Tensor:
    return model.lm_head(model.final_norm(x))
