"""What a folder must hold for an adapter to be made of it, and reading that; each error says what
to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from minigpt.data.whole_file import read_json
from minigpt.exchange.weight_files import stored_tensors
from minigpt.finetuning.lora_linear import LoRAConfig
from minigpt.finetuning.peft_format import MATRICES, PREFIX, config_from_peft, our_layers
from minigpt.finetuning.targets import linear_layers, shortest_targets, targeted_layers

SETTINGS, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def weights_in(folder: Path) -> Path:
    """The file of an adapter's matrices.

    Raises:
        FileNotFoundError: no such folder, or it lacks one of the adapter's two files.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    if not folder.is_dir():
        is_file = f"{folder} is a file: give its folder"
        raise FileNotFoundError(is_file if folder.exists() else f"no folder {folder}: check it")
    if (folder / WEIGHTS).is_file() and (folder / SETTINGS).is_file():
        return folder / WEIGHTS
    lacks = SETTINGS if (folder / WEIGHTS).is_file() else WEIGHTS
    raise FileNotFoundError(f"{folder} holds no whole adapter: no {lacks}{_instead_of(folder)}")


def _instead_of(folder: Path) -> str:
    """What is there in place of an adapter, and what to do; empty if nothing known."""
    if inside := sorted(folder.glob(f"*/{SETTINGS}")):  # peft gives each but "default" its own
        return f"; {inside[0].parent} holds one"
    if (folder / "adapter_model.bin").exists():
        return (
            "; adapter_model.bin is a pickle, which could run code: where you trust it, peft opens "
            "the folder, and save_pretrained writes it in safetensors"
        )
    if (folder / "config.json").exists():
        return "; it holds a model, which minigpt.exchange.load opens"
    return ""


def read_adapter(path: Path, model: nn.Module) -> tuple[LoRAConfig, dict[tuple[str, str], Tensor]]:
    """The sizes of a stored adapter, and its matrices by layer and "A" or "B".

    Raises:
        FileNotFoundError, ValueError: as `minigpt.finetuning.load_adapter`, save for what the
            model has already, and for whose adapter it is.

    Used in https://minigpt-book.github.io/minigpt/finetuning.html
    """
    settings_path = path.with_name(SETTINGS)
    settings, layers = read_json(settings_path), linear_layers(model)
    known = our_layers([*layers])
    found = {
        _place(stored, known, path): (stored, tensor)
        for stored, tensor, _ in stored_tensors([path])
    }
    if not found:
        raise ValueError(f"{path} holds no matrix: save the adapter again")
    targets = shortest_targets({layer for layer, _ in found}, [*layers], parts=1)
    try:
        config = config_from_peft(settings if isinstance(settings, dict) else {}, targets)
        targeted = targeted_layers(model, config)
    except ValueError as error:
        raise ValueError(f"{settings_path} cannot be used: {error}") from None
    for layer, module in targeted.items():
        shapes = {"A": (config.rank, module.in_features), "B": (module.out_features, config.rank)}
        for matrix, shape in shapes.items():
            _check_matrix(found.get((layer, matrix)), f"{matrix} of {layer}", shape, module, path)
    return config, {key: tensor for key, (_, tensor) in found.items()}


def _place(stored: str, known: Mapping[str, str], path: Path) -> tuple[str, str]:
    """The layer of ours and the matrix, A or B, that a tensor belongs to by its name in the file.

    Raises:
        ValueError: it belongs to none.
    """
    for ending, matrix in MATRICES.items():
        if stored.endswith(ending):
            layer = stored.removeprefix(PREFIX).removesuffix(ending)
            if layer not in known:
                raise ValueError(
                    f"{path} holds {stored}, and the model has no linear layer {layer}: is the "
                    "adapter another model's?"
                )
            return known[layer], matrix
    raise ValueError(
        f"{path} holds {stored}, which is no matrix A or B of a linear layer (.lora_A.weight, "
        ".lora_B.weight): only these can be opened"
    )


def _check_matrix(
    found: tuple[str, Tensor] | None,
    what: str,
    shape: tuple[int, int],
    layer: nn.Linear,
    path: Path,
) -> None:
    """Raise ValueError unless a matrix is there, of this shape, and its numbers fit the layer's.

    Args:
        found: its name in the file, and itself.
        what: the matrix, in our words.
    """
    if found is None:
        raise ValueError(
            f"{path} lacks {what}: was the file cut short, or changed by another program?"
        )
    name, tensor = found
    if tuple(tensor.shape) != shape:
        raise ValueError(
            f"{name} ({what}) in {path} is {tuple(tensor.shape)}; on this model, with r as in "
            f"{SETTINGS}, it is {shape}: do the files and the model belong together?"
        )
    if not tensor.is_floating_point():
        raise ValueError(
            f"{name} ({what}) in {path} holds {tensor.dtype}, no floating-point numbers: save it "
            "as float32 or float16"
        )
    dtype = layer.weight.dtype
    if not tensor.to(dtype).isfinite().all():
        raise ValueError(f"{name} ({what}) in {path} holds numbers that are not finite as {dtype}")
