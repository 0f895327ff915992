"""The files of the trained models that pages fetch, made from the model itself.

`models/attention-only.safetensors` and `.json` are copies of the package's weights and sizes.
`models/shakespeare/` holds the shipped model's own files, with its weights in 8 bits.
`models/play-finder/` is the adapter that tunes it, which a page can put on and off.
`models/token-map.safetensors` is the map of its tokens, before and after training: browsers
would need seconds to compute it, and a phone longer.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from safetensors.torch import save
from torch.nn import functional as F

from minigpt.attention import AttentionOnly
from minigpt.attention.attention_only import PRETRAINED
from minigpt.embedding import nearest_neighbours, principal_components
from minigpt.exchange.shipped import PRETRAINED as SHIPPED

NEIGHBOURS = 10
COPIED = {
    "shakespeare": ("config.json", "tokenizer.json", "int8.safetensors"),
    "play-finder": ("adapter_config.json", "adapter_model.safetensors", "chat_template.jinja"),
}
WHOLE = 32767  # what the largest coordinate, and a cosine of 1, become as 16-bit integers


def table_map(table: torch.Tensor) -> dict[str, torch.Tensor]:
    """One table's part of the map, for `book/assets/elements/embedding-explorer`.

    ``coordinates`` (V, 2) times ``scale`` (1,) are the first two principal components of the
    rows, each brought to length 1 as for the cosine; ``shares`` (2,) is what they explain of the
    variance. ``neighbours`` (V, 10) are ids, ``cosines`` (V, 10) their similarities times 32767.
    """
    if len(table) > 2**16:
        raise ValueError(
            f"the table has {len(table)} rows, but neighbours are stored as 16-bit ids, up to "
            f"{2**16 - 1}: store them as I32 here and in the page"
        )
    table = table.detach().double()
    coordinates, shares = principal_components(F.normalize(table, dim=1))
    ids, cosines = nearest_neighbours(table, NEIGHBOURS)
    scale = coordinates.abs().max() / WHOLE
    return {
        "coordinates": (coordinates / scale).round().to(torch.int16),
        "scale": scale.float().reshape(1),
        "shares": shares.float(),
        "neighbours": ids.to(torch.uint16),
        "cosines": (cosines * WHOLE).round().to(torch.int16),
    }


def write_models(app, error) -> None:
    if error or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / "models"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("model.safetensors", "config.json"):
        suffix = Path(name).suffix
        shutil.copyfile(PRETRAINED / name, folder / f"attention-only{suffix}")
    for model, names in COPIED.items():
        (folder / model).mkdir(exist_ok=True)
        for name in names:
            shutil.copyfile(SHIPPED / model / name, folder / model / name)
    tables = {
        "before": AttentionOnly.untrained().token_embedding.weight,
        "after": AttentionOnly.pretrained().token_embedding.weight,
    }
    tensors = {
        f"{when}.{part}": tensor.contiguous()
        for when, table in tables.items()
        for part, tensor in table_map(table).items()
    }
    # No metadata: safetensors writes its entries in a random order.
    (folder / "token-map.safetensors").write_bytes(save(tensors))


def setup(app) -> None:
    app.connect("build-finished", write_models)
