"""Generated tasks: right by another hand, drawn from a seed, and no better than their floor."""

from __future__ import annotations

import math
from datetime import date, datetime

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from minigpt.data.grammar import LANGUAGE
from minigpt.data.sets import SETS, Pair, arithmetic, dates, sorting, stories

TASKS = (arithmetic, sorting, dates)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__.split(".")[-1])
def test_a_seed_gives_the_same_rows_and_another_seed_other_ones(task):
    rows = task.problems(200, seeded(1))
    assert rows == task.problems(200, seeded(1)) != task.problems(200, seeded(2))
    assert len({*rows}) > 190


def test_arithmetic_by_hand_and_by_pythons_own():
    assert arithmetic.solution("345+678") == "1023" and arithmetic.solution("12-345") == "-333"
    rows = arithmetic.problems(2000, seeded(3))
    assert all(str(eval(prompt)) == answer for prompt, answer in rows)
    numbers = [int(n) for row in rows for n in row.prompt.replace("-", "+").split("+")]
    assert min(numbers) < 3 and max(numbers) == 999 and 480 < sum(numbers) / 4000 < 520
    assert {"+", "-"} == {sign for row in rows for sign in row.prompt if not sign.isdigit()}


def test_sorting_by_hand():
    assert sorting.solution("520931") == "012359"
    rows = sorting.problems(500, seeded(3))
    assert all([*row.answer] == sorted(row.prompt) and len(row.prompt) == 6 for row in rows)
    assert {digit for row in rows for digit in row.prompt} == {*"0123456789"}


def test_dates_by_hand_and_by_pythons_parser():
    day = date(1987, 3, 4)
    ways = ["4 March 1987", "March 4, 1987", "4.3.1987", "1987/Mar/4"]
    assert [dates.written(day, way) for way in range(4)] == ways
    assert {dates.solution(prompt) for prompt in ways} == {"1987-03-04"}
    forms = ("%d %B %Y", "%B %d, %Y", "%d.%m.%Y", "%Y/%b/%d")
    for row in dates.problems(400, seeded(3)):
        (form,) = [form for form in forms if _reads(row.prompt, form)]
        assert datetime.strptime(row.prompt, form).date().isoformat() == row.answer
        assert dates.solution(row.prompt) == row.answer and "1900" <= row.answer < "2100"


def _reads(prompt: str, form: str) -> bool:
    try:
        return bool(datetime.strptime(prompt, form))
    except ValueError:
        return False


@given(st.dates(dates.FIRST, dates.LAST), st.integers(0, 3))
def test_every_day_is_read_back(day, way):
    assert dates.solution(dates.written(day, way)) == day.isoformat()


@pytest.mark.parametrize(
    ("solution", "prompt", "message"),
    [
        (arithmetic.solution, "345*678", r"'345\*678' is no problem: write it as 345\+678"),
        (arithmetic.solution, "345+", "is no problem"),
        (sorting.solution, "12a", "'12a' is no problem: write digits alone"),
        (sorting.solution, "", "'' is no problem"),
        (sorting.solution, "\u0661\u0662", "is no problem"),
        (dates.solution, "soon", "'soon' is no date: write it as '4 March 1987'"),
        (dates.solution, "31 February 1987", "'31 February 1987' is no day"),
        (dates.solution, "4 Marsh 1987", "is no day: look at its day and its month"),
    ],
)
def test_what_is_no_problem_is_refused(solution, prompt, message):
    with pytest.raises(ValueError, match=message):
        solution(prompt)


def test_floors_are_the_choices_over_the_length():
    """Of a line: ln of all that is equally probable, over the mean of its characters."""
    n = torch.arange(1000)
    results = torch.stack([n[:, None] + n, n[:, None] - n]).flatten()
    of_number = sum(len(str(int(number))) for number in n) / 1000
    of_result = sum(len(str(result)) for result in results.tolist()) / len(results)
    floors = {
        "grammar": LANGUAGE.entropy_per_character(),
        "arithmetic": math.log(2 * 1000**2) / (2 * of_number + of_result + 3),
        "sorting": 6 * math.log(10) / 14,
        "dates": _floor_of_dates(),
    }
    assert floors.keys() == {card.name for card in SETS.values() if card.floor is not None}
    for name, floor in floors.items():
        assert SETS[name].floor == pytest.approx(floor, abs=6e-5), name
    of_line = SETS["arithmetic"].characters / arithmetic.ROWS  # a long text has their mean
    assert of_line == pytest.approx(2 * of_number + of_result + 3, abs=0.02)


def _floor_of_dates() -> float:
    days = [date.fromordinal(n) for n in range(dates.FIRST.toordinal(), dates.LAST.toordinal() + 1)]
    names = sum(len(f"{day:%B}") for day in days) / len(days)
    figures = sum(len(str(day.day)) for day in days) / len(days)
    short = sum(len(day.strftime("%b")) for day in days) / len(days)
    number = sum(len(str(day.month)) for day in days) / len(days)
    ways = (names + 6, names + 7, number + 6, short + 6)
    return math.log(4 * len(days)) / (figures + sum(ways) / 4 + 3 + 10 + 1)


# Stories.


STORY = (
    "Ann has the ball. The kite is in the barn. Ann hands the ball to Ben. "
    "Cara finds the kite in the barn. Cara shows the kite to Ann. Ben leaves the ball in the hall. "
    "At the end, the ball is in the hall and the kite is with Cara."
)


def test_a_story_by_hand_keeps_the_rules():
    assert stories.broken_rule(STORY) == ""
    assert stories.broken_rule("Ann has the ball. At the end, the ball is with Ann.") == ""


@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [
        ("Ann hands", "Dan hands", "'Dan hands the ball to Ben.': the ball is with Ann"),
        ("ball to Ben", "ball to Ann", "it is a gift to oneself"),
        ("kite in the barn.", "kite in the hall.", "the kite is in the barn"),
        ("finds the kite", "finds the ball", "the ball is with Ben"),
        ("Cara shows", "Ben shows", "the kite is with Cara"),
        ("Ben leaves", "Eve leaves", "the ball is with Ben"),
        ("in the hall. At", "in the lake. At", "a word of it is not in these stories"),
        ("Ann has", "Zoe has", "a word of it is not in these stories"),
        ("The kite is", "The ball is", "the ball was told of before"),
        ("Cara shows the kite", "Cara shows the coin", "no coin was told of"),
        ("Ben leaves the ball", "Ann has the cup. Ben leaves the ball", "no such sentence can"),
        ("Cara shows", "Cara eats", "no such sentence can stand here"),
        ("with Cara.", "with Ben.", "true is 'At the end, the ball is in the hall and"),
        (" and the kite is with Cara", "", "true is 'At the end, the ball is in the hall and"),
        ("At the end, the", "And the", "it is no end, as 'At the end, the ball is with Ben.'"),
    ],
)
def test_a_broken_story_is_told_its_sentence(right, wrong, why):
    assert STORY.count(right) >= 1
    found = stories.broken_rule(STORY.replace(right, wrong, 1))
    assert why in found and found.startswith("'")


def test_nothing_is_no_story():
    assert "no end" in stories.broken_rule("")
    assert "nothing was told of" in stories.broken_rule("At the end, the ball is with Ben.")


def test_stories_keep_their_rules_and_come_from_a_seed():
    found = stories.stories(600, seeded(5))
    assert found == stories.stories(600, seeded(5)) != stories.stories(600, seeded(6))
    assert {stories.broken_rule(story) for story in found} == {""}
    text = " ".join(found)
    words = ("has", "gives", "hands", "shows", "leaves", "finds", *stories.PEOPLE, *stories.PLACES)
    assert all(f" {word}" in text for word in words + stories.THINGS)
    assert len({*found}) == 600


def test_a_changed_person_is_found_out():
    """The checker by chance: another person at the end makes each story untrue."""
    for story in stories.stories(300, seeded(7)):
        told, end = story.split(" At the end, ")
        for thing, how, at in stories.WHERE.findall(end):
            other = "Hugo" if at != "Hugo" else "Ann"
            wrong = end.replace(f"the {thing} is {how} {at}", f"the {thing} is with {other}")
            assert "true is" in stories.broken_rule(f"{told} At the end, {wrong}")


def test_the_pairs_of_stories_ask_for_what_the_end_says(monkeypatch):
    monkeypatch.setattr(stories, "ROWS", 300)
    rows, told = stories.pairs(), stories.text().split("\n\n")
    assert len(rows) == 300 and told.pop() == ""
    for row, story in zip(rows, told, strict=True):
        assert isinstance(row, Pair)
        begin, question = row.prompt.split(" Where is the ")
        assert story.startswith(f"{begin} At the end, ")
        assert f"the {question.removesuffix('?')} is {row.answer}" in story
