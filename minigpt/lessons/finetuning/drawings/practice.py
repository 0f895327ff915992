"""Answers of one group with what they earn, and a reward that parts from what was meant."""

from __future__ import annotations

from collections.abc import Sequence

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


def two_rewards(steps: Sequence[int], given: Sequence[Number], meant: Sequence[Number]) -> Drawing:
    """What a reward gives and what it was meant to measure, as lines over the steps of a run.

    Args:
        steps: at least 2, rising.
        given, meant: shares from 0 to 1, one a step.

    Raises:
        ValueError: not a number a step.

    Shown in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if len(steps) < 2 or not len(steps) == len(given) == len(meant):
        raise ValueError(f"{len(steps)} steps, {len(given)} and {len(meant)} shares: one a step")
    canvas = Canvas(216)
    left, right, top, bottom = 44, WIDTH - 14, 34, 176

    def at(step: Number, share: Number) -> Point:
        along = (step - steps[0]) / (steps[-1] - steps[0])
        return left + (right - left) * along, bottom - (bottom - top) * share

    for share in (0, 0.5, 1):
        canvas.line(at(steps[0], share), at(steps[-1], share), role="rule", width=1)
        canvas.words(f"{share:.0%}", (left - 6, at(0, share)[1]), "muted", 11, "end")
    for step in (steps[0], steps[-1]):
        canvas.words(str(step), (at(step, 0)[0], bottom + 14), "muted", 11)
    canvas.words("steps", ((left + right) / 2, bottom + 14), "muted", 11)
    for line, role, dashed in ((given, "gradient", False), (meant, "value", True)):
        points = [at(step, share) for step, share in zip(steps, line, strict=True)]
        canvas.line(*points, role=role, width=3, dashed=dashed)
        canvas.circle(points[-1], 4, role)
    x = left
    for name, role, dashed in (
        ("what the reward gives", "gradient", False),
        ("right answers", "value", True),
    ):
        canvas.line((x, 12), (x + 22, 12), role=role, width=3, dashed=dashed)
        canvas.words(name, (x + 28, 12), size=12, anchor="start")
        x += 176
    return canvas.shown(
        f"Over {steps[-1] - steps[0]} steps, what the reward gives goes from {given[0]:.0%} to "
        f"{given[-1]:.0%}, and the share of right answers from {meant[0]:.0%} to {meant[-1]:.0%}."
    )
