"""Answers of one group with what they earn, and what runs do over their steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minigpt.lessons.drawing.boxes import Number, Point
from minigpt.lessons.drawing.canvas import WIDTH, Canvas, Drawing, number_text


def group_of_answers(
    prompt: str, answers: Sequence[str], rewards: Sequence[Number], advantages: Sequence[Number]
) -> Drawing:
    """The answers of a group, each with its reward, and an arrow for its advantage.

    Args:
        prompt: the question.
        answers: 2 to 8, with as many rewards and advantages.

    Raises:
        ValueError: more answers than there is room for, or not a number each.

    Shown in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if not 2 <= len(answers) <= 8 or not len(answers) == len(rewards) == len(advantages):
        raise ValueError(
            f"{len(answers)} answers, {len(rewards)} rewards, {len(advantages)} advantages: give "
            "2 to 8 of each"
        )
    canvas = Canvas(60 + 34 * len(answers))
    mean = sum(rewards) / len(rewards)
    canvas.words("question", (4, 12), "muted", 12, "start")
    canvas.tokens(76, 0, [prompt], "query")
    canvas.words("reward", (184, 12), "muted", 12)
    canvas.words("advantage", (292, 12), "muted", 12)
    unit = 44 / max(1e-9, max(abs(a) for a in advantages))
    for place, (answer, reward, advantage) in enumerate(
        zip(answers, rewards, advantages, strict=True)
    ):
        y = 36 + 34 * place
        role = "value" if advantage > 0 else "gradient" if advantage < 0 else "muted"
        (box,) = canvas.tokens(76, y, [answer], role)
        canvas.words(number_text(reward, 0), (184, box.middle[1]), mono=True)
        if advantage:
            end = (272 + unit * advantage, box.middle[1])
            canvas.line((272, box.middle[1]), end, role=role, arrow=True, width=4)
        text = ("+" if advantage > 0 else "") + number_text(advantage, 2)
        canvas.words(text, (WIDTH - 2, box.middle[1]), role, 13, "end", mono=True)
    bottom = 36 + 34 * len(answers)
    canvas.line((272, 30), (272, bottom - 6), role="ink", width=1, dashed=True)
    canvas.words(f"mean {number_text(mean, 2)}", (184, bottom + 8), "ink", 12, bold=True)
    canvas.words("← less", (264, bottom + 8), "muted", 11, "end")
    canvas.words("more →", (280, bottom + 8), "muted", 11, "start")
    told = "; ".join(
        f"{answer}, reward {reward:g}, advantage {advantage:+.2f}"
        for answer, reward, advantage in zip(answers, rewards, advantages, strict=True)
    )
    return canvas.shown(f"Answers to {prompt}: {told}. The mean reward is {mean:.2f}.")


def lines_over_steps(
    steps: Sequence[int], lines: Mapping[str, Sequence[Number]], most: Number, unit: str
) -> Drawing:
    """Two measures of one run, as lines over its steps.

    Args:
        steps: at least 2, rising.
        lines: two, by name, a number from 0 to `most` a step.
        most: the top of the picture.
        unit: "%" for shares of 1, or what stands after the numbers.

    Raises:
        ValueError: not two lines, or not a number a step.

    Shown in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if len(steps) < 2 or len(lines) != 2 or any(len(x) != len(steps) for x in lines.values()):
        raise ValueError(
            f"{len(steps)} steps and lines of {[len(x) for x in lines.values()]}: give two lines, "
            "a number a step"
        )
    canvas = Canvas(216)
    left, right, top, bottom = 44, WIDTH - 14, 34, 176

    def at(step: Number, value: Number) -> Point:
        along = (step - steps[0]) / (steps[-1] - steps[0])
        return left + (right - left) * along, bottom - (bottom - top) * value / most

    def told(value: Number) -> str:
        return f"{value:.0%}" if unit == "%" else f"{value:.3g}"

    for level in (0, most / 2, most):
        canvas.line(at(steps[0], level), at(steps[-1], level), role="rule", width=1)
        canvas.words(told(level), (left - 6, at(0, level)[1]), "muted", 11, "end")
    for step in (steps[0], steps[-1]):
        canvas.words(str(step), (at(step, 0)[0], bottom + 14), "muted", 11)
    canvas.words("steps", ((left + right) / 2, bottom + 14), "muted", 11)
    if unit != "%":
        canvas.words(unit, (4, bottom + 32), "muted", 11, "start")
    looks = (("gradient", False), ("value", True))
    for place, (name, line) in enumerate(lines.items()):
        role, dashed = looks[place]
        points = [at(step, value) for step, value in zip(steps, line, strict=True)]
        canvas.line(*points, role=role, width=3, dashed=dashed)
        canvas.circle(points[-1], 4, role)
        x = left + 170 * place
        canvas.line((x, 12), (x + 22, 12), role=role, width=3, dashed=dashed)
        canvas.words(name, (x + 28, 12), size=12, anchor="start")
    ends = "; ".join(f"{name}: {told(x[0])} to {told(x[-1])}" for name, x in lines.items())
    named = "" if unit == "%" else f", {unit}"
    return canvas.shown(f"Two lines over {steps[-1] - steps[0]} steps{named}. {ends}.")
