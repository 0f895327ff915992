"""Training held to a plain loop, and a run to itself: stopped and continued, in parts, compiled."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from small_models import seeded
from torch import Tensor, nn
from torch.nn import functional as F
from torch.testing import assert_close

from minigpt.model import GPT, GPTConfig
from minigpt.training import RECIPES, Processes, Recipe, Trainer, evaluate, next_token_loss

CONFIG = GPTConfig(vocab_size=13, context_length=8, n_layer=2, n_head=2, n_embd=16)
SHORT = Recipe(steps=7, batch_size=4, warmup=2)
FAST = replace(RECIPES["fast"], steps=7, batch_size=4)
recipes = pytest.mark.parametrize("recipe", [SHORT, FAST], ids=["adamw", "fast"])
pytestmark = pytest.mark.usefixtures("one_thread")


def made(config: GPTConfig = CONFIG, seed: int = 0) -> GPT:
    return GPT(config, seeded(seed))


def some_text(count: int = 200, vocab_size: int = CONFIG.vocab_size, seed: int = 1) -> Tensor:
    return torch.randint(vocab_size, (count,), generator=seeded(seed))


def weights(model: GPT) -> dict[str, bytes]:
    """Every parameter as bytes, so that nan equals nan."""
    return {name: p.detach().numpy().tobytes() for name, p in model.named_parameters()}


def kept(trainer: Trainer) -> tuple[dict[str, Tensor], dict]:
    """A trainer's state as a file would hold it: copies, and numbers that went through JSON."""
    tensors, numbers = trainer.state()
    copies = {name: x.clone() for name, x in tensors.items()}
    return copies, json.loads(json.dumps(numbers))


def take_steps(trainer: Trainer, count: int) -> list[float]:
    return [trainer.step() for _ in range(count)]


def gradients_seen(trainer: Trainer) -> list[list[Tensor]]:
    """The gradients that the first optimiser is given, a list for every step."""
    seen: list[list[Tensor]] = []

    def look(optimizer, *_):
        groups = optimizer.param_groups
        seen.append([p.grad.clone() for group in groups for p in group["params"]])

    trainer.optimizers[0].register_step_pre_hook(look)
    return seen


def felt(name: str, p: Tensor) -> list[Tensor]:
    """A parameter without what no score depends on: one bias for all keys shifts a whole softmax.

    Its gradient is what rounding leaves of 0, which AdamW makes steps of full length of.
    """
    return [p.chunk(3)[0], p.chunk(3)[2]] if name.endswith("qkv.bias") else [p]


# The loss of a prediction.


@pytest.mark.parametrize("shape", [(1, 1, 2), (2, 5, 13), (3, 1, 40)])
def test_the_loss_is_the_mean_of_minus_the_log_of_probabilities(shape):
    logits = 3 * torch.randn(shape, generator=seeded(), dtype=torch.float64)
    targets = torch.randint(shape[-1], shape[:2], generator=seeded(1))
    total = 0.0
    for row, their_targets in zip(logits, targets, strict=True):
        for scores, target in zip(row, their_targets, strict=True):
            total -= math.log(math.exp(scores[target]) / sum(math.exp(score) for score in scores))
    loss = next_token_loss(logits, targets)
    assert loss.dtype == torch.float64
    assert loss.item() == pytest.approx(total / targets.numel(), rel=1e-12)
    assert_close(loss, F.cross_entropy(logits.mT, targets), rtol=1e-12, atol=0)


@pytest.mark.parametrize("vocab_size", [2, 65, 4096])
def test_whoever_knows_nothing_pays_ln_v(vocab_size):
    targets = torch.randint(vocab_size, (2, 5), generator=seeded())
    for score in (0.0, 7.0):
        loss = next_token_loss(torch.full((2, 5, vocab_size), score), targets)
        assert loss.item() == pytest.approx(math.log(vocab_size), rel=1e-6)


def test_the_gradient_is_what_was_said_less_what_came():
    logits = torch.randn(2, 3, 5, generator=seeded(), requires_grad=True)
    targets = torch.randint(5, (2, 3), generator=seeded(1))
    next_token_loss(logits, targets).backward()
    assert_close(logits.grad, (logits.softmax(-1) - F.one_hot(targets, 5)) / 6)


def test_scores_of_half_the_bits_are_summed_in_float32():
    targets = torch.zeros(1, 1, dtype=torch.long)
    for dtype in (torch.bfloat16, torch.float16):
        loss = next_token_loss(torch.zeros(1, 1, 1000, dtype=dtype), targets)
        assert loss.dtype == torch.float32 and loss.item() == pytest.approx(math.log(1000))


# A step.


@pytest.mark.parametrize("clip", [0.5, None])
def test_a_step_is_that_of_a_plain_loop(clip):
    recipe = replace(SHORT, clip=clip, learning_rate=0.01, beta_1=0.8, weight_decay=0.3, warmup=3)
    trainer, plain = Trainer(made(), some_text(), recipe), made()
    parameters = list(plain.parameters())
    mean, square = ([torch.zeros_like(p) for p in parameters] for _ in range(2))
    rates = [0.01 / 3, 0.02 / 3, 0.01, 0.01]
    rates += [0.01 * (0.1 + 0.9 * (1 + math.cos(math.pi * way / 4)) / 2) for way in (1, 2, 3)]
    for step, rate in enumerate(rates):
        inputs, targets = trainer.windows.batch(step, 4)
        loss = F.cross_entropy(plain(inputs).flatten(0, 1), targets.flatten())
        gradients = torch.autograd.grad(loss, parameters)
        norm = math.sqrt(sum(gradient.square().sum().item() for gradient in gradients))
        assert norm > 0.5  # so that it is clipped
        with torch.no_grad():
            for p, m, s, gradient in zip(parameters, mean, square, gradients, strict=True):
                if clip is not None:
                    gradient = gradient * clip / norm
                m += (1 - 0.8) * (gradient - m)
                s += (1 - 0.99) * (gradient.square() - s)
                if p.dim() == 2:
                    p *= 1 - rate * 0.3
                unbiased = m / (1 - 0.8 ** (step + 1)), s / (1 - 0.99 ** (step + 1))
                p -= rate * unbiased[0] / (unbiased[1].sqrt() + 1e-8)
        assert trainer.step() == pytest.approx(loss.item(), rel=1e-5)
        assert trainer.gradient_norm == pytest.approx(norm, rel=1e-4)
        assert trainer.steps_taken == step + 1
        expected = dict(plain.named_parameters())
        for name, p in trainer.model.named_parameters():
            assert p.grad is None
            for part, theirs in zip(felt(name, p), felt(name, expected[name]), strict=True):
                assert_close(part, theirs)


@recipes
@pytest.mark.parametrize("parts", [2, 4, 3, 12])
def test_a_batch_in_parts_is_the_batch(recipe, parts):
    recipe = replace(recipe, batch_size=12)
    whole = Trainer(made().double(), some_text(), recipe)
    cut = Trainer(made().double(), some_text(), replace(recipe, accumulate=parts))
    seen, seen_cut = gradients_seen(whole), gradients_seen(cut)
    assert take_steps(cut, 3) == pytest.approx(take_steps(whole, 3), rel=1e-6)
    for ours, theirs in zip(seen_cut[0], seen[0], strict=True):
        assert_close(ours, theirs, rtol=0, atol=1e-12)
    for ours, theirs in zip(cut.model.parameters(), whole.model.parameters(), strict=True):
        assert_close(ours, theirs, rtol=0, atol=1e-9)


def test_a_part_sees_only_its_rows():
    trainer = Trainer(made(), some_text(), replace(SHORT, batch_size=12, accumulate=3))
    rows = []
    trainer.model.register_forward_pre_hook(lambda model, inputs: rows.append(inputs[0]))
    trainer.step()
    assert [len(x) for x in rows] == [4, 4, 4]
    assert torch.equal(torch.cat(rows), trainer.windows.batch(0, 12)[0])


def test_a_long_gradient_is_shortened_and_a_short_one_is_not():
    lengths = []
    for clip in (0.25, 1000.0, None):
        trainer = Trainer(made(), some_text(), replace(SHORT, clip=clip))
        seen = gradients_seen(trainer)
        trainer.step()
        lengths.append(torch.cat([x.flatten() for x in seen[0]]).norm().item())
        before = trainer.gradient_norm
    assert lengths == pytest.approx([0.25, before, before], rel=1e-4) and before > 0.5


def test_the_steps_of_a_run_are_counted():
    trainer = Trainer(made(), some_text(), SHORT)
    assert (trainer.steps_taken, trainer.tokens_per_step) == (0, 4 * 8)
    assert math.isnan(trainer.gradient_norm)
    take_steps(trainer, 7)
    assert trainer.steps_taken == 7
    with pytest.raises(ValueError, match="step 7 is not one of the run's, 0 to 6"):
        trainer.step()


# It learns.


@recipes
def test_a_model_learns_one_batch_by_heart(recipe):
    recipe = replace(recipe, steps=100, learning_rate=0.01, warmup=0)
    trainer = Trainer(made(), some_text(), recipe)
    batch = trainer.windows.batch(0, 4)
    trainer.windows.batch = lambda step, batch_size: batch
    losses = take_steps(trainer, 100)
    assert losses[0] == pytest.approx(math.log(13), abs=0.1)
    assert losses[-1] < 0.1


@recipes
def test_the_loss_falls_on_a_text_that_repeats_itself(recipe):
    text = torch.arange(300) % 7
    trainer = Trainer(made(), text, replace(recipe, steps=40, learning_rate=0.01, warmup=0))
    losses = take_steps(trainer, 40)
    assert losses[-1] < 0.5 < 2.4 < losses[0]
    assert evaluate(trainer.model, text, 8) < 0.5


def test_the_model_is_in_training_mode_during_a_step():
    trainer = Trainer(made().eval(), some_text(), SHORT)
    modes = []
    trainer.model.register_forward_pre_hook(lambda model, inputs: modes.append(model.training))
    trainer.step()
    assert modes == [True]


@pytest.mark.parametrize("tied", [True, False])
@recipes
def test_tied_tables_stay_tied(recipe, tied):
    trainer = Trainer(made(replace(CONFIG, tied=tied)), some_text(), recipe)
    take_steps(trainer, 2)
    model = trainer.model
    assert (model.lm_head.weight is model.token_embedding.weight) == tied
    state = kept(trainer)
    assert ("model.lm_head.weight" in state[0]) == (not tied)
    other = Trainer(made(replace(CONFIG, tied=tied), seed=1), some_text(), recipe)
    other.load_state(*state)
    assert (other.model.lm_head.weight is other.model.token_embedding.weight) == tied
    assert weights(other.model) == weights(model)


# Stopped and continued.


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("dropout", [0.0, 0.2])
@recipes
def test_three_steps_and_four_are_seven_to_the_bit(recipe, dropout, precision):
    recipe, config = replace(recipe, precision=precision), replace(CONFIG, dropout=dropout)
    straight = Trainer(made(config), some_text(), recipe)
    losses = take_steps(straight, 7)

    first = Trainer(made(config), some_text(), recipe)
    begun = take_steps(first, 3)
    state = kept(first)
    torch.manual_seed(99)  # another process, which has drawn other numbers
    second = Trainer(made(config, seed=5), some_text(), recipe)
    second.load_state(*state)
    assert second.steps_taken == 3
    assert begun + take_steps(second, 4) == losses
    assert weights(second.model) == weights(straight.model)
    ours, theirs = kept(second), kept(straight)
    assert ours[1] == theirs[1] and ours[0].keys() == theirs[0].keys()
    for name, x in ours[0].items():
        assert x.dtype == theirs[0][name].dtype and torch.equal(x, theirs[0][name]), name


def test_a_state_is_taken_over_not_shared():
    first = Trainer(made(), some_text(), SHORT)
    take_steps(first, 2)
    state = first.state()
    second = Trainer(made(), some_text(), SHORT)
    second.load_state(*state)
    before = kept(first)
    take_steps(second, 2)
    assert all(torch.equal(x, before[0][name]) for name, x in first.state()[0].items())


def test_going_back_forgets_what_came_after():
    trainer = Trainer(made(), some_text(), SHORT)
    start = kept(trainer)
    losses = take_steps(trainer, 3)
    trainer.load_state(*start)
    assert trainer.steps_taken == 0 and take_steps(trainer, 3) == losses


@recipes
def test_a_state_has_a_name_for_every_number(recipe):
    trainer = Trainer(made(), some_text(), recipe)
    names = {name for name, _ in trainer.model.named_parameters()}
    assert set(trainer.state()[0]) == {f"model.{name}" for name in names}
    trainer.step()
    expected = {f"model.{name}" for name in names}
    for name in names:
        in_muon = recipe.optimizer == "muon" and "blocks." in name and trainer_dim(trainer, name)
        keys = ["momentum_buffer"] if in_muon else ["step", "exp_avg", "exp_avg_sq"]
        expected |= {f"optimizer.{key}.{name}" for key in keys}
    assert set(trainer.state()[0]) == expected


def trainer_dim(trainer: Trainer, name: str) -> bool:
    return trainer.model.get_parameter(name).dim() == 2


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"n_layer": 3}, r"^blocks\.2\.attention.* is None in the model and \(.*\) in the state: "),
        ({"n_layer": 1}, r"^blocks\.1\.attention.* is \(.*\) in the model and None in the state: "),
        ({"n_embd": 8}, r"^blocks\.0\.attention.* is \(16,\) in the model and \(8,\) in the state"),
        ({"tied": False}, r"^lm_head.weight is None in the model and \(13, 16\) in the state: go"),
        ({"vocab_size": 12}, r"token_embedding.weight is \(13, 16\) in the model and \(12, 16\)"),
    ],
)
def test_the_state_of_another_model_is_refused_and_changes_nothing(change, match):
    other = Trainer(made(replace(CONFIG, **change)), some_text(vocab_size=12), SHORT)
    take_steps(other, 2)
    trainer = Trainer(made(), some_text(), SHORT)
    trainer.step()
    tensors, numbers = kept(trainer)
    with pytest.raises(ValueError, match=match):
        trainer.load_state(*kept(other))
    after = kept(trainer)
    assert after[1] == numbers and after[0].keys() == tensors.keys()
    assert all(torch.equal(x, after[0][name]) for name, x in tensors.items())


# Divergence.


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
@recipes
def test_weights_that_are_not_finite_stop_the_run_as_they_are(recipe, precision):
    trainer = Trainer(made(), some_text(), replace(recipe, precision=precision))
    trainer.step()
    healthy = kept(trainer)
    with torch.no_grad():
        trainer.model.blocks[0].mlp.up.weight[3, 4] = math.nan
    before = weights(trainer.model)
    match = (
        "^at step 1 the loss is nan and its gradient nan long: training has diverged, and this "
        r"step is not taken.* lower learning_rate \(now .* longer warm-up"
    )
    with pytest.raises(ValueError, match=match):
        trainer.step()
    assert weights(trainer.model) == before and trainer.steps_taken == 1
    assert all(p.grad is None for p in trainer.model.parameters())
    # The trainer is whole: with the weights it had, it goes on.
    trainer.load_state(*healthy)
    assert math.isfinite(trainer.step())


@recipes
def test_an_absurd_learning_rate_stops_the_run_with_finite_weights(recipe):
    absurd = replace(recipe, learning_rate=1e30, muon_learning_rate=1e30, warmup=0)
    trainer = Trainer(made(), some_text(), absurd)
    with pytest.raises(
        ValueError, match=r"training has diverged.* muon_learning_rate \(now 1e\+30"
    ):
        for _ in range(7):
            before, taken = weights(trainer.model), trainer.steps_taken
            trainer.step()
    assert weights(trainer.model) == before and trainer.steps_taken == taken >= 1
    assert all(p.isfinite().all() for p in trainer.model.parameters())


def test_a_gradient_that_is_not_finite_stops_the_run():
    for clip in (1.0, None):
        trainer = Trainer(made(), some_text(), replace(SHORT, clip=clip))
        trainer.model.final_norm.bias.register_hook(lambda gradient: gradient * math.inf)
        before = weights(trainer.model)
        with pytest.raises(ValueError, match=r"at step 0 the loss is 2\..* its gradient (nan|inf)"):
            trainer.step()
        assert weights(trainer.model) == before and not trainer.optimizers[0].state


@pytest.mark.parametrize("place", ["blocks.0.mlp.up.weight", "final_norm.weight"])
@recipes
def test_an_overflow_of_float16_leaves_out_the_whole_step(recipe, place):
    """Whichever optimiser's part it is in, no weight moves, and the next loss is scaled less."""
    trainer = Trainer(made(), some_text(), replace(recipe, precision="float16"))
    overflow = [math.inf, 1.0]
    parameter = trainer.model.get_parameter(place)
    parameter.register_hook(lambda gradient: gradient * overflow.pop(0))
    before, scale = weights(trainer.model), trainer.scaler.get_scale()
    assert math.isfinite(trainer.step())
    assert weights(trainer.model) == before and trainer.steps_taken == 1
    assert trainer.scaler.get_scale() == scale / 2
    assert math.isfinite(trainer.step()) and weights(trainer.model) != before
    assert all(p.isfinite().all() for p in trainer.model.parameters())


# Randomness.


@pytest.mark.parametrize("dropout", [0.0, 0.2])
@recipes
def test_a_step_leaves_the_global_generators_alone(recipe, dropout, as_readers_run_it):
    trainer = Trainer(made(replace(CONFIG, dropout=dropout)), some_text(), recipe)
    torch.manual_seed(3)
    before, python = torch.get_rng_state(), random.getstate()
    trainer.step()
    assert torch.equal(torch.get_rng_state(), before) and random.getstate() == python


def test_the_global_generators_leave_a_step_alone():
    losses = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        random.seed(seed)
        trainer = Trainer(made(replace(CONFIG, dropout=0.2)), some_text(), SHORT)
        losses.append(take_steps(trainer, 2))
    assert losses[0] == losses[1]


def test_dropout_that_was_added_to_a_model_is_of_the_step_alone():
    losses = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        model = made()
        model.final_norm = nn.Sequential(model.final_norm, nn.Dropout(0.3))
        before = torch.get_rng_state()
        trainer = Trainer(model, some_text(), SHORT)
        losses.append(take_steps(trainer, 2))
        assert torch.equal(torch.get_rng_state(), before)
    assert losses[0] == losses[1]


def losses_of_one_window(dropout: float, processes: Processes | None = None, seed: int = 1):
    """A text of one window, and a rate too small to move a weight: only dropout can differ."""
    recipe = replace(SHORT, learning_rate=1e-30, weight_decay=0.0, seed=seed)
    model = made(replace(CONFIG, dropout=dropout, n_embd=32))
    return take_steps(Trainer(model, some_text(9), recipe, processes), 4)


def test_every_step_and_seed_and_process_drops_other_numbers():
    assert len(set(losses_of_one_window(0.0))) == 1
    losses = losses_of_one_window(0.5)
    assert len(set(losses)) == 4 and losses == losses_of_one_window(0.5)
    for others in (
        losses_of_one_window(0.5, seed=2),
        losses_of_one_window(0.5, Processes(rank=1)),
    ):
        assert not set(others) & set(losses)


def test_the_parts_of_a_batch_drop_other_numbers():
    model = made(replace(CONFIG, dropout=0.5))
    trainer = Trainer(model, some_text(9), replace(SHORT, batch_size=2, accumulate=2))
    scores = []
    model.register_forward_hook(lambda model, inputs, output: scores.append(output))
    trainer.step()
    assert len(scores) == 2 and not torch.equal(scores[0], scores[1])


# Precision, and the compiler.


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@recipes
def test_half_the_bits_are_close_to_float32(recipe, precision):
    recipe = replace(recipe, steps=20)
    whole = Trainer(made(), some_text(), recipe)
    half = Trainer(made(), some_text(), replace(recipe, precision=precision))
    dtypes = set()
    half.model.blocks[0].mlp.up.register_forward_hook(lambda m, i, output: dtypes.add(output.dtype))
    losses, close = take_steps(whole, 8), take_steps(half, 8)
    assert dtypes == {getattr(torch, precision)}
    assert close != losses and close == pytest.approx(losses, rel=0.02)
    assert {p.dtype for p in half.model.parameters()} == {torch.float32}
    assert half.gradient_norm == pytest.approx(whole.gradient_norm, rel=0.1)


@recipes
def test_a_compiled_model_takes_the_same_steps(recipe, monkeypatch, as_readers_run_it):
    """One graph, from the ids to the loss, is compiled once and used in every step."""
    compile_, traced, called = torch.compile, [], []

    def keep(graph: nn.Module, inputs: list[Tensor]) -> nn.Module:
        traced.append({node.target for node in graph.graph.nodes})
        return graph

    def quickly(loss: Callable[..., Tensor]) -> Callable[..., Tensor]:
        compiled = compile_(loss, backend=keep, fullgraph=True)
        return lambda *batch: called.append([x.shape for x in batch]) or compiled(*batch)

    monkeypatch.setattr(torch, "compile", quickly)
    eager = Trainer(made().double(), some_text(), recipe)
    trainer = Trainer(made().double(), some_text(), recipe, compiled=True)
    losses = take_steps(trainer, 2)
    assert called == [[(4, 8), (4, 8)]] * 2  # inputs and targets
    assert len(traced) == 1 and {F.scaled_dot_product_attention, F.cross_entropy} <= traced[0]
    assert losses == pytest.approx(take_steps(eager, 2), rel=1e-6) and len(called) == 2
    assert trainer.state()[0].keys() == eager.state()[0].keys()
    for ours, theirs in zip(trainer.model.parameters(), eager.model.parameters(), strict=True):
        assert_close(ours, theirs, rtol=0, atol=1e-9)


# Evaluation.


@pytest.mark.parametrize("count", [9, 10, 16, 17, 200])
def test_an_evaluation_is_the_mean_over_all_windows(count):
    model, ids = made(replace(CONFIG, dropout=0.5)), some_text(count)
    losses = []
    with torch.no_grad():
        plain = made().eval()
        for start in range(0, count - 8, 8):
            inputs, targets = ids[start : start + 8], ids[start + 1 : start + 9]
            losses.append(F.cross_entropy(plain(inputs[None])[0], targets).item())
    assert len(losses) == (count - 1) // 8
    assert evaluate(model, ids, 8) == pytest.approx(sum(losses) / len(losses), rel=1e-6)


def test_an_evaluation_does_not_depend_on_its_batches_or_the_type_of_ids():
    model, ids = made(), some_text()
    whole = evaluate(model, ids, 8)
    for batch_size in (1, 7, 24, 25, 1000):
        assert evaluate(model, ids, 8, batch_size) == pytest.approx(whole, rel=1e-6)
    for dtype in (torch.uint16, torch.int32):
        assert evaluate(model, ids.to(dtype), 8) == whole


def test_an_evaluation_reads_windows_as_long_as_it_is_told():
    model, ids = made(), some_text()
    lengths = set()
    model.register_forward_pre_hook(lambda model, inputs: lengths.add(inputs[0].shape[1]))
    assert evaluate(model, ids, 5) != evaluate(model, ids, 8)
    assert lengths == {5, 8}


@pytest.mark.parametrize("training", [True, False])
def test_an_evaluation_leaves_no_trace(training):
    model = made(replace(CONFIG, dropout=0.5)).train(training)
    before, state = weights(model), torch.get_rng_state()
    modes, followed = [], []
    model.register_forward_pre_hook(lambda model, inputs: modes.append(model.training))
    model.register_forward_hook(lambda model, inputs, scores: followed.append(scores.requires_grad))
    assert evaluate(model, some_text(), 8) == evaluate(model, some_text(), 8)
    assert model.training == training and model.blocks[0].attention.training == training
    assert not any(modes + followed) and weights(model) == before
    assert all(p.grad is None for p in model.parameters())
    assert torch.equal(torch.get_rng_state(), state)


class Recording(Processes):
    """One of several that does not ask the others, and keeps what it would have told them."""

    def __init__(self, rank: int, count: int) -> None:
        super().__init__(rank, count)
        object.__setattr__(self, "told", [])

    def sum(self, numbers: Tensor) -> Tensor:
        self.told.append(numbers.item())
        return numbers


@pytest.mark.parametrize("count", [2, 3, 30])
def test_processes_share_the_windows_of_an_evaluation_out(count):
    """Also where there are fewer windows than processes."""
    model, ids = made(), some_text(100)  # 12 windows
    all_of_them = [Recording(rank, count) for rank in range(count)]
    for processes in all_of_them:
        evaluate(model, ids, 8, batch_size=2, processes=processes)
    losses, counted = zip(*(processes.told for processes in all_of_them), strict=True)
    assert sum(losses) / sum(counted) == pytest.approx(evaluate(model, ids, 8), rel=1e-6)
    shares = [12 // count + (rank < 12 % count) for rank in range(count)]
    assert list(counted) == [8 * windows for windows in shares]


# Errors.


def test_a_text_shorter_than_a_window_is_refused():
    Trainer(made(), some_text(9), SHORT)
    evaluate(made(), some_text(9), 8)
    with pytest.raises(
        ValueError, match=r"^the text has 8 tokens; a window of 8 needs 9, one more"
    ):
        Trainer(made(), some_text(8), SHORT)
    match = "^the text to evaluate on has 8 tokens; a window of 8 needs 9"
    with pytest.raises(ValueError, match=match):
        evaluate(made(), some_text(8), 8)


@pytest.mark.parametrize("batch_size", [0, -1])
def test_an_evaluation_without_windows_is_refused(batch_size):
    with pytest.raises(ValueError, match=f"^batch_size is {batch_size}; it must be at least 1"):
        evaluate(made(), some_text(), 8, batch_size)


@pytest.mark.parametrize(("processes", "accumulate"), [(3, 1), (2, 4), (8, 1)])
def test_a_batch_that_cannot_be_shared_out_is_refused(processes, accumulate):
    recipe = replace(SHORT, accumulate=accumulate)
    match = (
        f"^a batch_size of 4 cannot be shared out among {processes} processes, in {accumulate} "
        rf"parts each \(accumulate\): choose a multiple of {processes * accumulate}$"
    )
    with pytest.raises(ValueError, match=match):
        Trainer(made(), some_text(), recipe, Processes(0, processes))


def test_a_token_of_another_vocabulary_is_refused():
    with pytest.raises(ValueError, match="token id 13 has no row"):
        Trainer(made(), torch.full((9,), 13), SHORT).step()


@pytest.mark.parametrize("recipe", [SHORT, FAST], ids=["adamw", "muon"])
def test_a_gradient_that_was_left_behind_counts_for_nothing(recipe):
    clean, left = (Trainer(made(), some_text(), recipe) for _ in "ab")
    for p in left.model.parameters():
        p.grad = torch.ones_like(p)  # as by a step that Ctrl-C broke off
    assert clean.step() == left.step()
    assert clean.gradient_norm == left.gradient_norm
    for a, b in zip(clean.model.parameters(), left.model.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(("first", "second"), [(SHORT, FAST), (FAST, SHORT)])
def test_the_state_of_another_optimiser_is_refused(first, second):
    begun, other = Trainer(made(), some_text(), first), Trainer(made(seed=5), some_text(), second)
    begun.step()
    before = [p.clone() for p in other.model.parameters()]
    with pytest.raises(ValueError, match=f"than the recipe's, '{second.optimizer}'"):
        other.load_state(*begun.state())
    assert other.steps_taken == 0
    for a, b in zip(before, other.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_an_evaluation_that_fails_leaves_the_mode_as_it_was():
    model = made().train()
    with pytest.raises(ValueError, match="tokens"):
        evaluate(model, some_text(), CONFIG.context_length + 1)
    assert model.training
