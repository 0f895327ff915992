"""A GPT in one file: tokenizer, model, training and writing, a part a chapter.

Written in the chapters of https://minigpt-book.github.io/minigpt/
"""


# Tokenization: from text to integers

from collections import Counter

import regex


class Characters:
    """A number for each character of a text."""

    def __init__(self, text):
        self.vocab = sorted(set(text))
        self.ids = {character: i for i, character in enumerate(self.vocab)}

    def encode(self, text):
        return [self.ids[character] for character in text]

    def decode(self, ids):
        return "".join(self.vocab[i] for i in ids)


def pair_counts(pieces):
    """Count neighbours in `pieces`, each with how often it occurs."""
    counts = Counter()
    for ids, times in pieces.items():
        for pair in zip(ids, ids[1:]):
            counts[pair] += times
    return counts


def merged(ids, pair, new_id):
    """Replace `pair` by `new_id`, from left to right."""
    out, i = [], 0
    while i < len(ids):
        if tuple(ids[i : i + 2]) == pair:
            out.append(new_id)
            i += 2
        else:
            out.append(ids[i])
            i += 1
    return tuple(out)


def learn_merges(pieces, n_merges, order=tuple):
    """Merge the most frequent pair, again and again; `order` breaks ties."""
    merges = []
    for new_id in range(256, 256 + n_merges):
        counts = pair_counts(pieces)
        pair = min(counts, key=lambda pair: (-counts[pair], order(pair)))
        pieces = {
            merged(ids, pair, new_id): times for ids, times in pieces.items()
        }
        merges.append(pair)
    return merges


def vocabulary(merges):
    """The bytes of each token: 256 single ones, then what each merge joins."""
    vocab = [bytes([byte]) for byte in range(256)]
    for left, right in merges:
        vocab.append(vocab[left] + vocab[right])
    return vocab


def replay(ids, new_ids):
    """Merge pairs in `new_ids`, the lowest rank first, until none is left."""
    while known := new_ids.keys() & set(zip(ids, ids[1:])):
        pair = min(known, key=new_ids.get)
        ids = merged(ids, pair, new_ids[pair])
    return ids


PATTERN = (
    r"'(?:[sdmt]|ll|ve|re)"  # an English ending
    r"| ?\p{L}+"  # letters, with one space in front or none
    r"| ?\p{N}+"  # numbers, likewise
    r"| ?[^\s\p{L}\p{N}]+"  # other signs, likewise
    r"|\s+(?!\S)"  # white space, but leave the last one to the next piece
    r"|\s+"  # white space left over, such as one new line before a word
)


class Tokenizer:
    """Byte-pair encoding: the bytes of each token, and pairs to merge."""

    def __init__(self, vocab, merges):
        self.vocab = vocab
        self.byte_ids = {vocab[i][0]: i for i in range(256)}
        self.new_ids = {pair: 256 + rank for rank, pair in enumerate(merges)}

    @classmethod
    def train(cls, text, n_merges):
        found = regex.findall(PATTERN, text)
        pieces = Counter(tuple(piece.encode()) for piece in found)
        merges = learn_merges(pieces, n_merges)
        return cls(vocabulary(merges), merges)

    def encode(self, text):
        ids = []
        for piece in regex.findall(PATTERN, text):
            ids += self.encode_piece(piece)
        return ids

    def encode_piece(self, piece):
        ids = tuple(self.byte_ids[byte] for byte in piece.encode())
        return replay(ids, self.new_ids)

    def decode(self, ids):
        return b"".join(self.vocab[i] for i in ids).decode("utf-8", "replace")


# Embeddings: from integers to vectors

import torch
from torch import nn
from torch.nn import functional as F


class Table(nn.Module):
    """A row of learned numbers for each id."""

    def __init__(self, rows, n_embd):  # n_embd: C, how many numbers
        super().__init__()
        self.weight = nn.Parameter(0.02 * torch.randn(rows, n_embd))

    def forward(self, ids):  # runs when the table is called
        return self.weight[ids]


def windows(ids, batch, length):
    """Pieces of a text from random places, and what follows each token."""
    starts = torch.randint(len(ids) - length, (batch, 1))
    places = starts + torch.arange(length + 1)  # (B, T + 1)
    return ids[places[:, :-1]], ids[places[:, 1:]]  # (B, T) twice


def loss_of(model, inputs, targets):
    """How surprised the model is by what follows, in nats per token."""
    scores = model(inputs).flatten(0, 1)  # (B * T, V), a row an example
    return F.cross_entropy(scores, targets.flatten())


@torch.no_grad()  # no gradients are wanted
def measure(model, ids, length=64):
    """The loss over a whole text, window after window, in nats per token."""
    n = (len(ids) - 1) // length
    inputs, targets = ids[: n * length], ids[1 : n * length + 1]
    return loss_of(model, inputs.view(n, length), targets.view(n, length)).item()


@torch.no_grad()
def write(model, ids, n_tokens, length=64):
    """Continue a text: draw a token by its probability, add it, go on."""
    for _ in range(n_tokens):
        scores = model(ids[None, -length:])[0, -1]  # (V), after the last
        ids = torch.cat([ids, torch.multinomial(scores.softmax(dim=-1), 1)])
    return ids


def learn(model, ids, steps, rate, batch=16, length=64):
    """Make a model less surprised by a text, step by small step."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    for _ in range(steps):
        loss = loss_of(model, *windows(ids, batch, length))
        optimizer.zero_grad()  # forget the gradients of the last step
        loss.backward()
        optimizer.step()


# Attention: which tokens listen to which

def attention(q, k, v):
    """What each token gathers from itself and those before it: (..., T, D)."""
    T, D = q.shape[-2:]
    scores = q @ k.transpose(-2, -1) / D**0.5  # (..., T, T)
    future = torch.ones(T, T, dtype=torch.bool).triu(1)
    weights = scores.masked_fill(future, float("-inf")).softmax(dim=-1)
    return weights @ v


class Attention(nn.Module):
    """Several heads beside each other."""

    def __init__(self, n_embd, n_head):
        super().__init__()
        self.n_head = n_head
        self.qkv = nn.Linear(n_embd, 3 * n_embd)
        self.projection = nn.Linear(n_embd, n_embd)

    def forward(self, x):  # (B, T, C)
        q, k, v = map(self.split, self.qkv(x).chunk(3, dim=-1))
        y = attention(q, k, v)  # (B, H, T, D)
        return self.projection(y.transpose(1, 2).flatten(2))  # (B, T, C)

    def split(self, x):  # (B, T, C) to (B, H, T, D)
        return x.unflatten(-1, (self.n_head, -1)).transpose(1, 2)


# The model: a GPT, assembled and counted

import json
import math
from pathlib import Path

from safetensors.torch import load_file


def gelu(x):
    """0 far below 0, the number itself far above, a bend between."""
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return x / 2 * (1 + torch.tanh(inner))


class MLP(nn.Module):
    """Four times as wide, a bend, and back: each token for itself."""

    def __init__(self, n_embd):
        super().__init__()
        self.up = nn.Linear(n_embd, 4 * n_embd)
        self.down = nn.Linear(4 * n_embd, n_embd)

    def forward(self, x):
        return self.down(gelu(self.up(x)))


class LayerNorm(nn.Module):
    """Vectors of mean 0 and variance 1, then scaled and moved as learned."""

    def __init__(self, n_embd):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n_embd))
        self.bias = nn.Parameter(torch.zeros(n_embd))

    def forward(self, x):
        centred = x - x.mean(dim=-1, keepdim=True)
        variance = (centred**2).mean(dim=-1, keepdim=True)
        normalised = centred / (variance + 1e-5).sqrt()
        return normalised * self.weight + self.bias


class Block(nn.Module):
    """Attention, then an MLP; each adds to the vectors what it found."""

    def __init__(self, n_embd, n_head):
        super().__init__()
        self.norm_1 = LayerNorm(n_embd)
        self.attention = Attention(n_embd, n_head)
        self.norm_2 = LayerNorm(n_embd)
        self.mlp = MLP(n_embd)

    def forward(self, x):  # (B, T, C)
        x = x + self.attention(self.norm_1(x))
        return x + self.mlp(self.norm_2(x))


class GPT(nn.Module):
    """GPT-2: ids (B, T) in, a score for each next token out (B, T, V)."""

    def __init__(self, vocab_size, context_length, n_layer, n_head, n_embd):
        super().__init__()
        self.context_length = context_length
        self.token_embedding = Table(vocab_size, n_embd)
        self.position_embedding = Table(context_length, n_embd)
        blocks = (Block(n_embd, n_head) for _ in range(n_layer))
        self.blocks = nn.ModuleList(blocks)
        self.final_norm = LayerNorm(n_embd)
        # The deviation of the matrices whose output is added.
        small = 0.02 / math.sqrt(2 * n_layer)
        for name, weight in self.blocks.named_parameters():
            if name.endswith(("projection.weight", "down.weight")):
                nn.init.normal_(weight, std=small)
            elif weight.dim() == 2:
                nn.init.normal_(weight, std=0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(weight)

    def forward(self, ids):
        x = self.token_embedding(ids)  # (B, T, C)
        x = x + self.position_embedding(torch.arange(ids.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.final_norm(x) @ self.token_embedding.weight.T


NAMES = {  # GPT-2's, and ours
    "transformer.": "",
    "wte": "token_embedding",
    "wpe": "position_embedding",
    "h.": "blocks.",
    "ln_1": "norm_1",
    "ln_2": "norm_2",
    "ln_f": "final_norm",
    "attn.c_attn": "attention.qkv",
    "attn.c_proj": "attention.projection",
    "mlp.c_fc": "mlp.up",
    "mlp.c_proj": "mlp.down",
}


def load(folder):
    """Open a GPT-2 or the book's own model from its folder."""
    folder = Path(folder)
    sizes = json.loads((folder / "config.json").read_text())
    names = "vocab_size", "n_positions", "n_layer", "n_head", "n_embd"
    model = GPT(*(sizes[name] for name in names))
    weights = {}
    for name, weight in load_file(folder / "model.safetensors").items():
        if name.endswith(".attn.bias"):
            continue  # GPT-2's first files hold the mask as well
        if ".c_" in name and weight.dim() == 2:
            weight = weight.T  # rows and columns are swapped
        for theirs, our in NAMES.items():
            name = name.replace(theirs, our)
        weights[name] = weight
    model.load_state_dict(weights)
    return model


# Training: from a guess to a model that writes

class AdamW:
    """Steps of even size, whatever a gradient's (Loshchilov and Hutter 2019)."""

    def __init__(self, parameters, rate, decay=0.1, betas=(0.9, 0.95)):
        self.parameters, self.rate = list(parameters), rate
        self.decay, self.betas = decay, betas
        self.means = [torch.zeros_like(p) for p in self.parameters]
        self.squares = [torch.zeros_like(p) for p in self.parameters]
        self.steps = 0

    @torch.no_grad()
    def step(self):
        self.steps += 1
        b1, b2 = self.betas
        for p, mean, square in zip(self.parameters, self.means, self.squares):
            mean.lerp_(p.grad, 1 - b1)
            square.lerp_(p.grad**2, 1 - b2)
            if p.dim() == 2:
                p *= 1 - self.rate * self.decay  # matrices alone
            size = (square / (1 - b2**self.steps)).sqrt() + 1e-8
            p -= self.rate * mean / (1 - b1**self.steps) / size
            p.grad = None


def share_of_rate(step, steps, warmup):
    """Up in a line, then down along half a cosine, from 1 to a tenth."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.55 + 0.45 * math.cos(math.pi * (step - warmup) / (steps - warmup))


def train(model, ids, steps, rate, warmup=50, batch=16, length=64):
    """AdamW, a rate that rises and falls, and gradients cut short."""
    optimizer = AdamW(model.parameters(), rate)
    for step in range(steps):
        optimizer.rate = rate * share_of_rate(step, steps, warmup)
        loss = loss_of(model, *windows(ids, batch, length))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


# Generation: from scores to text

def choose(scores, temperature=1.0, top_k=None, top_p=None):
    """Choose a token by the scores (V); at temperature 0, the best."""
    if temperature == 0:
        return scores.argmax()
    probabilities = (scores / temperature).softmax(dim=-1)
    probabilities, tokens = probabilities.sort(descending=True)
    if top_k is not None:
        probabilities[top_k:] = 0
    if top_p is not None:
        before = probabilities.cumsum(dim=-1) - probabilities
        probabilities[before >= top_p] = 0
    return tokens[torch.multinomial(probabilities, 1)[0]]


@torch.no_grad()
def generate(model, ids, n_tokens, **how):
    """Continue a text, token by token; `how` is for `choose`."""
    for _ in range(n_tokens):
        scores = model(ids[None, -model.context_length :])[0, -1]  # (V,)
        ids = torch.cat([ids, choose(scores, **how)[None]])
    return ids
