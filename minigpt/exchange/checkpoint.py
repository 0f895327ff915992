"""A model in a folder: weights, sizes and tokenizer, in the form that transformers reads as GPT-2.

``config.json`` holds the sizes and ``model.safetensors`` the weights, both by the names of
transformers' ``GPT2LMHeadModel``; the tokenizer is in ``tokenizer.json``. So `load` also opens
what transformers saved. Nothing here is a pickle, which could run code.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors.torch import save as to_bytes
from torch import Tensor

from minigpt.data.whole_file import read_json, write_whole
from minigpt.exchange.gpt2_format import (
    config_from_gpt2,
    gpt2_name,
    gpt2_settings,
    gpt2_weights,
)
from minigpt.exchange.weight_files import stored_tensors, weight_files
from minigpt.model import GPT, GPTConfig
from minigpt.model.ledger import parameter_count
from minigpt.tokenizer import BPETokenizer, CharTokenizer

END = "<|endoftext|>"
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def save(
    model: GPT,
    folder: str | Path,
    tokenizer: BPETokenizer | CharTokenizer | None = None,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write a model into a folder that `load` and transformers open.

    Whenever it is interrupted, the folder holds the old weights or the new ones, whole: sizes and
    tokenizer do not change once they are there, and the weights are replaced in one step.

    Args:
        model: a model without biases is written with biases of 0, which compute the same.
        folder: made if it is not there; the folder above it must be.
        tokenizer: the model's own, if it should travel with it.
        dtype: how the weights are stored; float16 halves the file.

    Raises:
        ValueError: a tokenizer with more tokens than the model has rows; weights that are not
            finite, or not as `dtype`; a dtype that is not in `DTYPES`.
        FileExistsError: the folder holds other sizes, another tokenizer or another dtype.
        FileNotFoundError: there is no folder to make it in.

    Derived in https://minigpt-book.github.io/minigpt/model.html
    """
    folder = Path(folder)
    if not folder.parent.is_dir():
        raise FileNotFoundError(
            f"no folder {folder.parent} to make {folder.name} in: make it first"
        )
    _check_dtype(dtype)
    weights = {name: tensor.to(dtype) for name, tensor in gpt2_weights(model).items()}
    for name, tensor in weights.items():
        if not tensor.isfinite().all():
            raise ValueError(
                f"{name} would hold numbers that are not finite as {dtype}: has training diverged, "
                "or does it need float32?"
            )
    end = getattr(tokenizer, "special_tokens", {}).get(END)
    settings = gpt2_settings(model.config) | {"dtype": str(dtype).removeprefix("torch.")}
    files = {"config.json": _json(settings | {"bos_token_id": end, "eos_token_id": end})}
    if tokenizer is not None:
        files |= _tokenizer_files(tokenizer, model.config.vocab_size)
    for name, contents in files.items():
        path = folder / name
        if path.exists() and path.read_bytes() != contents:
            raise FileExistsError(
                f"{folder} holds another model, whose {name} differs: save with the same sizes, "
                "dtype and tokenizer as before, or choose another folder"
            )
    folder.mkdir(exist_ok=True)
    for name, contents in files.items():
        write_whole(folder / name, contents)
    write_whole(folder / "model.safetensors", to_bytes(weights, {"format": "pt"}))


def load(folder: str | Path, dtype: torch.dtype = torch.float32) -> GPT:
    """The model that `save`, or transformers' ``GPT2LMHeadModel``, wrote into a folder, in
    evaluation mode.

    Args:
        folder: with config.json and model.safetensors (or its parts and their index).
        dtype: what the weights become, however they are stored.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a file that is cut short or of another kind; settings that our model does not
            compute; a tensor that is missing, not expected, of another shape or kind, or not
            finite as `dtype`, by its name; a dtype that is not in `DTYPES`.

    Derived in https://minigpt-book.github.io/minigpt/model.html
    """
    folder = Path(folder)
    _check_dtype(dtype)
    config = _config(folder / "config.json")
    _check_size(config, files := weight_files(folder))
    model = GPT(config, torch.Generator()).to(dtype).eval()
    parameters = dict(model.named_parameters())
    wanted = {gpt2_name(name): name for name in parameters}
    found, head = set(), None
    for name, stored, file in stored_tensors(files):
        if name == "lm_head.weight" and model.config.tied:
            head = stored.to(dtype)  # the token table once more, if the file keeps to its config
            continue
        if name in wanted:
            parameter = parameters[wanted[name]]
            _check_tensor(stored, parameter, f"{name} ({wanted[name]}) in {file}")
            with torch.no_grad():
                parameter.copy_(stored)
            if not parameter.isfinite().all():
                raise ValueError(f"{name} in {file} holds numbers that are not finite as {dtype}")
            found.add(name)
        elif model.config.bias or not name.endswith(".bias") or stored.any():
            raise ValueError(
                f"{file} holds {name}, {tuple(stored.shape)}, which a GPT of the sizes in "
                "config.json does not have: do the two files belong together?"
            )
    if missing := wanted.keys() - found:
        raise ValueError(
            f"{folder} lacks {len(missing)} of {len(wanted)} tensors, among them {min(missing)} "
            f"({wanted[min(missing)]}): was the file cut short, or the model another?"
        )
    if head is not None and not torch.equal(head, model.lm_head.weight):
        raise ValueError(
            f"lm_head.weight in {folder} is not the token table, transformer.wte.weight, although "
            "config.json ties them: set tie_word_embeddings to false there"
        )
    return model


def _check_tensor(stored: Tensor, parameter: Tensor, what: str) -> None:
    if stored.shape != parameter.shape:
        raise ValueError(
            f"{what} is {tuple(stored.shape)}; with the sizes in config.json it is "
            f"{tuple(parameter.shape)}: do the two files belong together?"
        )
    if not stored.is_floating_point():
        raise ValueError(
            f"{what} holds {stored.dtype}, no floating-point numbers: load a model that is not "
            "quantised"
        )


def _check_dtype(dtype: torch.dtype) -> None:
    if dtype not in DTYPES:
        raise ValueError(f"dtype is {dtype}; weights are {', '.join(map(str, DTYPES))}")


def _check_size(config: GPTConfig, files: list[Path]) -> None:
    """No number takes less than a byte, so a config that asks for more is of another model."""
    size, count = sum(path.stat().st_size for path in files), parameter_count(config)
    if count > size:
        raise ValueError(
            f"{files[0]} is no whole safetensors file of the sizes in config.json: they ask for "
            f"{count:,} numbers, and there are {size:,} bytes. Is it cut short, or do the two not "
            "belong together?"
        )


def _config(path: Path) -> GPTConfig:
    settings = read_json(path)
    try:
        return config_from_gpt2(settings if isinstance(settings, dict) else {})
    except ValueError as error:
        raise ValueError(f"{path} is not the config.json of such a model: {error}") from None


def _tokenizer_files(tokenizer: BPETokenizer | CharTokenizer, vocab_size: int) -> dict[str, bytes]:
    """The tokenizer, and what makes transformers read it as it is."""
    if tokenizer.vocab_size > vocab_size:
        raise ValueError(
            f"the tokenizer has {tokenizer.vocab_size} tokens and the model rows for {vocab_size} "
            "(vocab_size): save the tokenizer that the model was made for"
        )
    with TemporaryDirectory() as folder:
        tokenizer.save(Path(folder) / "tokenizer.json")
        contents = (Path(folder) / "tokenizer.json").read_bytes()
    settings: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast"}
    if END in getattr(tokenizer, "special_tokens", {}):
        settings |= {"bos_token": END, "eos_token": END}
    return {"tokenizer.json": contents, "tokenizer_config.json": _json(settings)}


def _json(contents: dict[str, Any]) -> bytes:
    return (json.dumps(contents, indent=2) + "\n").encode()
