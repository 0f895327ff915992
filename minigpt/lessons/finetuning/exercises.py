"""Checks for the exercises of the chapter on fine-tuning, on what readers add to `my_tuning.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from minigpt.lessons.judge import Case, Verdict, judge, name_of

Piece = tuple[str, bool]


def play_last(function: Callable[[list[tuple[str, str]]], list[Piece]]) -> Verdict:
    """Check `play_last(messages) -> pieces`."""
    asked, said = ("READER", "Who?"), ("MINIGPT", "Hal")
    cases = [
        _turns([asked, said], "as `play`: this answer is the last"),
        _turns([asked, said, ("READER", "Where?"), ("MINIGPT", "In London")], "the last answer"),
        _turns([asked, said, ("READER", "Why?")], "the last answer need not be the last turn"),
        _turns([asked], "where there is no answer, nothing is learned"),
        _turns([("DIRECTOR", "Be brief."), said, said], "the same words may come twice"),
    ]
    return judge(function, cases)


def _turns(messages: list[tuple[str, str]], hint: str) -> Case:
    def pieces(places: list[int]) -> list[Piece]:
        found: list[Piece] = []
        for place, (name, said) in enumerate(messages):
            learn = place in places
            found += [(f"{name}:", False), ("\n", False), (said, learn)]
            found += [("\n", learn), ("\n", learn)]
        return found

    every = [place for place, (name, _) in enumerate(messages) if name == "MINIGPT"]
    right = pieces(every[-1:])
    mistakes = [([p for p in right if p[1]], "return the pieces that are read too, with False")]
    if len({messages[place] for place in every}) > 1:
        mistakes.append((pieces(every), "that is `play`: an earlier answer is only read"))
    return Case((messages,), right, hint, [m for m in mistakes if m[0] != right])


def only_biases(function: Callable[[nn.Module], int]) -> Verdict:
    """Check `only_biases(model) -> count`: the number, and what of the model learns then."""

    def call(sizes: dict[str, int]) -> Any:
        import my_gpt  # the reader's, where there is one

        with torch.random.fork_rng(devices=[]):
            model = my_gpt.GPT(**sizes)
        model.blocks[0].mlp.requires_grad_(False)  # a model of which a part was frozen
        count = function(model)
        if count is None:
            return None
        learns = sorted(name for name, p in model.named_parameters() if p.requires_grad)
        return Learning(int(count), tuple(learns))

    call.__name__ = name_of(function)
    return judge(call, [_biases(1, 8), _biases(2, 12)])


class Learning:
    """How many numbers are said to learn, and the parameters that do."""

    def __init__(self, count: int, names: tuple[str, ...]) -> None:
        self.count, self.names = count, names

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Learning) and vars(self) == vars(other)

    def __repr__(self) -> str:
        more = "" if len(self.names) <= 3 else f" and {len(self.names) - 3} more"
        told = ", ".join(self.names[:3]) + more
        return f"{self.count}, while {told or 'nothing'} learns"


def _biases(n_layer: int, n_embd: int) -> Case:
    import my_gpt

    sizes = {"vocab_size": 11, "context_length": 8, "n_head": 2}
    sizes |= {"n_layer": n_layer, "n_embd": n_embd}
    with torch.random.fork_rng(devices=[]):
        parameters = dict(my_gpt.GPT(**sizes).named_parameters())
    biases = tuple(sorted(name for name in parameters if name.endswith("bias")))
    # A block: two norms, qkv, projection, up and down; one norm more after the last.
    count = n_layer * (2 + 3 + 1 + 4 + 1) * n_embd + n_embd
    untouched = tuple(sorted(n for n in parameters if not n.startswith("blocks.0.mlp")))
    frozen = tuple(n for n in biases if not n.startswith("blocks.0.mlp"))
    every = sum(p.numel() for p in parameters.values())
    mistakes = [
        (
            Learning(count, untouched),
            "the number is right; freeze all other parameters: requires_grad_(False)",
        ),
        (Learning(len(biases), biases), "count the numbers of each bias, p.numel(), not the names"),
        (Learning(every, biases), "these learn; count only their numbers"),
        (
            Learning(count - 5 * n_embd, frozen),
            "a bias that was frozen is to learn too: requires_grad_(True)",
        ),
    ]
    hint = "a parameter's name tells: norms have biases too"
    return Case((sizes,), Learning(count, biases), hint, mistakes)


def merged_layer(function: Callable[[nn.Module], nn.Linear]) -> Verdict:
    """Check `merged_layer(lora) -> layer`, by what both compute."""

    def call(lora: nn.Module) -> Any:
        before = {name: p.detach().clone() for name, p in lora.named_parameters()}
        layer = function(lora)
        if layer is None:
            return None
        changed = any(not torch.equal(before[name], p) for name, p in lora.named_parameters())
        if changed:
            return "a layer, and changed the one that it was given"
        if not isinstance(layer, nn.Linear):
            return layer
        return layer(PROBE).detach()

    call.__name__ = name_of(function)
    return judge(call, [_adapted(bias=False), _adapted(bias=True)])


PROBE = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])


def _adapted(bias: bool) -> Case:
    import my_tuning  # the reader's, where there is one

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        layer = nn.Linear(3, 2, bias=bias).float()
        lora = my_tuning.LoRA(layer, rank=2, alpha=8).float()
        with torch.no_grad():
            lora.B.normal_()
    with torch.no_grad():
        expected = lora(PROBE)
        own = layer(PROBE)
        change = expected - own
    mistakes = [
        (own, "that is the frozen layer: add the change to its matrix"),
        (own + change / lora.scale, "the change is multiplied with lora.scale"),
        (own + 2 * change, "the change is in it twice"),
    ]
    if bias:
        mistakes.append((expected - layer.bias, "and the bias of the layer"))
    hint = "its matrix is that of the layer and lora.scale * B @ A; the bias stays"
    return Case((lora,), expected, hint, [(w.detach(), told) for w, told in mistakes])


def ipo_loss(function: Callable[[Tensor, Tensor, float], Tensor]) -> Verdict:
    """Check `ipo_loss(chosen, rejected, beta) -> loss` (Azar et al. 2024, equation 17)."""
    hint = "the difference of the log-ratios is to be 1 / (2 * beta): square the distance"
    cases = []
    for chosen, rejected, beta in (
        ([3.0], [1.0], 0.25),
        ([0.0], [0.0], 0.5),
        ([2.0, 0.0], [0.0, 1.0], 1.0),
    ):
        gaps = torch.tensor(chosen) - torch.tensor(rejected)
        wanted = 1 / (2 * beta)
        expected = (gaps - wanted).square().mean().item()
        mistakes = [
            ((beta * gaps - wanted).square().mean().item(), "beta stands in the goal alone"),
            ((gaps - 1 / beta).square().mean().item(), "the goal is 1 / (2 * beta)"),
            ((gaps - beta / 2).square().mean().item(), "the goal is 1 / (2 * beta), not beta / 2"),
            ((gaps - wanted).square().sum().item(), "the mean over the pairs"),
            ((gaps.mean() - wanted).square().item(), "square each pair's distance, then the mean"),
            ((gaps - wanted).abs().mean().item(), "the squared distance"),
        ]
        arguments = (torch.tensor(chosen), torch.tensor(rejected), beta)
        wrong = [m for m in mistakes if abs(m[0] - expected) > 1e-6]
        cases.append(Case(arguments, torch.tensor(expected), hint, wrong))
    return judge(function, cases)


def fair_reward(function: Callable[[str, str], float]) -> Verdict:
    """Check `fair_reward(question, answered) -> reward`, with answers that would cheat."""
    same = "an answer with other digits than the question's gets 0, however well it is ordered"
    part = "of the neighbours, how many are in order?"
    cases = [
        Case(("520931", "012359"), 1.0, "the right answer has all its neighbours in order"),
        Case(("520931", "000000"), 0.0, same, [(1.0, same)]),
        Case(("520931", "012358"), 0.0, same, [(1.0, same)]),
        Case(("112", "122"), 0.0, "each digit as often as in the question"),
        Case(("520931", "01235"), 0.0, same, [(1.0, same), (4 / 5, same)]),
        Case(("520931", "012395"), 4 / 5, part, [(0.0, part), (2 / 3, "that counts right places")]),
        Case(
            ("112233", "112233"), 1.0, "equal neighbours are in order", [(2 / 5, "equal ones too")]
        ),
        Case(("321", "321"), 0.0, part, [(1.0, "the question itself is not the answer")]),
    ]
    return judge(function, cases)
