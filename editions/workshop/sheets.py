"""Paper for a workshop: each chapter's exercises to hand out, and the key to them.

    python -m editions.workshop.sheets [stem…]

writes `_build/workshop/<stem>-exercises.html`, with room to write and without a solution, and
`<stem>-answers.html`, with the solutions and what the checks say of them. Both print on A4.
"""

from __future__ import annotations

import dataclasses
import html
import re
from pathlib import Path

import book_sources
import web_addresses
from bs4 import Tag

from editions.built import built_page
from editions.built.site_style import site_style
from editions.built.unlinked import inner, unlinked
from editions.shared.command import chosen_chapters, refusals_told
from editions.shared.html_words import plain
from minigpt.data.whole_file import write_whole

WORKSHOP = book_sources.ROOT / "_build" / "workshop"
EXERCISE = re.compile(r"(\d+)\.")
SOLUTION = "Show a solution"  # what unfolds one
HINTS = ("A hint", "Another hint")  # what a fold of an exercise is called otherwise
HOW = "Write each function, here or in the chapter's notebook, where a check tells what is right."
SPARE_LINES = 4  # of paper, more than the solution has of code


@dataclasses.dataclass
class Exercise:
    """One exercise of a chapter.

    Attributes:
        number: as its text says it.
        text: what is asked, as HTML.
        formulas: the equations that it names, as HTML.
        starters: the code to begin with, as HTML.
        hints: what a reader may ask for, as HTML.
        solutions: code and what it printed, as HTML: [(code, outputs)].
        lines: how many lines of code the longest solution has.
    """

    number: int
    text: str
    formulas: list[str]
    starters: list[str] = dataclasses.field(default_factory=list)
    hints: list[str] = dataclasses.field(default_factory=list)
    solutions: list[tuple[str, list[str]]] = dataclasses.field(default_factory=list)
    lines: int = 0


def code_of(cell: Tag) -> str:
    """The code of a cell as HTML."""
    return str(cell.select_one(".cell_input .highlight"))


def named_formulas(tag: Tag, article: Tag) -> list[str]:
    """The chapter's own equations that a paragraph refers to, with their numbers."""
    found = []
    for link in tag.select('a[href^="#equation-"]'):
        formula = article.find(id=link["href"][1:])
        number = html.escape(formula.select_one(".eqno").get_text(strip=True))
        found.append(f'<div class="formula">{inner(unlinked(formula))} <span>{number}</span></div>')
    return found


def exercises(stem: str) -> tuple[str, str, list[Exercise]]:
    """A chapter's title, the id of its section of exercises, and the exercises.

    Raises:
        ValueError: when there are none, when one has no code to begin with or no solution, and
            for a fold that is neither a solution nor a hint: on paper everybody would see what it
            hides.
    """
    article = built_page.article(stem)
    title = inner(unlinked(article.find("h1")))
    label = article.find(id=f"sec-{stem}-exercises")
    if label is None:
        raise ValueError(f"book/{stem}.md has no section labelled sec:{stem}-exercises")
    found: list[Exercise] = []
    section = label.find_parent("section")
    for tag in section.find_all(True, recursive=False):
        cell = tag.name == "div" and "cell" in tag.get("class", [])
        folds = [fold.find(class_="collapsed") or fold for fold in tag.select("summary")]
        for fold in (fold.get_text(strip=True) for fold in folds):
            if fold not in HINTS if not cell else fold != SOLUTION:
                raise ValueError(
                    f"book/{stem}.md: {fold!r} is folded among the exercises, and the hand-out "
                    f"would show it: give a solution's cell the code_prompt_show {SOLUTION!r}, "
                    f"a hint one of the titles {', '.join(HINTS)}, and move any other fold out of "
                    "that section"
                )
        start = EXERCISE.match(tag.strong.get_text()) if tag.name == "p" and tag.strong else None
        if start:
            text = str(unlinked(tag))
            found.append(Exercise(int(start[1]), text, named_formulas(tag, article)))
        elif folds and not cell:
            if not found:
                raise ValueError(f"book/{stem}.md: a hint stands before its first exercise")
            content = unlinked(tag).select_one(".sd-card-body, .sd-summary-content")
            found[-1].hints.append(inner(content))
        elif not cell:
            if found:  # what stands before the first is about the page
                found[-1].text += str(unlinked(tag))
        elif not found:
            raise ValueError(f"book/{stem}.md: a cell stands before its first exercise")
        elif folds:
            printed = [str(out) for out in tag.select(".cell_output .output .highlight")]
            found[-1].solutions.append((code_of(tag), printed))
            lines = tag.select_one(".cell_input").get_text().strip().count("\n") + 1
            found[-1].lines = max(found[-1].lines, lines)
        else:
            found[-1].starters.append(code_of(tag))
    if not found:
        raise ValueError(f"book/{stem}.md has no exercises: begin one with **1.** and its text")
    for exercise in found:
        lacks = "code to begin with" if not exercise.starters else f"cell {SOLUTION!r}"
        if not exercise.starters or not exercise.solutions:
            raise ValueError(f"book/{stem}.md: exercise {exercise.number} has no {lacks}")
    return title, section["id"], found


def question(exercise: Exercise) -> str:
    """What is asked, with the equations that it names."""
    return "\n".join([exercise.text, *exercise.formulas])


def room(exercise: Exercise) -> str:
    """Lines to write on."""
    lines = "<div></div>" * (exercise.lines + SPARE_LINES)
    return f'<div class="room" aria-hidden="true">{lines}</div>'


def to_do(exercise: Exercise) -> str:
    """The code to begin with, and room to go on."""
    return "\n".join([*exercise.starters, room(exercise)])


def answer(exercise: Exercise) -> str:
    """The hints, the solutions, and what the check says of each."""
    out = [f'<div class="label">A hint</div>\n{hint}' for hint in exercise.hints]
    for code, printed in exercise.solutions:
        out.append(f'<p class="label">A solution</p>\n{code}')
        out += [
            f'<p class="label">It prints</p>\n<div class="printed">{text}</div>' for text in printed
        ]
    return "\n".join(out)


def sheet(stem: str, title: str, section: str, found: list[Exercise], key: bool) -> str:
    """The hand-out of a chapter, or its key, as one HTML page."""
    what = "answers" if key else "exercises"
    words = html.escape(plain(title), quote=False)
    name = "" if key else f'<p class="name">Name <span></span></p>\n<p>{HOW}</p>\n'
    articles = "\n".join(
        f"<article>\n{question(e)}\n{answer(e) if key else to_do(e)}\n</article>" for e in found
    )
    own = Path(__file__).with_name("workshop.css").read_text("utf-8")
    address = web_addresses.page(stem, section)
    return (
        f'<!doctype html>\n<html lang="en" data-theme="light">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{words}: {what}</title>\n'
        f"<style>{site_style()}\n{own}</style>\n</head>\n<body>\n"
        f"<h1>{title} <small>{what}</small></h1>\n{name}{articles}\n"
        f'<footer>To run and check: <a href="{address}">{address}</a></footer>\n</body>\n</html>\n'
    )


def write(stems: list[str], folder: Path = WORKSHOP) -> list[Path]:
    """Write both sheets of some chapters; each file replaces the old one when it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for stem in stems:
        title, section, found = exercises(stem)
        for key in (False, True):
            path = folder / f"{stem}-{'answers' if key else 'exercises'}.html"
            write_whole(path, sheet(stem, title, section, found, key).encode())
            paths.append(path)
    return paths


def main() -> None:
    stems = chosen_chapters(__doc__)
    with refusals_told():
        paths = write(stems)
    size = sum(path.stat().st_size for path in paths)
    print(f"{WORKSHOP}: {len(paths)} sheets, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
