"""Run chapters again and say in words whether they print what the book shows.

`make verify CHAPTER=attention`, or `python book/_ext/notebooks/verify.py attention`, runs the
committed notebook in a fresh kernel of this Python. nbval runs and compares its cells, as
`make test` has it do (`compared_run`); what a reader is told about it is in `verify_report`. Needs
`pip install -e '.[book,test]'` and requirements-data.txt, none of the tools that build the site.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import terminal
from verify_report import INSTALL, told

ROOT = Path(__file__).resolve().parents[3]


def missing_packages() -> list[str]:
    """Distributions that a chapter's run and comparison need and that are not installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = [project["name"], *project["dependencies"], *project["optional-dependencies"]["book"]]
    # Read here and not by `book_sources`, which may not be importable before this has spoken.
    texts = (ROOT / "requirements-data.txt").read_text("utf-8").splitlines()
    needed += [line for line in texts if line and not line.startswith("#")]
    missing = []
    for requirement in [*needed, "pytest", "nbval"]:
        name = re.match(r"[\w.-]+", requirement).group()
        try:
            distribution(name)
        except PackageNotFoundError:
            missing.append(name)
    return missing


def main() -> int:
    terminal.replace_unknown_letters()
    parser = argparse.ArgumentParser(
        prog="verify", description="Run chapters again and compare them with what the book shows."
    )
    parser.add_argument("stems", nargs="*", metavar="chapter", help="as attention (default: all)")
    parser.add_argument("--limit", type=float, metavar="SECONDS", help="for one cell, as 300")
    arguments = parser.parse_args()
    if missing := missing_packages():
        parser.error(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed in "
            f"{sys.executable}: in {ROOT}, run\n  {INSTALL}"
        )
    # Not before: what is missing would end them with a traceback.
    import book_sources
    import compared_run
    import notebook_cells

    known = book_sources.stems()
    if strange := [stem for stem in arguments.stems if stem not in known]:
        parser.error(f"there is no chapter {strange[0]!r}; there are: {', '.join(known)}")
    limit = notebook_cells.CELL_SECONDS if arguments.limit is None else arguments.limit
    if limit <= 0:
        parser.error(f"--limit is {limit:g}: give the seconds that a cell may take, as 300")
    wanted, failed = arguments.stems or known, []
    for stem in wanted:
        print(f"{stem}: running …", file=sys.stderr, flush=True)
        try:
            report = compared_run.run(book_sources.notebook_path(stem), limit)
        except ValueError as error:
            parser.error(str(error))
        print(told(report), flush=True)
        failed += [] if report.passed else [stem]
    if failed:
        print(f"Not all is equal: look at {', '.join(failed)}.")
    else:
        print("Every output that is compared is equal to the book's.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
