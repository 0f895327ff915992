"""Windows of a text: every one once an epoch, and the same ones whenever they are asked for."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from minigpt.model import GPT, GPTConfig
from minigpt.training import Recipe, Trainer, Windows, evaluate
from minigpt.training.windows import check_long_enough

texts = st.integers(1, 12).flatmap(
    lambda length: st.tuples(st.integers(length + 1, 12 * length + 2), st.just(length))
)


def counted(n: int) -> Tensor:
    """A text whose tokens are their own places."""
    return torch.arange(n)


def starts(windows: Windows, epoch: int) -> list[int]:
    """Where the windows of an epoch begin, in the order they are read in."""
    count = windows.per_epoch
    return [windows.start(number) for number in range(epoch * count, (epoch + 1) * count)]


# What a batch is.


@pytest.mark.parametrize("dtype", [torch.uint16, torch.int32, torch.int64, torch.uint8])
def test_targets_are_the_text_one_token_later(dtype):
    ids = torch.randint(200, (50,), generator=torch.Generator().manual_seed(0))
    windows = Windows(ids.to(dtype), 7, seed=3)
    for step in range(5):
        inputs, targets = windows.batch(step, 4)
        assert inputs.shape == targets.shape == (4, 7)
        assert inputs.dtype == targets.dtype == torch.int64
        assert torch.equal(inputs[:, 1:], targets[:, :-1])
        for row in range(4):
            start = windows.start(4 * step + row)
            assert inputs[row].tolist() == ids[start : start + 7].tolist()
            assert targets[row].tolist() == ids[start + 1 : start + 8].tolist()


def test_ids_beyond_what_16_bits_hold_with_a_sign_are_kept():
    ids = torch.arange(65_500, 65_536)
    inputs, targets = Windows(ids.to(torch.uint16), 35, seed=0).batch(0, 1)
    assert torch.equal(inputs[0], ids[:-1]) and torch.equal(targets[0], ids[1:])


# An epoch.


@given(texts, st.integers(0, 3))
@example((2, 1), 0)
@example((6, 5), 0)
@example((10, 5), 1)
@example((11, 5), 1)
@example((15, 5), 1)
def test_an_epoch_reads_every_window_once(text, epoch):
    n, length = text
    windows = Windows(counted(n), length, seed=1)
    assert windows.per_epoch == max(1, n // length - 1)
    begins = sorted(starts(windows, epoch))
    assert begins[0] >= 0 and begins[-1] + length + 1 <= n
    assert [b - a for a, b in pairwise(begins)] == [length] * (len(begins) - 1)
    # What is left over at both ends together is less than two windows.
    assert n - 1 - windows.per_epoch * length <= max(0, 2 * length - 2)


def test_epochs_differ_in_cut_and_order():
    windows = Windows(counted(100), 9, seed=1)
    epochs = [starts(windows, epoch) for epoch in range(4)]
    cuts = {min(begins) for begins in epochs}
    assert len(cuts) > 1
    orders = {tuple((begin - min(begins)) // 9 for begin in begins) for begins in epochs}
    assert len(orders) == 4 and tuple(range(10)) not in orders


def test_a_text_is_cut_at_every_place_that_leaves_whole_windows():
    windows = Windows(counted(20), 3, seed=1)  # 5 windows, 15 of 19 tokens that have a next one
    assert {min(starts(windows, epoch)) for epoch in range(100)} == {0, 1, 2, 3, 4}
    orders = [starts(Windows(counted(4), 1, seed=1), epoch) for epoch in range(200)]
    assert {tuple(order) for order in orders} == {
        (a, b, c) for a in range(3) for b in range(3) for c in range(3) if len({a, b, c}) == 3
    }


def test_seeds_differ():
    orders = {tuple(starts(Windows(counted(100), 9, seed), 0)) for seed in (0, 1, 2, -1, 2**40)}
    assert len(orders) == 5


# The seed and the step decide, and nothing else.


def test_a_batch_does_not_depend_on_what_was_asked_before():
    windows = Windows(counted(60), 5, seed=2)  # 11 windows an epoch, so batches cross epochs
    forward = [windows.batch(step, 4) for step in range(12)]
    order = list(range(12))
    random.Random(0).shuffle(order)
    other = Windows(counted(60), 5, seed=2)
    for step in order:
        for ours, theirs in zip(other.batch(step, 4), forward[step], strict=True):
            assert torch.equal(ours, theirs)
    for step in (7, 7, 0):
        assert torch.equal(windows.batch(step, 4)[0], forward[step][0])


def test_batches_of_any_size_read_on_from_each_other():
    windows = Windows(counted(60), 5, seed=2)
    whole = windows.batch(0, 24)[0]
    for size in (1, 4, 8, 12):
        parts = [windows.batch(step, size)[0] for step in range(24 // size)]
        assert torch.equal(torch.cat(parts), whole)
    assert whole[:, 0].tolist() == [windows.start(number) for number in range(24)]


def test_the_order_is_the_same_on_every_machine():
    """No checkpoint holds it, so that another version of torch must not change it unseen."""
    windows = Windows(counted(40), 4, seed=1)
    assert starts(windows, 0) == [6, 22, 26, 30, 18, 14, 34, 10, 2]
    assert starts(windows, 1) == [21, 25, 33, 29, 17, 9, 1, 5, 13]


def test_global_generators_are_left_alone(as_readers_run_it):
    before, python = torch.get_rng_state(), random.getstate()
    first = Windows(counted(60), 5, seed=2).batch(3, 4)[0]
    assert torch.equal(torch.get_rng_state(), before) and random.getstate() == python
    torch.manual_seed(5)
    random.seed(5)
    assert torch.equal(Windows(counted(60), 5, seed=2).batch(3, 4)[0], first)


# Errors.


def test_the_shortest_text_is_a_window_and_a_token():
    assert Windows(counted(6), 5, seed=0).batch(0, 2)[0].tolist() == [[0, 1, 2, 3, 4]] * 2
    match = (
        "^the text has 5 tokens; a window of 5 needs 6, one more for the last target: give more "
        "text, or choose a shorter context_length$"
    )
    with pytest.raises(ValueError, match=match):
        Windows(counted(5), 5, seed=0)
    with pytest.raises(ValueError, match=r"^my text has 0 tokens; a window of 1 needs 2"):
        check_long_enough(counted(0), 1, "my text")


@pytest.mark.parametrize("length", [0, -1])
def test_a_window_without_tokens_is_refused(length):
    with pytest.raises(ValueError, match=f"^a window of {length} tokens; it must have at least 1"):
        Windows(counted(6), length, seed=0)


@pytest.mark.parametrize("ids", [torch.zeros(2, 9, dtype=torch.long), torch.zeros(9)])
def test_ids_that_are_no_list_of_integers_are_refused(ids, as_readers_run_it):
    match = rf"^ids has the shape \({ids.shape[0]},.* holds {ids.dtype}; it must be one list of"
    with pytest.raises(ValueError, match=match):
        Windows(ids, 3, seed=0)


@pytest.mark.parametrize(("step", "batch_size"), [(-1, 2), (0, 0), (3, -1)])
def test_a_batch_that_is_none_is_refused(step, batch_size):
    match = f"^step {step} with a batch_size of {batch_size}: steps start at 0, and a batch has"
    with pytest.raises(ValueError, match=match):
        Windows(counted(6), 2, seed=0).batch(step, batch_size)


@pytest.mark.parametrize("kind", [np.uint16, np.int64])
def test_arrays_do_as_well_as_tensors(kind, as_readers_run_it):
    """As nanoGPT's files are read: np.memmap("train.bin", np.uint16)."""
    ids = np.arange(200, dtype=kind) % 13
    windows, expected = Windows(ids, 8, seed=1), Windows(torch.from_numpy(ids).long(), 8, seed=1)
    for step in range(3):
        assert torch.equal(windows.batch(step, 4)[0], expected.batch(step, 4)[0])
    model = GPT(GPTConfig(13, 8, 1, 1, 4), torch.Generator().manual_seed(0))
    assert evaluate(model, ids, 8) == evaluate(model, torch.from_numpy(ids).long(), 8)
    assert Trainer(model, ids, Recipe(steps=1, warmup=0, batch_size=2)).step() > 0
