"""Widgets for readers with a kernel: driven from Python, and as a notebook stores them."""

from __future__ import annotations

import html
import json
import math
import re
import threading

import nbformat
import pytest
import torch
from bokeh.models import ColumnDataSource, Span
from drawn_figure import drawn
from nbclient import NotebookClient

from minigpt.attention import AttentionOnly
from minigpt.generation import Sampling, stream_text
from minigpt.lessons.attention.widgets import MOST_TOKENS, head_explorer
from minigpt.lessons.drawing.token_text import token_text, typed
from minigpt.lessons.embedding.widgets import neighbour_explorer
from minigpt.lessons.explorer import LIVE, VIEW, Explorer, Sentence
from minigpt.lessons.generation import widgets as desks
from minigpt.lessons.generation.widgets import writing_desk
from minigpt.lessons.model.widgets import model_explorer
from minigpt.lessons.training import widgets as dashboards
from minigpt.lessons.training.background_run import RECENT, BackgroundRun
from minigpt.lessons.training.widgets import training_dashboard
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import CharTokenizer
from minigpt.training import Recipe, Trainer

LETTERS = CharTokenizer.train("abc d\n")  # ids: ↵ 0, · 1, a 2, b 3, c 4, d 5
ROWS = torch.tensor(
    [[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 3.0], [0.0, 1.0], [9.0, 9.0]]
)


def texts(html: str) -> list[list[str]]:
    """The text of a table's rows."""
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


@pytest.fixture
def live(monkeypatch):
    """As a reader's notebook runs it."""
    monkeypatch.delenv("MINIGPT_BOOK")


@pytest.fixture
def neighbours():
    return neighbour_explorer(ROWS, LETTERS, "a", count=3)


def test_the_neighbours_are_the_closest_by_cosine(neighbours):
    assert repr(neighbours) == (
        "Nearest to a by cosine\nb       3  1.000\nc       4  0.707\n·       1  0.000"
    )
    assert texts(neighbours.widget.children[-1].value) == [
        ["token", "id", "cosine"],
        ["b", "3", "1.000"],
        ["c", "4", "0.707"],
        ["·", "1", "0.000"],  # as far as d, and of the smaller id
    ]


def test_a_token_and_a_number_can_be_chosen(neighbours):
    drawing = neighbours.widget.children[-1]
    neighbours.controls["count"].value = 5
    assert [row[0] for row in texts(drawing.value)[1:]] == ["b", "c", "·", "d", "↵"]
    neighbours.controls["text"].value = "↵"
    assert "Nearest to ↵ by cosine" in drawing.value
    assert texts(drawing.value)[-1] == ["b", "3", "-1.000"]
    assert neighbours.controls["count"].max == 5  # the seventh row stands for no token


def test_the_neighbours_agree_with_torch():
    model = AttentionOnly(6, 8, 32, 2, 1, torch.Generator().manual_seed(3))
    table = model.token_embedding.weight
    explorer = neighbour_explorer(table, LETTERS, "b", count=5)
    cosines = torch.nn.functional.normalize(table.detach()) @ (table[3] / table[3].norm())
    expected = [i for i in cosines.argsort(descending=True).tolist() if i != 3]
    assert [int(row[1]) for row in texts(explorer.still._repr_html_())[1:]] == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Type a token"),
        ("ab", "“ab” is 2 tokens: a | b. Type one of them."),
        ("é", "This tokenizer cannot read it: character &#x27;é&#x27; at index 0"),
        ("·", "The row of · is all zeros"),
    ],
)
def test_what_is_no_token_is_answered_with_a_sentence(neighbours, text, told):
    drawing = neighbours.widget.children[-1]
    neighbours.controls["text"].value = text
    assert told in drawing.value
    neighbours.controls["text"].value = "a"
    assert len(texts(drawing.value)) == 4


def test_a_word_that_is_a_token_with_its_space_is_told():
    class Words:
        vocab, vocab_size = (" the", "t", "he"), 3

        def encode(self, text):
            return [0] if text == " the" else [1, 2]

    explorer = neighbour_explorer(torch.eye(3), Words(), "the", count=1)
    assert repr(explorer) == "“the” is 2 tokens: t | he. Type one of them. Or ·the."
    assert "Nearest to ·the" in explorer.draw("·the", 1)._repr_html_()


@pytest.mark.parametrize(
    ("rows", "count", "message"),
    [
        (5, 1, "the table has 5 rows, the tokenizer 6 tokens"),
        (6, 0, "count is 0; with 6 tokens it goes from 1 to 5"),
        (6, 6, "count is 6"),
    ],
)
def test_a_table_of_another_tokenizer_is_refused(rows, count, message):
    with pytest.raises(ValueError, match=message):
        neighbour_explorer(ROWS[:rows], LETTERS, "a", count)


@pytest.fixture
def model():
    return AttentionOnly(6, 40, 8, 2, 3, torch.Generator().manual_seed(5))


@pytest.fixture
def heads(model):
    with torch.no_grad():
        for layer in model.layers:
            layer.qkv.weight *= 100  # apart from one another at two decimals
    return head_explorer(model, LETTERS, "a bad\ncab", layer=2, head=1)


def shown(model, text: str, layer: int, head: int) -> list[list[str]]:
    """What a table of one head has to hold."""
    ids = LETTERS.encode(text)
    weights = model.attention_maps(torch.tensor([ids]))[layer - 1, 0, head - 1].tolist()
    return [
        ["·" if j > i else f"{weight:.2f}" for j, weight in enumerate(row)]
        for i, row in enumerate(weights)
    ]


def test_heads_and_layers_can_be_chosen(heads, model):
    drawing, seen = heads.widget.children[-1], []
    assert [slider.max for slider in (heads.controls["layer"], heads.controls["head"])] == [3, 2]
    for layer in (1, 2, 3):
        for head in (1, 2):
            heads.controls["layer"].value = layer
            heads.controls["head"].value = head
            found = texts(drawing.value)
            assert found[0] == ["looks at →", *"a·bad↵cab"]
            assert [row[1:] for row in found[1:]] == shown(model, "a bad\ncab", layer, head)
            assert f"Layer {layer}, head {head}: who looks at whom" in drawing.value
            seen.append(found)
    assert all(seen.count(table) == 1 for table in seen)


def test_another_text_can_be_typed(heads, model):
    drawing = heads.widget.children[-1]
    heads.controls["text"].value = "dab"
    assert [row[1:] for row in texts(drawing.value)[1:]] == shown(model, "dab", 2, 1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "There is nothing to show: the text has 0 tokens"),
        ("é", "There is nothing to show: character"),
        ("a" * 33, f"the text has 33 tokens; the table shows 1 to {MOST_TOKENS}: shorten it."),
    ],
)
def test_a_text_without_a_table_is_answered_with_a_sentence(heads, text, told):
    drawing = heads.widget.children[-1]
    heads.controls["text"].value = text
    assert told in drawing.value
    heads.controls["text"].value = "a"
    assert texts(drawing.value)[1] == ["a", "1.00"]


@pytest.mark.parametrize(
    ("text", "layer", "head", "message"),
    [
        ("a", 4, 1, "layer is 4; the model has layers 1 to 3"),
        ("a", 1, 0, "head is 0; the model has heads 1 to 2"),
        ("", 1, 1, "the text has 0 tokens"),
    ],
)
def test_a_start_that_is_not_there_is_refused(model, text, layer, head, message):
    with pytest.raises(ValueError, match=message):
        head_explorer(model, LETTERS, text, layer, head)


@pytest.fixture
def sizes():
    return model_explorer(GPTConfig(65, 6, n_layer=2, n_head=2, n_embd=10, bias=False))


def test_a_model_is_drawn_for_its_sizes(sizes):
    lines = repr(sizes).splitlines()
    # 6 tokens, as the context has no room for more: (65 + 6) × 10, 2 × 1,220, and a last norm.
    assert lines[0].split() == ["GPT", "(1,", "6,", "65)", "3,160", "100.0", "%"]
    assert sizes.drawing.value == sizes.still._repr_html_()


def test_other_sizes_can_be_chosen(sizes):
    told = sizes.drawing
    sizes.controls["n_layer"].value = 5
    assert "<b>blocks</b> <em>× 5</em>" in told.value
    sizes.controls["vocab_size"].value = 50257
    assert "<code>(1, 6, 50257)</code>" in told.value
    sizes.controls["n_head"].value = 5
    assert "in 5 heads: softmax(mask(q kᵀ / √2)) v" in told.value
    sizes.controls["n_embd"].value = 400
    assert "5 × 1,920,800" in told.value  # 12 × 400 × 400 + 2 × 400


def test_sizes_that_do_not_fit_are_answered_with_a_sentence(sizes):
    told = sizes.drawing
    sizes.controls["n_head"].value = 3
    assert told.value == (
        "<p>There is no such model: n_embd 10 cannot be cut into n_head 3 heads of equal width: "
        "choose a number of heads that divides it.</p>"
    )
    sizes.controls["n_embd"].value = 12
    assert "in 3 heads" in told.value


def test_the_sliders_hold_what_they_start_with():
    config = GPTConfig(70, 8, n_layer=49, n_head=30, n_embd=1650)
    explorer = model_explorer(config)
    for name, control in explorer.controls.items():
        assert control.value == getattr(config, name)
    width = explorer.controls["n_embd"]
    assert (width.value - width.min) % width.step == 0  # else a page would move it
    usual = model_explorer(GPTConfig(65, 8, n_layer=1, n_head=2, n_embd=32)).controls["n_embd"]
    assert [(slider.min, slider.step) for slider in (width, usual)] == [(1, 1), (16, 16)]
    assert 70 in explorer.controls["vocab_size"].options


def test_the_book_shows_a_still(neighbours):
    bundle = neighbours._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert bundle["text/plain"] == repr(neighbours)
    assert bundle["text/html"].startswith(neighbours.still._repr_html_())
    assert bundle["text/html"].endswith(f"<small>{LIVE}</small></p>")
    assert "widget" not in vars(neighbours)  # none was made, which a notebook would record


def test_a_readers_notebook_shows_the_widget(neighbours, live):
    bundle = neighbours._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", VIEW}
    assert bundle[VIEW]["model_id"] == neighbours.widget.model_id
    assert neighbours.widget.children[:-1] == tuple(neighbours.controls.values())


def test_a_sentence_is_escaped():
    assert Sentence("a < b")._repr_html_() == "<p>a &lt; b</p>"
    assert repr(Explorer(Sentence, {"text": "a < b"}, dict)) == "a < b"


def test_white_space_is_visible_and_can_be_typed():
    visible = [token_text(LETTERS, i) for i in range(6)]
    assert visible == list("↵·abcd")
    assert typed("".join(visible)) == "\n abcd"


CELL = """
import torch
from minigpt.attention import AttentionOnly
from minigpt.tokenizer import CharTokenizer
from minigpt.lessons.attention.widgets import head_explorer

model = AttentionOnly(3, 8, 4, 2, 1, torch.Generator().manual_seed(0))
head_explorer(model, CharTokenizer.train("abc"), "abcab")
"""


def run_in_a_kernel() -> nbformat.NotebookNode:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL, id="a")])
    quiet = ["--IPKernelApp.log_level=40"]
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", record_timing=False, extra_arguments=quiet
    )
    return client.execute()


def test_a_stored_notebook_holds_the_still_and_the_same_bytes_each_time():
    first, second = run_in_a_kernel(), run_in_a_kernel()
    (output,) = first.cells[0].outputs
    assert set(output.data) == {"text/plain", "text/html"}
    assert LIVE in output.data["text/html"]
    assert "widgets" not in first.metadata
    assert nbformat.writes(first) == nbformat.writes(second)
    assert "widget-view" not in json.dumps(first)


def test_a_reader_with_a_kernel_gets_the_widget(live):
    ran = run_in_a_kernel()
    (output,) = ran.cells[0].outputs
    assert set(output.data) == {"text/plain", "text/html", VIEW}
    states = ran.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    descriptions = {state["state"].get("description") for state in states.values()}
    assert {"Text", "Layer", "Head"} <= descriptions


def test_a_text_of_several_lines_keeps_its_line_breaks(model):
    import ipywidgets

    explorer = head_explorer(model, LETTERS, "a\nb")
    assert isinstance(explorer.controls["text"], ipywidgets.Textarea)  # a Text drops them


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


def words_of(widget) -> str:
    return re.sub("<[^>]*>", "", widget.value)


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


SIGNS = CharTokenizer.train("<b>a \n")
WRITER = GPT(
    GPTConfig(SIGNS.vocab_size, 8, n_layer=1, n_head=1, n_embd=8), torch.Generator().manual_seed(0)
)


def written_alone(seed: int = 3, tokens: int = 30, stop: tuple[str, ...] = (), **sampling) -> str:
    chance = torch.Generator().manual_seed(seed)
    pieces = stream_text(WRITER, SIGNS, "<a>", tokens, Sampling(**sampling), list(stop), chance)
    return "".join(pieces)


def page_of(desk) -> str:
    """The text that a reader sees, prompt and all."""
    return html.unescape(re.sub("<[^>]*>", "", desk.written.value))


@pytest.fixture
def desk(monkeypatch):
    """Draws after every piece."""
    monkeypatch.setattr(desks, "REDRAW", 0.0)
    return writing_desk(WRITER, SIGNS, "<a>", "bab", seed=3, tokens=30)


def test_a_desk_writes_what_the_model_writes(desk):
    assert words_of(desk.told) == "Ready. Write begins."
    desk.write_button.click()
    desk.join()
    assert desk.text == written_alone()
    assert page_of(desk) == "<a>" + desk.text
    assert words_of(desk.told) == "Finished, 30 characters. Write begins anew."
    assert not desk.writing
    first = desk.text
    desk.write_button.click()
    desk.join()
    assert desk.text == first
    desk.seed.value = 4
    desk.write_button.click()
    desk.join()
    assert desk.text == written_alone(seed=4) != first


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0.0),
        ("temperature", 1.7),
        ("top_k", 2),
        ("top_p", 0.3),
        ("min_p", 1.0),
        ("repetition_penalty", 2.0),
    ],
)
def test_every_slider_reaches_the_model(desk, name, value):
    desk.sliders[name].value = value
    desk.write()
    desk.join()
    assert desk.text == written_alone(**{name: value}) != written_alone()


def test_what_is_written_is_text_and_never_html(desk):
    desk.write()
    desk.join()
    assert {"<", ">", "b"} <= set(desk.text)
    assert re.findall("<[^>]*>", desk.written.value)[1:] == ["<b>", "</b>", "</pre>"]
    assert "<b>&lt;a&gt;</b>" in desk.written.value


def test_length_and_stop_string_end_a_text(desk):
    whole = written_alone()
    desk.tokens.value = 5
    desk.write()
    desk.join()
    assert desk.text == whole[:5]
    desk.tokens.value = 30
    desk.stop.value = "\\n"
    desk.write()
    desk.join()
    assert "\n" in whole
    assert desk.text == written_alone(stop=("\n",)) == whole[: whole.index("\n")]


def test_stop_ends_after_the_token_at_hand(desk):
    seen = []

    def watch(change) -> None:
        seen.append(len(desk.text))
        if len(desk.text) == 3:
            assert desk.writing
            desk.stop_button.click()

    desk.written.observe(watch, "value")
    desk.write()
    desk.join()
    assert desk.text == written_alone()[:4]
    assert page_of(desk) == "<a>" + desk.text  # the last token is shown too
    assert words_of(desk.told) == "Stopped. Write begins anew."
    assert seen == [0, 1, 2, 3, 4]
    desk.written.unobserve_all()
    desk.write()
    desk.join()
    assert desk.text == written_alone()


def test_a_desk_that_writes_has_one_thread_that_ends_with_the_kernel(desk, monkeypatch):
    gate, calls = threading.Event(), []

    def slowly(*args):
        calls.append(args)
        yield "a" if gate.wait(60) else ""
        yield "b"

    monkeypatch.setattr("minigpt.generation.stream_text", slowly)
    desk.write()
    thread = desk._thread
    desk.write()
    assert desk._thread is thread
    assert thread.daemon
    assert desk.writing
    assert words_of(desk.told) == "It writes. Stop ends after the token at hand."
    desk.stop_button.click()
    gate.set()
    desk.write()  # waits for the token at hand, and begins anew
    desk.join()
    assert desk._thread is not thread
    assert not thread.is_alive()
    assert len(calls) == 2
    assert desk.text == "ab"


def test_a_desk_keeps_its_drawings_apart(desk, monkeypatch):
    monkeypatch.setattr(desks, "REDRAW", 0.1)
    ticks = iter([0.0, 0.05, 0.1, 0.15, 0.19, 0.25])
    desk._clock = lambda: next(ticks)
    desk.tokens.value = 6
    drawn_when = []
    desk.written.observe(lambda change: drawn_when.append(len(desk.text)), "value")
    desk.write()
    desk.join()
    # The prompt; at 0, 0.1 and 0.25 seconds; and the end, which shows nothing new here.
    assert drawn_when == [0, 1, 3, 6]
    assert page_of(desk) == "<a>" + desk.text


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("", "The prompt is empty: type at least one character to continue."),
        ("é", "It cannot write: character 'é' at index 0"),
    ],
)
def test_a_prompt_that_cannot_be_continued_is_answered_with_a_sentence(desk, prompt, told):
    desk.prompt.value = prompt
    desk.write()
    desk.join()
    assert html.unescape(words_of(desk.told)).startswith(told)
    assert page_of(desk) == prompt
    desk.prompt.value = "<a>"
    desk.write()
    desk.join()
    assert desk.text == written_alone()


def test_an_error_that_nobody_foresaw_is_told_by_its_name(desk, monkeypatch):
    def fail(*args):
        raise MemoryError("no <b>")

    monkeypatch.setattr("minigpt.generation.stream_text", fail)
    desk.write()
    desk.join()
    assert words_of(desk.told) == "It cannot write: MemoryError: no &lt;b&gt;."


def test_every_slider_can_be_off_and_holds_what_it_starts_with():
    plain = writing_desk(WRITER, SIGNS, "a", "b").sliders
    assert {name: slider.value for name, slider in plain.items()} == vars(Sampling())
    assert {slider.label for slider in plain.values()} == {"off", "1 (off)"}
    odd = Sampling(0.75, top_k=7, top_p=0.92, min_p=0.03, repetition_penalty=0.9)
    sliders = writing_desk(WRITER, SIGNS, "a", "b", odd).sliders
    assert {name: slider.value for name, slider in sliders.items()} == vars(odd)
    for name, slider in sliders.items():
        numbers = [value for _, value in slider.options if value is not None]
        assert numbers == sorted(numbers, reverse=name == "top_p")
        assert {value for _, value in plain[name].options} < {v for _, v in slider.options}


def test_the_book_shows_a_desk_after_a_run(desk):
    bundle = desk._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert bundle["text/plain"] == "Temperature 1, seed 3, at most 30 tokens.\n\n<a>bab"
    assert bundle["text/html"].startswith(desk.still._repr_html_())
    assert bundle["text/html"].endswith(f"<small>{desks.LIVE}</small></p>")
    assert "<b>&lt;a&gt;</b>bab</pre>" in bundle["text/html"]
    assert not {"widget", "prompt", "sliders", "told"} & vars(desk).keys()
    assert desk.text == ""  # nothing was written


def test_the_settings_are_told_in_words():
    sampling = Sampling(0.0, top_k=5, top_p=0.9, min_p=0.05, repetition_penalty=1.2)
    assert desks.in_words(sampling, 7, 1000, "\n\n") == (
        "Temperature 0 (greedy), top-k 5, top-p 0.9, min-p 0.05, repetition penalty 1.2, seed 7, "
        "at most 1,000 tokens, stop before “\\n\\n”."
    )


def test_a_reader_with_a_kernel_gets_the_desk(desk, live, capsys):
    bundle = desk._repr_mimebundle_()
    assert bundle[VIEW]["model_id"] == desk.widget.model_id
    fields = [child for child in desk.widget.children if hasattr(child, "description")]
    assert [field.description for field in fields if field.description] == [
        *["Prompt", "Temperature", "Top-k", "Top-p", "Min-p", "Repetition penalty"],
        *["Seed", "Most tokens", "Stop before"],
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tokens": 0}, "tokens is 0; the desk adds 1 to 1000"),
        ({"tokens": 1001}, "tokens is 1001"),
        ({"seed": -1}, "seed is -1; it must be from 0"),
        ({"seed": 2**32}, "seed is 4294967296"),
    ],
)
def test_a_desk_without_such_settings_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        writing_desk(WRITER, SIGNS, "a", "b", **settings)


def test_what_a_desk_does_is_told_aloud(desk, browser):
    """As in a notebook: the widget's HTML is replaced, and runs no script of its own."""
    script = desk._beside()["text/html"].removeprefix("<script>").removesuffix("</script>")
    page = browser.new_page(viewport={"width": 360, "height": 500})
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    try:
        slider = """
          <div class="widget-hslider"><label class="widget-label">Top-k</label>
          <div class="noUi-handle" role="slider" aria-valuetext="1" aria-valuenow="1"></div>
          <div class="widget-readout">off</div></div>"""
        page.set_content(
            "<!doctype html><title>A desk</title>"
            f'<main class="widget-vbox">{slider}<div class="told"></div></main>{slider}'
        )
        show = "html => { document.querySelector('.told').innerHTML = html; }"
        page.evaluate(show, desk.told.value)
        page.evaluate(script)
        page.get_by_role("status").get_by_text("Ready. Write begins.").wait_for()
        handle = page.get_by_role("slider", name="Top-k")  # and none outside of the desk
        assert handle.get_attribute("aria-valuetext") == "off"
        desk.write()
        desk.join()
        page.evaluate(show, desk.told.value)
        page.get_by_role("status").get_by_text("Finished, 30 characters.").wait_for()
        desk.prompt.value = "a" * 100  # a word longer than a phone is wide
        desk.write()
        desk.join()
        page.set_content(f"<!doctype html><title>A desk</title>{desk.written.value}")
        assert page.inner_text("pre") == page_of(desk)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert wrong == []
    finally:
        page.close()
