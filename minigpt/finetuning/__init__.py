"""From a model that continues a text to one that answers."""

from minigpt.finetuning.adapter_folder import load_adapter, save_adapter
from minigpt.finetuning.classifier import Classifier, class_loss
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
from minigpt.finetuning.parts import train_only

__all__ = [
    "Classifier",
    "LoRAConfig",
    "active_adapter",
    "adapters",
    "add_adapter",
    "class_loss",
    "delete_adapter",
    "load_adapter",
    "merge_adapter",
    "merge_and_unload",
    "save_adapter",
    "set_adapter",
    "train_only",
    "trained_numbers",
    "tuning_bytes",
    "unmerge_adapter",
]
