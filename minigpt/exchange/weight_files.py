"""The files that hold a model's weights, and the tensors in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from minigpt.data.whole_file import read_json
from minigpt.exchange.digests import check_digest

PICKLE = "is a pickle, which could run code: where you trust it, "
# What may be there in place of a model's folder or file, and what to do with it.
OTHERS = {
    "adapter_config.json": "is a LoRA adapter's: load the model that it is for, and "
    "minigpt.finetuning.load_adapter puts it on",
    "snapshots": "shows the hub's cache: give the folder in it, whose name is a commit",
    "pytorch_model*.bin": PICKLE + "transformers' AutoModelForCausalLM.from_pretrained opens the "
    "folder, and save_pretrained writes it in safetensors",
    "*.pt": PICKLE + "torch.load opens it, and safetensors.torch.save_file writes its tensors",
    "*.gguf": "is llama.cpp's: fetch the model in safetensors",
    "int8.safetensors": "opens with minigpt.exchange.int8_file.load_int8",
    "model-*-of-*.safetensors": "is a part: fetch model.safetensors.index.json, which names all",
    "*.safetensors": "has another name: give its path in place of the folder's",
}


def weight_files(folder: Path) -> list[Path]:
    """The files of weights in a model's folder: one, or the parts that an index names.

    Raises:
        FileNotFoundError: one of them is not there. ValueError: an index that names none.

    Used in https://minigpt-book.github.io/minigpt/model.html
    """
    whole, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if index.exists() and not whole.exists():  # with both, as in transformers, the one file counts
        files = [folder / name for name in _parts(index)]
        advice = f", and {index.name} names it: fetch or save it too"
    else:
        files, advice = [whole], instead_of(folder)
    for path in files:
        if not path.is_file():
            raise FileNotFoundError(
                f"no file {path}: only weights in safetensors can be loaded{advice}"
            )
    return files


def instead_of(folder: Path) -> str:
    """What is there in place of a model's folder or file, and what to do; empty if nothing known.

    Used in https://minigpt-book.github.io/minigpt/model.html
    """
    for pattern, advice in OTHERS.items():
        found = [folder] if folder.is_file() and folder.match(pattern) else folder.glob(pattern)
        if names := sorted(path.name for path in found):
            return f"; {names[0]} {advice}"
    return f"; {folder.name} is a file: give its folder" if folder.is_file() else ""


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A safetensors file to read; errors of reading it give its name.

    Raises:
        FileNotFoundError: no such file. ValueError: one that is cut short, or of another kind.

    Used in https://minigpt-book.github.io/minigpt/model.html
    """
    try:
        with safe_open(path, "pt") as file:
            yield file
    except SafetensorError as error:
        raise ValueError(
            f"{path} is no whole safetensors file ({error}); it may be cut short: "
            "save or fetch it again"
        ) from None


def stored_tensors(files: list[Path]) -> Iterator[tuple[str, Tensor, Path]]:
    """Name, contents and file of every tensor in files of weights, one at a time.

    Raises:
        FileNotFoundError: no such file. ValueError: one that is cut short, or of another kind; a
            tensor that is not what the file's digests say.

    Used in https://minigpt-book.github.io/minigpt/model.html
    """
    for path in files:
        with opened(path) as file:
            said = file.metadata() or {}
            for name in file.keys():  # noqa: SIM118 (no mapping)
                tensor = file.get_tensor(name)
                check_digest(name, tensor, said, path)
                yield name, tensor, path


def metadata(path: Path) -> dict[str, str]:
    """What a file of weights says of itself; nothing, if another program wrote it.

    Used in https://minigpt-book.github.io/minigpt/model.html
    """
    with opened(path) as file:
        return file.metadata() or {}


def _parts(index: Path) -> list[str]:
    """The files beside an index that hold a model's tensors."""
    contents = read_json(index)
    parts = contents.get("weight_map") if isinstance(contents, dict) else None
    names = [*parts.values()] if isinstance(parts, dict) else []
    if not names or any(not isinstance(name, str) or Path(name).name != name for name in names):
        raise ValueError(
            f"{index} has no weight_map that names the files beside it: save or fetch it again"
        )
    return sorted({*names})
