"""The readers' file computes what the package does: ids, scores, loss, gradients, steps, text."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest
import regex
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

import minigpt
import my_gpt
from minigpt.data import shakespeare
from minigpt.exchange import save
from minigpt.generation import Sampling, generate
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import BPETokenizer, CharTokenizer
from minigpt.tokenizer.tokenizer_json import BYTE_ORDER
from minigpt.training.schedule import warmup_cosine

SHIPPED = Path(minigpt.__file__).parent / "pretrained" / "shakespeare"
SIZES = {"vocab_size": 31, "context_length": 16, "n_layer": 2, "n_head": 3, "n_embd": 24}


def readers(tokenizer: BPETokenizer) -> my_gpt.Tokenizer:
    """The reader's tokenizer, with the tokens of another."""
    return my_gpt.Tokenizer(tokenizer.vocab, tokenizer.merges)


TOKENIZERS = {"gpt2": BPETokenizer.gpt2(), "shakespeare": BPETokenizer.shakespeare()}
READERS = {name: readers(tokenizer) for name, tokenizer in TOKENIZERS.items()}


def seeded(seed: int = 0) -> None:
    torch.manual_seed(seed)


@pytest.fixture
def pair() -> tuple[my_gpt.GPT, GPT]:
    """Both models with the same numbers, none of them as it starts."""
    seeded()
    ours, packages = my_gpt.GPT(**SIZES).double(), GPT(GPTConfig(**SIZES)).double()
    with torch.no_grad():
        for weight in ours.parameters():
            weight += 0.1 * torch.randn_like(weight)
    state = ours.state_dict()
    packages.load_state_dict(state | {"lm_head.weight": state["token_embedding.weight"]})
    return ours, packages


# Tokenization.


def test_characters():
    text = shakespeare()[:5000]
    ours, packages = my_gpt.Characters(text), CharTokenizer.train(text)
    assert ours.vocab == [*packages.vocab]
    assert ours.encode(text) == packages.encode(text) and ours.decode(ours.encode(text)) == text


def test_the_same_merges_are_learned():
    text, n = shakespeare()[:30_000], 300
    packages = BPETokenizer.train(text, 256 + n, progress=False)
    pieces = Counter(tuple(p.encode()) for p in regex.findall(my_gpt.PATTERN, text))
    place = {byte: position for position, byte in enumerate(BYTE_ORDER)}
    ties = {"order": lambda pair: [place.get(i, i) for i in pair]}  # the package's
    assert my_gpt.learn_merges(pieces, n, **ties) == packages.merges
    trained = my_gpt.Tokenizer.train(text, n)
    assert trained.decode(trained.encode(text)) == text
    assert trained.new_ids == {p: 256 + i for i, p in enumerate(my_gpt.learn_merges(pieces, n))}


@pytest.mark.parametrize("name", TOKENIZERS)
@given(text=st.text())
def test_the_same_ids_and_the_text_again(name, text):
    ids = READERS[name].encode(text)
    assert ids == TOKENIZERS[name].encode(text) and READERS[name].decode(ids) == text


@pytest.mark.parametrize("name", TOKENIZERS)
def test_the_same_ids_for_the_plays(name):
    text = shakespeare()[:20_000]
    assert READERS[name].encode(text) == TOKENIZERS[name].encode(text)


def test_half_a_character_is_decoded_as_the_package_does():
    ids = READERS["gpt2"].encode("안")
    assert len(ids) > 1 and READERS["gpt2"].decode(ids[:1]) == TOKENIZERS["gpt2"].decode(ids[:1])


# The parts of the model.


def test_windows_and_what_follows_each_token():
    seeded()
    inputs, targets = my_gpt.windows(torch.arange(50), batch=300, length=5)
    assert inputs.shape == targets.shape == (300, 5)
    assert torch.equal(targets, inputs + 1) and torch.equal(inputs[:, 1:], targets[:, :-1])
    assert inputs.min() == 0 and targets.max() == 49  # every stretch may be drawn


def test_attention_is_torchs():
    seeded()
    q, k, v = torch.randn(3, 2, 4, 7, 8, dtype=torch.float64)
    ours = my_gpt.attention(q, k, v)
    torch.testing.assert_close(ours, F.scaled_dot_product_attention(q, k, v, is_causal=True))


def test_norm_and_gelu_are_torchs():
    seeded()
    x = torch.randn(5, 24, dtype=torch.float64)
    norm = my_gpt.LayerNorm(24).double()
    with torch.no_grad():
        norm.weight += torch.randn(24)
        norm.bias += torch.randn(24)
    torch.testing.assert_close(norm(x), F.layer_norm(x, (24,), norm.weight, norm.bias))
    torch.testing.assert_close(my_gpt.gelu(x), F.gelu(x, approximate="tanh"))


def test_scores_loss_and_gradients_are_the_packages(pair):
    ours, packages = pair
    ids = torch.randint(31, (3, 17))
    torch.testing.assert_close(ours(ids[:, :-1]), packages(ids[:, :-1]))
    loss = my_gpt.loss_of(ours, ids[:, :-1], ids[:, 1:])
    wanted = F.cross_entropy(packages(ids[:, :-1]).transpose(1, 2), ids[:, 1:])
    torch.testing.assert_close(loss, wanted)
    loss.backward()
    wanted.backward()
    gradients = {name: p.grad for name, p in packages.named_parameters()}
    assert gradients.keys() == dict(ours.named_parameters()).keys()
    for name, weight in ours.named_parameters():
        torch.testing.assert_close(weight.grad, gradients[name], msg=name)


def test_it_starts_as_the_package_does():
    """As widely spread, part by part."""
    seeded()
    sizes = {"vocab_size": 500, "context_length": 64, "n_layer": 3, "n_head": 4, "n_embd": 128}
    ours, packages = my_gpt.GPT(**sizes), dict(GPT(GPTConfig(**sizes)).named_parameters())
    for name, weight in ours.named_parameters():
        spread = packages[name].std().item()
        assert weight.std().item() == pytest.approx(spread, rel=0.05, abs=1e-9), name
        assert weight.mean().item() == pytest.approx(packages[name].mean().item(), abs=2e-3), name


def test_the_shipped_weights_open():
    ours, (packages, _) = my_gpt.load(SHIPPED), minigpt.load("shakespeare")
    seeded()
    ids = torch.randint(4096, (2, 40))
    torch.testing.assert_close(ours.double()(ids), packages.double()(ids))


def test_a_file_of_the_first_form_opens(tmp_path, pair):
    """As GPT-2's own on the hub: names without a prefix, and the mask among the weights."""
    _, packages = pair
    save(packages, tmp_path, dtype=torch.float64)
    file = tmp_path / "model.safetensors"
    weights = {k.removeprefix("transformer."): v for k, v in load_file(file).items()}
    masks = {f"h.{i}.attn.bias": torch.ones(1, 1, 16, 16).tril() for i in range(2)}
    save_file(weights | masks, file)
    ids = torch.randint(31, (2, 16))
    torch.testing.assert_close(
        my_gpt.load(tmp_path).double()(ids), packages(ids), atol=1e-5, rtol=0
    )


# Training.


@pytest.fixture
def text() -> torch.Tensor:
    """A text in which 1 follows 0, 2 follows 1 …"""
    return torch.arange(2000) % 31


def test_the_optimiser_is_torchs(pair):
    ours, _ = pair
    theirs = my_gpt.GPT(**SIZES).double()
    theirs.load_state_dict(ours.state_dict())
    matrices = [p for p in theirs.parameters() if p.dim() == 2]
    vectors = [p for p in theirs.parameters() if p.dim() != 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    torchs = torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.95))
    own = my_gpt.AdamW(ours.parameters(), 0.01)
    for seed in range(5):
        ids = torch.randint(31, (3, 17), generator=torch.Generator().manual_seed(seed))
        for model, optimizer in ((ours, own), (theirs, torchs)):
            model.zero_grad()
            my_gpt.loss_of(model, ids[:, :-1], ids[:, 1:]).backward()
            optimizer.step()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other)


def test_the_rate_rises_and_falls_as_the_packages():
    for step in range(60):
        wanted = warmup_cosine(step, 60, warmup=7, final=0.1)
        assert my_gpt.share_of_rate(step, 60, 7) == pytest.approx(wanted)


def test_both_loops_learn_and_training_well_is_clipped_and_scheduled(text):
    for loop in (my_gpt.learn, my_gpt.train):
        seeded()
        model = my_gpt.GPT(**SIZES)
        before = my_gpt.measure(model, text, 16)
        loop(model, text, steps=80, rate=0.01, batch=4, length=16)
        assert my_gpt.measure(model, text, 16) < 0.5 * before

    class Steep(nn.Module):
        """Scores so large that gradients are cut short: a step changes with the rate alone."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(31))

        def forward(self, ids):
            return (1e4 * self.weight).expand(*ids.shape, 31)

    sizes = []
    real = nn.utils.clip_grad_norm_

    def kept(parameters, most):
        parameters = list(parameters)
        sizes.append(real(parameters, most).item())
        assert most == 1.0 and math.isclose(parameters[0].grad.norm().item(), most, rel_tol=1e-4)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.utils, "clip_grad_norm_", kept)
        my_gpt.train(Steep(), text, steps=3, rate=1e-4, warmup=1, batch=2, length=8)
    assert len(sizes) == 3 and min(sizes) > 10


def test_the_loss_of_a_whole_text(pair, text):
    ours, _ = pair
    parts = [text[i : i + 17][None] for i in (0, 16)]
    losses = [my_gpt.loss_of(ours, part[:, :-1], part[:, 1:]).item() for part in parts]
    assert my_gpt.measure(ours, text[:40], 16) == pytest.approx(sum(losses) / 2)


# Generation.


def test_the_same_text_from_the_shipped_weights():
    """The book's last line of part one."""
    model, tokenizer = minigpt.load("shakespeare")
    prompt = torch.tensor(tokenizer.encode("ROMEO:\nBut soft"))
    ours = my_gpt.generate(my_gpt.load(SHIPPED).double(), prompt, 40, temperature=0.0)
    wanted = generate(model.double(), [prompt.tolist()], 40, Sampling(temperature=0.0))
    assert ours.tolist()[len(prompt) :] == wanted[0]


@pytest.mark.parametrize(
    "how", [{}, {"top_k": 3}, {"top_p": 0.6}, {"top_p": 0.9, "temperature": 2.0}]
)
def test_a_choice_is_drawn_from_what_the_package_leaves(how):
    scores = torch.tensor([2.0, -1.0, 3.0, 1.5, 0.0, 2.5])
    steps = [scores, *(left[0] for _, left in Sampling(**how).steps(scores[None]))]
    wanted = steps[-1].softmax(dim=-1)
    seeded()
    drawn = torch.tensor([my_gpt.choose(scores, **how).item() for _ in range(4000)])
    shares = torch.bincount(drawn, minlength=6) / 4000
    assert torch.equal(shares == 0, wanted == 0)
    torch.testing.assert_close(shares, wanted, atol=0.03, rtol=0)


def test_writing_goes_on_behind_the_text_and_never_reads_more_than_fits(pair):
    ours, _ = pair
    ids = torch.randint(31, (20,))
    for written in (my_gpt.generate(ours, ids, 5), my_gpt.write(ours, ids, 5, length=16)):
        assert written.shape == (25,) and torch.equal(written[:20], ids)
