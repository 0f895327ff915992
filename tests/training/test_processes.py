"""Two processes that share a batch out take the steps that one takes alone.

Run as a program, this file is one of the two: `python tests/training/test_processes.py FOLDER`,
with the environment that torchrun gives.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from minigpt.model import GPT, GPTConfig
from minigpt.training import RECIPES, Processes, Recipe, Trainer, evaluate
from minigpt.training import processes as module

CONFIG = GPTConfig(vocab_size=13, context_length=8, n_layer=2, n_head=2, n_embd=16)
SHORT = Recipe(steps=3, batch_size=8, warmup=1, learning_rate=0.01)
FAST = replace(RECIPES["fast"], steps=3, batch_size=8)
CASES = {
    "adamw": SHORT,
    "fast": FAST,
    "adamw-in-parts": replace(SHORT, accumulate=2),
    "fast-in-parts": replace(FAST, accumulate=2),
}
WINDOWS = 23  # of the text to evaluate on: an odd number, so that the shares differ


def some_text(count: int, seed: int) -> Tensor:
    return torch.randint(13, (count,), generator=torch.Generator().manual_seed(seed))


def start() -> GPT:
    return GPT(CONFIG, torch.Generator().manual_seed(0)).double()


def trained(processes: Processes, recipe: Recipe) -> dict[str, Any]:
    """Losses, gradients of every step, and weights, of a short run in float64."""
    model = start()
    trainer = Trainer(model, some_text(200, 1), recipe, processes)
    gradients: list[dict[str, Tensor]] = []
    names = {p: name for name, p in model.named_parameters()}

    def look(optimizer, *_) -> None:
        groups = optimizer.param_groups
        gradients[-1].update((names[p], p.grad.clone()) for g in groups for p in g["params"])

    for optimizer in trainer.optimizers:
        optimizer.register_step_pre_hook(look)
    losses = []
    for _ in range(recipe.steps):
        gradients.append({})
        losses.append(trainer.step())
    weights = {name: p.detach() for name, p in model.named_parameters()}
    validation = some_text(8 * WINDOWS + 5, 2)
    return {
        "losses": losses,
        "gradients": gradients,
        "norm": trainer.gradient_norm,
        "weights": weights,
        "evaluation": evaluate(model, validation, 8, batch_size=4, processes=processes),
        "few windows": evaluate(model, validation[:9], 8, processes=processes),
    }


def fail() -> None:
    raise OSError("the disk is full")


def main(folder: str) -> None:
    """What one of the two does."""
    torch.set_num_threads(1)
    processes = Processes.join()
    found = {name: trained(processes, recipe) for name, recipe in CASES.items()}
    found["processes"] = (processes.rank, processes.count)
    rank = torch.tensor(float(processes.rank))
    found["numbers"] = [f(rank + 1).item() for f in (processes.sum, processes.mean, processes.most)]
    found["rows"] = processes.mine(torch.arange(8)).tolist()
    again = Processes.join()  # who has met the others does not wait for them again
    found["again"] = again == processes
    written = Path(folder) / "by-the-first"

    def write_slowly() -> None:
        time.sleep(0.2)
        written.write_text(f"rank {processes.rank}")

    processes.first(write_slowly)
    found["first"] = written.read_text()
    try:
        processes.first(fail)
    except Exception as error:
        found["failure"] = [type(error).__name__, str(error)]
    torch.save(found, Path(folder) / f"{processes.rank}.pt")
    processes.leave()


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> list[dict[str, Any]]:
    """What the two processes found."""
    folder = tmp_path_factory.mktemp("processes")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    loopback = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
    root = Path(module.__file__).resolve().parents[2]
    shared = os.environ | {
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "GLOO_SOCKET_IFNAME": loopback,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-W", "error", __file__, str(folder)]
    started = [
        subprocess.Popen(
            command,
            env=shared | {"RANK": rank, "LOCAL_RANK": rank},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in "01"
    ]
    try:
        said = [process.communicate(timeout=120)[0] for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()
    assert [process.returncode for process in started] == [0, 0], "\n".join(said)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.fixture(scope="module")
def alone() -> dict[str, dict[str, Any]]:
    """What one process finds with the whole batch."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    found = {name: trained(Processes(), recipe) for name, recipe in CASES.items()}
    torch.set_num_threads(before)
    return found


# Two are one.


@pytest.mark.parametrize("case", CASES)
def test_two_processes_find_the_losses_and_gradients_of_one(both, alone, case):
    expected = alone[case]
    for rank in both:
        assert rank[case]["losses"] == pytest.approx(expected["losses"], rel=1e-6)
        assert rank[case]["norm"] == pytest.approx(expected["norm"], rel=1e-9)
        assert len(rank[case]["gradients"]) == 3
        first, their_first = rank[case]["gradients"][0], expected["gradients"][0]
        assert first.keys() == their_first.keys() == expected["weights"].keys()
        for name, gradient in first.items():
            assert_close(gradient, their_first[name], rtol=0, atol=1e-12)
            assert gradient.any(), name


@pytest.mark.parametrize("case", CASES)
def test_two_processes_reach_the_weights_of_one(both, alone, case):
    before = dict(start().named_parameters())
    for rank in both:
        for name, p in rank[case]["weights"].items():
            expected = alone[case]["weights"][name]
            assert_close(p, expected, rtol=0, atol=1e-9)
            assert (p - before[name]).abs().max() > 1e-3, name


@pytest.mark.parametrize("case", CASES)
def test_both_processes_hold_the_same_weights_to_the_bit(both, case):
    first, second = (rank[case] for rank in both)
    assert first["losses"] == second["losses"] and first["norm"] == second["norm"]
    for name, p in first["weights"].items():
        assert torch.equal(p, second["weights"][name]), name
    for ours, theirs in zip(first["gradients"], second["gradients"], strict=True):
        assert all(torch.equal(x, theirs[name]) for name, x in ours.items())


@pytest.mark.parametrize("text", ["evaluation", "few windows"])
def test_both_processes_find_the_evaluation_of_one(both, alone, text):
    for case, found in alone.items():
        for rank in both:
            assert rank[case][text] == pytest.approx(found[text], rel=1e-9)
        assert both[0][case][text] == both[1][case][text]


# What they tell each other.


def test_processes_know_their_numbers_and_rows(both):
    assert [rank["processes"] for rank in both] == [(0, 2), (1, 2)]
    assert [rank["rows"] for rank in both] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert [rank["again"] for rank in both] == [True, True]


def test_numbers_are_summed_averaged_and_compared(both):
    assert [rank["numbers"] for rank in both] == [[3.0, 1.5, 2.0]] * 2


def test_the_first_acts_and_the_others_wait(both):
    assert [rank["first"] for rank in both] == ["rank 0", "rank 0"]


def test_a_failure_of_the_first_stops_all(both):
    assert both[0]["failure"] == ["OSError", "the disk is full"]
    message = "the first process cannot go on; its message says why"
    assert both[1]["failure"] == ["ValueError", message]


def test_a_batch_is_dealt_out_whole():
    rows = torch.arange(12).view(6, 2)
    for count in (1, 2, 3, 6):
        shares = [Processes(rank, count).mine(rows) for rank in range(count)]
        assert torch.equal(torch.cat(shares), rows) and {len(x) for x in shares} == {6 // count}


# One is enough.


def test_a_process_alone_needs_no_other(monkeypatch):
    class Refusing:
        def __getattr__(self, name: str):
            raise AssertionError(f"torch.distributed was asked for {name}")

    monkeypatch.setattr(module, "dist", Refusing())
    monkeypatch.setattr(nn.parallel, "DistributedDataParallel", Refusing())
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    processes = Processes.join()
    assert processes == Processes() == Processes(rank=0, count=1)
    model, numbers = GPT(CONFIG), torch.tensor([1.0, 2.0])
    assert processes.share_gradients(model) is model
    assert processes.mine(numbers) is numbers
    for found in (processes.sum(numbers), processes.mean(numbers), processes.most(numbers)):
        assert torch.equal(found, torch.tensor([1.0, 2.0]))
    for recipe in CASES.values():
        trained(processes, recipe)
    done = []
    processes.first(lambda: done.append(1))
    assert done == [1]
    with pytest.raises(OSError, match="the disk is full"):
        processes.first(fail)
    processes.leave()


if __name__ == "__main__":
    main(sys.argv[1])
