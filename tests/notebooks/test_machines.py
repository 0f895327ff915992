"""The notebooks as other machines would run them: what differs there is seen here."""

from __future__ import annotations

import sys

import machines
import nbformat
import pytest
import torch
from rounds_otherwise import RoundsOtherwise
from torch.nn import functional as F

pytestmark = pytest.mark.slow  # what they test runs there too: kernels that take seconds to start


@pytest.fixture(autouse=True)
def unchecked(as_readers_run_it):
    """Checked annotations are for calls of minigpt, of which there are none."""


def noise(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_last_bits_of_sums_and_functions_change(dtype):
    x = noise(30, 40, dtype=dtype)
    for name, function in {
        "product": lambda: x @ x.T,
        "sum": lambda: x.sum(-1),
        "softmax": lambda: x.softmax(-1),
        "exp": lambda: x.exp(),
        "norm": lambda: F.layer_norm(x, (40,)),
        "attention": lambda: F.scaled_dot_product_attention(
            x[None, None], x[None, None], x[None, None]
        ),
        "normal": lambda: torch.randn(50, generator=torch.Generator().manual_seed(0), dtype=dtype),
    }.items():
        here = function()
        with RoundsOtherwise():
            there, again = function(), function()
        with RoundsOtherwise(1):
            elsewhere = function()
        assert torch.equal(there, again), name
        assert not torch.equal(there, here) and not torch.equal(there, elsewhere), name
        torch.testing.assert_close(there, here, rtol=4 * torch.finfo(dtype).eps, atol=0, msg=name)


def test_what_is_exact_stays():
    x = noise(30, 40)
    whole = torch.arange(12.0).view(3, 4)
    with RoundsOtherwise():
        assert torch.equal(x + x, 2 * x) and torch.equal(x / x, torch.ones_like(x))
        assert torch.equal((whole @ whole.T)[0], torch.tensor([14.0, 38.0, 62.0]))
        assert torch.equal(torch.zeros(4).softmax(-1), torch.full((4,), 0.25))
        assert torch.equal(x[torch.tensor([2, 1])], torch.stack([x[2], x[1]]))


def test_gradients_come_from_there_too():
    x = noise(20, 20).requires_grad_()
    (x @ x).exp().sum().backward()
    here, x.grad = x.grad, None
    with RoundsOtherwise():
        (x @ x).exp().sum().backward()
    assert not torch.equal(x.grad, here)
    torch.testing.assert_close(x.grad, here)


@pytest.fixture
def notebook(tmp_path):
    """A notebook of one cell that prints, with what this machine printed."""

    def of(code: str, printed: object) -> str:
        cell = nbformat.v4.new_code_cell(code, execution_count=1)
        cell.outputs = [nbformat.v4.new_output("stream", text=f"{printed}\n")]
        made = nbformat.v4.new_notebook(cells=[cell])
        made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        path = tmp_path / "planted.ipynb"
        nbformat.write(made, path)
        return str(path)

    return of


DRAW = "import torch\nx = torch.rand(999, generator=torch.Generator().manual_seed(0)).exp().sum()\n"


@pytest.mark.parametrize(("shown", "equal"), [("{x:.6f}", False), ("{x:.1f}", True)])
def test_digits_that_another_processor_prints_otherwise_are_seen(notebook, shown, equal, capfd):
    x = noise(999).exp().sum()
    path = notebook(DRAW + f"print(f'{shown}')", shown.format(x=x))
    assert machines.run("otherwise", [path]) is equal
    assert ("1 passed" in capfd.readouterr().out) is equal


@pytest.mark.parametrize("name", ["default", "avx2"])
def test_kernels_believe_to_be_on_another_machine(notebook, name, capfd):
    """The committed runs are of a machine whose vector units are wider than either's."""
    code = "import torch\nprint(torch.backends.cpu.get_cpu_capability(), torch.get_num_threads())"
    threads = machines.MACHINES[name]["OMP_NUM_THREADS"]
    path = notebook(code, f"{name.upper()} {threads}")
    vectors = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
    assert machines.run(name, [path]) is vectors or name == "default"


def test_a_strange_machine_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["machines.py", "abacus"])
    with pytest.raises(SystemExit):
        machines.main()
    assert "there is no machine 'abacus'; there are: default, avx2" in capsys.readouterr().err


def test_one_machine_that_differs_fails_the_run(monkeypatch, capsys):
    monkeypatch.setattr(machines, "run", lambda name, notebooks: name != "avx2")
    monkeypatch.setattr(sys, "argv", ["machines.py"])
    with pytest.raises(SystemExit, match=r"Not the same outputs as avx2\."):
        machines.main()
    monkeypatch.setattr(sys, "argv", ["machines.py", "default", "otherwise"])
    machines.main()
    assert "The same outputs on every machine." in capsys.readouterr().out
