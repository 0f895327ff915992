"""Every way to run the book elsewhere names what there is: Binder, Colab, containers, VS Code.

None of them can be started here. These tests hold their files to the repository, to the README's
commands and to each other.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from urllib.parse import parse_qs, urlsplit

import book_sources
import jupytext
import pytest
import resolve
import web_addresses
import yaml
from book_sources import ROOT
from jupytext.config import load_jupytext_configuration_file
from launch_links import ways
from packaging.requirements import Requirement
from packaging.version import Version

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
POST_BUILD = (ROOT / ".binder" / "postBuild").read_text("utf-8")
# What Colab's own programs are built with: https://github.com/googlecolab/backend-info, August
# 2026. A package that is replaced under a running kernel asks the reader to restart it, and the
# page of Colab draws no widgets of ipywidgets 8.
COLAB = {"ipykernel": "6.17.1", "ipywidgets": "7.7.1", "bokeh": "3.8.2", "torch": "2.11.0"}
COLAB |= {"numpy": "2.1.3", "tokenizers": "0.22.2", "transformers": "5.15.0", "regex": "2025.11.3"}
COLAB |= {"tiktoken": "0.14.0", "tqdm": "4.67.3", "safetensors": "0.8.0"}


def read_json(path: str) -> dict:
    return json.loads((ROOT / path).read_text("utf-8"))


def commands(script: str) -> list[str]:
    """The lines of a shell script without its comments; a Dockerfile's chains taken apart."""
    joined = script.replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
    parts = [part for line in lines for part in line.removeprefix("RUN ").split(" && ")]
    return [re.sub(r"\s+", " ", part).strip() for part in parts]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", MAKEFILE, re.M))


def extras_of(command: str) -> set[str]:
    return set(re.search(r"\.\[([\w,]+)\]", command)[1].split(","))


def test_every_promised_python_is_resolved_for():
    """The first and the last; `make resolve` asks the registry about them."""
    sentence = re.search(r"^On .* Python ([\d., or]+), and make:$", README, re.M)[1]
    promised = re.findall(r"3\.\d+", sentence)
    assert tuple(f"{python}.0" for python in (promised[0], promised[-1])) == resolve.PYTHONS
    assert PROJECT["project"]["requires-python"] == f">={promised[0]}"
    tested = (ROOT / ".github" / "workflows" / "test.yml").read_text("utf-8")
    assert f'python: ["{promised[0]}", "{promised[-1]}"]' in tested


def test_what_nobody_pinned_is_named():
    resolved = "Jinja2==3.1\nnvidia-nccl-cu13==2.0\ntriton==3.7\nruamel-yaml==0.19\nwheel==0.48\n"
    assert resolve.unpinned(resolved, "# none\njinja2==3.1\nruamel.yaml==0.19\n") == ["wheel"]
    assert resolve.unpinned(resolved, "Jinja2==3.1\nruamel_yaml==0.19\nwheel==0.48\n") == []


SCRIPTS = {"binder": POST_BUILD, "docker": DOCKERFILE, "make": MAKEFILE}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_uv_and_what_torch_needs_are_pinned_in_one_place(script):
    pins = resolve.names((ROOT / "requirements.txt").read_text("utf-8"))
    assert {"uv", "torch", "pip", "setuptools"} <= pins
    found = [line for line in commands(script) if "pip install" in line and "--no-deps" not in line]
    assert any(line.endswith(" --constraint requirements.txt torch") for line in found)
    assert any(re.search("--constraint requirements.txt .*\\buv$", line) for line in found)
    assert all("--constraint requirements.txt" in line for line in found)


@pytest.mark.parametrize("script", [POST_BUILD, DOCKERFILE], ids=["binder", "docker"])
def test_the_packages_are_installed_as_the_readme_installs_them(script):
    found = [line for line in commands(script) if "pip install" in line]
    assert any(line.endswith("--no-deps --requirement requirements-data.txt") for line in found)
    editable = next(line for line in found if "--editable" in line)
    assert "--constraint requirements.txt" in editable
    assert "book" in extras_of(editable) <= set(EXTRAS)
    torch = next(line for line in found if "--torch-backend=cpu" in line)
    assert found.index(torch) < found.index(editable), "pip would fetch the build for GPUs first"
    for line in ("--no-deps --requirement requirements-data.txt", "--constraint requirements.txt"):
        assert line in README


@pytest.mark.parametrize("script", [POST_BUILD, DOCKERFILE], ids=["binder", "docker"])
def test_files_that_the_commands_name_exist(script):
    for name in re.findall(r"[\w./-]+\.(?:txt|conf|toml)\b", "\n".join(commands(script))):
        if not name.startswith("/"):
            assert (ROOT / name).exists(), name


def test_binder_keeps_the_jupyterlab_that_fits_its_server():
    editable = next(line for line in commands(POST_BUILD) if "--editable" in line)
    assert "lab" not in extras_of(editable)
    assert not re.search(r"\bjupyterlab\b", "\n".join(commands(POST_BUILD)))
    python = (ROOT / ".binder" / "runtime.txt").read_text("utf-8").strip().removeprefix("python-")
    assert Version(python) in Requirement(f"x{PROJECT['project']['requires-python']}").specifier


def test_a_double_click_on_a_chapter_opens_a_notebook_wherever_jupyterlab_is():
    names = {Requirement(line).name for line in EXTRAS["lab"]}
    assert {"jupyterlab", "jupytext"} <= names
    assert "jupytext" in next(line for line in commands(POST_BUILD) if "--editable" in line)
    for script in (POST_BUILD, DOCKERFILE):
        assert "jupytext-config set-default-viewer markdown" in commands(script)


@pytest.mark.parametrize("stem", book_sources.stems())
def test_the_links_lead_to_committed_notebooks(stem):
    addresses = {way["text"]: way["url"] for way in ways(stem, f"notebooks/{stem}.ipynb")}
    owner_and_name = web_addresses.repository().removeprefix("https://github.com/")
    colab, binder = urlsplit(addresses["Colab"]), urlsplit(addresses["Binder"])
    branch = f"/github/{owner_and_name}/blob/main/"
    assert colab.path.startswith(branch) and binder.path == f"/v2/gh/{owner_and_name}/main"
    (inside,) = parse_qs(binder.query)["urlpath"]
    for path in (colab.path.removeprefix(branch), inside.removeprefix("lab/tree/")):
        assert (ROOT / path) == book_sources.notebook_path(stem) and (ROOT / path).exists()


def test_colab_keeps_what_its_own_programs_need():
    needed = [*PROJECT["project"]["dependencies"], *EXTRAS["book"]]
    asked = {(r := Requirement(line)).name: r.specifier for line in needed}
    for name, version in COLAB.items():
        assert Version(version) in asked[name], f"{name} {version} does not meet {asked[name]}"


def test_the_image_of_the_site_is_made_by_make():
    build = DOCKERFILE.split(" AS build\n")[1].split("\nFROM ")[0]
    assert "RUN make site TORCH_BACKEND=cpu" in build
    assert "make book TORCH_BACKEND=cpu" in README
    stages = re.findall(r"^FROM (\S+) AS (\w+)$", DOCKERFILE, re.M)
    assert stages[-1][1] == "site", "docker build without --target makes the last one"
    copied = re.search(r"^COPY --from=build \S+/(_build/html) (\S+)$", DOCKERFILE, re.M)
    nginx = (ROOT / "docker" / "nginx.conf").read_text("utf-8")
    assert f"root {copied[2]};" in nginx
    port = re.search(r"listen (\d+);", nginx)[1]
    assert f"EXPOSE {port}" in DOCKERFILE and f":{port} minigpt" in DOCKERFILE
    site_folder = urlsplit(web_addresses.homepage()).path
    assert f"rewrite ^{site_folder}(.*)$ /$1 last;" in nginx


def test_images_stand_on_pinned_tags_and_run_without_root():
    stages = re.findall(r"^FROM (\S+) AS (\w+)$", DOCKERFILE, re.M)
    bases = {base for base, _ in stages} - {name for _, name in stages}
    for base in bases:
        assert re.search(r":\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?$", base), base
        assert "." in base.split("/")[0], f"{base}: podman and buildah want the registry's name"
    first = DOCKERFILE.split("\nFROM ")[1]
    assert re.search(r"^USER (\d+)$", first, re.M)[1] != "0"
    assert not re.search(r"^USER (root|0)\b", DOCKERFILE, re.M)


def test_images_ask_themselves_whether_they_answer():
    asked = {"lab": "/api", "site": urlsplit(web_addresses.homepage()).path}
    for name, path in asked.items():
        stage = DOCKERFILE.split(f" AS {name}\n")[1].split("\nFROM ")[0]
        port = re.search(r"^EXPOSE (\d+)$", stage, re.M)[1]
        check = re.search(r"^HEALTHCHECK .*\\\n +CMD (\[.*\])$", stage, re.M)[1]
        assert f"http://127.0.0.1:{port}{path}" in " ".join(json.loads(check))
        assert re.search(r"--timeout=\d+s", stage)


@pytest.mark.skipif(os.name == "nt" or shutil.which("make") is None, reason="no make")
@pytest.mark.parametrize(
    ("answering", "taken"),
    [
        (["docker", "podman", "buildah"], "docker"),
        (["podman", "buildah"], "podman"),
        (["buildah"], "buildah"),
        ([], None),
    ],
)
def test_the_first_engine_that_answers_makes_both_images(tmp_path, answering, taken):
    log = tmp_path / "log"
    for engine in ("docker", "podman", "buildah"):  # all are installed, as a client may be alone
        program = tmp_path / engine
        answer = 0 if engine in answering else 1
        program.write_text(f'#!/bin/sh\necho "{engine} $*" >>"{log}"\nexit {answer}\n', "utf-8")
        program.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["make", "--silent", "images"],
        cwd=ROOT,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )
    builds = [line for line in log.read_text("utf-8").splitlines() if " build " in line]
    if taken is None:
        assert done.returncode and not builds
        assert "no container engine answers: install docker, podman or buildah" in done.stderr
    else:
        assert done.returncode == 0
        site, lab = "--target site --tag minigpt .", "--target lab --tag minigpt:lab ."
        assert builds == [f"{taken} build {site}", f"{taken} build {lab}"]


def test_images_leave_out_only_what_no_build_reads():
    left_out = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    tops = {line.removeprefix("**/") for line in left_out if not line.startswith("#")}
    assert {".git", ".venv", "_build"} <= tops
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8"
    )
    if tracked.returncode:
        pytest.skip("not a git repository")
    gone = {line.split("/")[0] for line in tracked.stdout.splitlines()} & tops
    allowed = {".github", ".ci", ".binder", ".devcontainer", ".vscode"}
    assert gone <= allowed | {"Dockerfile", ".dockerignore"}


def test_the_tasks_of_vs_code_are_targets_of_the_makefile():
    for task in read_json(".vscode/tasks.json")["tasks"]:
        assert re.fullmatch(r"make [a-z]+", task["command"]), task["command"]
        assert task["command"].removeprefix("make ") in targets()


def test_the_settings_of_vs_code_name_what_there_is():
    settings = read_json(".vscode/settings.json")
    pytest_settings = PROJECT["tool"]["pytest"]["ini_options"]
    paths = settings["python.analysis.extraPaths"]
    assert set(pytest_settings["pythonpath"]) <= set(paths)
    for path in [*paths, settings["python.testing.pytestArgs"][-1]]:
        assert (ROOT / path).is_dir(), path
    option = settings["python.testing.pytestArgs"][0]
    command = re.search(r"^\t.*/pytest \$\(COVERAGE\) (.*) tests$", MAKEFILE, re.M)
    assert option in command[1]
    assert settings["[python]"]["editor.rulers"] == [PROJECT["tool"]["ruff"]["line-length"]]
    venv = re.search(r"^VENV +\?= (\S+)$", MAKEFILE, re.M)[1]
    assert settings["python.defaultInterpreterPath"] == f"${{workspaceFolder}}/{venv}/bin/python"


def test_the_dev_container_runs_the_readmes_commands():
    container = read_json(".devcontainer/devcontainer.json")
    assert container["updateContentCommand"] == "make site", "make book would serve, and not end"
    assert container["containerEnv"] == {"TORCH_BACKEND": "cpu"}
    assert re.search(r"^TORCH_BACKEND \?=", MAKEFILE, re.M), "the environment sets it"
    script = container["onCreateCommand"].removeprefix("bash ")
    assert (ROOT / script).exists()
    assert [int(re.search(r"^PORT \?= (\d+)$", MAKEFILE, re.M)[1])] == container["forwardPorts"]
    image, tag = container["image"].rsplit(":", 1)
    assert image == "mcr.microsoft.com/devcontainers/python"
    python = re.fullmatch(r"\d+-(3\.\d+)-bookworm", tag)[1]
    assert Version(python) in Requirement(f"x{PROJECT['project']['requires-python']}").specifier


def test_the_dev_container_has_the_extensions_that_the_folder_recommends():
    container = read_json(".devcontainer/devcontainer.json")
    inside = container["customizations"]["vscode"]["extensions"]
    assert inside == read_json(".vscode/extensions.json")["recommendations"]
    assert all(re.fullmatch(r"[\w-]+\.[\w-]+", name) for name in inside)


@pytest.mark.parametrize("script", [".binder/postBuild", ".devcontainer/on-create.sh"])
def test_scripts_stop_at_the_first_failure(script):
    lines = (ROOT / script).read_text("utf-8").splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in lines


@pytest.mark.parametrize("stem", book_sources.stems())
def test_a_chapter_saved_in_jupyterlab_keeps_its_head(stem):
    config = load_jupytext_configuration_file(str(ROOT / "jupytext.toml"))
    notebook = jupytext.reads(book_sources.source(stem), fmt="md:myst", config=config)
    notebook.metadata.setdefault("language_info", {"name": "python"})  # as a kernel adds it
    saved = jupytext.writes(notebook, fmt="md:myst", config=config)
    before, after = (
        yaml.safe_load(text.split("---\n")[1]) for text in (book_sources.source(stem), saved)
    )
    assert after == before
