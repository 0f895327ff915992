"""What a check says of right and wrong answers, whatever the exercise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from minigpt.lessons.judge import Case, judge
from minigpt.model import GPT, GPTConfig
from minigpt.model.activations import activations


def verdict_on(answer, expected, *mistakes, given=()):
    return judge(lambda *arguments: answer, [Case(given, expected, "think", mistakes)])


@pytest.mark.parametrize("answer", [8.0, np.float64(8), True, torch.tensor(8.0), torch.tensor([8])])
def test_a_whole_number_is_no_float_no_truth_value_and_no_list(answer):
    expected = 1 if answer is True else 8
    assert not verdict_on(answer, expected).passed


# Tensors.


def test_tensors_are_equal_up_to_rounding():
    third = torch.tensor([1.0, 2.0]) / 3
    for answer in (third, third.double(), third + 1e-6, [1 / 3, 2 / 3], third.numpy(), [*third]):
        assert verdict_on(answer, third).passed
    verdict = verdict_on(third + 4e-4, third)
    assert "returned [0.334, 0.667]; expected [0.333, 0.667].\nHint: think" in verdict.message
    verdict = verdict_on(third + 1e-4, third)  # three decimals would not tell them apart
    assert "returned [0.3334" in verdict.message and "expected [0.3333" in verdict.message
    assert verdict_on(torch.tensor([-math.inf, 1.0]), torch.tensor([-math.inf, 1.0])).passed
    assert not verdict_on(torch.tensor([math.inf, 1.0]), torch.tensor([-math.inf, 1.0])).passed


def test_before_a_try_no_hint_is_given():
    verdict = verdict_on(None, torch.zeros(2))
    assert verdict.message.endswith("returned None; expected [0.0, 0.0].")


def test_an_exception_is_told_with_its_place_and_without_a_hint():
    def reads_a_missing_key(ids):
        found = {}
        return found[ids]

    verdict = judge(reads_a_missing_key, [Case((3,), 1, "think")])
    assert verdict.message == (
        "Not yet. reads_a_missing_key(3) raised KeyError: 3, line 3 of reads_a_missing_key:\n"
        "    return found[ids]"
    )
    # One that is not Python's own has no lines, nor has a call that fails before its first.
    assert judge(len, [Case((3,), 1, "think")]).message.endswith(
        "object of type 'int' has no len()."
    )
    assert not judge(lambda: 1, [Case((3,), 1, "think")]).passed


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (torch.zeros(2, 1), "[[0.0], [0.0]], of shape (2, 1); expected shape (2,)"),
        (torch.zeros(2, dtype=torch.int64), "whole numbers (torch.int64); expected floats"),
        (torch.zeros(2, dtype=torch.bool), "truth values (torch.bool); expected floats"),
        (torch.zeros(2, dtype=torch.complex64), "complex numbers (torch.complex64); expected fl"),
        (torch.zeros(9, 9), "a tensor of shape (9, 9); expected shape (2,)"),
        ([0.0], "[0.0], of shape (1,); expected shape (2,)"),
        (0.0, "0.0, of shape (); expected shape (2,)"),
        ("text", "'text'; expected [0.0, 0.0]"),
    ],
)
def test_another_shape_or_kind_has_its_own_message(answer, said):
    verdict = verdict_on(answer, torch.zeros(2))
    assert not verdict.passed
    assert f"returned {said}" in verdict.message


def test_mistakes_are_tensors_too():
    mistakes = [(torch.ones(2), "ones"), (torch.ones(2, 2), "four"), (3, "three"), ([1], "list")]
    for answer, hint in ((torch.ones(2), "ones"), (torch.ones(2, 2), "four"), ([1.0, 1], "ones")):
        assert verdict_on(answer, torch.zeros(2), *mistakes).message.endswith(f"Hint: {hint}")
    assert verdict_on(torch.ones(3), torch.zeros(2), *mistakes).message.endswith("Hint: think")
    assert verdict_on(torch.ones(()), 2.0, (1.0, "one")).message.endswith("Hint: one")


def test_nan_is_never_right():
    nan = torch.tensor([math.nan, 1.0])
    for answer in (nan, nan.tolist()):
        verdict = verdict_on(answer, nan, (nan, "not this"))
        assert not verdict.passed
        assert "nan means not a number" in verdict.message
    assert not verdict_on(math.nan, math.nan).passed
    verdict = verdict_on(nan, torch.ones(2), (math.nan, "its own hint"))
    assert verdict.message.endswith("returned [nan, 1.0]; expected [1.0, 1.0].\nHint: its own hint")
    assert "nan means" in verdict_on([math.nan], [1.0]).message


def test_a_tensor_changed_in_place_is_noticed():
    for change in (torch.Tensor.zero_, lambda x: x.resize_(1), lambda x: x.unsqueeze_(0)):
        for given in (torch.ones(2), [torch.ones(2)], (torch.ones(2),)):

            def submission(x, change=change):
                change(x if isinstance(x, torch.Tensor) else x[0])
                return 1

            verdict = judge(submission, [Case((given,), 1, "think")])
            assert not verdict.passed
            assert "changed what it was given" in verdict.message


def test_calls_are_shown_short():
    given = (torch.tensor([[1 / 3, -0.0], [1e-9, math.inf]]), torch.tensor([2]), torch.zeros(50, 8))
    verdict = verdict_on(None, 1, given=given)
    call = "(tensor([[0.333, 0.0], [0.0, inf]]), tensor([2]), a tensor of shape (50, 8))"
    assert f"{call} returned None; expected 1." in verdict.message
    assert "(1.0,); expected ([0.5], 'a')" in verdict_on((1.0,), ([0.5], "a")).message


def test_floats_are_equal_up_to_rounding_and_integers_are_not():
    for answer in (0.1 + 0.2, np.float32(0.3), torch.tensor(0.3)):
        assert verdict_on(answer, 0.3).passed
    assert verdict_on(2, 2.0).passed
    assert "returned 0.4; expected 0.3." in verdict_on(torch.tensor(0.4), 0.3).message
    assert (
        "a tensor, [2, 4]; expected [2, 3], a list"
        in verdict_on(torch.tensor([2, 4]), [2, 3]).message
    )
    assert not verdict_on(10**9 + 1, 10**9).passed
    for answer in (True, torch.tensor([1.0]), "1.0", 1.001):
        assert not verdict_on(answer, 1.0).passed


# Modules.


def small_model():
    return GPT(GPTConfig(5, 4, n_layer=2, n_head=1, n_embd=2), torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.final_norm.weight.data.add_(1),
        lambda model: model.eval(),
        lambda model: model.blocks[1].mlp.eval(),
        lambda model: model.blocks.pop(1),
        lambda model: setattr(model, "final_norm", nn.Identity()),
        lambda model: setattr(model, "dropout", nn.Identity()),
        lambda model: setattr(model.lm_head, "weight", nn.Parameter(model.lm_head.weight.data)),
        lambda model: model.final_norm.requires_grad_(False),
        lambda model: model.double(),
        lambda model: model.lm_head.register_buffer("extra", torch.zeros(1)),
        lambda model: model.lm_head.register_forward_hook(print),
        lambda model: model.lm_head.register_forward_pre_hook(print),
    ],
)
def test_a_changed_model_is_noticed(change):
    def submission(model, ids):
        change(model)
        return 1

    verdict = judge(submission, [Case((small_model(), [0]), 1, "think")])
    assert not verdict.passed
    assert "changed what it was given" in verdict.message
    assert "Hint: leave the model as it was" in verdict.message


def test_a_model_that_was_only_used_is_unchanged():
    model = small_model()
    ids = torch.tensor([[0, 1]])

    def submission(model, ids):
        activations(model, ids)
        hook = model.register_forward_hook(lambda module, given, output: None)
        model(ids).sum().backward()
        hook.remove()
        return 1

    assert judge(submission, [Case((model, ids), 1, "think")]).passed
    assert all(p.grad is None for p in model.parameters())  # each call gets a copy


def test_a_model_is_shown_so_that_it_can_be_made_again():
    said = verdict_on(None, 1, given=(small_model(), nn.Linear(3, 2))).message
    sizes = "vocab_size=5, context_length=4, n_layer=2, n_head=1, n_embd=2, dropout=0.0"
    assert f"(GPT(GPTConfig({sizes}, bias=True, tied=True)), Linear(in_features=3, " in said
    two = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    said = verdict_on(None, 1, given=(two, nn.Sequential(*[two] * 3))).message
    assert (
        "(Sequential( (0): Linear(in_features=3, out_features=2, bias=True) (1): ReLU() )" in said
    )
    assert ", a Sequential) returned None" in said


def test_of_long_tensors_the_first_wrong_number_is_shown():
    expected = torch.zeros(3, 20)
    answer = expected.clone()
    answer[1, 7] = 0.25
    answer[2, 0] = -1.0
    said = "a tensor of shape (3, 20). Its number at [1, 7] is 0.25; expected 0.\nHint: think"
    assert said in verdict_on(answer.requires_grad_(), expected).message
    answer = torch.full((3, 20), math.nan)
    assert "number at [0, 0] is nan; expected 0" in verdict_on(answer, expected).message
