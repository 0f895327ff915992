"""Headless Chromium for tests, other editions of the book and benchmarks: the machine's own.

Run as a program (`python -m editions.browser.chromium`, as the `make` targets that need one do), it
installs a browser where none starts; an import never does. What was tried is told, step by step.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from editions.shared.command import refusals_told

VARIABLE = "MINIGPT_BROWSER"
ON_PATH = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "chromium-headless-shell",
)
CHANNELS = ("chrome", "msedge")  # where Playwright looks for installed browsers
LIBRARY = "libatomic"
PACKAGES = ("chromium-headless-shell", "chromium")  # Debian's; the first is the smaller one
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Playwright tries five times to connect: without a network it gives up after 30 seconds.
CONNECTION_MILLISECONDS = 6_000
DOWNLOAD_SECONDS = 600


class NoBrowserError(ValueError):
    """No browser starts; its words say what was `tried`, and the command that helps."""

    def __init__(self, tried: list[str]) -> None:
        lines = "\n".join(f"  - {line}" for line in tried)
        super().__init__(f"no Chromium starts on this machine. Tried:\n{lines}\n{_remedy()}")
        self.tried = tried


def candidates() -> Iterator[tuple[str, dict[str, Any]]]:
    """Browsers in the order in which they are tried: a name, and what launches it.

    Raises:
        ValueError: MINIGPT_BROWSER names no program.
    """
    if chosen := os.environ.get(VARIABLE):
        path = shutil.which(chosen)
        if path is None:
            raise ValueError(
                f"{VARIABLE} is {chosen!r}, which is no program: give the path of Chromium, Chrome "
                "or Edge, or leave it out"
            )
        yield f"{VARIABLE}={chosen}", {"executable_path": path}
        return
    for name in ON_PATH:
        if path := shutil.which(name):
            yield path, {"executable_path": path}
    for channel in CHANNELS:
        yield f"an installed {channel}", {"channel": channel}
    yield "Playwright's own headless shell", {}


@contextmanager
def launched() -> Iterator:
    """A Playwright browser while the block runs: the first that starts.

    Raises:
        NoBrowserError: none does.
        ValueError: MINIGPT_BROWSER names no program, or Playwright itself does not start.
    """
    from playwright.sync_api import Error, sync_playwright

    tried = []
    with ExitStack() as stack:
        try:
            playwright = stack.enter_context(sync_playwright())
        except Exception as error:  # Playwright has no narrower one for this
            raise ValueError(f"Playwright's own program does not start: {error}") from error
        for name, options in candidates():
            try:
                browser = playwright.chromium.launch(args=FLAGS, **options)
            except Error as error:
                tried.append(f"{name}: {_first_line(error)}")
                continue
            try:
                yield browser
            finally:
                browser.close()
            return
    raise NoBrowserError(tried)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].removeprefix("BrowserType.launch: ")


def _remedy() -> str:
    """The one command that helps here."""
    if os.environ.get(VARIABLE):
        return f"Give {VARIABLE} the path of a browser that starts, or leave it out"
    if shutil.which("apt-get"):
        return "Run `sudo apt-get install --yes chromium`"
    python = shlex.quote(sys.executable)
    return f"With a network, run `{python} -m playwright install --only-shell chromium`"


def install() -> str:
    """Make sure that a browser starts, by installing one where none does; returns its version.

    Raises:
        NoBrowserError: none can be had.
        ValueError: as `launched`.
    """
    _ready()
    tried: list[str] = []
    steps: list[tuple[str, Callable[[], None]]] = [("", lambda: None)]
    if not os.environ.get(VARIABLE):
        steps.append(("Playwright's download of its headless shell", _download))
        if _may_use_apt():
            steps += [(f"apt's {package}", _apt(package)) for package in PACKAGES]
    for name, step in steps:
        if name:
            print(f"No Chromium starts yet; trying {name} …", file=sys.stderr, flush=True)
        try:
            step()
            with launched() as browser:
                return browser.version
        except (subprocess.SubprocessError, OSError) as error:
            tried.append(f"{name}: {error}")
        except NoBrowserError as error:
            tried += [line for line in error.tried if line not in tried]
    raise NoBrowserError(tried)


def _ready() -> None:
    """Let Playwright's own program start: its Node.js needs what the smallest Debian lacks."""
    try:
        _run([sys.executable, "-m", "playwright", "--version"])
    except (subprocess.SubprocessError, OSError) as error:
        if LIBRARY not in str(error):
            raise ValueError(f"Playwright's own program does not start: {error}") from error
        if not _may_use_apt():
            raise ValueError(f"{error}\nRun `sudo apt-get install --yes {LIBRARY}1`") from error
        print(f"Playwright's own program needs {LIBRARY}; installing it …", file=sys.stderr)
        _apt(f"{LIBRARY}1")()


def _may_use_apt() -> bool:
    return bool(shutil.which("apt-get")) and hasattr(os, "geteuid") and os.geteuid() == 0


def _download() -> None:
    """Playwright's own headless shell, and as root what it needs of the system."""
    limits = {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": str(CONNECTION_MILLISECONDS)}
    playwright = [sys.executable, "-m", "playwright"]
    _run([*playwright, "install", "--only-shell", "chromium"], **limits)
    if _may_use_apt():
        _run([*playwright, "install-deps", "chromium"])


def _apt(package: str) -> Callable[[], None]:
    def step() -> None:
        _run(["apt-get", "update", "--quiet=2"])
        _run(["apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends", package])

    return step


def _run(command: list[str], **environment: str) -> None:
    """Run an installer to its end; its last line, should it fail, is the reason."""
    surroundings = os.environ | {"DEBIAN_FRONTEND": "noninteractive"} | environment
    done = subprocess.run(
        command,
        env=surroundings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=DOWNLOAD_SECONDS,
    )
    if done.returncode:
        said = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        reason = next(
            (line for line in said if line.startswith(("Error", "E:"))), (said or ["?"])[-1]
        )
        raise OSError(f"`{' '.join([Path(command[0]).name, *command[1:]])}` failed: {reason}")


def main() -> None:
    with refusals_told():
        version = install()
    print(f"Chromium {version} starts.")


if __name__ == "__main__":
    main()
