"""From a model that continues a text to one that answers."""

from minigpt.finetuning.answer_tensors import answer_tensors, answered
from minigpt.finetuning.groups import Groups, rewards_of, sample_groups
from minigpt.finetuning.logprobs import reference_logprobs, sequence_logprobs, token_logprobs
from minigpt.finetuning.passing import pass_at_k
from minigpt.finetuning.policy_gradient import group_advantages, policy_gradient_loss
from minigpt.finetuning.practice import Practice
from minigpt.finetuning.preferences import Preferences, dpo_loss
from minigpt.finetuning.rejection import Kept, keep_accepted
from minigpt.finetuning.rewards import exact_match, shuffled

__all__ = [
    "Groups",
    "Kept",
    "Practice",
    "Preferences",
    "answer_tensors",
    "answered",
    "dpo_loss",
    "exact_match",
    "group_advantages",
    "keep_accepted",
    "pass_at_k",
    "policy_gradient_loss",
    "reference_logprobs",
    "rewards_of",
    "sample_groups",
    "sequence_logprobs",
    "shuffled",
    "token_logprobs",
]
