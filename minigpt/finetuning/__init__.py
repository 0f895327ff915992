"""From a model that continues a text to one that answers."""

from minigpt.finetuning.answering import answer
from minigpt.finetuning.chat_template import ChatTemplate
from minigpt.finetuning.examples import Examples
from minigpt.finetuning.packed_rows import PackedRows
from minigpt.finetuning.replay import Replay
from minigpt.finetuning.template_file import load_template, save_template

__all__ = [
    "ChatTemplate",
    "Examples",
    "PackedRows",
    "Replay",
    "answer",
    "load_template",
    "save_template",
]
