"""Rows that repeat, what a copy surprises a model, and which heads look back."""

from __future__ import annotations

import math

import pytest
import torch
from looking_back import copy_losses, head_scores
from repetition import SHORTEST, Repetitions
from small_models import awake, seeded
from torch import Tensor, nn
from torch.testing import assert_close

from minigpt.model import GPT, GPTConfig
from minigpt.training import IGNORED, Batches, Recipe, Trainer, next_token_loss

CONFIG = GPTConfig(vocab_size=50, context_length=64, n_layer=2, n_head=2, n_embd=8)
TEXT = torch.arange(500) % 37
pytestmark = pytest.mark.usefixtures("one_thread")


def rows() -> tuple[Repetitions, Tensor, Tensor]:
    source = Repetitions(TEXT, 50, 64, seed=1)
    return source, *source.batch(3, 40)


def period(row: Tensor) -> int:
    """The fewest tokens after which it comes again."""
    fits = (n for n in range(1, len(row)) if torch.equal(row[n:], row[:-n]))
    return next(fits, len(row))


# Rows.


def test_every_row_repeats_a_stretch_of_its_own_length():
    _, inputs, _ = rows()
    periods = [period(row) for row in inputs]
    assert min(periods) >= SHORTEST and max(periods) <= 32
    assert len({*periods}) > 15


def test_what_can_be_known_counts():
    """In random rows from the second copy's second token on; in those of the text everything."""
    _, inputs, targets = rows()
    for number, (row, wanted) in enumerate(zip(inputs, targets, strict=True)):
        known = period(row) if number % 2 == 0 else 0
        assert (wanted[:known] == IGNORED).all()
        assert torch.equal(wanted[known:-1], row[known + 1 :])
        assert wanted[-1] == row[len(row) - period(row)]


def test_every_other_row_is_of_the_text():
    _, inputs, _ = rows()
    for number, row in enumerate(inputs):
        stretch = row[: period(row)]
        follows = torch.equal(stretch[1:], (stretch[:-1] + 1) % 37)
        assert follows == (number % 2 == 1)


def test_a_step_and_a_seed_decide_the_rows():
    source, inputs, targets = rows()
    again = Repetitions(TEXT, 50, 64, seed=1).batch(3, 40)
    assert torch.equal(again[0], inputs) and torch.equal(again[1], targets)
    for other in (source.batch(4, 40), Repetitions(TEXT, 50, 64, seed=2).batch(3, 40)):
        assert not torch.equal(other[0], inputs)


def test_a_trainer_takes_them_and_counts_what_counts():
    source, inputs, targets = rows()
    assert isinstance(source, Batches) and source.part(100) is source
    assert source.weight(inputs, targets) == (targets != IGNORED).sum()
    model = awake(GPT(CONFIG))
    assert torch.equal(source.loss(model, inputs, targets), next_token_loss(model(inputs), targets))
    loss = Trainer(model, source, Recipe(steps=1, batch_size=4, warmup=0)).step()
    assert math.isfinite(loss)


def test_rows_without_room_or_text_are_refused():
    with pytest.raises(ValueError, match="rows of 15 tokens; a stretch has at least 8"):
        Repetitions(TEXT, 50, 15, seed=1)
    with pytest.raises(ValueError, match="the text has 64 tokens; a window of 64 needs 65"):
        Repetitions(TEXT[:64], 50, 64, seed=1)
    with pytest.raises(NotImplementedError, match="without an end"):
        rows()[0].all(8)


# Surprise at both copies.


class Copier(nn.Module):
    """Half of its belief to the token that came after the last one like this; the rest to all."""

    def forward(self, ids: Tensor) -> Tensor:
        scores = torch.full((*ids.shape, 50), 0.5 / 50)
        for b, row in enumerate(ids.tolist()):
            for t, token in enumerate(row):
                if token in row[:t]:
                    last = max(i for i in range(t) if row[i] == token)
                    scores[b, t, row[last + 1]] += 0.5
                else:
                    scores[b, t] += 0.5 / 50
        return scores.log()


def test_surprise_of_one_who_copies_on_paper():
    """Nothing repeats in the first copy: ln 50. In the second, 0.5 and a hundredth."""
    stretches = torch.stack([torch.randperm(50, generator=seeded(i))[:9] for i in range(3)])
    first, second = copy_losses(Copier(), stretches)
    assert first == pytest.approx(math.log(50)) and second == pytest.approx(-math.log(0.51))


def test_surprise_is_the_loss_of_those_places():
    model, stretches = awake(GPT(CONFIG)).double(), torch.randint(50, (5, 12), generator=seeded(2))
    both = torch.cat([stretches, stretches], dim=1)
    targets = both[:, 1:].clone()
    targets[:, :12] = IGNORED
    first, second = copy_losses(model, stretches)
    assert first == pytest.approx(
        next_token_loss(model(stretches[:, :-1]), stretches[:, 1:]).item()
    )
    assert second == pytest.approx(next_token_loss(model(both[:, :-1]), targets).item())


# Heads.


def looking_at(back: int) -> Tensor:
    """Every token looks so many back, or at itself where that is before the first: (T, T)."""
    weights = torch.zeros(24, 24)
    for t in range(24):
        weights[t, t - back if t >= back else t] = 1
    return weights


def test_a_head_that_looks_right_scores_1(monkeypatch):
    """In stretches of 12, the token after the earlier one is 11 back."""
    model = GPT(CONFIG, seeded())
    maps = [[looking_at(11), looking_at(12)], [looking_at(10), looking_at(1)]]
    for block, heads in zip(model.blocks, maps, strict=True):
        stored = torch.stack(heads).expand(3, 2, 24, 24)
        monkeypatch.setattr(block.attention, "weights", lambda x, stored=stored: stored)
    after, before = head_scores(model, torch.zeros(3, 12, dtype=torch.long))
    assert_close(after, torch.tensor([[1.0, 0.0], [0.0, 0.0]]).double())
    assert_close(before, torch.tensor([[0.0, 0.0], [0.0, 1.0]]).double())


def test_a_head_that_looks_at_all_alike_scores_the_share_of_one():
    model = GPT(CONFIG, seeded())
    for block in model.blocks:
        nn.init.zeros_(block.attention.qkv.weight)
    after, before = head_scores(model, torch.randint(50, (2, 6), generator=seeded(3)))
    second = sum(1 / t for t in range(7, 13)) / 6  # the 7th to the 12th of 12 tokens
    any_token = sum(1 / t for t in range(2, 13)) / 11
    assert_close(after, torch.full((2, 2), second).double())
    assert_close(before, torch.full((2, 2), any_token).double())


def test_later_blocks_read_what_earlier_ones_wrote():
    """By torch's own hooks: what reaches each attention while the model runs."""
    model, stretches = awake(GPT(CONFIG)).double(), torch.randint(50, (2, 6), generator=seeded(4))
    seen = []
    for block in model.blocks:
        block.attention.register_forward_pre_hook(lambda m, args: seen.append(m.weights(args[0])))
    model(torch.cat([stretches, stretches], dim=1))
    wanted = []
    for weights in seen:
        places = [weights[:, :, t, t - 5] for t in range(6, 12)]
        wanted.append(torch.stack(places).mean(dim=(0, 1)))
    assert_close(head_scores(model, stretches)[0], torch.stack(wanted).detach())
