"""From a model that continues to one that answers; it builds on my_gpt.py.

Written in the chapters of https://minigpt-book.github.io/minigpt/
"""


# Fine-tuning: from a model that continues to one that answers

import torch
from torch import nn
from torch.nn import functional as F

from my_gpt import AdamW, loss_of, share_of_rate


def play(messages):
    """A conversation as the pieces of a play, and which to learn."""
    pieces = []
    for name, said in messages:
        learn = name == "MINIGPT"
        pieces += [(f"{name}:", False), ("\n", False), (said, learn)]
        pieces += [("\n", learn), ("\n", learn)]  # the end mark
    return pieces


def example(messages, tokenizer):
    """The ids of a conversation, and which of them count."""
    ids, counts = [], []
    for text, learn in play(messages):
        new = tokenizer.encode(text)
        ids += new
        counts += [learn] * len(new)
    return ids, counts


def rows(examples):
    """Inputs and targets (B, T); a target of -100 does not count."""
    longest = max(len(ids) for ids, _ in examples) - 1
    inputs = torch.zeros(len(examples), longest, dtype=torch.long)
    targets = torch.full((len(examples), longest), -100)
    for row, (ids, counts) in enumerate(examples):
        for t in range(len(ids) - 1):
            inputs[row, t] = ids[t]
            if counts[t + 1]:
                targets[row, t] = ids[t + 1]
    return inputs, targets


def tune(model, batches, rate, warmup=5):
    """One step a batch; returns the loss of each."""
    learned = [p for p in model.parameters() if p.requires_grad]
    optimizer, losses = AdamW(learned, rate, decay=0), []
    for step, (inputs, targets) in enumerate(batches):
        optimizer.rate = rate * share_of_rate(step, len(batches), warmup)
        loss = loss_of(model, inputs, targets)
        loss.backward()
        nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


class LoRA(nn.Module):
    """A frozen layer, and a thin path beside it (Hu et al. 2022)."""

    def __init__(self, layer, rank, alpha):
        super().__init__()
        self.layer = layer
        n_out, n_in = layer.weight.shape
        start = torch.empty(rank, n_in).uniform_(-1, 1) / n_in**0.5
        self.A = nn.Parameter(start)
        self.B = nn.Parameter(torch.zeros(n_out, rank))
        self.scale = alpha / rank

    def forward(self, x):
        return self.layer(x) + self.scale * (x @ self.A.T) @ self.B.T


def with_adapter(model, rank=8, alpha=16):
    """Freeze a model, and put an adapter on each of its layers."""
    model.requires_grad_(False)
    for block in model.blocks:
        for part, names in ((block.attention, ("qkv", "projection")),
                            (block.mlp, ("up", "down"))):
            for name in names:
                setattr(part, name, LoRA(getattr(part, name), rank, alpha))
    return model


def log_probability(model, inputs, targets):
    """Of each row's answer (B): a sum over its tokens."""
    scores = model(inputs)  # (B, T, V)
    surprise = F.cross_entropy(scores.mT, targets, reduction="none")
    return -surprise.sum(dim=1)  # 0 where a target is -100


def preference_loss(chosen, rejected, beta=0.1):
    """The surprise at choices; given are two log-ratios a pair."""
    return -F.logsigmoid(beta * (chosen - rejected)).mean()


def advantages(rewards):
    """How far each reward (G, S) is above its group's mean."""
    return rewards - rewards.mean(dim=1, keepdim=True)


def practice_loss(model, inputs, targets, advantage):
    """Its gradient makes answers with an advantage (B) likelier."""
    scores = model(inputs)
    surprise = F.cross_entropy(scores.mT, targets, reduction="none")
    return (advantage[:, None] * surprise)[targets != -100].mean()
