"""A desk to write at with a model, for the chapter on generation."""

from __future__ import annotations

import json
import math
import secrets
import threading
import time
from collections.abc import Sequence
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from minigpt.generation import Sampling
from minigpt.lessons.explorer import Live

if TYPE_CHECKING:
    import ipywidgets

    from minigpt.model import GPT
    from minigpt.tokenizer import BPETokenizer, CharTokenizer

LIVE = "Live in a notebook: run this cell in JupyterLab or Colab to write with it."
REDRAW = 0.1  # seconds, at least, between two drawings of a text that grows
MOST_TOKENS = 1000
# What a slider offers, beside the value that it starts with; None is off.
_TENTHS = [i / 10 for i in range(21)]
CHOICES: dict[str, tuple[str, Sequence[float | int | None]]] = {
    "temperature": ("Temperature", _TENTHS),
    "top_k": ("Top-k", [None, 1, 2, 3, 5, 10, 20, 40, 80, 160, 320]),
    "top_p": ("Top-p", [None, 0.99, 0.98, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]),
    "min_p": ("Min-p", [None, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0]),
    "repetition_penalty": (
        "Repetition penalty",
        [1.0, 1.05, 1.1, 1.15, 1.2, 1.3, 1.4, 1.5, 1.75, 2.0],
    ),
}
_ENDS = {"temperature": {0: "0 (greedy)", 1: "1 (off)"}, "repetition_penalty": {1: "off"}}

# A screen reader tells a change of an element that was there before it: the widget's own, which
# has no role, and which its HTML, replaced as a whole and without scripts, cannot reach. And the
# handles of sliders have no name, and for a value the number of the choice.
_TELL = """
(() => {
  const name = %s;
  const tell = () => {
    const told = document.querySelector(`[data-minigpt-told="${name}"]`);
    told?.parentElement.setAttribute("role", "status");
    for (const handle of told?.closest(".widget-vbox")?.querySelectorAll(".noUi-handle") ?? []) {
      const slider = handle.closest(".widget-hslider");
      handle.setAttribute("aria-label", slider.querySelector(".widget-label").textContent);
      handle.setAttribute("aria-valuetext", slider.querySelector(".widget-readout").textContent);
    }
  };
  setInterval(tell, 250);
})();
"""


class WritingDesk(Live):
    """See `writing_desk`, which makes one.

    Attributes:
        prompt, stop, seed, tokens: what to continue, before which text to end ("\\\\n" is a line
            break), of chance, and the most to add: widgets each.
        sliders: those of `minigpt.generation.Sampling`, by name.
        write_button, stop_button: its buttons.
        text: what the model has written after the prompt.
        told: in a sentence, what it does now.
        written: prompt and text, as they stand.
    """

    live = LIVE

    def __init__(
        self,
        model: GPT,
        tokenizer: BPETokenizer | CharTokenizer,
        prompt: str,
        still_text: str,
        sampling: Sampling,
        seed: int,
        tokens: int,
        stop: str,
    ) -> None:
        if not 1 <= tokens <= MOST_TOKENS:
            raise ValueError(f"tokens is {tokens}; the desk adds 1 to {MOST_TOKENS}")
        if not 0 <= seed < 2**32:
            raise ValueError(f"seed is {seed}; it must be from 0 to 2**32 - 1")
        self._model, self._tokenizer = model, tokenizer
        self._start = (prompt, sampling, seed, tokens, stop)
        self.still = StillDesk(prompt, in_words(sampling, seed, tokens, stop), still_text)
        self.text = ""
        self._name = f"desk-{secrets.token_hex(8)}"
        self._clock = time.perf_counter
        self._asked_to_stop = threading.Event()
        self._thread: threading.Thread | None = None

    @cached_property
    def prompt(self) -> ipywidgets.Textarea:
        import ipywidgets

        return ipywidgets.Textarea(self._start[0], description="Prompt", rows=3, **_WIDE)

    @cached_property
    def sliders(self) -> dict[str, ipywidgets.SelectionSlider]:
        return {name: _slider(name, getattr(self._start[1], name)) for name in CHOICES}

    @cached_property
    def seed(self) -> ipywidgets.BoundedIntText:
        import ipywidgets

        return ipywidgets.BoundedIntText(
            self._start[2], min=0, max=2**32 - 1, description="Seed", **_WIDE
        )

    @cached_property
    def tokens(self) -> ipywidgets.BoundedIntText:
        import ipywidgets

        return ipywidgets.BoundedIntText(
            self._start[3], min=1, max=MOST_TOKENS, description="Most tokens", **_WIDE
        )

    @cached_property
    def stop(self) -> ipywidgets.Text:
        import ipywidgets

        shown = self._start[4].replace("\n", "\\n")  # a line of input has no line breaks
        hint = "\\n is a line break; empty for none"
        return ipywidgets.Text(shown, description="Stop before", placeholder=hint, **_WIDE)

    @cached_property
    def write_button(self) -> ipywidgets.Button:
        return _button("Write", self.write)

    @cached_property
    def stop_button(self) -> ipywidgets.Button:
        return _button("Stop", self._asked_to_stop.set)

    @cached_property
    def told(self) -> ipywidgets.HTML:
        import ipywidgets

        return ipywidgets.HTML(self._sentence("Ready. Write begins."))

    @cached_property
    def written(self) -> ipywidgets.HTML:
        import ipywidgets

        return ipywidgets.HTML()

    @cached_property
    def widget(self) -> ipywidgets.VBox:
        """The whole, as ipywidgets shows it."""
        import ipywidgets

        buttons = ipywidgets.HBox([self.write_button, self.stop_button])
        fields = [self.prompt, *self.sliders.values(), self.seed, self.tokens, self.stop]
        return ipywidgets.VBox([*fields, buttons, self.told, self.written])

    @property
    def writing(self) -> bool:
        """Whether a text is being written."""
        return self._thread is not None and self._thread.is_alive()

    def write(self) -> None:
        """Write a text by the settings as they are now, in a thread that ends with the kernel.

        Nothing, where one is being written and nobody asked it to stop.
        """
        if self._asked_to_stop.is_set():
            self.join()  # a moment: its token at hand
        if self.writing:
            return
        self._asked_to_stop.clear()
        self.text = ""
        prompt = self.prompt.value
        self._draw(prompt)
        self.told.value = self._sentence("It writes. Stop ends after the token at hand.")
        self._thread = threading.Thread(
            target=self._stream, args=(prompt,), name="writing", daemon=True
        )
        self._thread.start()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the text is written."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _stream(self, prompt: str) -> None:
        try:
            told = self._write_after(prompt)
        except Exception as error:  # nobody else would hear of it
            name = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
            told = f"It cannot write: {name}{error}."
        self._draw(prompt)
        self.told.value = self._sentence(told)

    def _write_after(self, prompt: str) -> str:
        import torch

        from minigpt.generation import stream_text

        if not prompt:
            return "The prompt is empty: type at least one character to continue."
        stop = self.stop.value.replace("\\n", "\n")
        pieces = stream_text(
            self._model,
            self._tokenizer,
            prompt,
            self.tokens.value,
            Sampling(**{name: slider.value for name, slider in self.sliders.items()}),
            [stop] if stop else [],
            torch.Generator().manual_seed(self.seed.value),
        )
        drawn = -math.inf
        for piece in pieces:
            self.text += piece
            if self._asked_to_stop.is_set():
                return "Stopped. Write begins anew."
            if (now := self._clock()) >= drawn + REDRAW:
                self._draw(prompt)
                drawn = now
        return f"Finished, {len(self.text):,} characters. Write begins anew."

    def _draw(self, prompt: str) -> None:
        self.written.value = _page(prompt, self.text)

    def _sentence(self, text: str) -> str:
        return f'<span data-minigpt-told="{self._name}">{escape(text)}</span>'

    def _beside(self) -> dict[str, str]:
        return {"text/html": f"<script>{_TELL % json.dumps(self._name)}</script>", "text/plain": ""}


class StillDesk:
    """A desk after a run: prompt, settings and text."""

    def __init__(self, prompt: str, settings: str, text: str) -> None:
        self.prompt, self.settings, self.text = prompt, settings, text

    def __repr__(self) -> str:
        return f"{self.settings}\n\n{self.prompt}{self.text}"

    def _repr_html_(self) -> str:
        return (
            f"<div class='writing-desk' dir='ltr'><p style='margin:0 0 0.5em'>"
            f"{escape(self.settings)} The prompt is bold.</p>{_page(self.prompt, self.text)}</div>"
        )


def writing_desk(
    model: GPT,
    tokenizer: BPETokenizer | CharTokenizer,
    prompt: str,
    still_text: str,
    sampling: Sampling | None = None,
    seed: int = 0,
    tokens: int = 200,
    stop: str = "",
) -> WritingDesk:
    """A desk to write at: a prompt, sliders for how tokens are chosen, and the text as it comes.

    With a kernel, Write writes in a thread, so that the notebook stays free, and Stop ends after
    the token at hand. The same settings and seed write the same text. Without a kernel, it shows
    `still_text`.

    Args:
        model, tokenizer: that write, as `minigpt.load` gives them.
        prompt: what to continue.
        still_text: what stood after the prompt once it was written with these settings.
        sampling: how the sliders start; None is `Sampling()`.
        seed: of chance.
        tokens: the most to add, up to 1,000.
        stop: the text before which to end; empty for none.

    Raises:
        ValueError: tokens or a seed that are not there.

    Used in https://minigpt-book.github.io/minigpt/generation.html
    """
    given = (sampling or Sampling(), seed, tokens, stop)
    return WritingDesk(model, tokenizer, prompt, still_text, *given)


def in_words(sampling: Sampling, seed: int, tokens: int, stop: str) -> str:
    """The settings, but for those that are off."""
    told = [f"Temperature {sampling.temperature:g}" + " (greedy)" * (sampling.temperature == 0)]
    for name in ("top_k", "top_p", "min_p"):
        if (value := getattr(sampling, name)) is not None:
            told.append(f"{CHOICES[name][0].lower()} {value:g}")
    if sampling.repetition_penalty != 1:
        told.append(f"repetition penalty {sampling.repetition_penalty:g}")
    told += [f"seed {seed}", f"at most {tokens:,} tokens"]
    if stop:
        told.append("stop before “" + stop.replace("\n", "\\n") + "”")
    return ", ".join(told) + "."


_WIDE: dict[str, Any] = {
    "layout": {"width": "36em", "max_width": "100%"},
    "style": {"description_width": "9em"},
}


def _slider(name: str, value: float | int | None) -> ipywidgets.SelectionSlider:
    import ipywidgets

    words, choices = CHOICES[name]
    if value not in choices:
        numbers = sorted(x for x in [*choices, value] if x is not None)
        if name == "top_p":
            numbers.reverse()  # towards less and less, as the others
        choices = [x for x in choices if x is None] + numbers
    shown = _ENDS.get(name, {})
    options = [(shown.get(x, "off" if x is None else f"{x:g}"), x) for x in choices]
    index = list(choices).index(value)
    return ipywidgets.SelectionSlider(options=options, index=index, description=words, **_WIDE)


def _button(name: str, action: Any) -> ipywidgets.Button:
    import ipywidgets

    button = ipywidgets.Button(description=name)
    button.on_click(lambda _: action())
    return button


def _page(prompt: str, text: str) -> str:
    """A prompt and what follows, as text: nothing in it is HTML."""
    return (
        f"<pre style='white-space:pre-wrap;overflow-wrap:anywhere;margin:0'><b>{escape(prompt)}</b>"
        f"{escape(text)}</pre>"
    )
