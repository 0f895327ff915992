"""From a model that continues a text to one that answers."""

from minigpt.finetuning.adapter_folder import load_adapter, save_adapter
from minigpt.finetuning.answer_tensors import answer_tensors, answered
from minigpt.finetuning.answering import answer
from minigpt.finetuning.chat_template import ChatTemplate
from minigpt.finetuning.classifier import Classifier, class_loss
from minigpt.finetuning.examples import Examples
from minigpt.finetuning.groups import Groups, rewards_of, sample_groups
from minigpt.finetuning.ledger import trained_numbers, tuning_bytes
from minigpt.finetuning.logprobs import reference_logprobs, sequence_logprobs, token_logprobs
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
from minigpt.finetuning.passing import pass_at_k
from minigpt.finetuning.policy_gradient import group_advantages, policy_gradient_loss
from minigpt.finetuning.practice import Practice
from minigpt.finetuning.preferences import Preferences, dpo_loss
from minigpt.finetuning.rejection import Kept, keep_accepted
from minigpt.finetuning.replay import Replay
from minigpt.finetuning.rewards import exact_match, shuffled
from minigpt.finetuning.template_file import load_template, save_template

__all__ = [
    "ChatTemplate",
    "Classifier",
    "Examples",
    "Groups",
    "Kept",
    "LoRAConfig",
    "PackedRows",
    "Practice",
    "Preferences",
    "Replay",
    "active_adapter",
    "adapters",
    "add_adapter",
    "answer",
    "answer_tensors",
    "answered",
    "class_loss",
    "delete_adapter",
    "dpo_loss",
    "exact_match",
    "group_advantages",
    "keep_accepted",
    "load_adapter",
    "load_template",
    "merge_adapter",
    "merge_and_unload",
    "pass_at_k",
    "policy_gradient_loss",
    "reference_logprobs",
    "rewards_of",
    "sample_groups",
    "save_adapter",
    "save_template",
    "sequence_logprobs",
    "set_adapter",
    "shuffled",
    "token_logprobs",
    "train_only",
    "trained_numbers",
    "tuning_bytes",
    "unmerge_adapter",
]
