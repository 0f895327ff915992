"""Examples as batches: what counts, packing without leaks, and runs that reuse the trainer."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_models import awake
from torch.nn import functional as F

from minigpt.finetuning import Examples, Replay
from minigpt.model import GPT, GPTConfig
from minigpt.training import IGNORED, RECIPES, Batches, TextBatches, Trainer, measure, train

CONFIG = GPTConfig(13, context_length=8, n_layer=2, n_head=2, n_embd=8)
BY_HAND = ([5, 6, 7, 8, 1, 2, 3], [False] * 4 + [True] * 3)  # 4 of prompt, 2 of answer, the end
SHORT = ([4, 9, 2], [False, True, True])
THREE = [BY_HAND, SHORT, ([1, 2], [True, True])]
RECIPE = replace(RECIPES["adamw"], steps=12, batch_size=4, warmup=2, seed=3)


def model(seed: int = 0) -> GPT:
    return awake(GPT(CONFIG, torch.Generator().manual_seed(seed)))


def some(count: int, seed: int = 0) -> list[tuple[list[int], list[bool]]]:
    generator = torch.Generator().manual_seed(seed)
    examples = []
    for _ in range(count):
        size = int(torch.randint(2, 10, (), generator=generator))
        ids = torch.randint(13, (size,), generator=generator).tolist()
        first = int(torch.randint(1, size, (), generator=generator))
        examples.append((ids, [place >= first for place in range(size)]))
    return examples


def test_the_labels_by_hand():
    inputs, targets = next(Examples([BY_HAND], 8, seed=1).all(1))
    assert inputs.tolist() == [[5, 6, 7, 8, 1, 2]]
    assert targets.tolist() == [[IGNORED, IGNORED, IGNORED, 1, 2, 3]]


def test_the_loss_is_the_mean_of_what_counts():
    gpt, examples = model(), Examples([BY_HAND], 8, seed=1)
    batch = next(examples.all(1))
    surprises = -gpt(torch.tensor([BY_HAND[0]]))[0].log_softmax(-1)
    by_hand = (surprises[3, 1] + surprises[4, 2] + surprises[5, 3]) / 3
    torch.testing.assert_close(examples.loss(gpt, *batch), by_hand)
    assert examples.weight(*batch) == 3


def test_padding_changes_nothing():
    gpt = model()
    alone = [next(Examples([one], 8, seed=1).all(1)) for one in THREE]
    total = sum(F.cross_entropy(gpt(x)[0], y[0], reduction="sum") for x, y in alone)
    together = Examples(THREE, 8, seed=1)
    batch = next(together.all(3))
    assert batch[0].shape == (3, 6) and together.weight(*batch) == 6
    torch.testing.assert_close(together.loss(gpt, *batch), total / 6)


sizes = st.lists(st.integers(2, 9), min_size=1, max_size=9)


@given(sizes)
def test_packed_rows_give_each_example_what_it_gets_alone(sizes):
    """Loss and gradients, in float64: no example sees another, and each begins at position 0."""
    generator = torch.Generator().manual_seed(sum(sizes))
    examples = [
        (torch.randint(13, (size,), generator=generator).tolist(), [True] * size) for size in sizes
    ]
    losses, gradients = [], []
    for packed in (False, True):
        gpt = model().double()
        source = Examples(examples, 8, seed=1, packed=packed)
        batch = next(source.all(99))
        assert source.weight(*batch) == sum(sizes) - len(sizes)
        (loss := source.loss(gpt, *batch)).backward()
        losses.append(loss.detach())
        gradients.append([p.grad for p in gpt.parameters()])
    torch.testing.assert_close(*losses)
    torch.testing.assert_close(*gradients)


def test_packing_fills_rows():
    examples = [([1] * (size + 1), [True] * (size + 1)) for size in (5, 4, 3, 2, 8)]
    packed = Examples(examples, 8, seed=1, packed=True)
    assert packed.rows == [[0, 2], [1, 3], [4]]
    assert packed.tokens == 22 and packed.tokens_per_row == pytest.approx(22 / 3)
    _, targets, numbers = next(packed.all(3))
    assert numbers.tolist() == [[1] * 5 + [2] * 3, [1] * 4 + [2] * 2 + [0] * 2, [1] * 8]
    assert (targets[1] == IGNORED).tolist() == [False] * 6 + [True] * 2


@pytest.mark.parametrize("packed", [False, True])
def test_every_epoch_deals_out_all_rows_in_another_order(packed):
    source = Examples(some(12), 8, seed=5, packed=packed)
    count = len(source.rows)
    epochs = [source.batch(epoch, count)[0].tolist() for epoch in range(2)]
    assert epochs[0] != epochs[1]
    assert sorted(epochs[0]) == sorted(epochs[1]) == sorted(next(source.all(count))[0].tolist())
    again = Examples(some(12), 8, seed=5, packed=packed)
    for step in (7, 0, 3):  # in any order of asking
        assert all(map(torch.equal, source.batch(step, 5), again.batch(step, 5)))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("accumulate", [2, 4])
def test_parts_of_a_batch_weigh_as_much_as_counts_in_them(packed, accumulate):
    """Rows differ in how much counts: the mean of the parts' means would be another."""
    weights = []
    for parts in (1, accumulate):
        gpt = model().double()
        recipe = replace(RECIPE, accumulate=parts)
        trainer = Trainer(gpt, Examples(some(20), 8, seed=3, packed=packed), recipe)
        losses = [trainer.step() for _ in range(3)]
        weights.append((losses, [p.detach() for p in gpt.parameters()]))
    torch.testing.assert_close(*weights)


def test_a_run_that_goes_on_is_one_that_never_stopped(tmp_path):
    """The weights, to the bit, through a folder, packed and with replay."""
    text = TextBatches(torch.arange(60) % 13, 8, seed=3)
    sources = {
        "packed": Examples(some(20), 8, seed=3, packed=True),
        "replay": Replay(Examples(some(20), 8, seed=3), text, 0.25),
    }
    judged = Examples(some(5, seed=1), 8, seed=3)
    for name, source in sources.items():
        whole, stopped = model(), model()
        train(tmp_path / name, whole, RECIPE, source, judged, progress=False)
        first = Trainer(stopped, source, RECIPE)
        for _ in range(5):
            first.step()
        resumed = model(seed=9)
        second = Trainer(resumed, source, RECIPE)
        second.load_state(*first.state())
        for _ in range(RECIPE.steps - 5):
            second.step()
        assert all(map(torch.equal, whole.parameters(), resumed.parameters()))


def test_another_set_of_examples_is_another_run(tmp_path):
    source, judged = Examples(some(20), 8, seed=3), Examples(some(5, seed=1), 8, seed=3)
    short = replace(RECIPE, steps=2)
    train(tmp_path / "run", model(), short, source, judged, progress=False)
    train(tmp_path / "run", model(), short, source, judged, progress=False)  # it has ended
    for other in (
        Examples(some(20, seed=4), 8, seed=3),
        Examples(some(20), 8, seed=3, packed=True),
        Examples([(ids, [True] * len(ids)) for ids, _ in some(20)], 8, seed=3),
        Replay(source, TextBatches(torch.arange(60) % 13, 8, seed=3), 0.25),
    ):
        with pytest.raises(ValueError, match="another text"):
            train(tmp_path / "run", model(), short, other, judged, progress=False)


def test_a_model_is_measured_by_all_that_counts():
    gpt, source = model(), Examples(some(20), 8, seed=3)
    whole = source.loss(gpt, *next(source.all(99))).item()
    assert measure(gpt, source, batch_size=3) == pytest.approx(whole, rel=1e-6)
    assert source.part(10).tokens <= 10 < source.part(30).tokens <= 30
    assert source.part(0).tokens == len(source.examples[0][0]) - 1


def test_a_share_of_the_loss_is_the_old_text_s():
    """However few tokens the answers have."""
    gpt = model().double()
    new, old = Examples([SHORT], 8, seed=1), TextBatches(torch.arange(60) % 13, 8, seed=1)
    source = Replay(new, old, 0.25)
    batch = source.batch(0, 4)
    assert batch[0].shape == (4, 8)
    parts = [new.loss(gpt, *new.batch(0, 3)), old.loss(gpt, *old.batch(0, 1))]
    torch.testing.assert_close(
        source.loss(gpt, *batch), 0.75 * parts[0] + 0.25 * parts[1], rtol=1e-6, atol=0
    )
    assert source.weight(*batch) == pytest.approx(1)
    assert isinstance(source, Batches)
    assert measure(gpt, source) == pytest.approx(measure(gpt, new))  # judged by what is new


def test_replay_keeps_what_was_learned():
    """Old: counting up. New: counting down. With a half of replay both are known."""
    up = TextBatches(torch.arange(400) % 13, 8, seed=1)
    down = TextBatches(torch.arange(400, 0, -1) % 13, 8, seed=1)
    gpt, recipe = model(), replace(RECIPE, steps=60, learning_rate=3e-2)

    def taught(gpt: GPT, source: Batches) -> GPT:
        trainer = Trainer(gpt, source, recipe)
        for _ in range(recipe.steps):
            trainer.step()
        return gpt

    taught(gpt, up)
    weights = {name: x.clone() for name, x in gpt.state_dict().items()}
    alone = measure(taught(gpt, down), up)
    gpt.load_state_dict(weights)
    replayed = measure(taught(gpt, Replay(down, up, 0.5)), up)
    assert replayed < 0.7 < 2 < alone


@pytest.mark.parametrize(
    ("examples", "match"),
    [
        ([], "there are no examples"),
        ([SHORT, ([1, 2], [True])], "example 2 has 2 tokens and 1 booleans"),
        ([([1], [True])], "example 1 has 1 tokens; it must have 2 to 9, one more than"),
        ([([1] * 10, [True] * 10)], "example 1 has 10 tokens"),
        ([([1, 2], [True, False])], "example 1 has no token that counts"),
    ],
)
def test_examples_of_which_nothing_can_be_learned_are_refused(examples, match):
    with pytest.raises(ValueError, match=f"^{match}"):
        Examples(examples, 8, seed=1)


def test_batches_that_cannot_be_are_refused():
    source, text = Examples([SHORT], 8, seed=1), TextBatches(torch.arange(60) % 13, 8, seed=1)
    with pytest.raises(ValueError, match=r"^step -1 with a batch_size of 2"):
        source.batch(-1, 2)
    for share in (0.0, 1.0, -0.5):
        with pytest.raises(ValueError, match=f"^share is {share}; it must be above 0"):
            Replay(source, text, share)
    with pytest.raises(ValueError, match=r"^a batch_size of 1 has no room"):
        Replay(source, text, 0.5).batch(0, 1)
    packed = Examples([SHORT], 8, seed=1, packed=True)
    with pytest.raises(ValueError, match=r"^packed rows cannot be mixed"):
        Replay(packed, text, 0.5).batch(0, 2)
