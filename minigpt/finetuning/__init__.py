"""From a model that continues a text to one that answers."""

from minigpt.finetuning.chat_template import ChatTemplate
from minigpt.finetuning.examples import Examples
from minigpt.finetuning.packed_rows import PackedRows
from minigpt.finetuning.replay import Replay

__all__ = ["ChatTemplate", "Examples", "PackedRows", "Replay"]
