"""The chat template of a model, in its folder, as transformers reads it there too."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

from minigpt.data.whole_file import write_whole
from minigpt.finetuning.chat_template import ChatTemplate

FILE = "chat_template.jinja"
# What ChatTemplate.text does, in the language of transformers' templates (Jinja). Its first line
# holds the settings for us, as a comment.
JINJA = """\
{{#- minigpt: {settings} -#}}
{{%- set names = {{{names}}} -%}}
{{%- for message in messages -%}}
{{{{ {before} }}}}
{{%- for line in (message['content'] | trim).split('\\n') if line | trim -%}}
{{{{ line if loop.first else '\\n' + line }}}}
{{%- endfor -%}}
{{{{ {after} }}}}
{{%- endfor -%}}
{{%- if add_generation_prompt -%}}
{{%- set message = {{'role': 'assistant'}} -%}}
{{{{ {before} }}}}
{{%- endif -%}}
"""
SETTINGS = re.compile(r"\{#- minigpt: (.*) -#\}")


def save_template(template: ChatTemplate, folder: str | Path) -> None:
    """Put a template beside a model, so that it can be talked with.

    Raises:
        FileNotFoundError: no such folder.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    start, end = template.before.split("{name}", 1)
    roles = ("system", "user", "assistant")
    names = ", ".join(f"{_quoted(role)}: {_quoted(getattr(template, role))}" for role in roles)
    text = JINJA.format(
        settings=json.dumps(asdict(template)).replace("#}", "#\\u007d"),
        names=names,
        before=f"{_quoted(start)} + names[message['role']] + {_quoted(end)}",
        after=_quoted(template.after),
    )
    write_whole(Path(folder) / FILE, text.encode())


def load_template(folder: str | Path) -> ChatTemplate:
    """The template of a model's folder.

    Raises:
        FileNotFoundError: the folder has none: its model continues texts, and was not taught to
            answer.
        ValueError: one that another program wrote.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    path = Path(folder) / FILE
    if not path.is_file():
        raise FileNotFoundError(
            f"the model in {folder} has no chat template ({FILE}): it continues texts, and was "
            "not taught to answer. minigpt finetune teaches that"
        )
    if (found := SETTINGS.match(path.read_text("utf-8"))) is None:
        raise ValueError(
            f"{path} was not written by minigpt, and templates of others (Jinja) are not computed "
            "here: give names and marks yourself, as ChatTemplate(...)"
        )
    return ChatTemplate(**json.loads(found[1]))


def _quoted(value: object) -> str:
    """As Jinja reads it: like JSON, and nothing in it ends the expression early."""
    return json.dumps(value).replace("}", "\\u007d").replace("%", "\\u0025")
