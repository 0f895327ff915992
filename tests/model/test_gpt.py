"""The GPT held to transformers' GPT-2, to the counts that were published, and to its promises."""

from __future__ import annotations

import copy
import dataclasses
import math

import pytest
import torch
from small_models import GPT2_COUNTS, awake, on_meta, seeded
from torch import Tensor, nn
from torch.nn import functional as F
from torch.testing import assert_close
from transformers import GPT2Config, GPT2LMHeadModel

from minigpt.attention import scaled_dot_product_attention
from minigpt.model import GPT, MLP, PRESETS, Block, GPTConfig
from minigpt.tokenizer import BPETokenizer

CONFIG = GPTConfig(vocab_size=13, context_length=9, n_layer=2, n_head=2, n_embd=8)
CONFIGS = [
    CONFIG,
    GPTConfig(2, 1, n_layer=1, n_head=1, n_embd=2),
    GPTConfig(65, 40, n_layer=1, n_head=4, n_embd=32),
    GPTConfig(31, 70, n_layer=3, n_head=3, n_embd=24),
    GPTConfig(50, 16, n_layer=2, n_head=8, n_embd=16, tied=False),
    GPTConfig(17, 12, n_layer=3, n_head=5, n_embd=20, bias=False),
]


def some_ids(config: GPTConfig, batch: int, tokens: int, seed: int = 0) -> Tensor:
    return torch.randint(config.vocab_size, (batch, tokens), generator=seeded(seed))


def size(model: nn.Module) -> int:
    """How many numbers are learned; a parameter that is used twice counts once."""
    return sum(parameter.numel() for parameter in model.parameters())


# The same as transformers' GPT-2.

THEIR_NAMES = {
    "token_embedding": "transformer.wte",
    "position_embedding": "transformer.wpe",
    "norm_1": "ln_1",
    "attention.qkv": "attn.c_attn",
    "attention.projection": "attn.c_proj",
    "norm_2": "ln_2",
    "mlp.up": "mlp.c_fc",
    "mlp.down": "mlp.c_proj",
    "final_norm": "transformer.ln_f",
    "lm_head": "lm_head",
}


def their_name(name: str) -> str:
    module, kind = name.rsplit(".", 1)
    start = ""
    if module.startswith("blocks."):
        _, number, module = module.split(".", 2)
        start = f"transformer.h.{number}."
    return f"{start}{THEIR_NAMES[module]}.{kind}"


def their_layout(name: str, tensor: Tensor) -> Tensor:
    """Their Conv1D holds the matrices of blocks as (in, out)."""
    in_a_block = ".attention." in name or ".mlp." in name
    return tensor.T if in_a_block and tensor.dim() == 2 else tensor


def gpt2(model: GPT, attention: str = "eager", dropout: float = 0.0) -> GPT2LMHeadModel:
    """transformers' model with the same weights."""
    config = model.config
    theirs = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=config.vocab_size,
            n_positions=config.context_length,
            n_embd=config.n_embd,
            n_layer=config.n_layer,
            n_head=config.n_head,
            embd_pdrop=dropout,
            attn_pdrop=dropout,
            resid_pdrop=dropout,
            tie_word_embeddings=config.tied,
            bos_token_id=0,
            eos_token_id=0,
            attn_implementation=attention,
        )
    ).to(model.final_norm.weight.dtype)
    parameters = dict(theirs.named_parameters())
    with torch.no_grad():
        for name, parameter in parameters.items():
            if name.endswith("bias"):
                parameter.zero_()  # what a model without biases leaves as it is
        for name, parameter in model.named_parameters():
            parameters.pop(their_name(name)).copy_(their_layout(name, parameter))
    assert all(name.endswith("bias") for name in parameters) and bool(parameters) != config.bias
    return theirs.train(model.training)


@pytest.mark.parametrize(
    ("dtype", "attention"), [(torch.float64, "eager"), (torch.float32, "sdpa")]
)
@pytest.mark.parametrize("config", CONFIGS)
def test_scores_and_gradients_are_those_of_gpt2(config, dtype, attention):
    model = awake(GPT(config)).to(dtype)
    theirs = gpt2(model, attention)
    exact = {"rtol": 1e-12, "atol": 1e-12} if dtype == torch.float64 else {}
    for tokens in sorted({1, config.context_length // 2 + 1, config.context_length}):
        ids, targets = (some_ids(config, 3, tokens, seed) for seed in (tokens, tokens + 1))
        scores, their_scores = model(ids), theirs(ids).logits
        assert scores.shape == (3, tokens, config.vocab_size) and scores.dtype == dtype
        assert_close(scores, their_scores, **exact)
        for each in (scores, their_scores):
            F.cross_entropy(each.flatten(0, 1), targets.flatten()).backward()
        their_parameters = dict(theirs.named_parameters())
        for name, parameter in model.named_parameters():
            expected = their_parameters[their_name(name)].grad
            assert_close(their_layout(name, parameter.grad), expected, **exact)
            assert parameter.grad.any(), name
        model.zero_grad()
        theirs.zero_grad()


def test_dropout_is_where_gpt2_has_it():
    """Both draw from the global generator, so the same seed drops the same numbers."""
    config = dataclasses.replace(CONFIG, dropout=0.3)
    model = awake(GPT(config))
    theirs, ids = gpt2(model, "sdpa", dropout=0.3), some_ids(config, 3, 9)
    torch.manual_seed(0)
    scores = model(ids)
    torch.manual_seed(0)
    assert_close(scores, theirs(ids).logits)
    assert (scores - model.eval()(ids)).abs().max() > 0.1


# Sizes that were published.


@pytest.mark.parametrize(("name", "count"), GPT2_COUNTS.items())
def test_the_four_sizes_of_gpt2(name, count):
    assert size(on_meta(GPTConfig.preset(name))) == count


def test_gpt2_small_by_its_parts():
    small = GPTConfig.preset("gpt2")
    assert size(on_meta(dataclasses.replace(small, tied=False))) == 163_037_184
    model = on_meta(small)
    assert {size(block) for block in model.blocks} == {7_087_872} and len(model.blocks) == 12
    ids = torch.zeros(2, 3, dtype=torch.long, device="meta")
    assert model(ids).shape == (2, 3, 50257)


def test_weights_have_names_and_shapes():
    block = {
        "norm_1.weight": (8,),
        "norm_1.bias": (8,),
        "attention.qkv.weight": (24, 8),
        "attention.qkv.bias": (24,),
        "attention.projection.weight": (8, 8),
        "attention.projection.bias": (8,),
        "norm_2.weight": (8,),
        "norm_2.bias": (8,),
        "mlp.up.weight": (32, 8),
        "mlp.up.bias": (32,),
        "mlp.down.weight": (8, 32),
        "mlp.down.bias": (8,),
    }
    expected = {"token_embedding.weight": (13, 8), "position_embedding.weight": (9, 8)}
    for number in range(2):
        expected |= {f"blocks.{number}.{name}": shape for name, shape in block.items()}
    expected |= {"final_norm.weight": (8,), "final_norm.bias": (8,), "lm_head.weight": (13, 8)}
    shapes = {name: tuple(tensor.shape) for name, tensor in GPT(CONFIG).state_dict().items()}
    assert shapes == expected
    bare = GPT(dataclasses.replace(CONFIG, bias=False)).state_dict()
    assert list(bare) == [name for name in expected if not name.endswith("bias")]


# A model by hand.


def test_an_mlp_by_hand():
    mlp = MLP(GPTConfig(2, 1, n_layer=1, n_head=1, n_embd=1)).double()
    with torch.no_grad():
        mlp.up.weight.copy_(torch.tensor([[1.0], [-1.0], [0.0], [2.0]]))
        mlp.up.bias.copy_(torch.tensor([0.0, 0.0, 3.0, 0.0]))
        mlp.down.weight.copy_(torch.tensor([[1.0, 10.0, 100.0, 1000.0]]))
        mlp.down.bias.fill_(7.0)

    def gelu(x: float) -> float:
        return x / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))

    expected = 7 + gelu(0.5) + 10 * gelu(-0.5) + 100 * gelu(3) + 1000 * gelu(1)
    assert mlp(torch.tensor([[0.5]], dtype=torch.float64)).item() == pytest.approx(expected)


def test_a_block_by_its_formula():
    block = awake(GPT(CONFIG)).blocks[0].double()
    x = torch.randn(2, 5, 8, generator=seeded(), dtype=torch.float64)

    def normal(x: Tensor, norm: nn.LayerNorm) -> Tensor:
        x = x - x.mean(dim=-1, keepdim=True)
        x = x / (x.square().mean(dim=-1, keepdim=True) + 1e-5).sqrt()
        return x * norm.weight + norm.bias

    q, k, v = block.attention.heads(normal(x, block.norm_1))
    visible = torch.ones(5, 5, dtype=torch.bool).tril()
    gathered = scaled_dot_product_attention(q, k, v, visible).transpose(1, 2).flatten(-2)
    middle = x + block.attention.projection(gathered)
    expected = middle + block.mlp(normal(middle, block.norm_2))
    assert_close(block(x), expected, rtol=1e-12, atol=1e-12)


def test_each_block_takes_part_in_its_turn():
    model, ids = awake(GPT(CONFIG)), some_ids(CONFIG, 2, 9)
    swapped = copy.deepcopy(model)
    swapped.blocks = nn.ModuleList(reversed(swapped.blocks))
    assert (swapped(ids) - model(ids)).abs().max() > 0.1
    assert all(isinstance(block, Block) for block in model.blocks)


# How a model starts.


@pytest.mark.parametrize(("n_layer", "tied"), [(1, True), (2, False), (8, True)])
def test_what_ends_a_branch_starts_smaller(n_layer, tied):
    config = GPTConfig(400, 100, n_layer=n_layer, n_head=4, n_embd=64, tied=tied)
    model = GPT(config, seeded())
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            assert not parameter.any(), name
        elif "norm" in name:
            assert (parameter == 1).all(), name
        else:
            last = name.endswith(("attention.projection.weight", "mlp.down.weight"))
            std = 0.02 / math.sqrt(2 * n_layer) if last else 0.02
            close = 5 / math.sqrt(2 * parameter.numel())  # 5 standard errors
            assert parameter.std().item() / std == pytest.approx(1, abs=close), name
            assert abs(parameter.mean()) < 5 * std / math.sqrt(parameter.numel()), name


@pytest.mark.parametrize(
    "config",
    [
        GPTConfig(256, 64, n_layer=2, n_head=2, n_embd=32),
        GPTConfig(2048, 64, n_layer=2, n_head=4, n_embd=512),
        GPTConfig(2048, 64, n_layer=2, n_head=4, n_embd=512, tied=False),
    ],
)
def test_a_model_begins_by_guessing(config):
    model = GPT(config, seeded()).eval()
    with torch.no_grad():
        scores = model(some_ids(config, 8, 64))
    loss = F.cross_entropy(scores.flatten(0, 1), some_ids(config, 8, 64, seed=1).flatten())
    # The final norm makes vectors of C numbers with variance 1, so a score varies by 0.02² C.
    # Over 512 targets the mean of scores is known to 0.45 / √512 = 0.02 at the wider width, whose
    # σ² / 2 is 0.1. Draws from N(0, 1) would make it 16 and 256.
    sigma = 0.02 * math.sqrt(config.n_embd)
    assert scores.std().item() == pytest.approx(sigma, rel=0.1)
    assert loss.item() == pytest.approx(math.log(config.vocab_size) + sigma**2 / 2, abs=0.05)


def test_numbers_come_from_the_generator_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first, same, other = (GPT(CONFIG, seeded(seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    for name, weights in first.state_dict().items():
        assert torch.equal(same.state_dict()[name], weights), name
        if name.endswith("weight") and "norm" not in name:
            assert not torch.equal(other.state_dict()[name], weights), name
    assert not torch.equal(first.blocks[0].mlp.up.weight, first.blocks[1].mlp.up.weight)
    ids = some_ids(CONFIG, 2, 9)
    assert torch.equal(first(ids), same(ids))
    assert torch.equal(torch.get_rng_state(), before)


# No token sees a later one.


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("tokens", [2, 5, 33, 64, 65])
def test_the_future_changes_no_bit(tokens, dtype):
    config = GPTConfig(31, 65, n_layer=3, n_head=4, n_embd=32)
    model, ids = awake(GPT(config)).to(dtype).eval(), some_ids(config, 2, tokens)
    before = model(ids)
    for place in sorted({1, tokens // 2, tokens - 1}):
        changed = ids.clone()
        changed[:, place:] = (changed[:, place:] + 1) % 31
        after = model(changed)
        assert torch.equal(after[:, :place], before[:, :place])
        assert not torch.equal(after[:, place], before[:, place])


def test_a_shorter_sequence_has_the_same_scores():
    model, ids = awake(GPT(CONFIG)), some_ids(CONFIG, 3, 9)
    scores = model(ids)
    for tokens in range(1, 9):
        assert_close(model(ids[:, :tokens]), scores[:, :tokens])
    assert_close(model(ids[1:2]), scores[1:2])  # rows of a batch do not meet


# One table for what comes in and what goes out.


def is_tied(model: GPT) -> bool:
    return model.lm_head.weight is model.token_embedding.weight


def test_tied_means_the_same_tensor_whatever_happens():
    model = GPT(CONFIG, seeded())
    assert is_tied(model)
    assert [name for name, _ in model.named_parameters()].count("lm_head.weight") == 0

    model.load_state_dict(awake(GPT(CONFIG)).state_dict())
    assert is_tied(model)

    copied = copy.deepcopy(model)
    assert is_tied(copied) and copied.lm_head.weight is not model.lm_head.weight

    assert is_tied(copied.double()) and copied.lm_head.weight.dtype == torch.float64
    assert is_tied(copied.to("cpu", torch.float32)) and is_tied(copied.half())

    before = model.lm_head.weight.detach().clone()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    model(some_ids(CONFIG, 2, 9)).square().mean().backward()
    optimizer.step()
    assert is_tied(model)
    assert not torch.equal(model.lm_head.weight, before)
    assert torch.equal(model.lm_head.weight, model.token_embedding.weight)


def test_both_uses_of_the_table_teach_it():
    model, ids = awake(GPT(CONFIG)), some_ids(CONFIG, 2, 9)
    apart = GPT(dataclasses.replace(CONFIG, tied=False))
    apart.load_state_dict(model.state_dict())
    for each in (model, apart):
        F.cross_entropy(each(ids).flatten(0, 1), ids.flatten()).backward()
    taught = apart.token_embedding.weight.grad + apart.lm_head.weight.grad
    assert_close(model.token_embedding.weight.grad, taught)


@pytest.mark.parametrize("tied", [True, False])
def test_a_state_dict_goes_there_and_back(tied):
    config = dataclasses.replace(CONFIG, tied=tied)
    model, other = awake(GPT(config)), GPT(config)
    ids = some_ids(config, 2, 9)
    assert not torch.equal(other(ids), model(ids))
    other.load_state_dict(model.state_dict())
    assert torch.equal(other(ids), model(ids))
    assert is_tied(other) == tied


def test_an_untied_head_changes_no_other_number():
    tied, apart = (GPT(dataclasses.replace(CONFIG, tied=tied), seeded()) for tied in (True, False))
    assert not is_tied(apart)
    expected = tied.state_dict()
    for name, weights in apart.state_dict().items():
        assert torch.equal(expected[name], weights) == (name != "lm_head.weight"), name
    before = apart.token_embedding.weight.detach().clone()
    with torch.no_grad():
        apart.lm_head.weight.zero_()
    assert torch.equal(apart.token_embedding.weight, before)


# Dropout.


def test_dropout_is_for_training_only():
    model, ids = awake(GPT(dataclasses.replace(CONFIG, dropout=0.5))), some_ids(CONFIG, 2, 9)
    plain = awake(GPT(CONFIG))
    torch.manual_seed(0)
    assert not torch.equal(model(ids), model(ids))
    assert torch.equal(plain(ids), plain.eval()(ids))
    model.eval()
    before = torch.get_rng_state()
    assert torch.equal(model(ids), model(ids))
    assert torch.equal(model(ids), plain(ids))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("place", ["embedding", "attention", "residual"])
def test_each_place_of_dropout_acts_alone(place):
    model, ids = awake(GPT(dataclasses.replace(CONFIG, dropout=0.5))), some_ids(CONFIG, 2, 9)
    dropouts = {
        "embedding": [model.dropout],
        "attention": [block.attention for block in model.blocks],
        "residual": [block.dropout for block in model.blocks],
    }
    for other, modules in dropouts.items():
        for module in modules:
            module.train(other == place)
    torch.manual_seed(0)
    assert (model(ids) - model(ids)).abs().max() > 0.1
    model.eval()
    assert torch.equal(model(ids), model(ids))


# What the compiler and the exporter of torch take.


def test_a_model_can_be_compiled_forward_and_backward(as_readers_run_it):
    model, ids = awake(GPT(CONFIG)), some_ids(CONFIG, 2, 5)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    gradients = []
    for each in (model, compiled):
        scores = each(ids)
        F.cross_entropy(scores.flatten(0, 1), ids.flatten()).backward()
        gradients.append([parameter.grad.clone() for parameter in model.parameters()])
        model.zero_grad()
    assert_close(scores, model(ids))
    assert_close(*gradients)


def test_a_model_can_be_exported_for_any_length(as_readers_run_it):
    model, ids = awake(GPT(CONFIG)).eval(), some_ids(CONFIG, 2, 5)
    length = torch.export.Dim("length", min=2, max=CONFIG.context_length)
    exported = torch.export.export(model, (ids,), dynamic_shapes=({1: length},)).module()
    for tokens in (2, 5, 9):
        other = some_ids(CONFIG, 2, tokens, seed=1)
        assert_close(exported(other), model(other))


# Sizes.


def test_presets_are_the_published_sizes():
    sizes = {
        name: (each.vocab_size, each.context_length, each.n_layer, each.n_head, each.n_embd)
        for name, each in PRESETS.items()
    }
    assert sizes == {
        "gpt2": (50257, 1024, 12, 12, 768),
        "gpt2-medium": (50257, 1024, 24, 16, 1024),
        "gpt2-large": (50257, 1024, 36, 20, 1280),
        "gpt2-xl": (50257, 1024, 48, 25, 1600),
        "shakespeare": (4096, 256, 6, 5, 160),
    }
    for name, preset in PRESETS.items():
        assert GPTConfig.preset(name) == preset
        assert (preset.dropout, preset.bias, preset.tied) == (0, True, True)
    theirs = GPT2Config()  # the small one
    their_sizes = theirs.vocab_size, theirs.n_positions, theirs.n_layer, theirs.n_head
    assert (*their_sizes, theirs.n_embd) == sizes["gpt2"]
    assert sizes["shakespeare"][0] == BPETokenizer.shakespeare().vocab_size


def test_sizes_cannot_be_changed_only_copied():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CONFIG.n_layer = 3
    deeper = dataclasses.replace(CONFIG, n_layer=3)
    assert (deeper.n_layer, CONFIG.n_layer) == (3, 2)
    assert deeper == GPTConfig(**dataclasses.asdict(deeper)) and hash(deeper) != hash(CONFIG)
    assert len(GPT(deeper).blocks) == 3


# Errors.


@pytest.mark.parametrize("value", [0, -1, 2.5, 2.0, True, "12", None])
@pytest.mark.parametrize("name", ["vocab_size", "context_length", "n_layer", "n_head", "n_embd"])
def test_sizes_that_are_no_whole_numbers_are_refused(name, value, as_readers_run_it):
    match = rf"^{name} is {value!r}; it must be a whole number of at least 1$"
    with pytest.raises(ValueError, match=match):
        GPTConfig(**dataclasses.asdict(CONFIG) | {name: value})
    with pytest.raises(ValueError, match=match):
        dataclasses.replace(CONFIG, **{name: value})


@pytest.mark.parametrize("n_head", [3, 16])
def test_heads_that_do_not_divide_the_width_are_refused(n_head):
    match = f"n_embd 8 cannot be cut into n_head {n_head} heads .*: choose a number"
    with pytest.raises(ValueError, match=match):
        dataclasses.replace(CONFIG, n_head=n_head)


@pytest.mark.parametrize("name", ["bias", "tied"])
@pytest.mark.parametrize("value", [1, "false", None])
def test_a_switch_is_true_or_false(name, value, as_readers_run_it):
    with pytest.raises(ValueError, match=rf"{name} is {value!r}; it must be True or False"):
        dataclasses.replace(CONFIG, **{name: value})


@pytest.mark.parametrize("dropout", [-0.1, 1.0, 1.5, math.nan, "0.1", None])
def test_dropout_is_a_share(dropout, as_readers_run_it):
    with pytest.raises(ValueError, match=rf"dropout is {dropout!r}; it is a share, from 0 up to"):
        dataclasses.replace(CONFIG, dropout=dropout)


@pytest.mark.parametrize("name", ["gpt3", "GPT2", ""])
def test_unknown_presets_are_refused(name):
    match = (
        rf"^there is no preset '{name}'; choose one of gpt2, gpt2-medium, gpt2-large, gpt2-xl, "
        r"shakespeare$"
    )
    with pytest.raises(ValueError, match=match):
        GPTConfig.preset(name)


@pytest.mark.parametrize("shape", [(3,), (), (1, 1, 3)])
def test_ids_that_are_no_batch_are_refused(shape, as_readers_run_it):
    match = r"ids have the shape \(.*they must be \(B, T\).*: ids\[None\] makes"
    with pytest.raises(ValueError, match=match):
        GPT(CONFIG)(torch.zeros(shape, dtype=torch.long))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ids_that_are_no_integers_are_refused(dtype, as_readers_run_it):
    with pytest.raises(ValueError, match=f"ids hold {dtype}; they must be integers"):
        GPT(CONFIG)(torch.zeros(1, 3, dtype=dtype))


@pytest.mark.parametrize("bad", [13, -1, 50256])
def test_ids_of_another_vocabulary_are_refused(bad):
    with pytest.raises(ValueError, match=rf"token id {bad} has no row: .* has 13 \(ids 0 to 12\)"):
        GPT(CONFIG)(torch.tensor([[0, 12], [bad, 1]]))


def test_a_sequence_beyond_the_context_is_refused():
    match = "10 tokens from position 0 on need 10 positions, but context_length is 9: shorten"
    with pytest.raises(ValueError, match=match):
        GPT(CONFIG)(torch.zeros(1, 10, dtype=torch.long))
