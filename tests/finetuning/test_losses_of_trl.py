"""Losses of preferences and rewards, against those of trl's trainers on batches of their own."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from small_models import seeded
from torch import Tensor, nn
from torch.testing import assert_close
from transformers import AutoModelForCausalLM, AutoTokenizer

from minigpt.exchange import load, save, shipped
from minigpt.finetuning.logprobs import IGNORED, reference_logprobs, token_logprobs
from minigpt.finetuning.policy_gradient import group_advantages, policy_gradient_loss
from minigpt.finetuning.preferences import Preferences

PAIRS = {
    "prompt": ["HAMLET:\n", "Enter\n", "HAMLET:\nTo be, or not to be,\n"],
    "chosen": ["O, my prophetic soul!", "MACBETH.", "that is the question"],
    "rejected": ["No.", "two Murderers and a Porter.", "and so to bed, good night"],
}
SPEAKERS = ["HAMLET:\n", "BRUTUS:\n"]
# Transformers has another name for it than the trl of the day, which asks by the old one.
outdated = pytest.mark.filterwarnings(
    "ignore:`(is_)?gradient_checkpointing.*is deprecated:FutureWarning"
)
pytestmark = pytest.mark.usefixtures("one_thread")


def noisy(model: nn.Module) -> nn.Module:
    generator = seeded(7)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.01)
    return model


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> SimpleNamespace:
    """The shipped model, and the same with noise on every number."""
    model, tokenizer = shipped.load("shakespeare")
    found = SimpleNamespace(**{n: tmp_path_factory.mktemp(n) for n in ("policy", "reference")})
    save(model, found.reference, tokenizer)
    save(noisy(model), found.policy, tokenizer)
    return found


@pytest.fixture(scope="module")
def offline():
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
            patch.setenv(name, "1")
        patch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
        yield


def settings_of(kind: type, where: Path, **more):
    """Plain: on the CPU, in 32 bits, every step as it is defined."""
    return kind(
        output_dir=str(where),
        report_to=[],
        use_cpu=True,
        bf16=False,
        activation_checkpointing=False,
        disable_dropout=True,
        **more,
    )


@pytest.fixture(scope="module")
def dpo(folders, offline, tmp_path_factory):
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    where = tmp_path_factory.mktemp("dpo")
    return DPOTrainer(
        AutoModelForCausalLM.from_pretrained(folders.policy, dtype=torch.float32),
        AutoModelForCausalLM.from_pretrained(folders.reference, dtype=torch.float32),
        args=settings_of(DPOConfig, where, beta=0.3, per_device_train_batch_size=3),
        train_dataset=Dataset.from_dict(PAIRS),
        processing_class=AutoTokenizer.from_pretrained(folders.policy),
    )


@pytest.fixture(scope="module")
def grpo(folders, offline, tmp_path_factory):
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    where = tmp_path_factory.mktemp("grpo")
    more = {"num_generations": 4, "max_completion_length": 12, "per_device_train_batch_size": 8}
    return GRPOTrainer(
        AutoModelForCausalLM.from_pretrained(folders.policy, dtype=torch.float32),
        reward_funcs=lambda completions, **_: [float(text.count("e")) for text in completions],
        args=settings_of(
            GRPOConfig, where, beta=0.0, scale_rewards="none", loss_type="bnpo", **more
        ),
        train_dataset=Dataset.from_dict({"prompt": SPEAKERS}),
        processing_class=AutoTokenizer.from_pretrained(folders.policy),
    )


def gradients(model: nn.Module, loss: Tensor) -> dict[str, Tensor]:
    names, parameters = zip(*model.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(loss, parameters), strict=True))


def check_table(ours: nn.Module, loss: Tensor, model: nn.Module, theirs: Tensor) -> None:
    """The table of tokens is at both ends of the model: its gradient passes through all of it."""
    found = gradients(ours, loss)["token_embedding.weight"]
    expected = gradients(model, theirs)["transformer.wte.weight"]
    assert expected.abs().max() > 1e-2
    assert_close(found, expected, rtol=1e-4, atol=1e-6)  # sums of 32 bits, in another order


@outdated
def test_dpo(dpo, folders):
    """Chosen rows come first, and each completion has the end of text."""
    batch = next(iter(dpo.get_train_dataloader()))
    theirs = dpo.compute_loss(dpo.model, batch)
    inputs, mask = batch["input_ids"], batch["completion_mask"]
    assert (inputs[range(6), mask.cumsum(1).argmax(1)] == 4095).all()
    targets = inputs.masked_fill(mask == 0, IGNORED)[:, 1:]
    chosen, rejected = zip(inputs[:, :-1].chunk(2), targets.chunk(2), strict=True)
    reference = load(folders.reference)
    stored = (reference_logprobs(reference, *chosen), reference_logprobs(reference, *rejected))
    pairs = Preferences(chosen, rejected, stored, beta=0.3)
    policy, (rows,) = load(folders.policy), pairs.all(3)
    ours, chosen_rewards, rejected_rewards = pairs.loss_and_rewards(policy, *rows)
    assert abs(theirs.item() - 0.6931) > 0.01
    assert_close(ours, theirs, rtol=0, atol=2e-6)
    logged = dpo._metrics["eval"]  # the mode that transformers opens a model in
    assert_close(chosen_rewards.mean().item(), logged["rewards/chosen"][-1], rtol=0, atol=2e-5)
    assert_close(rejected_rewards.mean().item(), logged["rewards/rejected"][-1], rtol=0, atol=2e-5)
    check_table(policy, ours, dpo.model, theirs)


@outdated
def test_grpo(grpo, folders):
    """Its first step, on the samples that it drew and the rewards that it gave them."""
    rows = [{"prompt": text} for text in SPEAKERS for _ in range(4)]
    batch = grpo._generate_and_score_completions(rows)
    assert batch["prompt_mask"].all()  # of one length: filling up on the left moves GPT-2's places
    batch["completion_mask"][1, 5:] = batch["completion_mask"][6, 1:] = 0  # as if they had ended
    theirs = grpo.compute_loss(grpo.model, batch)
    inputs = torch.cat([batch["prompt_ids"], batch["completion_ids"]], 1)
    mask = torch.cat([torch.zeros_like(batch["prompt_mask"]), batch["completion_mask"]], 1)
    targets = inputs.masked_fill(mask == 0, IGNORED)[:, 1:]
    texts = AutoTokenizer.from_pretrained(folders.policy).batch_decode(batch["completion_ids"])
    rewards = torch.tensor([float(text.count("e")) for text in texts]).view(2, 4)
    advantages = group_advantages(rewards).flatten()
    assert advantages.abs().max() > 0.5
    assert_close(advantages, batch["advantages"])
    policy = load(folders.policy)
    logprobs = token_logprobs(policy, inputs[:, :-1], targets)
    ours = policy_gradient_loss(logprobs, advantages, targets != IGNORED)
    assert_close(ours, theirs)
    check_table(policy, ours, grpo.model, theirs)
