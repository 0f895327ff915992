"""Our sizes and weights in the words of transformers' ``GPT2LMHeadModel``, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from minigpt.data.numbers import is_number, is_whole
from minigpt.exchange.plain_weights import plain_weights
from minigpt.model import GPT, GPTConfig

# Our names and GPT-2's.
NAMES = {
    "token_embedding": "transformer.wte",
    "position_embedding": "transformer.wpe",
    "blocks": "transformer.h",
    "norm_1": "ln_1",
    "attention.qkv": "attn.c_attn",
    "attention.projection": "attn.c_proj",
    "norm_2": "ln_2",
    "mlp.up": "mlp.c_fc",
    "mlp.down": "mlp.c_proj",
    "final_norm": "transformer.ln_f",
}
TRANSPOSED = re.compile(r"\.(c_attn|c_proj|c_fc)\.weight$")  # GPT-2 stores these as (in, out)
# What training's wrappers put before names: torch.compile, DistributedDataParallel, FSDP, others.
WRAPPERS = re.compile(
    r"(^|(?<=\.))(_orig_mod|module|model|_fsdp_wrapped_module|_checkpoint_wrapped_module)\."
)
MASK = re.compile(r"\.attn\.(bias|masked_bias)$")  # early files hold the causal mask as well

SIZES = {
    "vocab_size": "vocab_size",
    "context_length": "n_positions",
    "n_layer": "n_layer",
    "n_head": "n_head",
    "n_embd": "n_embd",
}
# Other names of the sizes: those that transformers reads too, and that of the first files.
ALSO = {
    "n_positions": ("max_position_embeddings", "n_ctx"),
    "n_layer": ("num_hidden_layers",),
    "n_head": ("num_attention_heads",),
    "n_embd": ("hidden_size",),
}
DROPOUTS = ("resid_pdrop", "embd_pdrop", "attn_pdrop")
# What else GPT-2's settings may say for our model to compute the same; absent means the first.
SETTINGS: dict[str, tuple] = {
    "model_type": ("gpt2",),
    "activation_function": ("gelu_new", "gelu_pytorch_tanh", "gelu_fast"),
    "layer_norm_epsilon": (1e-5,),
    "scale_attn_weights": (True,),
    "scale_attn_by_inverse_layer_idx": (False,),
    "add_cross_attention": (False,),
}


def gpt2_settings(config: GPTConfig) -> dict[str, Any]:
    """What GPT-2's config.json says of these sizes.

    Derived in https://minigpt-book.github.io/minigpt/model.html
    """
    return (
        {"architectures": ["GPT2LMHeadModel"]}
        | {name: values[0] for name, values in SETTINGS.items()}
        | {theirs: getattr(config, ours) for ours, theirs in SIZES.items()}
        | dict.fromkeys(DROPOUTS, config.dropout)
        | {"bias": config.bias, "tie_word_embeddings": config.tied}
    )


def config_from_gpt2(settings: Mapping[str, Any]) -> GPTConfig:
    """The sizes that a config.json of GPT-2 gives.

    Raises:
        ValueError: it lacks a size, or asks for something that our model does not compute.

    Derived in https://minigpt-book.github.io/minigpt/model.html
    """
    architectures = settings.get("architectures")
    kind = architectures[0] if isinstance(architectures, list) and architectures else "GPT2"
    for name, values in SETTINGS.items():
        if settings.get(name, values[0]) not in values:
            of = f" (of a {kind})" if not str(kind).startswith("GPT2") else ""
            raise ValueError(
                f"{name} is {settings[name]!r:.60}{of}; this GPT computes {values[0]!r} only"
            )
    if not str(kind).startswith("GPT2"):
        raise ValueError(f"this is a {kind!s:.60}, by its architectures; only a GPT2 can be opened")
    sizes = {ours: _size(settings, theirs) for ours, theirs in SIZES.items()}
    switches = {"bias": "bias", "tied": "tie_word_embeddings"}
    for name in switches.values():
        if not isinstance(settings.get(name, True), bool):
            raise ValueError(f"{name} is {settings[name]!r:.60}; it must be true or false")
    dropouts = [settings.get(name, 0.1) for name in DROPOUTS]  # 0.1: transformers' own default
    if dropouts != [dropouts[0]] * len(dropouts):
        raise ValueError(
            f"{', '.join(DROPOUTS)} are {', '.join(map(repr, dropouts))}; this GPT has one "
            "dropout: make them equal"
        )
    if not is_number(dropouts[0]) or not 0 <= dropouts[0] < 1:
        raise ValueError(
            f"{DROPOUTS[0]} is {dropouts[0]!r:.60}; it must be a number from 0 up to, but not "
            "including, 1, such as 0.1"
        )
    config = GPTConfig(
        **sizes,
        dropout=dropouts[0],
        **{ours: settings.get(theirs, True) for ours, theirs in switches.items()},
    )
    if settings.get("n_inner") not in (None, 4 * config.n_embd):
        raise ValueError(
            f"n_inner is {settings['n_inner']!r:.60}; this GPT's MLP is 4 n_embd wide, "
            f"{4 * config.n_embd}"
        )
    return config


def _size(settings: Mapping[str, Any], name: str) -> int:
    given = next((also for also in (name, *ALSO.get(name, ())) if also in settings), None)
    if given is None:
        raise ValueError(f"{name} is missing; GPT-2's config.json gives it")
    if not is_whole(settings[given], 1):
        raise ValueError(
            f"{given} is {settings[given]!r:.60}; it must be a whole number of at least 1"
        )
    return settings[given]


def gpt2_name(name: str) -> str:
    """GPT-2's name of a parameter of ours: ``blocks.0.mlp.up.bias`` is
    ``transformer.h.0.mlp.c_fc.bias``.

    Derived in https://minigpt-book.github.io/minigpt/model.html
    """
    for ours, theirs in NAMES.items():
        name = re.sub(rf"(^|(?<=\.)){re.escape(ours)}(?=\.)", theirs, name)
    return name


def gpt2_weights(model: GPT) -> dict[str, Tensor]:
    """The weights by GPT-2's names and in its layout, for ``load_state_dict`` or a file.

    Matrices are transposed, a model without biases gets zeros, and a tied head is left out. An
    adapter that is on is merged in.

    Raises:
        ValueError: `config.tied` does not say what is so.

    Derived in https://minigpt-book.github.io/minigpt/model.html
    """
    if model.config.tied != (model.lm_head.weight is model.token_embedding.weight):
        raise ValueError(
            f"config.tied is {model.config.tied}, but lm_head.weight is "
            f"{'a tensor of its own' if model.config.tied else 'the token table'}: share or copy "
            "the table as the config says"
        )
    weights = {}
    for name, tensor in plain_weights(model).items():
        theirs = gpt2_name(name)
        weights[theirs] = (tensor.T if TRANSPOSED.search(theirs) else tensor).contiguous()
        if not model.config.bias and name.startswith(("blocks", "final_norm")):
            weights[theirs.replace(".weight", ".bias")] = torch.zeros(len(tensor)).to(tensor)
    return weights


def our_layout(name: str, tensor: Tensor) -> tuple[str, Tensor] | None:
    """A stored tensor, not transposed, by its name with the one prefix that GPT-2's own files lack.

    None for the causal mask, which early files hold and which is no weight.

    Derived in https://minigpt-book.github.io/minigpt/model.html
    """
    name = WRAPPERS.sub("", name)
    if MASK.search(name):
        return None
    if not name.startswith("lm_head"):
        name = "transformer." + name.removeprefix("transformer.")
    transposed = TRANSPOSED.search(name) and tensor.dim() == 2  # else a damaged file, not warned of
    return name, tensor.T if transposed else tensor
