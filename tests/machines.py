"""Run the committed notebooks as other machines would, and compare letter by letter.

`python tests/machines.py` (part of `make test-all`) runs nbval with what PyTorch would find on
processors without AVX-512 and without AVX2, on several numbers of threads, and with results whose
last bits are others (`rounds_otherwise.py`). Names of machines, as `python tests/machines.py avx2`,
run those alone.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT, CELL_LIMIT = 1800, 900  # seconds for one machine, and for a cell: no test waits for ever
# What is set for a process that is to believe itself on another machine.
MACHINES: dict[str, dict[str, str]] = {
    "default": {  # no vector units that PyTorch would use
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "MKL_CBWR": "COMPATIBLE",
        "OMP_NUM_THREADS": "1",
    },
    "avx2": {  # most laptops
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "MKL_CBWR": "AVX2",
        "OMP_NUM_THREADS": "3",
    },
    "otherwise": {"OMP_NUM_THREADS": "2"},  # this processor, with other last bits
}


def run(name: str, notebooks: list[str]) -> bool:
    """Whether all that is compared is equal on one machine."""
    with tempfile.TemporaryDirectory() as folder:
        # More threads than cores, too, and none that waits busily for another.
        threads = {"MKL_DYNAMIC": "FALSE", "OMP_WAIT_POLICY": "PASSIVE"}
        environment = os.environ | MACHINES[name] | threads
        if name == "otherwise":
            startup = Path(folder) / "profile_default" / "startup"
            startup.mkdir(parents=True)
            lines = f"import sys\nsys.path.append({str(ROOT / 'tests')!r})\n"
            lines += "import rounds_otherwise\nrounds_otherwise.install()\n"
            (startup / "00-rounds-otherwise.py").write_text(lines, "utf-8")
            environment["IPYTHONDIR"] = folder
        limits = [f"--nbval-cell-timeout={CELL_LIMIT}", f"--timeout={CELL_LIMIT + 60}"]
        command = [sys.executable, "-m", "pytest", "--nbval", *limits, "-q"]
        command += ["--numprocesses=2", "--dist=loadfile", *notebooks]
        print(f"As {name}: {MACHINES[name]}", flush=True)
        return subprocess.run(command, cwd=ROOT, env=environment, timeout=LIMIT).returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the notebooks as other machines would.")
    parser.add_argument("machines", nargs="*", help=f"of {', '.join(MACHINES)} (default: all)")
    parser.add_argument("--notebook", action="append", help="one alone, as notebooks/model.ipynb")
    arguments = parser.parse_args()
    if strange := [name for name in arguments.machines if name not in MACHINES]:
        parser.error(f"there is no machine {strange[0]!r}; there are: {', '.join(MACHINES)}")
    notebooks = arguments.notebook or ["notebooks"]
    wrong = [n for n in arguments.machines or MACHINES if not run(n, notebooks)]
    if wrong:
        sys.exit(f"Not the same outputs as {', '.join(wrong)}.")
    print("The same outputs on every machine.")


if __name__ == "__main__":
    main()
