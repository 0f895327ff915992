"""A run in a folder: however it was stopped, it ends as one that never was."""

from __future__ import annotations

import io
import json
import math
import os
import signal
import threading
import warnings
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from pytest import approx
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor
from torch.testing import assert_close
from tqdm import tqdm
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

from minigpt.exchange import checkpoint
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import BPETokenizer, CharTokenizer
from minigpt.training import (
    RECIPES,
    Interrupted,
    Intervals,
    Recipe,
    Trainer,
    evaluate,
    evaluation,
    train,
)
from minigpt.training import run as training_run
from minigpt.training.kept_model import model_of
from minigpt.training.log import read_log
from minigpt.training.report import in_words

CONFIG = GPTConfig(vocab_size=13, context_length=8, n_layer=1, n_head=2, n_embd=8, dropout=0.2)
TOKENIZER = CharTokenizer.train("abcdefghijklm")
STEPS = 12
INTERVALS = Intervals(log=1, evaluate=3, checkpoint=4, evaluation_tokens=40)
SHORT = {
    "adamw": replace(RECIPES["adamw"], steps=STEPS, batch_size=4, warmup=3),
    "fast": replace(RECIPES["fast"], steps=STEPS, batch_size=4),
}
recipes = pytest.mark.parametrize("name", SHORT)
needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")


def some_text(tokens: int, seed: int = 0) -> Tensor:
    """Mostly the alphabet over and over, so that there is something to learn."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.arange(tokens) % CONFIG.vocab_size
    noise = torch.randint(CONFIG.vocab_size, (tokens,), generator=generator)
    return torch.where(torch.rand(tokens, generator=generator) < 0.1, noise, ids)


TRAINING, VALIDATION = some_text(300), some_text(100, seed=1)


def fresh(config: GPTConfig = CONFIG, seed: int = 0) -> GPT:
    return GPT(config, torch.Generator().manual_seed(seed))


def go(folder: Path, name: str = "fast", **changes) -> float:
    """The run of these tests, or one that differs from it as told."""
    arguments = {
        "model": fresh(),
        "recipe": SHORT[name],
        "training": TRAINING,
        "validation": VALIDATION,
        "tokenizer": TOKENIZER,
        "intervals": INTERVALS,
    }
    return train(folder, **(arguments | changes))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder; hidden ones too."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def outcome(folder: Path) -> dict:
    """All that a run leaves: the newest state, the log but for the speed, and every other file."""
    files = contents(folder)
    states = sorted(name for name in files if name.startswith("states"))
    for name in states[:-1]:
        del files[name]
    del files["log.jsonl"]
    lines = read_log(folder / "log.jsonl")
    return files | {"log": [{k: x for k, x in line.items() if "second" not in k} for line in lines]}


def signal_at(monkeypatch, step: int, number: int = signal.SIGTERM) -> None:
    """A signal to this process, from within a step."""
    take = Trainer.step

    def step_and_signal(self):
        loss = take(self)
        if self.steps_taken == step:
            os.kill(os.getpid(), number)
        return loss

    monkeypatch.setattr(Trainer, "step", step_and_signal)


def stopped(folder: Path, step: int, name: str = "fast", **changes) -> None:
    """A run that was asked to stop after a step."""
    with pytest.MonkeyPatch.context() as monkeypatch, pytest.raises(Interrupted):
        signal_at(monkeypatch, step)
        go(folder, name, **changes)


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch) -> None:
    """It is slow, and only a power cut would tell."""
    monkeypatch.setattr(os, "fsync", lambda number: None)


@pytest.fixture(scope="module")
def references(tmp_path_factory) -> dict[str, tuple[float, dict]]:
    """What each recipe ends at without a stop."""
    found = {}
    for name in SHORT:
        folder = tmp_path_factory.mktemp("references") / name
        found[name] = (go(folder, name), outcome(folder))
    return found


# Stopped and gone on with.


@recipes
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("step", [1, 4, 6, 11, STEPS])
def test_a_signal_stops_after_the_step_and_the_run_goes_on_the_same(
    tmp_path, monkeypatch, references, name, number, step
):
    folder = tmp_path / "run"
    match = rf"stopped after step {step} of 12, with its state in .*states: the same command goes"
    with monkeypatch.context() as patch:
        signal_at(patch, step, number)
        with pytest.raises(Interrupted, match=match) as stop:
            go(folder, name)
    assert stop.value.signal_number == number
    assert read_log(folder / "log.jsonl")[-1]["step"] == step
    assert (folder / "states" / f"step-{step:08d}.safetensors").exists()
    # The weights come from the state, whatever the model that is given starts with.
    assert go(folder, name, model=fresh(seed=9)) == references[name][0]
    assert outcome(folder) == references[name][1]


def test_stopped_after_every_step_it_ends_the_same(tmp_path, references):
    for step in range(1, STEPS):
        stopped(tmp_path / "run", step)
    assert go(tmp_path / "run") == references["fast"][0]
    assert outcome(tmp_path / "run") == references["fast"][1]


class Killed(BaseException):
    """Such as a power cut: nothing that `except Exception` stops."""


@pytest.mark.parametrize("renamed", [False, True])
def test_stopped_at_any_write_it_ends_the_same(tmp_path, monkeypatch, references, renamed):
    """Before a file gets its name, or right after; one file further each time."""
    rename, folder, left = os.replace, tmp_path / "run", [0]

    def stop(source, target):
        left[0] -= 1
        if left[0] == 0 and not renamed:
            raise Killed
        rename(source, target)
        if left[0] == 0:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", stop)
        for writes in (1, 2, 3, 4, 5, 6, 7, 3, 4, 5, 3):
            left[0] = writes
            with pytest.raises(Killed):
                go(folder)
    assert go(folder) == references["fast"][0]
    assert outcome(folder) == references["fast"][1]


def test_what_a_killed_process_did_not_finish_is_removed(tmp_path, references):
    stopped(tmp_path / "run", 5)
    for name in ("model", "states/step-00000008", "states/before-stop"):
        path = tmp_path / "run" / f"{name}.safetensors"
        path.with_name(f".{path.name}.77.tmp").write_bytes(b"half")
    with (tmp_path / "run" / "log.jsonl").open("a") as log:
        log.write('{"step": 6, "loss": 1.0}\n{"step": 7, "lo')
    others = [tmp_path / "run" / name for name in (".notes.tmp", "kept/.model.safetensors.1.tmp")]
    (tmp_path / "run" / "kept").mkdir()
    for other in others:
        other.write_bytes(b"no file of the run's")
    assert go(tmp_path / "run") == references["fast"][0]
    assert all(other.exists() for other in others)
    assert not [*(tmp_path / "run").rglob("*.77.tmp")]
    for other in others:
        other.unlink()
    (tmp_path / "run" / "kept").rmdir()
    assert outcome(tmp_path / "run") == references["fast"][1]


def test_a_run_at_its_end_stays_as_it_is(tmp_path, references):
    go(tmp_path / "run")
    before, told = contents(tmp_path), []
    assert go(tmp_path / "run", report=told.append) == references["fast"][0]
    assert contents(tmp_path) == before
    assert len(told) == 3 and "all 12 steps were taken before" in told[0]


def test_a_run_can_be_repeated_and_its_seed_and_recipe_count(tmp_path, references):
    assert go(tmp_path / "again") == references["fast"][0]
    assert outcome(tmp_path / "again") == references["fast"][1]
    other = go(tmp_path / "other", recipe=replace(SHORT["fast"], seed=2))
    assert len({other, references["fast"][0], references["adamw"][0]}) == 3


def test_in_a_thread_it_trains_the_same(tmp_path, references):
    """Where signals cannot be caught."""
    losses: list[float] = []
    thread = threading.Thread(target=lambda: losses.append(go(tmp_path / "run")))
    thread.start()
    thread.join()
    assert losses == [references["fast"][0]]
    assert outcome(tmp_path / "run") == references["fast"][1]


# Damaged states.


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    return data[:-9] + bytes([data[-9] ^ 4]) + data[-8:]


DAMAGES = {
    "cut": cut,
    "flipped": flipped,
    "empty": lambda data: b"",
    "another kind": lambda data: b'{"steps_taken": 8}',
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_from_a_damaged_state_the_run_goes_back_to_the_one_before(tmp_path, references, damage):
    folder = tmp_path / "run"
    stopped(folder, 9)
    path, told = folder / "states" / "step-00000009.safetensors", []
    path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(UserWarning, match=rf"{path.name} is not .*; the one before it is used"):
        loss = go(folder, report=told.append)
    assert "going on after step 8 of 12" in told[0]
    assert loss == references["fast"][0]
    assert outcome(folder) == references["fast"][1]


def test_if_no_state_is_whole_nothing_is_lost(tmp_path, references):
    folder = tmp_path / "run"
    stopped(folder, 9)
    for path in (folder / "states").iterdir():
        path.write_bytes(cut(path.read_bytes()))
    before = contents(folder)
    match = r"none of the 2 checkpoints in .*states is whole: delete that folder to start"
    with pytest.warns(UserWarning), pytest.raises(ValueError, match=match):
        go(folder)
    assert contents(folder) == before
    for path in (folder / "states").iterdir():
        path.unlink()
    assert go(folder) == references["fast"][0]  # from the first step, as the message says
    assert outcome(folder) == references["fast"][1]


# What goes wrong on the way.


@needs_dev_full
@pytest.mark.parametrize("file", ["states/.step-00000008.safetensors", ".model.safetensors"])
def test_a_full_disk_ends_the_run_and_it_goes_on_the_same(tmp_path, references, file):
    """/dev/full takes no byte: the system's own error, not one of ours."""
    folder = tmp_path / "run"

    def fill(line):
        if line.startswith("step 6:"):
            (folder / f"{file}.{os.getpid()}.tmp").symlink_to("/dev/full")

    (folder / "states").mkdir(parents=True)  # empty, which hinders no run
    match = r"No space left on device, at step [68]\. Make room, and the same command goes on"
    with pytest.raises(OSError, match=match) as full:
        go(folder, report=fill)
    assert full.value.errno == 28 and str(folder / "states") in str(full.value)
    assert not [name for name in contents(folder) if name.endswith(".tmp")]
    checkpoint.load(folder)
    assert go(folder) == references["fast"][0]
    assert outcome(folder) == references["fast"][1]


@needs_dev_full
def test_a_log_that_cannot_be_written_ends_the_run(tmp_path):
    folder = tmp_path / "run"

    def fill(line):
        (folder / "log.jsonl").unlink()
        (folder / "log.jsonl").symlink_to("/dev/full")

    with pytest.raises(OSError, match=r"No space left on device, at step 0\. Make room"):
        go(folder, report=fill)


@recipes
def test_a_loss_that_is_not_a_number_ends_the_run_and_keeps_what_it_has(tmp_path, references, name):
    folder, recipe, take = tmp_path / "run", SHORT[name], Trainer.step
    before: dict[str, bytes] = {}

    def poisoned(self):
        if self.steps_taken == 6:
            before.update(contents(folder))
            del before[".minigpt.lock"]
            with torch.no_grad():
                self.model.blocks[0].mlp.up.weight[0, 0] = math.nan
        return take(self)

    match = (
        rf"at step 6 the loss is nan .*lower learning_rate \(now {recipe.learning_rate}\) and "
        rf"muon_learning_rate \(now {recipe.muon_learning_rate}\), or a longer warm-up \(warmup\), "
        rf"now {recipe.warmup} steps"
    )
    with pytest.MonkeyPatch.context() as patch, pytest.raises(ValueError, match=match):
        patch.setattr(Trainer, "step", poisoned)
        go(folder, name)
    assert contents(folder) == before
    assert {*contents(folder)} >= {"model.safetensors", "states/step-00000004.safetensors"}
    assert go(folder, name) == references[name][0]
    assert outcome(folder) == references[name][1]


def test_an_error_of_ours_is_passed_on_as_it_is(tmp_path):
    """The same ids by another tokenizer: a run whose model cannot be saved beside it."""
    folder = tmp_path / "run"
    stopped(folder, 4)
    other = CharTokenizer.train("nopqrstuvwxyz")
    with pytest.raises(FileExistsError, match=r"^[^N]*holds another model, whose tokenizer\.json"):
        go(folder, tokenizer=other)


# What is refused, before anything is written or lost.


def other_value(value):
    """Another valid one of the same field."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return 2 * value or 1
    if isinstance(value, float):
        return value / 2 or 0.5
    return {None: 1.0, "muon": "adamw", "trapezoid": "cosine", "float32": "bfloat16"}[value]


CHANGES = {
    **{
        f"recipe {field.name}": {
            "recipe": replace(
                SHORT["fast"], **{field.name: other_value(getattr(SHORT["fast"], field.name))}
            )
        }
        for field in fields(Recipe)
    },
    **{
        f"model {field.name}": {
            "model": fresh(
                replace(CONFIG, **{field.name: other_value(getattr(CONFIG, field.name))})
            )
        }
        for field in fields(GPTConfig)
    },
    "another training text": {"training": torch.cat([TRAINING, TRAINING[:1]])},
    "another validation text": {"validation": VALIDATION.flip(0)},
}


@pytest.fixture(scope="module")
def held(tmp_path_factory) -> Path:
    """A folder with a run that is on its way; no test changes it."""
    folder = tmp_path_factory.mktemp("held") / "run"
    stopped(folder, 4)
    return folder


@pytest.mark.parametrize(("what", "changes"), CHANGES.items(), ids=CHANGES)
def test_another_run_in_the_folder_is_refused_and_the_difference_named(held, what, changes):
    before = contents(held)
    name = what.removeprefix("recipe ").removeprefix("model ")
    shown = rf"{name} \(was .*, now .*\)"
    if what.startswith("another") or name == "vocab_size":
        shown = "another t"
    match = (
        rf"the run in .* started with other settings, {shown}.*: give the same .* another folder"
    )
    with pytest.raises(ValueError, match=match):
        go(held, **changes)
    assert contents(held) == before


def test_all_differences_are_named(held):
    recipe = replace(SHORT["fast"], steps=99, clip=0.5)
    match = (
        r"settings, n_embd \(was 8, now 16\), steps \(was 12, now 99\), "
        r"clip \(was none, now 0\.5\), another text or validation_fraction: give"
    )
    with pytest.raises(ValueError, match=match):
        go(held, recipe=recipe, model=fresh(replace(CONFIG, n_embd=16)), training=VALIDATION)


def test_how_often_it_reports_may_change(tmp_path, references):
    """Intervals decide nothing of how the weights go."""
    stopped(tmp_path / "run", 5)
    go(tmp_path / "run", intervals=Intervals(log=2, evaluate=3, checkpoint=5, evaluation_tokens=40))
    model = "model.safetensors"
    assert outcome(tmp_path / "run")[model] == references["fast"][1][model]


@pytest.mark.parametrize("damaged", ["[]", "{}", '{"model": [], "recipe": 3}'])
def test_a_run_file_of_another_kind_is_refused(tmp_path, damaged):
    (tmp_path / "run.json").write_text(damaged)
    before = contents(tmp_path)
    with pytest.raises(
        ValueError, match=r"settings, another tokenizer, context_length \(was none, now 8\), "
    ):
        go(tmp_path)
    (tmp_path / "run.json").write_text('{"model"')
    with pytest.raises(ValueError, match=r"run\.json is no whole JSON file"):
        go(tmp_path)
    assert {*contents(tmp_path)} == {*before}


FOREIGN = {
    "ours": lambda folder: checkpoint.save(fresh(), folder),
    "of transformers": lambda folder: GPT2LMHeadModel(
        GPT2Config(vocab_size=13, n_positions=8, n_layer=1, n_head=2, n_embd=8)
    ).save_pretrained(folder),
    "a tokenizer": lambda folder: TOKENIZER.save(folder / "tokenizer.json"),
}


@pytest.mark.parametrize("make", FOREIGN.values(), ids=FOREIGN)
def test_a_model_of_another_origin_is_not_written_over(tmp_path, make):
    make(tmp_path)
    before = contents(tmp_path)
    match = r"holds (config|tokenizer)\.json, which no run has left there: move .* another folder"
    with pytest.raises(FileExistsError, match=match):
        go(tmp_path)
    assert contents(tmp_path) == before


BAD = {
    "a validation text without tokens": (
        {"validation": VALIDATION[:0]},
        r"the validation text has 0 tokens; a window of 8 needs 9",
    ),
    "a validation text too short": (
        {"validation": VALIDATION[:8]},
        r"the validation text has 8 tokens; .*: give more text, or choose a shorter context_len",
    ),
    "a text too short": ({"training": TRAINING[:8]}, r"the text has 8 tokens; a window of 8 needs"),
}


@pytest.mark.parametrize(("changes", "match"), BAD.values(), ids=BAD)
def test_what_cannot_be_trained_is_refused_before_anything_is_written(tmp_path, changes, match):
    with pytest.raises(ValueError, match=match):
        go(tmp_path / "run", **changes)
    assert not any(tmp_path.iterdir())


def test_the_shortest_texts_train(tmp_path):
    loss = go(tmp_path / "run", training=TRAINING[:9], validation=VALIDATION[:9])
    assert math.isfinite(loss)


@pytest.mark.parametrize("name", [field.name for field in fields(Intervals)])
@pytest.mark.parametrize("value", [0, -1, 2.0, True, "3"])
def test_an_interval_is_a_whole_number_above_0(as_readers_run_it, name, value):
    with pytest.raises(ValueError, match=rf"{name} is {value!r}; it must be a whole number of at"):
        Intervals(**{name: value})


# What a run leaves.


def test_the_model_opens_with_load_and_with_transformers(tmp_path):
    go(tmp_path / "run")
    ours = checkpoint.load(tmp_path / "run")
    theirs, info = GPT2LMHeadModel.from_pretrained(tmp_path / "run", output_loading_info=True)
    assert not any(info.values()), info
    ids = VALIDATION[:16].view(2, 8)
    assert_close(theirs.eval()(ids).logits, ours(ids))
    assert ours.config == CONFIG


@pytest.mark.parametrize("kind", ["characters", "bpe"])
def test_the_tokenizer_opens_with_its_class_and_with_transformers(tmp_path, kind):
    text = "to be or not to be, that is the question " * 12
    tokenizer = (
        CharTokenizer.train(text)
        if kind == "characters"
        else BPETokenizer.train(text, 280, progress=False)
    )
    ids = torch.tensor(tokenizer.encode(text))
    model = fresh(replace(CONFIG, vocab_size=tokenizer.vocab_size))
    recipe = replace(SHORT["fast"], steps=1)
    go(
        tmp_path / "run",
        model=model,
        recipe=recipe,
        training=ids,
        validation=ids,
        tokenizer=tokenizer,
    )
    again = type(tokenizer).load(tmp_path / "run" / "tokenizer.json")
    assert again.vocab == tokenizer.vocab
    theirs = AutoTokenizer.from_pretrained(tmp_path / "run")
    assert theirs(text).input_ids == ids.tolist()


def test_without_a_tokenizer_there_is_none_in_the_folder(tmp_path):
    go(tmp_path / "run", tokenizer=None)
    assert not [*(tmp_path / "run").glob("tokenizer*")]
    checkpoint.load(tmp_path / "run")


def test_the_model_is_the_best_and_not_the_last(tmp_path):
    """It learns nine tokens by heart, and is the worse for it on all others."""
    generator = torch.Generator().manual_seed(3)
    validation = torch.randint(13, (33,), generator=generator)
    model, recipe = fresh(), replace(SHORT["fast"], steps=30)
    last = go(
        tmp_path / "run", model=model, recipe=recipe, training=TRAINING[:9], validation=validation
    )
    losses = {
        line["step"]: line["validation_loss"]
        for line in read_log(tmp_path / "run" / "log.jsonl")
        if "validation_loss" in line and line["step"] > 0
    }
    best = min(losses, key=losses.get)
    assert best < 30 and losses[30] > losses[best] + 0.1
    assert evaluate(checkpoint.load(tmp_path / "run"), validation, 8) == losses[best]
    assert evaluate(model, validation, 8) == last == losses[30]
    # One that is stopped on the way up remembers how good it was.
    changes = {"recipe": recipe, "training": TRAINING[:9], "validation": validation}
    stopped(tmp_path / "stopped", best + 4, **changes)
    assert go(tmp_path / "stopped", **changes) == last
    assert outcome(tmp_path / "stopped") == outcome(tmp_path / "run")


def test_it_learns(references):
    """From ln 13 = 2.56, which equal chances give, downwards."""
    losses = [line["validation_loss"] for line in references["fast"][1]["log"] if len(line) == 2]
    assert losses[0] > 2.5 and losses == sorted(losses, reverse=True) and losses[-1] < 2.3


def test_everything_happens_as_often_as_asked(tmp_path, monkeypatch):
    saved = []
    save = training_run.save_state

    def note(folder, tensors, numbers):
        saved.append(numbers["steps_taken"])
        return save(folder, tensors, numbers)

    monkeypatch.setattr(training_run, "save_state", note)
    go(tmp_path / "run", intervals=Intervals(log=5, evaluate=7, checkpoint=8))
    lines = read_log(tmp_path / "run" / "log.jsonl")
    assert [line["step"] for line in lines if "loss" in line] == [5, 10]
    assert [line["step"] for line in lines if "validation_loss" in line] == [0, 7, 12]
    assert saved == [8, 12]


def test_the_log_holds_what_a_trainer_says(tmp_path):
    go(tmp_path / "run", "adamw", intervals=replace(INTERVALS, log=5))
    trainer, expected = Trainer(fresh(), TRAINING, SHORT["adamw"]), []
    for step in range(1, STEPS + 1):
        loss = trainer.step()
        if step % 5 == 0:
            rate = trainer.optimizers[0].param_groups[0]["lr"]
            expected.append([step, loss, rate, trainer.gradient_norm])
    lines = [line for line in read_log(tmp_path / "run" / "log.jsonl") if "loss" in line]
    names = ("step", "loss", "learning_rate", "gradient_norm")
    assert [[line[name] for name in names] for line in lines] == expected
    assert all(line.keys() == {*names, "tokens_per_second"} for line in lines)
    assert all(line["tokens_per_second"] > 0 for line in lines)


@pytest.mark.parametrize(("tokens", "read"), [(40, 41), (1, 9), (8, 9), (10_000, 100)])
def test_an_evaluation_reads_as_much_as_asked_and_the_last_one_all(tmp_path, tokens, read):
    intervals = Intervals(evaluate=250, evaluation_tokens=tokens)
    told, model = [], fresh()
    first = evaluate(fresh(), VALIDATION[:read], 8)
    whole = go(tmp_path / "run", model=model, intervals=intervals, report=told.append)
    lines = read_log(tmp_path / "run" / "log.jsonl")
    assert lines[0] == {"step": 0, "validation_loss": approx(first)}
    last = evaluate(model, VALIDATION[:read], 8)
    assert lines[-1] == {"step": 12, "validation_loss": approx(last)}
    assert whole == approx(evaluate(model, VALIDATION, 8))
    assert told == [
        "1,056 parameters; 300 tokens to learn from, 100 to be judged by; 12 steps of 32 tokens "
        "read the text 1.3 times",
        f"step 0: validation loss {first:.4f} nats per token",
        f"step 12: validation loss {last:.4f} nats per token",
        f"after the last step, on the whole validation text: {whole:.4f} nats per token",
        f"the model in {tmp_path / 'run'} is of step 12, with a validation loss of {last:.4f}",
    ]


def test_a_run_that_goes_on_says_so(tmp_path):
    stopped(tmp_path / "run", 5)
    told: list[str] = []
    go(tmp_path / "run", report=told.append)
    assert told[0] == f"{tmp_path / 'run'}: going on after step 5 of 12"
    assert told[1].startswith("the model of step 5, with a validation loss of ")
    assert told[2].startswith("1,056 parameters; ")
    assert [line.split(":")[0] for line in told[3:-1]] == [
        "step 6",
        "step 9",
        "step 12",
        "after the last step, on the whole validation text",
    ]


def test_where_there_is_no_terminal_there_is_no_bar(tmp_path, capfd):
    go(tmp_path / "run")
    assert capfd.readouterr() == ("", "")


def test_a_bar_counts_the_steps_from_where_the_run_goes_on(tmp_path, monkeypatch):
    bars = []

    class Bar(training_run.tqdm):
        def __init__(self, **options):
            assert options.pop("disable") is None  # by whether there is a terminal
            super().__init__(disable=False, file=io.StringIO(), **options)
            bars.append(self)

    monkeypatch.setattr(training_run, "tqdm", Bar)
    stopped(tmp_path / "run", 5)
    go(tmp_path / "run")
    assert [(bar.initial, bar.n, bar.total) for bar in bars] == [(0, 5, 12), (5, 12, 12)]
    assert "loss=" in bars[-1].postfix


def test_bars_can_be_left_out(tmp_path, monkeypatch):
    shown = []

    def bar(*arguments, **options):
        shown.append(options["disable"])
        return tqdm(*arguments, **options)

    monkeypatch.setattr(training_run, "tqdm", bar)
    monkeypatch.setattr(evaluation, "tqdm", bar)
    go(tmp_path / "run", progress=False)
    assert len(shown) > 2 and all(shown)


def test_the_time_to_come_is_told_once_it_is_known_and_long(tmp_path, monkeypatch):
    """A clock that the steps move; the first one takes longer and does not count."""
    clock, told, take = [0.0], [], Trainer.step

    def step(trainer):
        clock[0] += 500 if trainer.steps_taken == 0 else 30
        return take(trainer)

    monkeypatch.setattr(Trainer, "step", step)
    monkeypatch.setattr(training_run.time, "perf_counter", lambda: clock[0])
    go(tmp_path / "run", report=told.append)
    assert [line for line in told if line.startswith("about")] == [
        "about 3.5 minutes for the 7 steps to come"
    ]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (11, "11 seconds"),
        (89.9, "90 seconds"),
        (90, "1.5 minutes"),
        (600, "10 minutes"),
        (5399, "90 minutes"),
        (5400, "1.5 hours"),
        (90_000, "25 hours"),
    ],
)
def test_a_time_in_words(seconds, told):
    assert in_words(float(seconds)) == told


def test_the_model_writes_on_the_way_where_asked_for(tmp_path):
    told: list[str] = []
    texts = iter(["\n\nTo be\nor not", "To see"])
    intervals = Intervals(evaluate=12, sample=5)
    go(tmp_path / "run", report=told.append, intervals=intervals, sample=lambda: next(texts))
    written = [line for line in told if "writes:" in line]
    assert written == ["step 5 writes:\n    To be\n    or not", "step 10 writes:\n    To see"]
    assert next(texts, None) is None
    go(tmp_path / "other", sample=lambda: pytest.fail("not asked for"))


def test_a_model_that_was_trained_before_may_be_the_best_of_its_run(tmp_path):
    """Of random weights that is no model, and never kept."""
    worse = replace(SHORT["adamw"], learning_rate=5.0, clip=None)
    for origin in (None, "a digest"):
        told, model, start = [], fresh(), fresh()
        folder = tmp_path / str(origin)
        go(folder, recipe=worse, model=model, report=told.append, origin=origin)
        kept = model_of(folder)
        assert (kept.step == 0) == (origin is not None)
        same = torch.equal(checkpoint.load(folder).lm_head.weight, start.lm_head.weight)
        assert same == (origin is not None)
    assert "of step 0, with a validation loss of" in told[-1]
    assert "on its own text it is no better: with a lower learning rate" in told[-1]
    assert told[-1].endswith(
        "It is the one that the run started from, which no step has made better"
    )


def test_a_run_goes_on_from_the_same_start_only(tmp_path):
    go(tmp_path / "run", origin="one digest")
    for origin in (None, "another"):
        with pytest.raises(ValueError, match="other settings, other weights to start from: give"):
            go(tmp_path / "run", origin=origin)


def test_torchs_global_generator_is_left_alone(tmp_path):
    before = torch.get_rng_state()
    go(tmp_path / "run")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_in_half_precision_it_goes_on_the_same(tmp_path, precision):
    """float16 has a scale of its own to keep, and steps whose gradient is too long to log."""
    recipe = replace(SHORT["fast"], precision=precision)
    whole = go(tmp_path / "a", recipe=recipe)
    stopped(tmp_path / "b", 6, recipe=recipe)
    assert go(tmp_path / "b", recipe=recipe) == whole
    assert outcome(tmp_path / "b") == outcome(tmp_path / "a")


def test_a_gradient_that_is_too_long_for_float16_is_logged_as_null(tmp_path, monkeypatch):
    """The scaler leaves such a step out, and the log stays JSON for readers that are strict."""
    take = Trainer.step

    def step(self):
        loss = take(self)
        self.gradient_norm = math.inf
        return loss

    monkeypatch.setattr(Trainer, "step", step)
    go(tmp_path / "run")

    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    lines = (tmp_path / "run" / "log.jsonl").read_text("utf-8").splitlines()
    found = [json.loads(line, parse_constant=refuse) for line in lines]
    assert {line["gradient_norm"] for line in found if "loss" in line} == {None}


def test_tensorboard_gets_the_same_numbers(tmp_path):
    stopped(tmp_path / "run", 5, tensorboard=True)
    go(tmp_path / "run", tensorboard=True)
    board = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    board.Reload()
    lines = read_log(tmp_path / "run" / "log.jsonl")
    for name in ("loss", "learning_rate", "validation_loss"):
        expected = {line["step"]: line[name] for line in lines if name in line}
        shown = {event.step: event.value for event in board.Scalars(name)}
        assert shown == approx(expected)


def test_settings_are_kept_in_words(tmp_path):
    """run.json can be read, and compared, by a person."""
    go(tmp_path / "run")
    settings = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    assert settings["model"]["n_embd"] == 8 and settings["recipe"]["optimizer"] == "muon"
    assert {*settings} == {"model", "recipe", "text", "start"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        go(tmp_path / "run")
