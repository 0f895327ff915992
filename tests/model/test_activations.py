"""What is kept of a model's way to its answer: by name, in order, and nothing left behind."""

from __future__ import annotations

import threading

import pytest
import torch
from small_models import seeded
from torch import Tensor, nn
from torch.testing import assert_close

from minigpt.model import GPT, GPTConfig
from minigpt.model.activations import activations

BLOCK = [
    "norm_1",
    "attention.qkv",
    "attention.projection",
    "attention",
    "norm_2",
    "mlp.up",
    "mlp.down",
    "mlp",
    "dropout",  # called twice; the place is that of the last call
]


@pytest.fixture(scope="module")
def model() -> GPT:
    """With weights large enough that every part moves the scores."""
    model = GPT(GPTConfig(13, 9, n_layer=2, n_head=2, n_embd=8, dropout=0.5), seeded())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=parameter.shape[-1] ** -0.5, generator=seeded(1))
    return model.eval()


@pytest.fixture(scope="module")
def ids() -> Tensor:
    return torch.randint(13, (3, 7), generator=seeded())


def hooks_of(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in model.modules())


def test_every_part_is_kept_by_name_in_order(model, ids):
    kept = activations(model, ids)
    blocks = [[f"blocks.{n}.{part}" for part in BLOCK] + [f"blocks.{n}"] for n in range(2)]
    before = ["token_embedding", "position_embedding", "dropout"]
    assert list(kept) == [*before, *blocks[0], *blocks[1], "final_norm", "lm_head", ""]
    widths = {"attention.qkv": 24, "mlp.up": 32}
    for name, output in kept.items():
        width = 13 if name in ("lm_head", "") else widths.get(name[len("blocks.0.") :], 8)
        assert output.shape == ((7, 8) if name == "position_embedding" else (3, 7, width)), name


def test_the_answer_is_last_and_that_of_the_model(model, ids):
    kept = activations(model, ids)
    assert torch.equal(kept[""], model(ids))
    assert torch.equal(kept["lm_head"], kept[""])


def test_the_parts_make_up_the_model(model, ids):
    kept = activations(model, ids)
    x = kept["token_embedding"] + kept["position_embedding"]
    assert torch.equal(kept["dropout"], x)
    for number, block in enumerate(model.blocks):
        part = {name: kept[f"blocks.{number}.{name}"] for name in BLOCK}
        assert torch.equal(part["norm_1"], block.norm_1(x))
        middle = x + part["attention"]
        assert torch.equal(part["norm_2"], block.norm_2(middle))
        assert torch.equal(part["dropout"], part["mlp"])
        out = kept[f"blocks.{number}"]
        assert_close(out, x + part["attention"] + part["mlp"])
        # Each part moves the vectors, or the line above would hold too little.
        assert part["attention"].abs().max() > 0.1 and part["mlp"].abs().max() > 0.1
        x = out
    assert torch.equal(kept["final_norm"], model.final_norm(x))
    assert torch.equal(kept["lm_head"], model.lm_head(kept["final_norm"]))


def test_attention_can_be_taken_apart_from_what_is_kept(model, ids):
    kept = activations(model, ids)
    for number, block in enumerate(model.blocks):
        name, x = f"blocks.{number}.attention", kept[f"blocks.{number}.norm_1"]
        weights = block.attention.weights(x)
        assert weights.shape == (3, 2, 7, 7)
        q, k, v = block.attention.heads(x)
        parts = torch.stack([q, k, v], dim=2).permute(0, 3, 2, 1, 4)  # (B, T, 3, H, D)
        assert torch.equal(kept[f"{name}.qkv"], parts.flatten(2))
        gathered = (weights @ v).transpose(1, 2).flatten(-2)
        assert_close(block.attention.projection(gathered), kept[name])
        assert torch.equal(kept[f"{name}.projection"], kept[name])


def test_no_gradient_is_kept(model, ids):
    kept = activations(model, ids)
    assert not any(output.requires_grad for output in kept.values())
    assert model(ids).requires_grad


def test_no_hook_is_left(model, ids):
    before = model(ids)
    first = activations(model, ids)
    assert hooks_of(model) == 0
    assert torch.equal(model(ids), before)
    assert list(activations(model, ids)) == list(first)


def test_no_hook_is_left_after_an_error(model):
    with pytest.raises(ValueError, match="token id 13 has no row"):
        activations(model, torch.tensor([[13]]))
    assert hooks_of(model) == 0


def test_the_readers_own_hooks_stay(model, ids):
    seen = []
    hook = model.final_norm.register_forward_hook(lambda *call: seen.append(call[-1]))
    kept = activations(model, ids)
    assert hooks_of(model) == 1
    hook.remove()
    assert len(seen) == 1 and torch.equal(seen[0], kept["final_norm"])


def test_the_mode_of_the_model_is_left_alone(model, ids):
    model.train()
    torch.manual_seed(0)
    kept = activations(model, ids)
    assert model.training and model.blocks[1].mlp.training
    torch.manual_seed(0)
    assert torch.equal(kept[""], model(ids))
    model.eval()
    assert not torch.equal(kept[""], model(ids))
    activations(model, ids)
    assert not model.training


class Parts(nn.Module):
    """Calls one part twice, one never, and one that returns no tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.twice, self.once, self.never = nn.ReLU(), nn.Identity(), nn.Identity()
        self.pair = nn.MaxPool1d(2, return_indices=True)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        x = self.once(self.twice(x))
        values, _ = self.pair(x)
        return self.twice(values - y)


def test_any_model_with_any_inputs():
    x, y = torch.tensor([[1.0, -2.0, 3.0, 5.0]]), torch.tensor([[2.0, 1.0]])
    kept = activations(Parts(), x, y)
    assert list(kept) == ["once", "twice", ""]
    assert kept["once"].tolist() == [[1, 0, 3, 5]]
    assert kept["twice"].tolist() == kept[""].tolist() == [[0, 4]]


def test_what_another_thread_has_the_model_do_meanwhile_is_not_kept(model, ids):
    """A part of the model that waits until another thread has run it whole."""
    alone = activations(model, ids)
    other = threading.Thread(target=model, args=(ids[:1, :2],))
    started = iter([other])

    def meanwhile(*_):
        for thread in started:  # once
            thread.start()
            thread.join(60)

    hook = model.blocks[0].register_forward_hook(meanwhile)
    kept = activations(model, ids)
    hook.remove()
    assert next(started, None) is None and not other.is_alive()
    assert [*kept] == [*alone] and all(torch.equal(kept[name], alone[name]) for name in alone)
