"""Which browser is found, in which order, what installs one, and what is said where none starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from playwright import sync_api

from editions.browser import chromium


class Machine:
    """What a machine has: browsers that start, programs on its PATH, installers that work."""

    def __init__(self, monkeypatch):
        self.starts: set[str] = set()  # paths, channels, or "shell", which is Playwright's own
        self.programs: set[str] = set()
        self.installers: dict[str, str] = {}  # a command: what then starts
        self.launches: list[str] = []
        self.commands: list[str] = []
        self.environments: list[dict[str, str]] = []
        self.closed = 0
        self.lacks = ""  # what Playwright's program says instead of starting
        monkeypatch.delenv("MINIGPT_BROWSER", raising=False)
        monkeypatch.setattr(chromium.shutil, "which", self.which)
        monkeypatch.setattr(sync_api, "sync_playwright", lambda: self)
        monkeypatch.setattr(chromium.subprocess, "run", self.run)

    def which(self, name: str) -> str | None:
        return f"/bin/{Path(name).name}" if Path(name).name in self.programs else None

    def run(self, command, **options):
        line = " ".join(command).replace(sys.executable, "python")
        if line.endswith(" --version"):
            return subprocess.CompletedProcess(command, int(bool(self.lacks)), self.lacks, None)
        self.commands.append(line)
        if line.endswith("libatomic1"):
            self.lacks = ""
        self.environments.append(options["env"])
        assert options["timeout"] <= 600 and options["stdin"] == subprocess.DEVNULL
        if (browser := self.installers.get(line)) is not None:
            self.starts.add(browser)
            self.programs.add(Path(browser).name)
            return subprocess.CompletedProcess(command, 0, "", None)
        return subprocess.CompletedProcess(command, 1, "reading\nE: no such thing\nbye\n", None)

    # Playwright, its browser type and its browser, in one.

    def __enter__(self):
        if self.lacks:
            raise Exception("Connection closed while reading from the driver")
        return self

    def __exit__(self, *error):
        pass

    @property
    def chromium(self):
        return self

    version = "1.2.3"

    def launch(self, args, executable_path=None, channel=None):
        assert "--no-sandbox" in args
        which = executable_path or channel or "shell"
        self.launches.append(which)
        if which not in self.starts:
            raise sync_api.Error(f"BrowserType.launch: {which} is not there\nlong story")
        return self

    def close(self):
        self.closed += 1


@pytest.fixture
def machine(monkeypatch):
    return Machine(monkeypatch)


@pytest.fixture
def as_root(monkeypatch, machine):
    monkeypatch.setattr(chromium.os, "geteuid", lambda: 0, raising=False)
    machine.programs.add("apt-get")


def test_the_order_in_which_browsers_are_tried(machine):
    machine.programs |= {"google-chrome", "chromium-headless-shell", "chromium"}
    machine.starts = {"shell"}
    with chromium.launched() as browser:
        assert browser is machine and machine.closed == 0
    assert machine.closed == 1
    assert machine.launches == [
        "/bin/chromium",
        "/bin/google-chrome",
        "/bin/chromium-headless-shell",
        "chrome",
        "msedge",
        "shell",
    ]


def test_the_first_that_starts_is_taken(machine):
    machine.starts = {"chrome", "msedge"}
    with chromium.launched():
        pass
    assert machine.launches == ["chrome"]


def test_the_chosen_browser_comes_first_and_alone(machine, monkeypatch):
    monkeypatch.setenv("MINIGPT_BROWSER", "/opt/mine")
    machine.programs |= {"mine", "chromium"}
    machine.starts = {"/bin/mine", "/bin/chromium"}
    with chromium.launched():
        pass
    machine.starts = {"/bin/chromium"}
    with pytest.raises(ValueError, match="Tried:\n  - MINIGPT_BROWSER=/opt/mine: /bin/mine is not"):
        chromium.install()
    assert machine.launches == ["/bin/mine"] * 2 and machine.commands == []


def test_a_chosen_browser_that_is_no_program(machine, monkeypatch):
    monkeypatch.setenv("MINIGPT_BROWSER", "/opt/nothing")
    with pytest.raises(ValueError, match="MINIGPT_BROWSER is '/opt/nothing', which is no program"):
        chromium.install()


def test_nothing_is_installed_where_one_starts(machine, as_root):
    machine.starts = {"chrome"}
    assert chromium.install() == "1.2.3" and machine.commands == []


def test_an_error_inside_closes_the_browser_and_is_no_missing_browser(machine):
    machine.starts = {"chrome", "msedge"}
    with pytest.raises(sync_api.Error, match="of the page"), chromium.launched():
        raise sync_api.Error("of the page")
    assert machine.closed == 1 and machine.launches == ["chrome"]


DOWNLOAD = "python -m playwright install --only-shell chromium"


def test_playwrights_own_is_downloaded_first_and_gives_up_without_a_network(machine, monkeypatch):
    monkeypatch.setattr(chromium.os, "geteuid", lambda: 1000, raising=False)
    machine.installers = {DOWNLOAD: "shell"}
    assert chromium.install() == "1.2.3" and machine.commands == [DOWNLOAD]
    # Five tries to connect, as Playwright makes them.
    assert 5 * int(machine.environments[0]["PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT"]) == 30_000


def test_root_with_apt_installs_what_the_downloaded_one_needs(machine, as_root):
    machine.installers = {DOWNLOAD: "", "python -m playwright install-deps chromium": "shell"}
    assert chromium.install() == "1.2.3"
    assert machine.commands == [DOWNLOAD, "python -m playwright install-deps chromium"]


@pytest.mark.parametrize("package", ["chromium-headless-shell", "chromium"])
def test_then_root_takes_apts(machine, as_root, package):
    install = f"apt-get install --yes --quiet=2 --no-install-recommends {package}"
    machine.installers = {"apt-get update --quiet=2": "", install: f"/bin/{package}"}
    assert chromium.install() == "1.2.3"
    assert machine.commands[0] == DOWNLOAD and machine.commands[-2:] == [
        "apt-get update --quiet=2",
        install,
    ]


def test_without_root_apt_is_not_touched_and_all_that_was_tried_is_told(machine, monkeypatch):
    monkeypatch.setattr(chromium.os, "geteuid", lambda: 1000, raising=False)
    machine.programs |= {"apt-get", "chromium"}
    with pytest.raises(ValueError) as error:
        chromium.install()
    assert machine.commands == [DOWNLOAD]
    told = (
        str(error.value)
        .replace(sys.executable, "python")
        .replace(Path(sys.executable).name, "python")
    )
    assert told == (
        "no Chromium starts on this machine. Tried:\n"
        "  - /bin/chromium: /bin/chromium is not there\n"
        "  - an installed chrome: chrome is not there\n"
        "  - an installed msedge: msedge is not there\n"
        "  - Playwright's own headless shell: shell is not there\n"
        "  - Playwright's download of its headless shell: "
        "`python -m playwright install --only-shell chromium` failed: E: no such thing\n"
        "Run `sudo apt-get install --yes chromium`"
    )


def test_without_apt_the_command_that_helps_is_playwrights(machine):
    with pytest.raises(ValueError, match=r"run `.+ -m playwright install --only-shell chromium`$"):
        chromium.install()


def test_the_browser_of_this_machine_shows_a_page(browser):
    page = browser.new_page()
    page.set_content("<p>words</p>")
    assert page.inner_text("p") == "words"
    page.close()


MISSING = "/x/node: error while loading shared libraries: libatomic.so.1: cannot open it\n"


def test_a_library_of_playwrights_own_program_is_installed_first(machine, as_root):
    machine.starts, machine.lacks = {"chrome"}, MISSING
    with pytest.raises(ValueError, match="Playwright's own program does not start: Connection"):
        chromium.launched().__enter__()
    machine.installers = {
        "apt-get update --quiet=2": "",
        "apt-get install --yes --quiet=2 --no-install-recommends libatomic1": "",
    }
    assert chromium.install() == "1.2.3"
    assert len(machine.commands) == 2 and machine.commands[1].endswith("libatomic1")


def test_without_root_that_library_is_named(machine, monkeypatch):
    monkeypatch.setattr(chromium.os, "geteuid", lambda: 1000, raising=False)
    machine.lacks = MISSING
    with pytest.raises(ValueError, match=r"libatomic.so.1(.*\n)+Run `sudo apt-get .* libatomic1`$"):
        chromium.install()
    machine.lacks = "another fault\n"
    with pytest.raises(ValueError, match=r"does not start: .* failed: another fault"):
        chromium.install()
    assert machine.commands == []
