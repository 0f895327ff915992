"""The run in the background and its dashboard, driven from Python and in a browser."""

from __future__ import annotations

import json
import math
import re
import threading

import pytest
import torch
from bokeh.models import ColumnDataSource, Span
from drawn_figure import drawn
from widgets_shown import words_of

from minigpt.lessons.explorer import VIEW
from minigpt.lessons.training import widgets as dashboards
from minigpt.lessons.training.background_run import RECENT, BackgroundRun
from minigpt.lessons.training.widgets import training_dashboard
from minigpt.model import GPT, GPTConfig
from minigpt.training import Recipe, Trainer

STEPS = 8


def make_trainer() -> Trainer:
    sizes = GPTConfig(5, 4, n_layer=1, n_head=1, n_embd=8, dropout=0.1)
    model = GPT(sizes, torch.Generator().manual_seed(0))
    recipe = Recipe(steps=STEPS, batch_size=2, learning_rate=0.01, warmup=2)
    return Trainer(model, torch.arange(40) % 5, recipe)


def make_diverging() -> Trainer:
    """The third step meets a weight that is not finite."""
    trainer = make_trainer()
    take = trainer.step

    def step() -> float:
        if trainer.steps_taken == 2:
            with torch.no_grad():
                trainer.model.final_norm.weight[0] = math.nan
        return take()

    trainer.step = step
    return trainer


def losses_alone(steps: int = STEPS) -> list[float]:
    trainer = make_trainer()
    return [trainer.step() for _ in range(steps)]


def stopping_after(steps: int, make=make_trainer) -> BackgroundRun:
    """A run that is asked to stop, from its own thread, after so many steps."""
    run = BackgroundRun(make, lambda: run.stop() if len(run.losses) == steps else None)
    return run


def test_a_run_in_the_background_takes_the_same_steps():
    run = BackgroundRun(make_trainer)
    assert (run.running, run.finished, run.losses) == (False, False, [])
    run.start()
    run.join()
    assert run.losses == losses_alone()
    assert (run.running, run.finished, run.error) == (False, True, None)
    run.start()  # there is nothing left to do
    assert not run.running


def test_a_run_stops_after_the_step_at_hand_and_goes_on():
    run = stopping_after(3)
    run.start()
    run.join()
    assert (run.running, run.finished) == (False, False)
    assert run.losses == losses_alone(3)
    run.start()
    run.join()
    assert run.losses == losses_alone()
    assert run.finished


def test_a_reset_ends_the_thread_and_begins_anew():
    run = stopping_after(3)
    run.start()
    first, thread = run.trainer, run._thread
    run.reset()
    assert not thread.is_alive()
    assert run.trainer is not first
    assert (run.losses, run.running, run.trainer.steps_taken) == ([], False, 0)
    run.start()
    run.join()
    assert run.losses == losses_alone(3)


def test_a_run_that_is_started_twice_has_one_thread_that_ends_with_the_kernel():
    gate, trainers = threading.Event(), []

    def make() -> Trainer:
        trainer = make_trainer()
        take = trainer.step
        trainer.step = lambda: take() if gate.wait(60) else math.nan
        trainers.append(trainer)
        return trainer

    run = BackgroundRun(make)
    run.start()
    thread = run._thread
    run.start()
    assert run._thread is thread
    assert thread.daemon
    assert run.running
    run.stop()
    gate.set()
    run.start()  # waits for the step at hand, and goes on
    run.join()
    assert run._thread is not thread
    assert not thread.is_alive()
    assert run.losses == losses_alone()
    assert len(trainers) == 1


def test_a_run_that_diverges_tells_why():
    makers = [make_diverging, make_trainer]
    run = BackgroundRun(lambda: makers.pop(0)())
    run.start()
    run.join()
    assert run.error.startswith("at step 2 the loss is nan")
    assert (run.running, len(run.losses)) == (False, 2)
    run.start()
    assert not run.running
    run.reset()
    assert run.error is None
    run.start()
    run.join()
    assert run.losses == losses_alone()


def test_any_other_error_is_told_by_its_name():
    def fail():
        raise MemoryError("no room")

    run = BackgroundRun(make_trainer, after_step=fail)
    run.start()
    run.join()
    assert run.error == "MemoryError: no room"


def test_the_speed_is_that_of_the_recent_steps_since_the_start():
    ticks = iter([0.0, 2.0, 3.0, 4.0, 100.0, 100.5, 101.0])
    run = stopping_after(3)
    run._clock = lambda: next(ticks)
    assert run.steps_per_second is None
    run.start()
    run.join()
    assert run.steps_per_second == 3 / 4
    run._after_step = lambda: run.stop() if len(run.losses) == 5 else None
    run.start()
    run.join()
    assert run.steps_per_second == 2  # the break does not count
    assert run._ends.maxlen == RECENT + 1


def test_a_run_that_goes_on_from_a_state_knows_where():
    def make() -> Trainer:
        trainer = make_trainer()
        trainer.step()
        return trainer

    dashboard = training_dashboard(make, [(1, 2.0)], every=2)
    dashboard.start()
    dashboard.run.join()
    assert dashboard.run.first_step == 1
    assert points_of(dashboard)["step"] == [3, 5, 7]


def points_of(dashboard) -> dict[str, list]:
    return json.loads(re.sub("<[^>]*>", "", dashboard.points.value))


@pytest.fixture
def dashboard(monkeypatch):
    """Draws and writes after every step, and is stopped after the third."""
    monkeypatch.setattr(dashboards, "REDRAW", 0.0)
    monkeypatch.setattr(dashboards, "SAMPLE", 0.0)

    def sample(model: GPT) -> str:
        made.seen.append((model.training, torch.is_grad_enabled()))
        if made.run.trainer.steps_taken == 3:
            made.run.stop()
        return "<o>\n"

    made = training_dashboard(make_trainer, [(1, 2.0), (3, 1.5)], every=2, sample=sample)
    made.seen = []
    return made


def test_the_buttons_train_stop_and_begin_anew(dashboard):
    buttons = dashboard.widget.children[0].children
    start, stop, reset = buttons
    assert [button.description for button in buttons] == ["Start", "Stop", "Reset"]
    assert words_of(dashboard.told) == "Ready. Start begins."
    assert words_of(dashboard.numbers) == f"Step 0 of {STEPS}"
    assert points_of(dashboard) == {"step": [], "loss": []}
    stop.click()  # of no effect
    start.click()
    dashboard.run.join()
    assert words_of(dashboard.told) == "Stopped. Resume goes on."
    assert start.description == "Resume"
    alone = losses_alone()
    assert points_of(dashboard)["step"] == [2]
    assert points_of(dashboard)["loss"] == pytest.approx([sum(alone[:2]) / 2], abs=6e-5)
    start.click()
    dashboard.run.join()
    assert words_of(dashboard.told) == "Finished. Reset begins again from the start."
    assert points_of(dashboard)["step"] == [2, 4, 6, 8]
    means = [(a + b) / 2 for a, b in zip(alone[::2], alone[1::2], strict=True)]
    assert points_of(dashboard)["loss"] == pytest.approx(means, abs=6e-5)
    reset.click()
    assert start.description == "Start"
    assert words_of(dashboard.told) == "Ready. Start begins."
    assert points_of(dashboard) == {"step": [], "loss": []}
    assert dashboard.written.value == ""


def test_the_numbers_are_the_runs(dashboard):
    ticks = iter([0.0, 50.0, 100.0, 150.0])
    dashboard.run._clock = lambda: next(ticks)
    dashboard.start()
    dashboard.run.join()
    loss, rate = losses_alone()[2], dashboard.run.trainer.optimizers[-1].param_groups[0]["lr"]
    assert words_of(dashboard.numbers) == (
        f"Step 3 of 8 · loss {loss:.3f} · learning rate {rate:.2g} · 0 tokens per second"
    )  # 8 tokens in 50 seconds
    dashboard.run.running = True
    dashboard.redraw()
    assert dashboard.numbers.value.endswith(" · 4 min 10 s left</p>")
    assert words_of(dashboard.told) == "It trains. Stop ends after the step at hand."


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.2, "1 s"), (59, "59 s"), (60, "1 min 0 s"), (7384, "2 h 3 min")]
)
def test_durations(seconds, told):
    assert dashboards._duration(float(seconds)) == told


def test_samples_are_drawn_from_a_model_at_rest(dashboard):
    dashboard.start()
    dashboard.run.join()
    assert set(dashboard.seen) == {(False, False)}
    assert dashboard.run.trainer.model.training  # as it was
    assert "After step 3 it writes:" in dashboard.written.value
    assert "&lt;o&gt;\n</pre>" in dashboard.written.value
    assert dashboard.run.losses == losses_alone(3)  # a sample changes nothing


def test_a_sample_that_fails_does_not_stop_the_run():
    def sample(model: GPT) -> str:
        raise KeyError("a")

    dashboard = training_dashboard(make_trainer, [(1, 2.0)], sample=sample)
    dashboard.start()
    dashboard.run.join()
    assert dashboard.run.finished
    assert "No sample: KeyError: &#x27;a&#x27;" in dashboard.written.value


def test_divergence_is_told_in_words():
    dashboard = training_dashboard(make_diverging, [(1, 2.0)])
    dashboard.start()
    dashboard.run.join()
    told = words_of(dashboard.told)
    assert told.startswith("Stopped by an error: at step 2 the loss is nan")
    assert told.endswith("Reset begins again from the start.")


@pytest.mark.parametrize(("seconds", "drawings"), [(0.0, STEPS + 2), (1e9, 2)])
def test_drawings_keep_their_distance(monkeypatch, seconds, drawings):
    monkeypatch.setattr(dashboards, "REDRAW", seconds)
    dashboard = training_dashboard(make_trainer, [(1, 2.0)])
    assert dashboard.widget.children  # drawn for the first time
    drawn_when = []
    monkeypatch.setattr(dashboard, "_in_numbers", lambda: drawn_when.append(1) or "")
    dashboard.start()
    dashboard.run.join()
    assert len(drawn_when) == drawings


def test_the_book_shows_the_run_so_far():
    made = []
    dashboard = training_dashboard(lambda: made.append(1), [(1, 2.0), (20, 1.25)])
    bundle = dashboard._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    alt = "The training loss: 2.00 at step 1, 1.25 at step 20."
    assert bundle["text/plain"] == f"<Figure: {alt}>"
    assert bundle["text/html"].startswith(dashboard.still._repr_html_())
    assert bundle["text/html"].endswith(f"<small>{dashboards.LIVE}</small></p>")
    assert made == []  # nothing was trained
    assert not {"widget", "run"} & vars(dashboard).keys()


def test_a_reader_with_a_kernel_gets_the_curve_and_the_buttons(dashboard, live, capsys):
    bundle = dashboard._repr_mimebundle_()
    assert bundle[VIEW]["model_id"] == dashboard.widget.model_id
    assert "a curve that grows while it trains" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("losses", "every", "message"),
    [
        ([(1, 2.0)], 0, "every is 0; .* at least 1"),
        ([], 1, "'training loss' has no finite loss to start with"),
    ],
)
def test_a_dashboard_without_a_curve_is_refused(losses, every, message):
    with pytest.raises(ValueError, match=message):
        training_dashboard(make_trainer, losses, every)


def test_the_curve_follows_the_widget(dashboard, browser):
    """As in a notebook: the widget's HTML is replaced, and runs no script of its own."""
    plot = dashboard._growing_curve()
    (source,) = [s for s in plot.select({"type": ColumnDataSource}) if "step" in s.data]
    assert plot.select_one({"type": Span}).location == pytest.approx(math.log(5))
    script = dashboard._beside()["text/html"].rpartition("<script>")[2]
    replace = """
      for (const [i, html] of arg.htmls.entries()) {
        document.querySelectorAll(".widget")[i].innerHTML = html;
      }
    """
    with drawn(browser, plot, width=360) as run:
        run("document.body.insertAdjacentHTML('beforeend', '<p class=widget></p>'.repeat(2))")
        run(script.removesuffix("</script>"))
        dashboard.start()
        dashboard.run.join()
        run(replace, {"htmls": [dashboard.points.value, dashboard.told.value]})
        run.page.wait_for_function(f"model('{source.id}').data.step.length === 1")
        run.page.get_by_role("status").get_by_text("Stopped. Resume goes on.").wait_for()
        dashboard.start()
        dashboard.run.join()
        run(replace, {"htmls": [dashboard.points.value, dashboard.told.value]})
        run.page.wait_for_function(f"model('{source.id}').data.step.length === 4")
        assert run(f"return {{...model('{source.id}').data}}") == points_of(dashboard)
        assert run("return document.documentElement.scrollWidth") <= 360
