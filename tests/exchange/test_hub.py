"""Models of the Hugging Face hub, without the network: what is kept, and what is missing."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

import huggingface_hub
import pytest
import torch
from huggingface_hub import constants

from minigpt.exchange import load, save
from minigpt.exchange.hub import download
from minigpt.model import GPT, GPTConfig

NAME = "some-one/a.small_gpt2"
CONFIG = GPTConfig(vocab_size=13, context_length=9, n_layer=1, n_head=2, n_embd=8)
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def kept(tmp_path, monkeypatch) -> Path:
    """An empty folder where huggingface_hub keeps what it fetched, and no network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    def refuse(*args, **kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    (tmp_path / "hub").mkdir()
    return tmp_path / "hub"


def keep(kept: Path, name: str = NAME) -> GPT:
    """Put a model where a download of it would have."""
    repository = kept / f"models--{name.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    (repository / "snapshots").mkdir()
    model = GPT(CONFIG, torch.Generator().manual_seed(0)).eval()
    save(model, repository / "snapshots" / COMMIT)
    return model


def test_what_is_kept_opens_without_the_network(kept):
    model = keep(kept)
    folder = download(NAME)
    assert isinstance(folder, Path) and folder.name == COMMIT
    ids = torch.arange(9)[None]
    assert torch.equal(load(folder)(ids), model(ids))


@pytest.mark.parametrize("name", ["some-one/another", "gpt2", "some-one/a/b", "", "some one/x?"])
def test_a_name_that_is_not_kept_is_named_at_once(kept, name):
    keep(kept)
    start = time.monotonic()
    with pytest.raises(FileNotFoundError, match=r"could not be fetched from the hub") as caught:
        download(name)
    assert repr(name) in str(caught.value) and "check the name and the network" in str(caught.value)
    assert time.monotonic() - start < 5


def test_without_a_network_the_same_error_comes_as_quickly(kept, monkeypatch):
    """Not told that it is offline: the first look-up fails, and is not tried for long."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    asked = []

    def unreachable(*args, **kwargs):
        asked.append(args)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    start = time.monotonic()
    with pytest.raises(FileNotFoundError, match=r"'some-one/a.small_gpt2' could not be fetched"):
        download(NAME)
    assert asked and time.monotonic() - start < 10
    keep(kept)
    assert download(NAME).name == COMMIT


def test_every_failure_of_the_network_is_the_same_error(monkeypatch):
    """A refusing proxy's is neither an OSError nor a ValueError."""

    class ProxyError(Exception):
        pass

    def refuse(*args, **kwargs):
        raise ProxyError("403 Forbidden")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(FileNotFoundError, match=r"network \(ProxyError: 403 Forbidden\)") as caught:
        download(NAME)
    assert isinstance(caught.value.__cause__, ProxyError)


def test_sizes_weights_and_tokenizer_are_fetched_and_no_pickles(monkeypatch):
    asked = {}
    monkeypatch.setattr(
        huggingface_hub, "snapshot_download", lambda name, **how: asked.update(how) or "folder"
    )
    assert download(NAME) == Path("folder")
    files = [
        "config.json",
        "tokenizer.json",
        "vocab.json",
        "merges.txt",
        "model.safetensors",
        "model-00001-of-00002.safetensors",
        "model.safetensors.index.json",
        "pytorch_model.bin",
        "tf_model.h5",
        "rust_model.ot",
        "README.md",
    ]
    chosen = huggingface_hub.utils.filter_repo_objects(files, **asked)
    assert [*chosen] == files[:7]


def test_without_the_library_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match="pip install huggingface_hub"):
        download(NAME)
