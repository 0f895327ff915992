"""An adapter in the words of peft, on a model in the words of transformers, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minigpt.data.numbers import is_number, is_whole
from minigpt.exchange.gpt2_format import gpt2_name
from minigpt.finetuning.lora_linear import LoRAConfig

PREFIX = "base_model.model."  # peft's wrapper and its tuner, which stand before every name
MATRICES = {".lora_A.weight": "A", ".lora_B.weight": "B"}

# Settings that say nothing of what is computed, or what the tensors and our own checks say.
FREE = {
    "alora_invocation_string",
    "auto_mapping",
    "base_model_name_or_path",
    "corda_config",  # these three: of how A and B started
    "eva_config",
    "exclude_modules",
    "fan_in_fan_out",  # of the base's matrices, not of A and B
    "inference_mode",
    "init_lora_weights",
    "layers_pattern",
    "layers_to_transform",
    "lora_alpha",
    "lora_dropout",
    "lora_ga_config",
    "megatron_core",
    "peft_type",
    "peft_version",
    "qalora_group_size",
    "r",
    "revision",
    "runtime_config",
    "target_modules",
    "task_type",
}
# Starts that leave the base as it is; others take from its matrices what they give A and B.
STARTS = (True, False, "gaussian", "orthogonal", "eva")
NOTHING = (None, False, "none", "", {}, [])


def peft_settings(config: LoRAConfig, target_modules: list[str]) -> dict[str, Any]:
    """What adapter_config.json says of an adapter on ``GPT2LMHeadModel``.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": None,
        "inference_mode": True,
        "r": config.rank,
        "lora_alpha": config.alpha,
        "lora_dropout": config.dropout,
        "target_modules": target_modules,
        "fan_in_fan_out": True,  # GPT-2's matrices are stored as (in, out)
        "bias": "none",
        "init_lora_weights": True,
        "modules_to_save": None,
        "rank_pattern": {},
        "alpha_pattern": {},
        "use_rslora": False,
        "use_dora": False,
    }


def config_from_peft(settings: Mapping[str, Any], targets: list[str]) -> LoRAConfig:
    """The adapter's sizes by an adapter_config.json.

    Args:
        settings: what the file holds.
        targets: the layers that it has tensors for; target_modules may be a pattern.

    Raises:
        ValueError: it lacks a size, or asks for something that our adapters do not compute.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    kind = settings.get("peft_type")
    if kind != "LORA":
        raise ValueError(f"peft_type is {kind!r:.60}; only LORA can be opened")
    for name, value in settings.items():
        if name not in FREE and value not in NOTHING:
            raise ValueError(
                f"{name} is {value!r:.60}, which asks for more than W x + (alpha / r) B A x: train "
                f"the adapter without it, or merge it by peft's merge_and_unload and load the model"
            )
    start = settings.get("init_lora_weights", True)
    if start not in STARTS:
        raise ValueError(
            f"init_lora_weights is {start!r:.60}, which changes the model's own matrices too: save "
            "the adapter by peft with path_initial_model_for_weight_conversion"
        )
    rank, alpha = settings.get("r"), settings.get("lora_alpha")
    if not is_whole(rank, 1):
        raise ValueError(f"r is {rank!r:.60}; it must be a whole number of at least 1")
    if not is_number(alpha):
        raise ValueError(f"lora_alpha is {alpha!r:.60}; it must be a number, such as twice r")
    return LoRAConfig(rank, alpha, tuple(targets), settings.get("lora_dropout", 0.0))


def gpt2_layer(name: str) -> str:
    """GPT-2's name of a layer of ours: ``blocks.0.mlp.up`` is ``transformer.h.0.mlp.c_fc``.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    return gpt2_name(f"{name}.weight").removesuffix(".weight")


def our_layers(layers: list[str]) -> dict[str, str]:
    """Ours for every name by which a file may call a layer: GPT-2's, with or without its head
    model's prefix, or our own, where peft trained our GPT as it is.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    names = {gpt2_layer(name): name for name in layers}
    bare = {theirs.removeprefix("transformer."): ours for theirs, ours in names.items()}
    return names | bare | {name: name for name in layers}
