"""Whether every Python and system that the book promises can install it, without installing it.

    python tests/resolve.py

asks the package registry (`make resolve` runs it, the tests do not). For each Python and system,
every extra of `pyproject.toml` must resolve to the versions of `requirements.txt`, all of them
pinned there and shipped as wheels, so that nobody needs a compiler; the packages of
`requirements-data.txt` likewise.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11.0", "3.13.0")  # the lowest and the highest, in the release that can do least
SYSTEMS = (
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
)
MACOS = "15.0"  # the oldest that pikepdf has wheels for
# Comes as source alone, all of it Python and lists of names: it needs no compiler.
SOURCE = ("--no-binary", "names")
# What torch's build for GPUs brings on Linux; torch itself says which versions.
FOR_GPUS = re.compile(r"(nvidia|cuda)-.*|triton")


def names(requirements: str) -> set[str]:
    """The packages of a requirements file, as the registry spells them."""
    found = re.findall(r"^([\w.-]+)==", requirements, re.M)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in found}


def unpinned(resolved: str, pins: str) -> list[str]:
    """The packages that resolved to a version which nobody wrote down."""
    return sorted(n for n in names(resolved) - names(pins) if not FOR_GPUS.fullmatch(n))


def resolve(uv: str, python: str, system: str, *what: str) -> subprocess.CompletedProcess[str]:
    """What uv would install there, without installing it."""
    command = [uv, "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
    command += ["--only-binary", ":all:", "--python-version", python, "--python-platform", system]
    environment = os.environ | {"MACOSX_DEPLOYMENT_TARGET": MACOS}
    return subprocess.run(
        [*command, *what],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def complaint(uv: str, python: str, system: str) -> str:
    """What keeps that Python on that system from installing the book; empty if nothing does."""
    everything = ("--all-extras", "--constraint", "requirements.txt", "pyproject.toml")
    for what in (everything, ("--no-deps", *SOURCE, "requirements-data.txt")):
        done = resolve(uv, python, system, *what)
        if done.returncode:
            return done.stderr.strip()
        if what is everything:
            missing = unpinned(done.stdout, (ROOT / "requirements.txt").read_text("utf-8"))
            if missing:
                return f"not pinned in requirements.txt: {', '.join(missing)}"
    return ""


def main() -> int:
    uv = shutil.which("uv", path=sysconfig.get_path("scripts")) or shutil.which("uv")
    if uv is None:
        sys.exit("uv is missing: pip install --constraint requirements.txt uv")
    start, failed = time.monotonic(), 0
    places = list(product(PYTHONS, SYSTEMS))
    with ThreadPoolExecutor(4) as pool:  # they mostly wait for the registry
        complaints = pool.map(lambda place: complaint(uv, *place), places)
        for (python, system), said in zip(places, complaints, strict=True):
            print(f"Python {python} on {system}: {said or 'resolves'}", flush=True)
            failed += bool(said)
    print(f"{len(places) - failed} of {len(places)} resolve ({time.monotonic() - start:.0f} s)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
