"""The reader's file on tuning computes what the package does: tokens, losses, adapters, steps."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minigpt
import my_gpt
import my_tuning
from minigpt.finetuning import (
    ChatTemplate,
    Examples,
    LoRAConfig,
    add_adapter,
    answer_tensors,
    dpo_loss,
    group_advantages,
    policy_gradient_loss,
    sequence_logprobs,
    token_logprobs,
)
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import BPETokenizer

SIZES = {"vocab_size": 31, "context_length": 16, "n_layer": 2, "n_head": 3, "n_embd": 24}
ROLES = {"DIRECTOR": "system", "READER": "user", "MINIGPT": "assistant"}
PACKAGES = BPETokenizer.shakespeare()
READERS = my_gpt.Tokenizer(PACKAGES.vocab, PACKAGES.merges)
EXAMPLES = [
    ([3, 4, 5, 6, 7], [False, False, True, True, True]),
    ([9, 8, 7], [False, True, True]),
    ([1, 2, 3, 4], [False, False, False, True]),
]
# What the template leaves as it is: no empty lines, and no space at either end.
SAID = st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=20)


@pytest.fixture
def pair() -> tuple[my_gpt.GPT, GPT]:
    """Both models with the same numbers."""
    torch.manual_seed(0)
    ours, packages = my_gpt.GPT(**SIZES).double(), GPT(GPTConfig(**SIZES)).double()
    state = ours.state_dict()
    packages.load_state_dict(state | {"lm_head.weight": state["token_embedding.weight"]})
    return ours, packages


@given(turns=st.lists(st.tuples(st.sampled_from(list(ROLES)), SAID), min_size=1, max_size=4))
def test_a_conversation_has_the_packages_tokens_and_mask(turns):
    messages = [{"role": ROLES[name], "content": said} for name, said in turns]
    assert my_tuning.example(turns, READERS) == ChatTemplate().encode(messages, PACKAGES)
    text = "".join(text for text, _ in my_tuning.play(turns))
    assert text == ChatTemplate().text(messages)


def test_rows_and_their_loss_are_the_packages(pair):
    ours, packages = pair
    inputs, targets = my_tuning.rows(EXAMPLES)
    for mine, theirs in zip((inputs, targets), answer_tensors(EXAMPLES), strict=True):
        assert torch.equal(mine, theirs)
    examples = Examples(EXAMPLES, 16, seed=1)
    (batch,) = examples.all(3)
    loss = my_gpt.loss_of(ours, inputs, targets)
    torch.testing.assert_close(loss, examples.loss(packages, *batch))


def test_tuning_learns_and_leaves_alone_what_is_frozen(pair):
    ours, _ = pair
    my_tuning.with_adapter(ours, rank=2, alpha=4).double()
    frozen = {n: p.clone() for n, p in ours.named_parameters() if not p.requires_grad}
    losses = my_tuning.tune(ours, [my_tuning.rows(EXAMPLES)] * 60, rate=3e-2)
    assert len(losses) == 60 and losses[-1] < losses[0] - 0.3
    assert len(frozen) > 20
    for name, parameter in ours.named_parameters():
        if name in frozen:
            assert torch.equal(parameter, frozen[name])


def test_an_adapter_changes_nothing_at_first_and_then_what_the_packages_does(pair):
    ours, packages = pair
    ids = torch.randint(31, (2, 9))
    before = ours(ids)
    my_tuning.with_adapter(ours, rank=2, alpha=6).double()
    assert torch.equal(ours(ids), before)
    count = add_adapter(packages, LoRAConfig(rank=2, alpha=6))
    assert count == sum(p.numel() for p in ours.parameters() if p.requires_grad)
    theirs = dict(packages.named_parameters())
    with torch.no_grad():
        for name, parameter in ours.named_parameters():
            if parameter.requires_grad:
                parameter.normal_()
                theirs[f"{name[:-1]}adapters.default.{name[-1]}"].copy_(parameter)
    torch.testing.assert_close(ours(ids), packages(ids))
    ours(ids).square().mean().backward()
    packages(ids).square().mean().backward()
    for name, parameter in ours.named_parameters():
        if parameter.requires_grad:
            other = theirs[f"{name[:-1]}adapters.default.{name[-1]}"]
            torch.testing.assert_close(parameter.grad, other.grad)


def test_an_adapter_starts_within_its_bounds():
    torch.manual_seed(0)
    lora = my_tuning.LoRA(torch.nn.Linear(25, 7), rank=40, alpha=1)
    assert lora.A.shape == (40, 25) and lora.B.shape == (7, 40) and not lora.B.any()
    assert 0.19 < lora.A.abs().max() <= 0.2


def test_preferences_are_dpos(pair):
    ours, packages = pair
    batch = my_tuning.rows(EXAMPLES)
    mine = my_tuning.log_probability(ours, *batch)
    torch.testing.assert_close(mine, sequence_logprobs(packages, *batch))
    chosen, rejected, was = torch.randn(3, 5, dtype=torch.double)
    loss, _, _ = dpo_loss(chosen, rejected, was, -was, beta=0.3)
    ours = my_tuning.preference_loss(chosen - was, rejected + was, beta=0.3)
    torch.testing.assert_close(ours, loss)
    same = torch.zeros(4)
    assert my_tuning.preference_loss(same, same).item() == pytest.approx(math.log(2))


def test_practice_has_the_packages_advantages_and_gradient(pair):
    ours, packages = pair
    rewards = torch.tensor([[1.0, 0, 0], [1, 1, 1]])
    found = my_tuning.advantages(rewards)
    torch.testing.assert_close(found, group_advantages(rewards))
    inputs, targets = my_tuning.rows(EXAMPLES)
    advantage = torch.tensor([1.0, -0.5, -0.5], dtype=torch.double)
    my_tuning.practice_loss(ours, inputs, targets, advantage).backward()
    logprobs = token_logprobs(packages, inputs, targets)
    policy_gradient_loss(logprobs, advantage, targets != -100).backward()
    theirs = dict(packages.named_parameters())
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, theirs[name].grad)


def test_it_runs_on_the_shipped_model():
    folder = f"{minigpt.__path__[0]}/pretrained/shakespeare"
    model = my_tuning.with_adapter(my_gpt.load(folder))
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == 122_880
