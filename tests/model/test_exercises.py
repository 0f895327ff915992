"""The checks of the chapter on the model, held to right, empty and wrong submissions."""

from __future__ import annotations

import math

import numpy as np
import torch
from submissions import Submissions
from torch import nn
from torch.nn import functional as F

from minigpt.lessons.model import exercises as check
from minigpt.model import Block, GPTConfig
from minigpt.model.activations import activations


def layer_norm(x, weight, bias, dim=-1, correction=0, power=0.5, eps=1e-5):
    variance, mean = torch.var_mean(x, dim=dim, correction=correction, keepdim=True)
    return (x - mean) / (variance + eps) ** power * weight + bias


def layer_norm_eps_outside(x, weight, bias):
    deviation = x.std(dim=-1, correction=0, keepdim=True)
    return (x - x.mean(dim=-1, keepdim=True)) / (deviation + 1e-5) * weight + bias


def layer_norm_without_keepdim(x, weight, bias):
    return (x - x.mean(-1)) / (x.var(-1, correction=0) + 1e-5).sqrt() * weight + bias


def layer_norm_in_place(x, weight, bias):
    x -= x.mean(dim=-1, keepdim=True)
    return x / (x.square().mean(dim=-1, keepdim=True) + 1e-5).sqrt() * weight + bias


def gelu_tanh(x, factor=(2 / math.pi) ** 0.5, power=3):
    return 0.5 * x * (1 + torch.tanh(factor * (x + 0.044715 * x**power)))


def gelu_with_exp(x):
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return x * (2 * inner).exp() / (1 + (2 * inner).exp())


def block_parameters(n_embd, bias):
    return 12 * n_embd**2 + (13 if bias else 2) * n_embd


def count_parameters(model, keep=lambda p: p.requires_grad):
    return sum(p.numel() for p in model.parameters() if keep(p))


def count_by_id(model):
    named = model.named_parameters(remove_duplicate=False)
    return sum({id(p): p.numel() for _, p in named if p.requires_grad}.values())


def count_state(model):
    return sum(tensor.numel() for tensor in model.state_dict().values())


def count_every_name(model):
    return sum(p.numel() for _, p in model.named_parameters(remove_duplicate=False))


def count_without_the_head(model):
    return sum(p.numel() for name, p in model.named_parameters() if "lm_head" not in name)


def count_different_numbers(model):
    return sum(
        len(numbers) for numbers in {tuple(p.flatten().tolist()) for p in model.parameters()}
    )


def stream(model, ids, start="dropout", suffix=""):
    kept = activations(model, ids)
    names = [start, *(f"blocks.{i}{suffix}" for i in range(len(model.blocks)))]
    return torch.stack([kept[name] for name in names])


def logit_lens(model, ids, **names):
    return model.lm_head(model.final_norm(stream(model, ids, **names)))


def logit_lens_by_block(model, ids):
    x = model.token_embedding(ids) + model.position_embedding(ids.shape[1])
    layers = [model.lm_head(model.final_norm(x))]
    for block in model.blocks:
        x = block(x)
        layers.append(model.lm_head(model.final_norm(x)))
    return layers


def logit_lens_in_text_order(model, ids):
    kept = activations(model, ids)
    blocks = [name for name in kept if name.startswith("blocks.") and name.count(".") == 1]
    layers = torch.stack([kept[name] for name in ["dropout", *sorted(blocks)]])
    return model.lm_head(model.final_norm(layers))


def logit_lens_normalised_twice(model, ids):
    kept = activations(model, ids)
    layers = torch.stack([*stream(model, ids)[:-1], kept["final_norm"]])
    return model.lm_head(model.final_norm(layers))


def logit_lens_cutting_the_model(model, ids):
    blocks = model.blocks
    layers = []
    for i in range(len(blocks) + 1):
        model.blocks = blocks[:i]
        layers.append(model(ids))
        model.blocks = blocks[:-1]  # never put back
    return torch.stack(layers)


def logit_lens_leaving_hooks(model, ids):
    model.final_norm.register_forward_hook(lambda module, given, output: None)
    return logit_lens(model, ids)


CORRECT = {
    "layer_norm": layer_norm,
    "gelu_tanh": gelu_tanh,
    "block_parameters": block_parameters,
    "count_parameters": count_parameters,
    "logit_lens": logit_lens,
}

OTHERWISE_CORRECT = [
    ("layer_norm", lambda x, weight, bias: F.layer_norm(x, x.shape[-1:], weight, bias)),
    ("layer_norm", lambda *given: layer_norm(*(tensor.double() for tensor in given))),
    ("gelu_tanh", lambda x: F.gelu(x, approximate="tanh")),
    ("count_parameters", count_by_id),
    (
        "count_parameters",
        lambda model: sum(np.prod(p.shape) for p in model.parameters() if p.requires_grad),
    ),
    ("count_parameters", lambda model: torch.tensor(count_parameters(model))),
    ("logit_lens", logit_lens_by_block),
    ("logit_lens", torch.no_grad()(logit_lens)),
]

WRONG = [  # check, submission, a part of the hint that it must earn
    ("layer_norm", lambda *given: layer_norm(*given, correction=1), "not by C - 1"),
    ("layer_norm", lambda *given: layer_norm(*given, dim=None), "each row has its own"),
    ("layer_norm", lambda x, w, b: (x - x.mean()) / x.std() * w + b, "each row has its own"),
    ("layer_norm", lambda *given: layer_norm(*given, dim=0), "down the batch"),
    ("layer_norm", lambda *given: layer_norm(*given, dim=0, correction=1), "down the batch"),
    ("layer_norm", lambda *given: layer_norm(*given, dim=1), "not dim=1"),
    ("layer_norm", lambda *given: layer_norm(*given, power=1), "root of the variance"),
    ("layer_norm", layer_norm_without_keepdim, "keepdim=True"),
    ("layer_norm", layer_norm_in_place, "build a new tensor"),
    ("layer_norm", lambda x, w, b: x / x.std(-1, False, keepdim=True) * w + b, "subtract the mean"),
    ("layer_norm", lambda x, w, b: (x - x.mean(-1, True)) * w + b, "standard deviation of the row"),
    ("layer_norm", lambda x, w, b: F.rms_norm(x, x.shape[-1:]) * w + b, "that is RMSNorm"),
    ("layer_norm", lambda x, w, b: layer_norm(x, 1, 0), "weight and bias are missing"),
    ("layer_norm", lambda x, w, b: layer_norm(x, w, 0), "the bias is missing"),
    ("layer_norm", lambda x, w, b: layer_norm(x, 1, b), "the weight is missing"),
    ("layer_norm", lambda x, w, b: (layer_norm(x, 1, 0) + b) * w, "weight first"),
    ("layer_norm", layer_norm_eps_outside, "under the root"),
    ("layer_norm", lambda *given: layer_norm(*given, eps=0.0), "0 / 0 is nan"),
    ("layer_norm", lambda *given: layer_norm(*given, eps=1e-12), "under the root"),
    ("layer_norm", lambda *given: layer_norm(*given, eps=1e-6), "eps is 1e-5"),
    ("gelu_tanh", F.gelu, "the exact GELU"),
    ("gelu_tanh", F.relu, "that is ReLU"),
    ("gelu_tanh", lambda x: x * (1.702 * x).sigmoid(), "form with a sigmoid"),
    ("gelu_tanh", F.silu, "that is SiLU"),
    ("gelu_tanh", lambda x: gelu_tanh(x, power=2), "x**3, not x**2"),
    ("gelu_tanh", lambda x: gelu_tanh(x, factor=2 / math.pi), "square root of 2 / pi"),
    ("gelu_tanh", lambda x: gelu_tanh(x, factor=1), "sqrt(2 / pi) inside tanh is missing"),
    (
        "gelu_tanh",
        lambda x: 0.5 * x * (1 + torch.tanh((2 / math.pi) ** 0.5 * x + 0.044715 * x**3)),
        "parentheses",
    ),
    (
        "gelu_tanh",
        lambda x: 0.5 * x * (1 + torch.tanh((2 / math.pi) ** 0.5 * x)),
        "add 0.044715 * x**3",
    ),
    ("gelu_tanh", lambda x: 2 * gelu_tanh(x), "half of it"),
    ("gelu_tanh", lambda x: gelu_tanh(x) - 0.5 * x, "add the 1"),
    ("gelu_tanh", lambda x: torch.where(x == 0, 0.5, gelu_tanh(x) / x), "share by x"),
    ("gelu_tanh", gelu_with_exp, "exp does not"),
    ("gelu_tanh", lambda x: 0.5 * x * (1 + math.tanh(x)), "raised"),
    ("gelu_tanh", lambda x: gelu_tanh(x.mul_(1.1)), "build a new tensor"),
    ("block_parameters", lambda n_embd, bias: 12 * n_embd**2, "two norms learn too"),
    ("block_parameters", lambda n_embd, bias: 12 * n_embd**2 + n_embd, "has two norms"),
    ("block_parameters", lambda n_embd, bias: block_parameters(n_embd, True), "without biases"),
    ("block_parameters", lambda n_embd, bias: block_parameters(n_embd, False), "with biases"),
    (
        "block_parameters",
        lambda n_embd, bias: 12 * n_embd**2 + (13 if bias else 4) * n_embd,
        "norms have none either",
    ),
    ("block_parameters", lambda n_embd, bias: 12 * n_embd**2 + 2, "not one"),
    ("block_parameters", lambda n_embd, bias: 6 * n_embd**2 + 2 * n_embd, "4 C wide"),
    ("block_parameters", lambda n_embd, bias: 6 * n_embd**2, "4 C wide"),
    ("block_parameters", lambda n_embd, bias: 8 * n_embd**2 + 2 * n_embd, "12 in all"),
    ("block_parameters", lambda n_embd, bias: 8 * n_embd**2, "12 in all"),
    ("block_parameters", lambda n_embd, bias: 4 * n_embd**2, "the MLP is missing"),
    ("block_parameters", lambda n_embd, bias: 4 * n_embd**2 + 2 * n_embd, "the MLP is missing"),
    ("block_parameters", lambda n_embd, bias: 11 * n_embd**2 + 2 * n_embd, "after the heads"),
    ("block_parameters", lambda n_embd, bias: 11 * n_embd**2, "after the heads"),
    *(
        (
            "block_parameters",
            lambda n_embd, bias, c=c: 12 * n_embd**2 + (c if bias else 2) * n_embd,
            hint,
        )
        for c, hint in (
            (9, "and a bias"),
            (11, "the norms have biases too"),
            (4, "four linear layers"),
            (10, "4 C outputs"),
            (8, "the MLP has biases"),
        )
    ),
    ("count_parameters", lambda model: len(list(model.parameters())), "those are the tensors"),
    (
        "count_parameters",
        lambda model: sum(p.numel() for p in model.parameters() if p.dim() > 1),
        "biases are learned",
    ),
    ("count_parameters", lambda model: sum(map(len, model.parameters())), "a matrix of 2 x 3"),
    (
        "count_parameters",
        lambda model: sum(sum(p.shape) for p in model.parameters()),
        "a matrix of 2 x 3",
    ),
    (
        "count_parameters",
        lambda model: sum(p.numel() for p in model.parameters(recurse=False)),
        "goes all the way down",
    ),
    ("count_parameters", count_state, "state_dict() twice"),
    ("count_parameters", count_every_name, "one tensor with two names"),
    (
        "count_parameters",
        lambda model: count_parameters(model) - 28 * hasattr(model, "lm_head"),
        "whatever else uses it",
    ),
    ("count_parameters", count_without_the_head, "a matrix of its own"),
    (
        "count_parameters",
        lambda model: count_every_name(model) - 28 * (count_every_name(model) == 324),
        "a matrix of its own",  # takes the tied head and the untied one for the same
    ),
    ("count_parameters", count_different_numbers, "may hold the same numbers"),
    (
        "count_parameters",
        lambda model: (
            count_every_name(model) if isinstance(model, nn.Sequential) else count_by_id(model)
        ),
        "the weight of the first",
    ),
    (
        "count_parameters",
        lambda model: count_by_id(model) + sum(b.numel() for b in model.buffers()),
        "not learned",
    ),
    ("count_parameters", lambda model: count_parameters(model, lambda p: True), "is frozen"),
    ("count_parameters", lambda model: count_parameters(model.requires_grad_(False)), "copy only"),
    ("logit_lens", lambda model, ids: model.lm_head(stream(model, ids)), "before the head"),
    ("logit_lens", lambda *given: logit_lens(*given)[1:], "before the first block counts too"),
    ("logit_lens", lambda *given: logit_lens(*given)[:-1], "after the last block counts too"),
    ("logit_lens", lambda model, ids: model(ids), "the last of L + 1"),
    ("logit_lens", stream, "those are the vectors"),
    ("logit_lens", lambda model, ids: model.final_norm(stream(model, ids)), "lm_head is missing"),
    ("logit_lens", lambda *given: logit_lens(*given).softmax(-1), "those are probabilities"),
    ("logit_lens", lambda *given: logit_lens(*given).log_softmax(-1), "log-probabilities"),
    ("logit_lens", lambda *given: torch.stack([*logit_lens(*given)], dim=1), "layers come first"),
    ("logit_lens", lambda *given: logit_lens(*given).flip(0), "first layer to the last"),
    ("logit_lens", lambda *given: logit_lens(*given, start="token_embedding"), "holds the sum"),
    (
        "logit_lens",
        lambda model, ids: model.lm_head(
            model.final_norm(torch.cat([(x := stream(model, ids))[:1], x.diff(dim=0)]))
        ),
        "what each block adds",
    ),
    ("logit_lens", lambda *given: logit_lens(*given, suffix=".mlp"), "Its number at [1, 0, 0, 0]"),
    ("logit_lens", logit_lens_normalised_twice, "twice"),
    ("logit_lens", logit_lens_in_text_order, "count instead"),
    (
        "logit_lens",
        lambda model, ids: model.final_norm(stream(model, ids)) @ model.token_embedding.weight.T,
        "call lm_head",
    ),
    ("logit_lens", lambda *given: logit_lens(*given)[:3], "11 blocks here"),
    ("logit_lens", logit_lens_cutting_the_model, "changed what it was given"),
    ("logit_lens", logit_lens_leaving_hooks, "Take off every hook"),
    ("logit_lens", lambda model, ids: logit_lens(model.train(), ids), "and mode"),
]


class TestSubmissions(Submissions):
    """Every check of the chapter, and all of the submissions above."""

    exercises, correct, wrong = check, CORRECT, WRONG
    otherwise_correct = OTHERWISE_CORRECT


def test_block_parameters_are_those_of_the_package():
    seen = []

    def record(n_embd, bias):
        config = GPTConfig(1, 1, n_layer=1, n_head=1, n_embd=n_embd, bias=bias)
        seen.append(n_embd)
        return count_parameters(Block(config, torch.Generator()))

    assert check.block_parameters(record).passed
    assert len(seen) == 4


def test_the_last_of_the_lens_is_what_the_model_returns():
    layers = []

    def record(model, ids):
        answer = logit_lens_by_block(model, ids)
        torch.testing.assert_close(answer[-1], model(ids))
        layers.append(len(answer) - 1)
        return answer

    assert check.logit_lens(record).passed
    assert layers == [2, 2, 11]
