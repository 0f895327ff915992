"""From a model that continues a text to one that answers."""

from minigpt.finetuning.adapter_folder import load_adapter, save_adapter
from minigpt.finetuning.answering import answer
from minigpt.finetuning.chat_template import ChatTemplate
from minigpt.finetuning.classifier import Classifier, class_loss
from minigpt.finetuning.examples import Examples
from minigpt.finetuning.ledger import trained_numbers, tuning_bytes
from minigpt.finetuning.lora import (
    active_adapter,
    adapters,
    add_adapter,
    delete_adapter,
    merge_adapter,
    merge_and_unload,
    set_adapter,
    unmerge_adapter,
)
from minigpt.finetuning.lora_linear import LoRAConfig
from minigpt.finetuning.packed_rows import PackedRows
from minigpt.finetuning.parts import train_only
from minigpt.finetuning.replay import Replay
from minigpt.finetuning.template_file import load_template, save_template

__all__ = [
    "ChatTemplate",
    "Classifier",
    "Examples",
    "LoRAConfig",
    "PackedRows",
    "Replay",
    "active_adapter",
    "adapters",
    "add_adapter",
    "answer",
    "class_loss",
    "delete_adapter",
    "load_adapter",
    "load_template",
    "merge_adapter",
    "merge_and_unload",
    "save_adapter",
    "save_template",
    "set_adapter",
    "train_only",
    "trained_numbers",
    "tuning_bytes",
    "unmerge_adapter",
]
