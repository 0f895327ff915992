"""The desk to write at, driven from Python and in a browser."""

from __future__ import annotations

import html
import re
import threading

import pytest
import torch
from widgets_shown import words_of

from minigpt.generation import Sampling, stream_text
from minigpt.lessons.explorer import VIEW
from minigpt.lessons.generation import widgets as desks
from minigpt.lessons.generation.widgets import writing_desk
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import CharTokenizer

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
