"""The picture of a model holds what the model holds, and claims no wiring that it cannot know."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from small_models import on_meta
from torch import nn

from minigpt.attention import AttentionOnly
from minigpt.lessons.model.architecture import architecture
from minigpt.lessons.model.module_tree import Part
from minigpt.model import GPT, Block, GPTConfig
from minigpt.model.activations import activations
from minigpt.model.ledger import parameter_count, parameter_counts

CONFIG = GPTConfig(11, 16, n_layer=3, n_head=2, n_embd=8, dropout=0.1)


@pytest.fixture
def model():
    return GPT(CONFIG, torch.Generator().manual_seed(1))


class PostNorm(Block):
    """The same parts in another order."""

    def forward(self, x):
        x = self.norm_1(x + self.attention(x))
        return self.norm_2(x + self.mlp(x))


def walk(part: Part, times: int = 1) -> Iterator[tuple[Part, int]]:
    """Every part, with how many of it the model has."""
    yield part, times * part.times
    for child in part.parts:
        yield from walk(child, times * part.times)


def found(part: Part, *names: str) -> Part:
    for name in names:
        part = next(child for child in part.parts if child.name == name)
    return part


def tree(html: str) -> ElementTree.Element:
    """The picture's elements; its style is no XML."""
    return ElementTree.fromstring(re.sub("<style>.*?</style>", "", html, flags=re.DOTALL))


def of_class(html: str, name: str) -> list[ElementTree.Element]:
    return [e for e in tree(html).iter() if name in e.get("class", "").split()]


def text(element: ElementTree.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def test_it_is_text(model):
    # By hand: C = 8, so a norm has 16 numbers, qkv 8 × 24 + 24, up 8 × 32 + 32, down 32 × 8 + 8.
    assert repr(architecture(model, 5)) == (
        "GPT                                       (1, 5, 11)    2,848  100.0 %\n"
        "├─ token_embedding  TokenEmbedding        (1, 5, 8)        88    3.1 %\n"
        "├─ position_embedding  PositionEmbedding  (5, 8)          128    4.5 %\n"
        "├─ dropout  Dropout                       (1, 5, 8)\n"
        "├─ blocks × 3  Block                      (1, 5, 8)   3 × 872   91.9 %\n"
        "│  ├─ norm_1  LayerNorm                   (1, 5, 8)    3 × 16    1.7 %\n"
        "│  ├─ attention  CausalSelfAttention      (1, 5, 8)   3 × 288   30.3 %\n"
        "│  │  ├─ qkv  Linear                      (1, 5, 24)  3 × 216   22.8 %\n"
        "│  │  └─ projection  Linear               (1, 5, 8)    3 × 72    7.6 %\n"
        "│  ├─ norm_2  LayerNorm                   (1, 5, 8)    3 × 16    1.7 %\n"
        "│  ├─ mlp  MLP                            (1, 5, 8)   3 × 552   58.1 %\n"
        "│  │  ├─ up  Linear                       (1, 5, 32)  3 × 288   30.3 %\n"
        "│  │  └─ down  Linear                     (1, 5, 8)   3 × 264   27.8 %\n"
        "│  └─ dropout  Dropout                    (1, 5, 8)\n"
        "├─ final_norm  LayerNorm                  (1, 5, 8)        16    0.6 %\n"
        "└─ lm_head  Linear                        (1, 5, 11)  the same tensor as token_embedding"
    )


def test_gpt_2_is_drawn_without_its_numbers():
    drawn = architecture(on_meta(GPTConfig.preset("gpt2")))
    assert (drawn.root.parameters, drawn.ids_shape) == (124_439_808, (1, 8))
    blocks = found(drawn.root, "blocks")
    assert (blocks.times, blocks.parameters, blocks.shape) == (12, 7_087_872, (1, 8, 768))
    assert drawn.share(blocks, 12) == "68.3 %"
    assert drawn.share(found(drawn.root, "final_norm")) == "< 0.1 %"
    head = found(drawn.root, "lm_head")
    assert (head.parameters, head.same_as) == (0, ("token_embedding",))
    assert head.shape == drawn.root.shape == (1, 8, 50257)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("tied", [True, False])
def test_the_parts_have_what_the_ledger_says(bias, tied):
    config = replace(CONFIG, bias=bias, tied=tied)
    root = architecture(on_meta(config)).root
    counts = parameter_counts(config)
    block, times = found(root, "blocks"), config.n_layer
    for name in ("token_embedding", "position_embedding", "lm_head"):
        assert found(root, name).parameters == counts[name]
    for name in ("attention", "mlp"):
        assert times * found(block, name).parameters == counts[name]
    assert root.parameters == parameter_count(config)
    leaves = [times * part.parameters for part, times in walk(root) if not part.parts]
    assert sum(leaves) == root.parameters


def test_the_shapes_are_those_of_the_modules(model):
    kept = activations(model.eval(), torch.zeros(1, 4, dtype=torch.long))
    block = found(architecture(model, 4).root, "blocks")
    for name in ("norm_1", "attention", "norm_2", "mlp", "dropout"):
        assert found(block, name).shape == tuple(kept[f"blocks.2.{name}"].shape)
    assert found(block, "mlp", "up").shape == tuple(kept["blocks.0.mlp.up"].shape)


def test_the_model_is_left_as_it_was(model):
    model.blocks[1].eval()
    modes = [module.training for module in model.modules()]
    state = torch.get_rng_state()
    architecture(model)
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state)  # the dropout drew nothing
    assert not any(module._forward_hooks for module in model.modules())


def test_a_model_that_refuses_the_ids_is_left_as_it_was(model):
    with pytest.raises(ValueError, match=r"17 tokens .* context_length is 16"):
        architecture(model, 17)
    assert all(module.training for module in model.modules())


def test_no_tokens_are_refused(model):
    with pytest.raises(ValueError, match="length is 0; a model reads at least 1 token"):
        architecture(model, 0)


def test_blocks_of_other_kinds_stand_apart(model):
    model.blocks[1].__class__ = PostNorm
    drawn = architecture(model)
    names = [(p.name, p.kind, p.times, p.wired) for p in drawn.root.parts if p.parts]
    assert names == [
        ("blocks[0]", Block, 1, True),
        ("blocks[1]", PostNorm, 1, False),
        ("blocks[2]", Block, 1, True),
    ]


def test_alike_in_a_row_are_told_by_their_slice(model):
    model.blocks[0].mlp = nn.Identity()
    drawn = architecture(model)
    assert [p.name for p in drawn.root.parts if p.parts] == ["blocks[0]", "blocks[1:3]"]
    assert drawn.share(found(drawn.root, "blocks[1:3]"), 2) == "76.0 %"  # 1,744 of 2,296


def test_tensors_shared_between_blocks_are_counted_where_they_are_first(model):
    for block in model.blocks[1:]:
        block.mlp.up.weight = model.blocks[0].mlp.up.weight
    root = architecture(model).root
    assert root.parameters == sum(p.numel() for p in model.parameters())
    up = found(root, "blocks[1:3]", "mlp", "up")
    assert (up.parameters, up.same_as) == (32, ("blocks.0.mlp.up",))  # its own bias
    assert "2 × 32" in repr(architecture(model))
    assert "the same tensor as blocks.0.mlp.up" in repr(architecture(model))


def branches(html: str) -> list[list[str]]:
    """The names in each branch of each block."""
    return [
        [text(li.find(".//b")) for li in branch.find("ol")]
        for branch in of_class(html, "arch-branch")
    ]


def test_a_block_is_drawn_with_its_two_branches(model):
    html = architecture(model)._repr_html_()
    assert branches(html) == [["norm_1", "attention", "dropout"], ["norm_2", "mlp", "dropout"]]
    assert [text(p) for p in of_class(html, "arch-plus")] == [
        "+ the residual stream (1, 8, 8)",
        "+ x + attention(norm_1(x))",
        "+ x + mlp(norm_2(x))",
    ]
    flow = tree(html).find("ol")
    first, last = flow[0], flow[-1]
    assert (text(first), text(last)) == ("ids (1, 8)", "logits (1, 8, 11)")


def test_no_wiring_is_claimed_for_other_blocks(model):
    for block in model.blocks:
        block.__class__ = PostNorm
    html = architecture(model)._repr_html_()
    assert branches(html) == []
    assert [text(p) for p in of_class(html, "arch-plus")] == ["+ a vector a token (1, 8, 8)"]
    assert found(architecture(model).root, "blocks").formula is None
    model.blocks[0].extra = nn.Identity()
    model.blocks[0].__class__ = Block
    assert branches(architecture(model)._repr_html_()) == []  # nobody knows what that is for


def test_no_wiring_is_claimed_for_other_models():
    model = AttentionOnly(6, 40, 8, 2, 3, torch.Generator().manual_seed(5))
    drawn = architecture(model)
    html = drawn._repr_html_()
    assert found(drawn.root, "layers").times == 3
    assert [*of_class(html, "arch-plus"), *of_class(html, "arch-flow")] == []
    assert [text(e) for e in of_class(html, "arch-end")] == ["ids (1, 8)", "output (1, 8, 6)"]


class Odd(nn.Module):
    """Answers with no tensor, from a part of no name and one that nobody calls."""

    def __init__(self) -> None:
        super().__init__()
        self.add_module("<b>", nn.Softmax(dim=-1))
        self.unused = nn.Conv1d(1, 1, 1)

    def forward(self, ids):
        return (getattr(self, "<b>")(ids.float()),)


def test_what_is_unknown_is_left_open():
    drawn = architecture(Odd())
    assert repr(drawn) == (
        "Odd                        2  100.0 %\n"
        "├─ <b>  Softmax    (1, 8)\n"
        "└─ unused  Conv1d          2  100.0 %"
    )
    names = [text(e) for e in of_class(drawn._repr_html_(), "arch-name")]
    assert names == ["<b> Softmax", "unused Conv1d"]
    assert of_class(drawn._repr_html_(), "arch-formula") == []


def formulas(model: nn.Module) -> dict[str, str | None]:
    return {part.name: part.formula for part, _ in walk(architecture(model).root)}


def test_formulas_follow_the_object(model):
    told = formulas(model)
    assert told["token_embedding"] == "W[id], where W is 11 × 8"
    assert told["qkv"] == "x Wᵀ + b, where W is 24 × 8"
    assert told["norm_1"] == "(x − mean(x)) / √(variance(x) + 1e-05) · w + b"
    assert told["attention"] == "in 2 heads: softmax(mask(q kᵀ / √4)) v, then projection"
    assert told["dropout"] == "while training 0 with probability 0.1, else x / 0.9; later x"
    assert told[""] is None
    told = formulas(GPT(replace(CONFIG, bias=False, dropout=0.0)))
    assert told["qkv"] == "x Wᵀ, where W is 24 × 8"
    assert told["norm_1"] == "(x − mean(x)) / √(variance(x) + 1e-05) · w"
    assert told["dropout"] == "x, as p = 0"


def test_a_formula_opens_by_what_every_browser_has(model):
    html = architecture(model)._repr_html_()
    details = list(tree(html).iter("details"))
    # The GPT has no formula, its 15 parts have one, and the block's dropout is drawn twice.
    assert len(details) == 16
    for one in details:
        assert one.find("summary").get("data-formula") == one.find("p").text
    assert "<script" not in html


def test_a_line_reads_as_a_sentence(model):
    html = architecture(model)._repr_html_()
    lines = [text(row) for row in of_class(html, "arch-row")]
    assert "blocks × 3 Block , output (1, 8, 8) , 3 × 872 parameters , 91.9 %".replace(
        " ,", ","
    ) in [line.replace(" ,", ",") for line in lines]
    assert "lm_head Linear, output (1, 8, 11), the same tensor as token_embedding" in lines
    assert "dropout Dropout, output (1, 8, 8), 0 parameters" in lines


def test_the_bars_are_the_shares(model):
    drawn = architecture(model)
    html = drawn._repr_html_()
    bars = [float(b.get("style")[len("--share:") : -1]) for b in of_class(html, "arch-bar")]
    shares = [
        100 * times * part.parameters / drawn.root.parameters
        for part, times in walk(drawn.root)
        if part.parameters and part is not drawn.root
    ]
    assert bars == pytest.approx(shares, abs=0.005)


def test_the_same_model_is_the_same_bytes(model):
    first, second = (architecture(m)._repr_html_() for m in (model, on_meta(CONFIG)))
    assert first == second


@pytest.fixture(scope="module")
def as_wide_as_gpt_2_xl():
    config = replace(GPTConfig.preset("gpt2-xl"), n_layer=2)
    return architecture(on_meta(config))._repr_html_().replace("2 ×", "48 ×")


@pytest.mark.parametrize("width", [320, 360, 600, 1200])
def test_it_fits_its_page_and_opens_by_key(browser, as_wide_as_gpt_2_xl, width):
    html = as_wide_as_gpt_2_xl
    page = browser.new_page(viewport={"width": width, "height": 900})
    try:
        page.set_content(f"<!doctype html><title>A model</title><main>{html}</main>")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        over = "(e) => e.filter((row) => row.scrollWidth > row.clientWidth).length"
        assert page.locator(".arch-row").evaluate_all(over) == 0
        summary = page.locator("summary", has_text="token_embedding").first
        formula = page.get_by_text("W[id], where W is 50,257 × 1,600")
        assert not formula.is_visible()
        summary.focus()
        page.keyboard.press("Enter")
        assert formula.is_visible()
    finally:
        page.close()
