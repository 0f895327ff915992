"""A fare that is guessed: the loop of training, the slope, the graph, and steps in a valley."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from minigpt.lessons.drawing.canvas import Canvas, Drawing
from minigpt.lessons.primer.drawings.frame import LOSS, PARAMETER, Frame, plain


def training_loop(km: float, price: float, w: float, gradient: float, new: float) -> Drawing:
    """The four parts of a step: guess, loss, gradient, step.

    Args:
        km, price: the ride that is known.
        w: the parameter before. new: after. gradient: of the loss.

    Shown in https://minigpt-book.github.io/minigpt/primer.html
    """
    guess = w * km
    loss = (guess - price) ** 2
    parts = (
        ("1  guess", f"{plain(w)} × {plain(km)} km = {plain(guess)}", "token"),
        ("2  loss", f"({plain(guess)} − {plain(price)})² = {plain(loss)}", LOSS),
        ("3  gradient", f"{plain(gradient)}", "gradient"),
        ("4  step", f"w: {plain(w)} → {plain(new)}", PARAMETER),
    )
    told = ("what does w make of it?", "how wrong is that?", "which way is down?", "a bit that way")
    canvas = Canvas(238)
    canvas.words(f"known: {plain(km)} km cost {plain(price)} euros", (180, 14), size=13)
    places = ((4, 48), (196, 48), (196, 156), (4, 156))
    boxes = []
    for (name, text, role), question, (x, y) in zip(parts, told, places, strict=True):
        box = canvas.box(x, y, 160, 74, role=role)
        canvas.words(name, (box.middle[0], y + 15), size=13, bold=True)
        canvas.words(text, (box.middle[0], y + 38), size=13, mono=True)
        canvas.words(question, (box.middle[0], y + 60), "muted", 11.5)
        boxes.append(box)
    first, second, third, fourth = boxes
    canvas.line((84, 24), first.top, arrow=True)
    canvas.line(first.right, second.left, arrow=True)
    canvas.line(second.bottom, third.top, arrow=True)
    canvas.line(third.left, fourth.right, arrow=True)
    canvas.line(fourth.top, first.bottom, arrow=True)
    canvas.words("again", (fourth.top[0] + 26, 139), "muted", 12)
    return canvas.shown(
        f"Four boxes in a circle. Guess: {plain(w)} times {plain(km)} is {plain(guess)}. Loss: the "
        f"square of the difference from {plain(price)} is {plain(loss)}. Gradient: "
        f"{plain(gradient)}. Step: w goes from {plain(w)} to {plain(new)}. Then again."
    )


def nudge(loss_of: Callable[[float], float], w: float, slope: float) -> Drawing:
    """The loss for every w, and the line that touches it at one.

    Args:
        loss_of: the loss for a w.
        w: where the line touches. slope: how steep it is.

    Shown in https://minigpt-book.github.io/minigpt/primer.html
    """
    canvas = Canvas(236)
    frame = Frame(canvas, (40, 22, 300, 178), (1.5, 3.5), (0, 16))
    frame.ticks((1.5, 2, 2.5, 3, 3.5), (0, 4, 8, 12, 16))
    xs = [1.5 + i / 50 for i in range(101)]
    frame.curve(xs, [loss_of(x) for x in xs], LOSS)
    loss, reach = loss_of(w), 0.24
    ends = [frame.at(w + d, loss + slope * d) for d in (-0.5, reach)]
    canvas.line(*ends, role="gradient", width=2)
    canvas.circle(frame.at(w, loss), 5, PARAMETER)
    corner = frame.at(w + reach, loss)
    canvas.line(frame.at(w, loss), corner, role="muted", dashed=True)
    canvas.line(corner, ends[1], role="muted", dashed=True)
    canvas.words(f"slope {plain(slope)}", frame.at(w + reach + 0.05, 2.4), "gradient", 13, "start")
    canvas.words("loss", (40, 10), LOSS, 12)
    canvas.words("w", (340, 224), PARAMETER, 13)
    return canvas.shown(
        f"The loss over w is a valley. At w = {plain(w)}, where the loss is {plain(loss)}, a line "
        f"touches it; it falls by {plain(-slope)} for each 1 that w grows."
    )


def graph(numbers: Mapping[str, tuple[float, float]], slopes: Sequence[float]) -> Drawing:
    """Six numbers, what each is made of, and the gradient of each.

    Args:
        numbers: value and gradient of w, km, price, guess, error and loss, in this order.
        slopes: along the five arrows: guess by w, guess by km, error by guess, error by price,
            loss by error.

    Shown in https://minigpt-book.github.io/minigpt/primer.html
    """
    places = ((6, 28), (116, 28), (248, 28), (61, 122), (154, 216), (154, 310))
    signs = ("", "", "", "w × km", "guess − price", "error²")
    canvas, boxes = Canvas(378), []
    for (name, (value, grad)), (x, y), sign in zip(numbers.items(), places, signs, strict=True):
        role = {"w": PARAMETER, "loss": LOSS}.get(name, "token")
        box = canvas.box(x, y, 106, 46, role=role)
        canvas.words(name, (x + 53, y + 13), size=12.5, bold=True)
        canvas.words(plain(value), (x + 53, y + 33), size=14, mono=True)
        canvas.words(f"gradient {plain(grad)}", (x + 53, y + 56), "gradient", 12)
        if sign:
            canvas.words(sign, (x + 112, y + 23), "muted", 12, "start")
        boxes.append(box)
    arrows = ((0, 3), (1, 3), (3, 4), (2, 4), (4, 5))
    for (start, end), slope in zip(arrows, slopes, strict=True):
        begin, stop = boxes[start].bottom, boxes[end].top
        begin = (begin[0], begin[1] + 18)
        canvas.line(begin, stop, arrow=True)
        # Beside the arrow, on the side where there is room.
        middle = ((begin[0] + stop[0]) / 2, (begin[1] + stop[1]) / 2)
        left = stop[0] > begin[0] and start != 4
        low = 11 if left and stop[0] - begin[0] > 2 * (stop[1] - begin[1]) else 0
        canvas.words(
            f"×{plain(slope)}",
            (middle[0] + (-8 if left else 8), middle[1] + low),
            "gradient",
            12,
            "end" if left else "start",
        )
    canvas.words("values flow down", (6, 276), "muted", 12, "start")
    canvas.words("gradients flow up", (6, 294), "gradient", 12, "start")
    told = "; ".join(f"{n}: {plain(v)}, gradient {plain(g)}" for n, (v, g) in numbers.items())
    return canvas.shown(
        "w and km are multiplied to guess; guess and price are subtracted to error; error is "
        f"squared to loss. {told}. Along the arrows stand the slopes "
        f"{', '.join(map(plain, slopes))}."
    )


def valleys(loss_of: Callable[[float], float], walks: Mapping[float, Sequence[float]]) -> Drawing:
    """The same valley with the steps of three learning rates.

    Args:
        loss_of: the loss for a w.
        walks: for each rate, w after each step, the start included.

    Raises:
        ValueError: not three rates.

    Shown in https://minigpt-book.github.io/minigpt/primer.html
    """
    if len(walks) != 3:
        raise ValueError(f"{len(walks)} rates: there is room for three")
    canvas, told = Canvas(196), []
    xs = [1.5 + i / 50 for i in range(101)]
    for place, (rate, ws) in enumerate(walks.items()):
        frame = Frame(canvas, (6 + 120 * place, 26, 108, 128), (1.5, 3.5), (0, 16))
        frame.curve(xs, [loss_of(x) for x in xs], LOSS, 1.5)
        points = [frame.at(w, loss_of(w)) for w in ws]
        canvas.line(*points, role=PARAMETER, width=1.2)
        for point in points:
            canvas.circle(point, 3.2, PARAMETER)
        frame.ticks((2, 3))
        canvas.words(f"rate {plain(rate)}", (60 + 120 * place, 12), size=12.5, bold=True)
        end = f"loss {loss_of(ws[0]):.0f} → {loss_of(ws[-1]):.2g}"
        canvas.words(end, (60 + 120 * place, 185), size=12)
        told.append(f"rate {plain(rate)}: {', '.join(plain(w, 2) for w in ws)}")
    return canvas.shown(
        f"Three times the same valley of the loss over w, with the points of the steps. "
        f"{'; '.join(told)}."
    )
