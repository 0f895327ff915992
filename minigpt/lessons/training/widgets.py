"""A dashboard of training, for the chapter on training: it trains while the reader watches."""

from __future__ import annotations

import json
import math
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from html import escape
from statistics import fmean
from typing import TYPE_CHECKING

from minigpt.lessons.explorer import Live
from minigpt.lessons.training.background_run import BackgroundRun

if TYPE_CHECKING:
    import ipywidgets
    from bokeh.models import Plot

    from minigpt.model import GPT
    from minigpt.training import Trainer

LIVE = "Live in a notebook: run this cell in JupyterLab or Colab to train it before your eyes."
LOSS = "training loss (nats per token)"
REDRAW = 0.5  # seconds, at least, between two drawings
SAMPLE = 5.0  # seconds, at least, between two samples

# A widget's HTML runs no scripts, so the curve stands in an output of its own, and fetches its
# points from the widget that holds them.
_FOLLOW = """
(() => {
  const name = %s;
  let last = "";
  const follow = () => {
    const points = document.querySelector(`[data-minigpt-points="${name}"]`);
    const told = document.querySelector(`[data-minigpt-told="${name}"]`);
    // What tells a change must be there before it.
    told?.parentElement.setAttribute("role", "status");
    if (!points || points.textContent === last || !window.Bokeh) return;
    for (const drawn of Bokeh.documents) {
      const source = drawn.get_model_by_name(name);
      if (!source) continue;
      last = points.textContent;
      source.data = JSON.parse(last);
    }
  };
  setInterval(follow, 250);
})();
"""


class TrainingDashboard(Live):
    """See `training_dashboard`, which makes one.

    Attributes:
        run: the `BackgroundRun` behind the buttons.
        start_button, stop_button, reset_button: its buttons.
        told: in a sentence, what it does now.
        numbers: step, loss, learning rate, speed and time left.
        written: the last sample.
    """

    live = LIVE

    def __init__(
        self,
        make_trainer: Callable[[], Trainer],
        losses: Sequence[tuple[int, float]],
        every: int,
        sample: Callable[[GPT], str] | None,
    ) -> None:
        from minigpt.lessons.drawing.figure import show
        from minigpt.lessons.training.plots import loss_curves

        if every < 1:
            raise ValueError(f"every is {every}; it is the number of steps a point, at least 1")
        layout = loss_curves({"training loss": losses}, y_label=LOSS)
        (first, high), (last, low) = losses[0], losses[-1]
        alt = f"The training loss: {high:.2f} at step {first}, {low:.2f} at step {last}."
        self.still = show(layout, alt)
        self.every, self._make_trainer, self._sample = every, make_trainer, sample
        self._name = f"training-{secrets.token_hex(8)}"
        self._lock = threading.Lock()
        self._drawn = self._sampled = -math.inf

    @cached_property
    def run(self) -> BackgroundRun:
        """The trainer at work; made when the dashboard is first shown live."""
        return BackgroundRun(self._make_trainer, self._after_step, self._at_rest)

    @cached_property
    def start_button(self) -> ipywidgets.Button:
        return self._button("Start", self.start)

    @cached_property
    def stop_button(self) -> ipywidgets.Button:
        return self._button("Stop", self.run.stop)

    @cached_property
    def reset_button(self) -> ipywidgets.Button:
        return self._button("Reset", self.reset)

    @cached_property
    def told(self) -> ipywidgets.HTML:
        return _html()

    @cached_property
    def numbers(self) -> ipywidgets.HTML:
        return _html()

    @cached_property
    def written(self) -> ipywidgets.HTML:
        return _html()

    @cached_property
    def points(self) -> ipywidgets.HTML:
        """The curve's, as JSON, out of sight: what the script in the figure's output reads."""
        return _html()

    @cached_property
    def widget(self) -> ipywidgets.VBox:
        """The whole but for the curve, as ipywidgets shows it."""
        import ipywidgets

        buttons = ipywidgets.HBox([self.start_button, self.stop_button, self.reset_button])
        self.redraw()
        return ipywidgets.VBox([buttons, self.told, self.numbers, self.written, self.points])

    def start(self) -> None:
        """Begin, or go on, in a thread of its own."""
        self.run.start()
        self.redraw()

    def reset(self) -> None:
        """Leave this run, and be ready for another from the start."""
        self.run.reset()
        self.written.value = ""
        self._sampled = -math.inf
        self.redraw()

    def redraw(self) -> None:
        """Show the run as it is now."""
        with self._lock:
            run = self.run
            self._drawn = time.perf_counter()
            self.start_button.description = "Resume" if run.losses else "Start"
            told = f'<span data-minigpt-told="{self._name}">{escape(self._in_words())}</span>'
            if told != self.told.value:  # else a screen reader would tell it again
                self.told.value = told
            self.numbers.value = f"<p style='margin:0'>{self._in_numbers()}</p>"
            steps, losses = self._curve()
            data = json.dumps({"step": steps, "loss": losses})
            self.points.value = f'<span hidden data-minigpt-points="{self._name}">{data}</span>'

    def _after_step(self) -> None:
        now = time.perf_counter()
        if now >= self._sampled + SAMPLE:
            self._write()
        if now >= self._drawn + REDRAW:
            self.redraw()

    def _at_rest(self) -> None:
        self._write()
        self.redraw()

    def _write(self) -> None:
        """A sample, from the thread that trains: between two steps, the weights are at rest."""
        if self._sample is None:
            return
        import torch

        from minigpt.model.evaluation_mode import in_evaluation_mode

        try:
            with torch.no_grad():
                text = self._sample(in_evaluation_mode(self.run.trainer.model))
        except Exception as error:  # no reason to stop training
            text = f"No sample: {type(error).__name__}: {error}"
        self.written.value = (
            f"<p style='margin:0'>After step {self.run.trainer.steps_taken:,} it writes:</p>"
            f"<pre style='white-space:pre-wrap;margin:0'>{escape(text)}</pre>"
        )
        self._sampled = time.perf_counter()

    def _in_words(self) -> str:
        run = self.run
        if run.error is not None:
            return f"Stopped by an error: {run.error}. Reset begins again from the start."
        if run.running:
            return "It trains. Stop ends after the step at hand."
        if run.finished:
            return "Finished. Reset begins again from the start."
        return "Stopped. Resume goes on." if run.losses else "Ready. Start begins."

    def _in_numbers(self) -> str:
        run = self.run
        trainer = run.trainer
        told = [f"Step <b>{trainer.steps_taken:,}</b> of {trainer.recipe.steps:,}"]
        if run.losses:
            rate = trainer.optimizers[-1].param_groups[0]["lr"]
            told += [f"loss <b>{run.losses[-1]:.3f}</b>", f"learning rate {rate:.2g}"]
        if (speed := run.steps_per_second) is not None:
            told.append(f"{speed * trainer.tokens_per_step:,.0f} tokens per second")
            if run.running:
                left = (trainer.recipe.steps - trainer.steps_taken) / speed
                told.append(f"{_duration(left)} left")
        return " · ".join(told)

    def _curve(self) -> tuple[list[int], list[float]]:
        """A point for every so many steps: the last one's number, and the mean of their losses."""
        losses, every = list(self.run.losses), self.every
        ends = range(every, len(losses) + 1, every)
        means = [round(fmean(losses[end - every : end]), 4) for end in ends]
        return [self.run.first_step + end for end in ends], means

    def _button(self, name: str, action: Callable[[], None]) -> ipywidgets.Button:
        import ipywidgets

        button = ipywidgets.Button(description=name)
        button.on_click(lambda _: action())
        return button

    def _growing_curve(self) -> Plot:
        """The curve as it begins; its points follow from the widget."""
        from bokeh.models import ColumnDataSource, HoverTool, Range1d
        from bokeh.plotting import figure

        from minigpt.lessons.drawing.lines import SHARED, add_level
        from minigpt.lessons.drawing.palette import BLUE

        steps, losses = self._curve()
        last, vocabulary = self.run.trainer.recipe.steps, self.run.trainer.model.config.vocab_size
        plot = figure(
            height=320,
            x_range=Range1d(0, last),
            x_axis_label="step",
            y_axis_label=LOSS,
            tools="",
            **SHARED,
        )
        # Where training begins; an axis takes no notice of levels, but of lines nobody sees.
        guess = {"x": [0, last], "y": [math.log(vocabulary)] * 2}
        plot.line("x", "y", source=ColumnDataSource(guess), line_alpha=0)
        add_level(plot, "uniform guess", math.log(vocabulary), below=True)
        source = ColumnDataSource({"step": steps, "loss": losses}, name=self._name)
        style = {"source": source, "color": BLUE}
        line = plot.line("step", "loss", line_width=3, **style)
        plot.scatter("step", "loss", size=4, **style)
        tooltips = [("step", "@step{0,0}"), ("loss", "@loss{0.000}")]
        plot.add_tools(HoverTool(renderers=[line], mode="vline", tooltips=tooltips))
        return plot

    def _beside(self) -> dict[str, str]:
        """The curve, in an output of its own, where its script finds it."""
        from minigpt.lessons.drawing.figure import Figure

        shown = Figure(
            self._growing_curve(), "The training loss, a curve that grows while it trains."
        )
        script = f"<script>{_FOLLOW % json.dumps(self._name)}</script>"
        return {"text/plain": repr(shown), "text/html": shown._repr_html_() + script}


def training_dashboard(
    make_trainer: Callable[[], Trainer],
    losses: Sequence[tuple[int, float]],
    every: int = 10,
    sample: Callable[[GPT], str] | None = None,
) -> TrainingDashboard:
    """A run to watch: its loss curve, its speed, the time left, and what the model writes.

    With a kernel, Start trains in a thread, so that the notebook stays free; Stop ends after the
    step at hand, Resume goes on, and Reset begins again. Without one, it shows `losses`.

    Args:
        make_trainer: a fresh `minigpt.training.Trainer`, for the start and for every Reset.
        losses: points (step, loss) of a run so far, which the still shows.
        every: steps a point of the curve, which is the mean of their losses.
        sample: what a model writes, shown every few seconds; it is called between two steps,
            without gradients and in evaluation mode.

    Raises:
        ValueError: `every` below 1; losses that `loss_curves` cannot draw.

    Used in https://minigpt-book.github.io/minigpt/training.html
    """
    return TrainingDashboard(make_trainer, losses, every, sample)


def _duration(seconds: float) -> str:
    """Hours and minutes, or minutes and seconds, or seconds."""
    whole = math.ceil(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _html() -> ipywidgets.HTML:
    import ipywidgets

    return ipywidgets.HTML()
