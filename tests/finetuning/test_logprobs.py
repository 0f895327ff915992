"""The probability of an answer: transformers' sum, the generator's own, and what does not count."""

from __future__ import annotations

import re

import pytest
import torch
from small_models import awake, seeded
from torch import nn
from torch.testing import assert_close
from transformers import AutoModelForCausalLM

from minigpt.exchange import save, shipped
from minigpt.finetuning.answer_tensors import answer_tensors, answered
from minigpt.finetuning.logprobs import (
    IGNORED,
    reference_logprobs,
    sequence_logprobs,
    token_logprobs,
)
from minigpt.generation.decoding import stream_with_logprobs
from minigpt.model import GPT, GPTConfig

CONFIG = GPTConfig(vocab_size=13, context_length=12, n_layer=2, n_head=2, n_embd=16)
EXAMPLES = [
    answered([1, 2, 3], [4, 5]),
    answered([6], [7, 8, 9, 10]),
    answered([11, 12, 0, 1], [2]),
]
pytestmark = pytest.mark.usefixtures("one_thread")


def made(config: GPTConfig = CONFIG) -> GPT:
    return awake(GPT(config), spread=1.0).double()


def test_the_sums_are_those_of_transformers(tmp_path):
    """Each answer asked of the other library alone, without any filling up."""
    model, _ = shipped.load("shakespeare")
    save(model.double(), tmp_path, dtype=torch.float64)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float64)
    generator, expected, examples = seeded(3), [], []
    for length in (1, 5, 9):
        ids = torch.randint(4096, (6 + length,), generator=generator)
        examples.append(answered(ids[:6].tolist(), ids[6:].tolist()))
        with torch.no_grad():
            table = theirs(ids[None]).logits[0].log_softmax(-1)
        expected.append(sum(table[i - 1, ids[i]].item() for i in range(6, len(ids))))
    found = sequence_logprobs(model, *answer_tensors(examples))
    assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-9)


def test_each_token_has_the_logarithm_that_the_generator_gives():
    model = made()
    for cold in (1.0, 0.5):
        pairs = [*stream_with_logprobs(model, [3, 1, 4], 6, generator=seeded())]
        tokens = [token for token, _ in pairs]
        found = token_logprobs(
            model, *answer_tensors([answered([3, 1, 4], tokens)]), temperature=cold
        )
        assert found[0, :2].tolist() == [0, 0]
        if cold == 1:
            assert_close(found[0, 2:].tolist(), [logprob for _, logprob in pairs])
        else:  # squared and renormalised
            ids = torch.tensor([[3, 1, 4, *tokens]])
            squared = model(ids[:, :-1]).softmax(-1).square()
            expected = (squared / squared.sum(-1, keepdim=True)).log()[0, range(2, 8), tokens]
            assert_close(found[0, 2:], expected)


def test_what_fills_up_and_the_prompt_do_not_count():
    model = made()
    together = sequence_logprobs(model, *answer_tensors(EXAMPLES))
    alone = [sequence_logprobs(model, *answer_tensors([one])) for one in EXAMPLES]
    assert_close(together, torch.cat(alone))
    assert_close(together, sequence_logprobs(model, *answer_tensors(EXAMPLES, filler=5)))


def test_half_precision_is_summed_in_32_bits():
    class Undecided(nn.Module):
        def forward(self, ids):
            return torch.zeros(*ids.shape, 7, dtype=torch.bfloat16)

    inputs = torch.zeros(1, 300, dtype=torch.long)
    found = sequence_logprobs(Undecided(), inputs, inputs)
    assert_close(found, torch.tensor([-300 * torch.tensor(7.0).log()]))


def test_the_reference_reads_without_dropout_and_keeps_no_gradient():
    model = GPT(GPTConfig(**{**vars(CONFIG), "dropout": 0.5}), seeded()).double()
    inputs, targets = answer_tensors(EXAMPLES)
    expected = sequence_logprobs(model.eval(), inputs, targets)
    found = reference_logprobs(model.train(), inputs, targets, batch_size=2)
    assert model.training and not found.requires_grad
    assert_close(found, expected.detach())


def test_the_tensors_of_examples_by_hand():
    inputs, targets = answer_tensors(
        [answered([1, 2, 3, 4], [5, 6, 7]), ([8, 9, 1, 2], [True, False, False, True])]
    )
    assert inputs.tolist() == [[1, 2, 3, 4, 5, 6], [8, 9, 1, 0, 0, 0]]
    assert targets.tolist() == [[IGNORED] * 3 + [5, 6, 7], [IGNORED] * 2 + [2] + [IGNORED] * 3]


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ([], "there is no example"),
        ([([1, 2], [False, True]), ([1], [True])], "example 1 has 1 tokens and 1 booleans"),
        ([([1, 2], [True])], "example 0 has 2 tokens and 1 booleans .* one boolean each"),
    ],
)
def test_examples_that_are_none_are_refused(examples, message):
    with pytest.raises(ValueError, match=message):
        answer_tensors(examples)


@pytest.mark.parametrize("prompt, answer", [([1, 2], []), ([], [1])])
def test_without_prompt_or_answer_there_is_no_example(prompt, answer):
    message = f"{len(prompt)} tokens of prompt and {len(answer)} of answer; there must be"
    with pytest.raises(ValueError, match=message):
        answered(prompt, answer)


def test_other_shapes_and_temperatures_are_refused(as_readers_run_it):
    model, (inputs, targets) = made(), answer_tensors(EXAMPLES)
    message = re.escape("inputs (3, 4) and targets (3, 3): give a target for each input")
    with pytest.raises(ValueError, match=message):
        sequence_logprobs(model, inputs, targets[:, 1:])
    for temperature in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match=f"temperature is {temperature}; it must be above 0"):
            token_logprobs(model, inputs, targets, temperature)
    with pytest.raises(ValueError, match="batch_size is 0; it must be at least 1 row"):
        reference_logprobs(model, inputs, targets, batch_size=0)
