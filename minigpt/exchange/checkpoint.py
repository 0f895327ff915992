"""A model in a folder: weights, sizes and tokenizer, in the form that transformers reads as GPT-2.

``config.json`` holds the sizes and ``model.safetensors`` the weights, both by the names of
transformers' ``GPT2LMHeadModel``; the tokenizer is in ``tokenizer.json``. So `load` also opens
what transformers saved. Nothing here is a pickle, which could run code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from minigpt.data.whole_file import read_json, write_whole
from minigpt.exchange.digests import HEADS, SHA256, check_heads, file_digest, with_digests
from minigpt.exchange.gpt2_format import (
    config_from_gpt2,
    gpt2_name,
    gpt2_settings,
    gpt2_weights,
    our_layout,
)
from minigpt.exchange.weight_checks import cause, check_same, check_size, check_tensor
from minigpt.exchange.weight_files import instead_of, metadata, stored_tensors, weight_files
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import BPETokenizer, CharTokenizer, open_tokenizer

END = "<|endoftext|>"
TOKENIZER = "tokenizer.json"
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def save(
    model: GPT,
    folder: str | Path,
    tokenizer: BPETokenizer | CharTokenizer | None = None,
    dtype: torch.dtype = torch.float32,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a model into a folder that `load` and transformers open.

    Whenever it is interrupted, the folder holds the old weights or the new ones, whole: sizes and
    tokenizer do not change once they are there, and the weights are replaced in one step.

    Args:
        model: a model without biases is written with biases of 0, which compute the same; one
            with an adapter on as the model that this makes of it, merged.
        folder: made if it is not there; the folder above it must be.
        tokenizer: the model's own, if it should travel with it.
        dtype: how the weights are stored; float16 halves the file.
        metadata: what else the file of the weights should say of itself.

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
    said = {"format": "pt", HEADS: str(model.config.n_head)} | (metadata or {})
    if tokenizer is not None:
        said[SHA256 + TOKENIZER] = file_digest(files[TOKENIZER])
    write_whole(folder / "model.safetensors", with_digests(weights, said))


def load(folder: str | Path, dtype: torch.dtype = torch.float32) -> GPT:
    """The model that `save`, or transformers' ``GPT2LMHeadModel``, wrote into a folder, in
    evaluation mode.

    Args:
        folder: with config.json and model.safetensors (or its parts and their index); or a file
            of weights beside config.json.
        dtype: what the weights become, however they are stored.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a file that is cut short or of another kind; settings that our model does not
            compute; a tensor that is missing, not expected, of another shape or kind, or not
            finite as `dtype`, by its name in the file; a tensor, number of heads or tokenizer
            that is not what `save` wrote; a dtype that is not in `DTYPES`.

    Derived in https://minigpt-book.github.io/minigpt/model.html
    """
    path, folder = Path(folder), Path(folder)
    if path.suffix in (".safetensors", ".json") and path.is_file():
        folder = path.parent
    _check_dtype(dtype)
    config = read_config(folder)
    files = [path] if path.suffix == ".safetensors" and path != folder else weight_files(folder)
    check_size(config, files)
    model = GPT(config, torch.Generator()).to(dtype).eval()
    parameters = {gpt2_name(name): (name, p) for name, p in model.named_parameters()}
    found: dict[str, str] = {}  # names of ours, and those that stood in the files
    for stored, tensor, file in stored_tensors(files):
        if (known := our_layout(stored, tensor)) is None:
            continue
        name, tensor = known
        if config.tied and name == "lm_head.weight":  # the token table, or that once more
            name = gpt2_name("token_embedding.weight")
        if name in parameters:
            ours, parameter = parameters[name]
            check_tensor(tensor, parameter, f"{stored} ({ours}) in {file}")
            if name in found:
                check_same(tensor.to(dtype), parameter, (found[name], stored), file)
            with torch.no_grad():
                parameter.copy_(tensor)
            if not parameter.isfinite().all():
                raise ValueError(f"{stored} in {file} holds numbers that are not finite as {dtype}")
            found[name] = stored
        elif config.bias or not name.endswith(".bias") or tensor.any():
            raise ValueError(
                f"{file} holds {stored}, {tuple(tensor.shape)}, which a GPT of the sizes in "
                f"config.json does not have: {cause(stored)}"
            )
    if missing := parameters.keys() - found.keys():
        raise ValueError(
            f"{folder} lacks {len(missing)} of {len(parameters)} tensors, among them "
            f"{min(missing)} ({parameters[min(missing)][0]}): was the file cut short, or the model "
            "another?"
        )
    said = metadata(files[0])
    check_heads(config, said, files[0])
    _check_tokenizer(folder / TOKENIZER, said)
    return model


def _check_tokenizer(path: Path, said: Mapping[str, str]) -> None:
    """Another tokenizer gives other tokens the weights' rows. A file that only looks otherwise, as
    transformers writes it, is fine."""
    digest = said.get(SHA256 + path.name)
    if digest is None or not path.is_file() or file_digest(path.read_bytes()) == digest:
        return
    if file_digest(tokenizer_bytes(open_tokenizer(path))) != digest:
        raise ValueError(
            f"{path} is not the tokenizer that the weights were saved with: put that back; or, if "
            "it is meant, take it out, load the model, and save both to another folder"
        )


def _check_dtype(dtype: torch.dtype) -> None:
    if dtype not in DTYPES:
        raise ValueError(f"dtype is {dtype}; weights are {', '.join(map(str, DTYPES))}")


def read_config(folder: Path) -> GPTConfig:
    """The sizes of the model in a folder.

    Raises:
        FileNotFoundError, ValueError: as `load`.

    Used in https://minigpt-book.github.io/minigpt/model.html
    """
    path = folder / "config.json"
    if not path.is_file():
        if not folder.exists():
            raise FileNotFoundError(f"no folder {folder}: check the name")
        raise FileNotFoundError(f"{folder} holds no model: no config.json{instead_of(folder)}")
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
    settings: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast"}
    if END in getattr(tokenizer, "special_tokens", {}):
        settings |= {"bos_token": END, "eos_token": END}
    return {
        TOKENIZER: tokenizer_bytes(tokenizer),
        "tokenizer_config.json": _json(settings),
    }


def tokenizer_bytes(tokenizer: BPETokenizer | CharTokenizer) -> bytes:
    """The tokenizer.json that a tokenizer saves: the same for equal ones.

    Used in https://minigpt-book.github.io/minigpt/model.html
    """
    with TemporaryDirectory() as folder:
        tokenizer.save(Path(folder) / TOKENIZER)
        return (Path(folder) / TOKENIZER).read_bytes()


def _json(contents: dict[str, Any]) -> bytes:
    return (json.dumps(contents, indent=2) + "\n").encode()
