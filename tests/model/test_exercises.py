"""The checks of the chapter on the model, held to right, empty and wrong submissions."""

from __future__ import annotations

import numpy as np
import torch
from submissions import Submissions
from torch import nn
from torch.nn import functional as F

import my_gpt
from minigpt.lessons.model import exercises as check
from minigpt.model import Block


def rms_norm(self, x, dim=-1, eps=1e-5, power=0.5):
    return x / ((x**2).mean(dim=dim, keepdim=True) + eps) ** power * self.weight


def rms_norm_centred(self, x):
    return rms_norm(self, x - x.mean(dim=-1, keepdim=True))


def rms_norm_without_keepdim(self, x):
    return x / ((x**2).mean(dim=-1) + 1e-5).sqrt() * self.weight


def rms_norm_by_torch(self, x):
    return F.rms_norm(x, x.shape[-1:], self.weight, 1e-5)


def parallel_block(self, x):
    copy = self.norm_1(x)
    return x + self.attention(copy) + self.mlp(copy)


def one_after_the_other(self, x):
    x = x + self.attention(self.norm_1(x))
    return x + self.mlp(self.norm_1(x))


def swiglu(self, x, bend=F.silu):
    return self.down(bend(self.gate(x)) * self.up(x))


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


def stream(model, ids, with_positions=True):
    x = model.token_embedding(ids)
    if with_positions:
        x = x + model.position_embedding(torch.arange(ids.shape[1]))
    layers = [x]
    for block in model.blocks:
        layers.append(block(layers[-1]))
    return torch.stack(layers)


def read(model, x):
    return model.final_norm(x) @ model.token_embedding.weight.T


def logit_lens(model, ids):
    return read(model, stream(model, ids))


def logit_lens_without_positions(model, ids):
    first = read(model, model.token_embedding(ids))[None]
    return torch.cat([first, logit_lens(model, ids)[1:]])


def logit_lens_normalised_twice(model, ids):
    layers = stream(model, ids)
    layers[-1] = model.final_norm(layers[-1])
    return read(model, layers)


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
    "rms_norm": rms_norm,
    "parallel_block": parallel_block,
    "swiglu": swiglu,
    "count_parameters": count_parameters,
    "logit_lens": logit_lens,
}

OTHERWISE_CORRECT = [
    ("rms_norm", lambda self, x: self.weight * x * torch.rsqrt(x.square().mean(-1, True) + 1e-5)),
    (
        "parallel_block",
        lambda self, x: x + sum(f(self.norm_1(x)) for f in (self.attention, self.mlp)),
    ),
    ("swiglu", lambda self, x: swiglu(self, x, lambda g: g * torch.sigmoid(g))),
    ("count_parameters", count_by_id),
    (
        "count_parameters",
        lambda model: sum(np.prod(p.shape) for p in model.parameters() if p.requires_grad),
    ),
    ("count_parameters", lambda model: torch.tensor(count_parameters(model))),
    ("logit_lens", lambda model, ids: [*logit_lens(model, ids)]),
    ("logit_lens", torch.no_grad()(logit_lens)),
]

WRONG = [  # check, submission, a part of the hint that it must earn
    ("rms_norm", rms_norm_centred, "that is LayerNorm"),
    ("rms_norm", rms_norm_by_torch, "write the arithmetic yourself"),
    ("rms_norm", lambda self, x: F.layer_norm(x, x.shape[-1:]), "write the arithmetic yourself"),
    ("rms_norm", lambda self, x: torch.nn.RMSNorm(2)(x), "write the arithmetic yourself"),
    (
        "rms_norm",
        lambda self, x: (x - x.mean(-1, True)) / (x.square().mean(-1, True) + 1e-5).sqrt(),
        "nothing is subtracted",
    ),
    ("rms_norm", lambda self, x: x / x.norm(dim=-1, keepdim=True), "not their sum"),
    ("rms_norm", lambda self, x: rms_norm(self, x, power=1), "divide by the root"),
    ("rms_norm", lambda self, x: rms_norm(self, x, dim=None), "a size of its own"),
    ("rms_norm", lambda self, x: rms_norm(self, x, dim=0), "down the batch"),
    ("rms_norm", lambda self, x: rms_norm(self, x, dim=1), "not dim=1"),
    ("rms_norm", rms_norm_without_keepdim, "keepdim=True"),
    ("rms_norm", lambda self, x: x / x.abs().mean(-1, True), "square the numbers"),
    ("rms_norm", lambda self, x: rms_norm(self, x) / self.weight, "self.weight is missing"),
    (
        "rms_norm",
        lambda self, x: rms_norm(self, x) / self.weight + self.weight - 1,
        "times self.weight",
    ),
    ("rms_norm", lambda self, x: rms_norm(self, x, eps=0.0), "0 / 0 is nan"),
    ("rms_norm", lambda self, x: rms_norm(self, x, eps=1e-12), "under the root"),
    (
        "rms_norm",
        lambda self, x: x / ((x**2).mean(-1, True).sqrt() + 1e-5) * self.weight,
        "under the root",
    ),
    ("rms_norm", lambda self, x: x.div_(2), "changed what it was given"),
    ("parallel_block", Block.forward, "as before"),
    ("parallel_block", one_after_the_other, "both read the same copy"),
    (
        "parallel_block",
        lambda self, x: x + self.attention(self.norm_1(x)) + self.mlp(self.norm_2(x)),
        "one norm for both",
    ),
    ("parallel_block", lambda self, x: parallel_block(self, x) - x, "x itself is missing"),
    ("parallel_block", lambda self, x: parallel_block(self, x) + x, "x is added once"),
    (
        "parallel_block",
        lambda self, x: parallel_block(self, x) - x + self.norm_1(x),
        "not to its normalised copy",
    ),
    ("parallel_block", lambda self, x: x + self.attention(self.norm_1(x)), "the MLP is missing"),
    ("parallel_block", lambda self, x: x + self.mlp(self.norm_1(x)), "attention is missing"),
    ("parallel_block", lambda self, x: x + self.attention(x) + self.mlp(x), "norm_1 has"),
    (
        "parallel_block",
        lambda self, x: x + self.mlp(self.attention(self.norm_1(x))),
        "not what attention made",
    ),
    (
        "parallel_block",
        lambda self, x: x + (a := self.attention(self.norm_1(x))) + self.mlp(a),
        "not what attention made",
    ),
    ("swiglu", lambda self, x: swiglu(self, x, torch.sigmoid), "(GLU)"),
    ("swiglu", lambda self, x: swiglu(self, x, F.gelu), "GEGLU"),
    ("swiglu", lambda self, x: swiglu(self, x, lambda g: F.gelu(g, approximate="tanh")), "GEGLU"),
    ("swiglu", lambda self, x: swiglu(self, x, F.relu), "ReGLU"),
    ("swiglu", lambda self, x: self.down(self.gate(x) * F.silu(self.up(x))), "not on up"),
    ("swiglu", lambda self, x: self.down(F.silu(self.gate(x)) + self.up(x)), "not plus"),
    ("swiglu", lambda self, x: swiglu(self, x, lambda g: g), "the bend is missing"),
    ("swiglu", lambda self, x: self.down(F.silu(self.gate(x))), "up is missing"),
    ("swiglu", lambda self, x: self.down(F.silu(self.up(x))), "the gate is missing"),
    ("swiglu", lambda self, x: F.silu(self.gate(x)) * self.up(x), "down is missing"),
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
    (
        "logit_lens",
        lambda model, ids: stream(model, ids) @ model.token_embedding.weight.T,
        "before the token table",
    ),
    ("logit_lens", lambda *given: logit_lens(*given)[1:], "before the first block counts too"),
    ("logit_lens", lambda *given: logit_lens(*given)[:-1], "after the last block counts too"),
    ("logit_lens", lambda model, ids: model(ids), "the last of L + 1"),
    ("logit_lens", stream, "those are the vectors"),
    ("logit_lens", lambda model, ids: model.final_norm(stream(model, ids)), "no scores yet"),
    ("logit_lens", lambda *given: logit_lens(*given).softmax(-1), "those are probabilities"),
    ("logit_lens", lambda *given: logit_lens(*given).log_softmax(-1), "log-probabilities"),
    ("logit_lens", lambda *given: torch.stack([*logit_lens(*given)], dim=1), "layers come first"),
    ("logit_lens", lambda *given: logit_lens(*given).flip(0), "first layer to the last"),
    ("logit_lens", logit_lens_without_positions, "positions are added"),
    (
        "logit_lens",
        lambda model, ids: read(model, torch.cat([(x := stream(model, ids))[:1], x.diff(dim=0)])),
        "what each block adds",
    ),
    ("logit_lens", logit_lens_normalised_twice, "twice"),
    ("logit_lens", lambda *given: logit_lens(*given)[:3], "11 blocks here"),
    ("logit_lens", logit_lens_cutting_the_model, "changed what it was given"),
    ("logit_lens", logit_lens_leaving_hooks, "Take off every hook"),
    ("logit_lens", lambda model, ids: logit_lens(model.train(), ids), "and mode"),
]


class TestSubmissions(Submissions):
    """Every check of the chapter, and all of the submissions above."""

    exercises, correct, wrong = check, CORRECT, WRONG
    otherwise_correct = OTHERWISE_CORRECT


def test_the_solutions_stand_in_the_readers_own_file():
    """What the check accepts can be the forward of a class beside the reader's own."""
    torch.manual_seed(0)
    kind = type("Parallel", (my_gpt.Block,), {"forward": parallel_block})
    x = torch.randn(2, 3, 4)
    block = kind(4, 2)
    copy = block.norm_1(x)
    torch.testing.assert_close(block(x), x + block.attention(copy) + block.mlp(copy))
    norm = type("RMS", (my_gpt.LayerNorm,), {"forward": rms_norm})(4)
    torch.testing.assert_close(norm(x), F.rms_norm(x, (4,), eps=1e-5))
    model = my_gpt.GPT(7, 4, n_layer=2, n_head=2, n_embd=4)
    ids = torch.tensor([[3, 0, 6, 6]])
    torch.testing.assert_close(logit_lens(model, ids)[-1], model(ids))


def test_torchs_norms_are_there_again_after_the_check():
    real = torch.rms_norm, F.layer_norm
    check.rms_norm(rms_norm)
    check.rms_norm(lambda self, x: 1 / 0)
    assert (torch.rms_norm, F.layer_norm) == real


def test_the_checks_hold_where_64_bits_are_the_default():
    torch.set_default_dtype(torch.float64)
    try:
        for name, solution in CORRECT.items():
            assert getattr(check, name)(solution).passed, name
    finally:
        torch.set_default_dtype(torch.float32)


def test_the_last_of_the_lens_is_what_the_model_returns():
    layers = []

    def record(model, ids):
        answer = logit_lens(model, ids)
        torch.testing.assert_close(answer[-1], model(ids))
        layers.append(len(answer) - 1)
        return answer

    assert check.logit_lens(record).passed
    assert layers == [2, 11]
