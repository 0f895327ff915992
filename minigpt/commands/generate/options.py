"""What `minigpt generate` can be told."""

from __future__ import annotations

import click

from minigpt.commands.command import (
    MODELS,
    Command,
    Name,
    Option,
    Whole,
    device_option,
    threads_option,
)
from minigpt.commands.sampling_options import sampling_options, seed_option

HELP = r"""
Continue a text with a model.

The model is one that comes with the package, GPT-2, or one in a folder, such as minigpt train
and transformers write. The text appears as it is written; Ctrl-C stops.
"""
PROMPT = r"""
What to continue. Without one, or with -, it is standard input, if that is no terminal; if that is
empty too, or PROMPT is "", a new speech begins after an empty line (after a space, where the model
knows no line break). Here, in --prompt and in --stop, \n is a line break, \t a tab and \\ a
backslash; a file or standard input holds UTF-8, with line breaks of its own.
"""
EXAMPLES = """
minigpt generate "HAMLET:"
minigpt generate "HAMLET:" --tokens 300 --temperature 0.8 --top-p 0.95 --seed 7
minigpt generate "First Citizen:" --temperature 0 --stop "\\n\\n"
minigpt generate --model runs/first < beginning.txt
minigpt generate "To be" --samples 3 --json
minigpt generate --model gpt2 --interactive
"""
TEXT, MODEL, CHOICE, OUTPUT = "Text", "Model", "How tokens are chosen", "Output"
DTYPES = ("float32", "bfloat16", "float16", "float64")

command = Command(
    "generate",
    help=HELP,
    examples=EXAMPLES,
    params=[
        click.Argument(["prompt_argument"], metavar="[PROMPT]", nargs=-1, help=PROMPT.strip()),
        Option(["--prompt"], metavar="TEXT", section=TEXT, help="The same as PROMPT."),
        Option(
            ["--prompt-file"],
            type=Name(files=True),
            metavar="FILE",
            section=TEXT,
            help="Continue what a UTF-8 file holds; - is standard input.",
        ),
        Option(
            ["--tokens"],
            type=Whole(1),
            default=200,
            show_default=True,
            metavar="N",
            section=TEXT,
            field="max_new_tokens",
            help="The most to add.",
        ),
        Option(
            ["--stop"],
            multiple=True,
            metavar="TEXT",
            section=TEXT,
            help="End before this text. May be given several times.",
        ),
        Option(
            ["--samples"],
            type=Whole(min=1),
            default=1,
            show_default=True,
            metavar="N",
            section=TEXT,
            help="Texts to write, one after the other: with this seed, the next one, and so on.",
        ),
        seed_option(TEXT, "The same seed writes the same text."),
        Option(
            ["--model"],
            type=Name(*MODELS),
            default="shakespeare",
            show_default=True,
            metavar="NAME",
            section=MODEL,
            help="shakespeare or play-finder (come with the package), the folder of a model, gpt2, "
            "gpt2-medium, gpt2-large or gpt2-xl, or hf:OWNER/NAME, a GPT-2 on the Hugging Face "
            "hub.",
        ),
        device_option(MODEL),
        Option(
            ["--dtype"],
            type=click.Choice(DTYPES),
            default="float32",
            show_default=True,
            section=MODEL,
            help="What the model computes in.",
        ),
        threads_option(MODEL),
        *sampling_options(CHOICE),
        Option(
            ["-i", "--interactive"],
            is_flag=True,
            section=OUTPUT,
            help="Ask for one beginning after the other; an empty line goes on with the last text. "
            "A seed is that of the whole session. Lines may come through a pipe, too.",
        ),
        Option(
            ["--json"],
            is_flag=True,
            section=OUTPUT,
            help="One JSON object a line and text: prompt, text, its tokens (those of a stop text "
            "too) with their log-probabilities as of --logprobs, what ended it, seed, tokens per "
            "second.",
        ),
        Option(
            ["--logprobs"],
            is_flag=True,
            section=OUTPUT,
            help="After the text, every token, those of a stop text too, with the natural "
            "logarithm of the probability that the model itself gave it, before --temperature and "
            "the other choices.",
        ),
        Option(
            ["--stats"],
            is_flag=True,
            section=OUTPUT,
            help="Say at the end, on standard error, how many tokens there were and how fast.",
        ),
    ],
)
