"""What chapters run on: this machine, its processor, and the versions of the packages."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path


def machine() -> str:
    """This machine, in a few words."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def processor() -> str:
    """This machine's processor, and the vector units of it that PyTorch uses."""
    import torch  # here, because nothing else of this file needs it

    about = Path("/proc/cpuinfo")  # where Linux tells more than `platform` does
    lines = about.read_text("utf-8").splitlines() if about.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = models[0] if models else platform.processor() or platform.machine()
    return f"{name} with {torch.backends.cpu.get_cpu_capability()}"


def versions(names: Iterable[str]) -> dict[str, str]:
    """The versions of Python and of some packages here; raises where one is not installed."""
    return {"python": platform.python_version()} | {name: version(name) for name in names}
