"""The readers' file finds torch's gradients and learns as torch does, however deep a graph is."""

from __future__ import annotations

import math
import random

import own_file
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import my_autograd as own
from my_autograd import Number, backward, learn

TORCH = {"exp": torch.exp, "log": torch.log, "tanh": torch.tanh}
OWN = {"exp": own.exp, "log": own.log, "tanh": own.tanh}
STEPS = st.sampled_from(
    ["+", "*", "-", "/", "square", "inverse", "tanh", "exp", "log", "twice", "plus a half"]
)
# An operation, and the places of the numbers it is done to, counted from the last.
PROGRAMS = st.lists(st.tuples(STEPS, st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12)
STARTS = st.lists(st.floats(-2, 2), min_size=2, max_size=3)


def run(program, numbers, functions):
    """Each operation's result joins the numbers; what could overflow is bent first."""
    tanh, exp, log = functions["tanh"], functions["exp"], functions["log"]
    numbers = [*numbers]
    for step, i, j in program:
        a, b = (numbers[-1 - k % len(numbers)] for k in (i, j))
        numbers.append(
            {
                "+": lambda a, b: a + b,
                "*": lambda a, b: tanh(a) * b,
                "-": lambda a, b: a - b,
                "/": lambda a, b: a / (b * b + 1.0),
                "square": lambda a, b: tanh(a) ** 2,
                "inverse": lambda a, b: (a * a + 0.5) ** -1.5,
                "tanh": lambda a, b: tanh(a),
                "exp": lambda a, b: exp(tanh(a)),
                "log": lambda a, b: log(a * a + 0.5),
                "twice": lambda a, b: 2 * a,
                "plus a half": lambda a, b: 0.5 + a,
            }[step](a, b)
        )
    return numbers[-1]


@given(PROGRAMS, STARTS)
def test_gradients_are_torchs(program, starts):
    ours = [Number(start) for start in starts]
    theirs = [torch.tensor(start, dtype=torch.float64, requires_grad=True) for start in starts]
    result = run(program, ours, OWN)
    wanted = run(program, theirs, TORCH)
    assert result.data == pytest.approx(wanted.item(), rel=1e-9, abs=1e-12)
    backward(result)
    wanted.backward()
    for own_number, tensor in zip(ours, theirs, strict=True):
        grad = 0.0 if tensor.grad is None else tensor.grad.item()
        assert own_number.grad == pytest.approx(grad, rel=1e-8, abs=1e-10)


def test_a_number_used_twice_has_both_shares():
    w = Number(3.0)
    backward(w * w + w)
    assert w.grad == 7.0


def test_gradients_add_up_over_losses():
    w = Number(3.0)
    for _ in range(2):
        backward(w * 5.0)
    assert w.grad == 10.0


def test_a_parameter_that_the_loss_does_not_know_keeps_its_gradient():
    w, other = Number(1.0), Number(1.0)
    backward(w * 2.0)
    assert (w.grad, other.grad) == (2.0, 0.0)


@pytest.mark.parametrize("step", [lambda n: n + 1e-6, lambda n: n * 1.0])
def test_a_graph_of_any_depth(step):
    """No recursion, in the walk or when it is thrown away."""
    w = number = Number(1.0)
    for _ in range(50_000):
        number = step(number)
    backward(number)
    assert w.grad == pytest.approx(1.0)
    del number


def test_softmax_and_surprise_are_torchs():
    scores = [2.0, -1.0, 0.5]
    numbers = [Number(score) for score in scores]
    tensor = torch.tensor(scores, dtype=torch.float64, requires_grad=True)
    shares = [share.data for share in own.softmax(numbers)]
    assert shares == pytest.approx(tensor.softmax(0).tolist())
    cost = own.surprise(numbers, 1)
    wanted = torch.nn.functional.cross_entropy(tensor, torch.tensor(1))
    assert cost.data == pytest.approx(wanted.item())
    backward(cost)
    wanted.backward()
    assert [number.grad for number in numbers] == pytest.approx(tensor.grad.tolist())


def test_the_net_learns_as_torchs_does():
    net = own.Net(5, 3, random.Random(0).gauss)
    sizes = [len(net.parameters()), len(net.before), len(net.next[0])]
    assert sizes == [45, 5, 3]
    tables = [
        torch.tensor([[n.data for n in row] for row in table], dtype=torch.float64)
        for table in (net.before, net.last, net.next)
    ]
    for table in tables:
        table.requires_grad_()
    chance = random.Random(1)
    batches = [[tuple(chance.randrange(5) for _ in range(3)) for _ in range(4)] for _ in range(6)]
    losses = learn(net.parameters(), net.loss, batches, rate=0.5)
    optimizer, theirs = torch.optim.SGD(tables, lr=0.5), []
    for batch in batches:
        before, last, right = torch.tensor(batch).T
        scores = torch.tanh(tables[0][before] + tables[1][last]) @ tables[2].T
        loss = torch.nn.functional.cross_entropy(scores, right)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        theirs.append(loss.item())
    assert losses == pytest.approx(theirs)
    moved = [n.data for n in net.parameters()]
    assert moved == pytest.approx(torch.cat([t.flatten() for t in tables]).tolist())


def test_it_starts_by_knowing_nothing():
    net = own.Net(27, 8, random.Random(0).gauss)
    examples = [(i, (i * 7) % 27, (i * 5) % 27) for i in range(27)]
    assert net.loss(examples).data == pytest.approx(math.log(27), abs=0.05)


def test_gradients_take_forty_lines():
    until_backward = own_file.part("primer").split("def exp(")[0]
    assert 38 <= own_file.length(until_backward) <= 43
