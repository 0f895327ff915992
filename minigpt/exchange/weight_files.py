"""The files that hold a model's weights, and the tensors in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from minigpt.data.whole_file import read_json
from minigpt.exchange.gpt2_format import our_layout


def weight_files(folder: Path) -> list[Path]:
    """The files of weights in a model's folder: one, or the parts that an index names.

    Raises:
        FileNotFoundError: one of them is not there. ValueError: an index that names none.

    Used in https://minigpt-book.github.io/minigpt/model.html
    """
    names = ["model.safetensors"]  # before an index, as transformers has it
    index = folder / "model.safetensors.index.json"
    if index.exists() and not (folder / names[0]).exists():
        names = _parts(index)
    for path in (folder / name for name in names):
        if not path.is_file():
            raise FileNotFoundError(f"no file {path}: only weights in safetensors can be loaded")
    return [folder / name for name in names]


def stored_tensors(files: list[Path]) -> Iterator[tuple[str, Tensor, Path]]:
    """Name, contents in our layout, and file of every tensor in files of weights, one at a time.

    Raises:
        ValueError: a file that is cut short, or of another kind.

    Used in https://minigpt-book.github.io/minigpt/model.html
    """
    for path in files:
        try:
            with safe_open(path, "pt") as file:
                for name in file.keys():  # noqa: SIM118 (no mapping)
                    tensor = file.get_tensor(name)
                    if renamed := our_layout(name, tensor):
                        yield *renamed, path
        except SafetensorError as error:
            raise ValueError(
                f"{path} is no whole safetensors file ({error}); it may be cut short: "
                "save or fetch it again"
            ) from None


def _parts(index: Path) -> list[str]:
    """The files beside an index that hold a model's tensors."""
    contents = read_json(index)
    parts = contents.get("weight_map") if isinstance(contents, dict) else None
    names = {*map(str, parts.values())} if isinstance(parts, dict) else set()
    if not names or any(Path(name).name != name for name in names):
        raise ValueError(
            f"{index} has no weight_map that names the files beside it: save or fetch it again"
        )
    return sorted(names)
