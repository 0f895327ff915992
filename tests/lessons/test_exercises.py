"""Every check separates a correct submission from an empty one and from the classic mistakes."""

from __future__ import annotations

import codecs
import copy
import functools
import inspect
import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from minigpt.attention import causal_mask
from minigpt.embedding import position_angles, sinusoidal_positions
from minigpt.generation import generate
from minigpt.generation.sampling import apply_temperature, keep_top_p
from minigpt.generation.text_stream import _until
from minigpt.lessons.attention import exercises as attention
from minigpt.lessons.embedding import exercises as embedding
from minigpt.lessons.generation import exercises as generation
from minigpt.lessons.judge import Case, Verdict, judge
from minigpt.lessons.model import exercises as gpt
from minigpt.lessons.tokenizer import exercises as tokenizer
from minigpt.lessons.training import exercises as training
from minigpt.model import GPT, Block, GPTConfig
from minigpt.model.activations import activations
from minigpt.training import next_token_loss
from minigpt.training.schedule import warmup_cosine

CHECKS = {
    name: check
    for module in (tokenizer, embedding, attention, gpt, training, generation)
    for name, check in inspect.getmembers(module, inspect.isfunction)
    if check.__module__.startswith(module.__name__) and not name.startswith("_")
}


def most_frequent_pair(ids):
    counts = Counter(pairwise(ids))
    return min(counts, key=lambda pair: (-counts[pair], pair))


def merge_pair(ids, pair, new_id):
    out, i = [], 0
    while i < len(ids):
        if tuple(ids[i : i + 2]) == pair:
            out.append(new_id)
            i += 2
        else:
            out.append(ids[i])
            i += 1
    return out


def merge_in_place(ids, pair, new_id):
    for i in range(len(ids) - 1):
        if tuple(ids[i : i + 2]) == pair:
            ids[i : i + 2] = [new_id]
    return ids


def merge_overlapping(ids, pair, new_id):
    out = []
    for i, token in enumerate(ids):
        if tuple(ids[i : i + 2]) == pair:
            out.append(new_id)
        elif not (i and tuple(ids[i - 1 : i + 1]) == pair):
            out.append(token)
    return out


def merge_loses_the_end(ids, pair, new_id):
    out, i = [], 0
    while i < len(ids) - 1:
        merged = tuple(ids[i : i + 2]) == pair
        out.append(new_id if merged else ids[i])
        i += 2 if merged else 1
    return out


def encode_word(ids, ranks):
    while True:
        known = [pair for pair in pairwise(ids) if pair in ranks]
        if not known:
            return ids
        pair = min(known, key=ranks.get)
        ids = merge_pair(ids, pair, 256 + ranks[pair])


def encode_from_the_left(ids, ranks):
    while pair := next((p for p in pairwise(ids) if p in ranks), None):
        ids = merge_pair(ids, pair, 256 + ranks[pair])
    return ids


def encode_once(ids, ranks):
    known = [pair for pair in pairwise(ids) if pair in ranks]
    pair = min(known, key=ranks.get, default=None)
    return merge_pair(ids, pair, 256 + ranks[pair]) if pair else ids


def decode_stream(tokens):
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for token in tokens:
        if text := decoder.decode(token):
            yield text
    if text := decoder.decode(b"", final=True):
        yield text


def stream_swallowing_the_end(tokens):
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    yield from (text for token in tokens if (text := decoder.decode(token)))


def one_hot_lookup(ids, table):
    return F.one_hot(ids, len(table)).float() @ table


def nearest(table, i, k, score=lambda rows, row: F.cosine_similarity(rows, row, dim=-1)):
    scores = score(table, table[i])
    scores[i] = -math.inf
    return scores.topk(k).indices.tolist()


def nearest_with_itself(table, i, k):
    return F.cosine_similarity(table, table[i], dim=-1).topk(k).indices.tolist()


def nearest_masking_with_0(table, i, k):
    cosines = F.cosine_similarity(table, table[i], dim=-1)
    cosines[i] = 0
    return cosines.topk(k).indices.tolist()


def nearest_shifted(table, i, k):
    others = torch.cat([table[:i], table[i + 1 :]])
    return F.cosine_similarity(others, table[i], dim=-1).topk(k).indices.tolist()


def sinusoid(position, n_embd, base, turn=lambda angle: angle):
    out = []
    for i in range(n_embd // 2):
        angle = turn(position / base ** (2 * i / n_embd))
        out += [math.sin(angle), math.cos(angle)]
    return out


def sinusoid_in_halves(position, n_embd, base):
    both = sinusoid(position, n_embd, base)
    return both[::2] + both[1::2]


def sinusoid_exponent_i(position, n_embd, base):
    angles = [position / base ** (i / n_embd) for i in range(n_embd // 2)]
    return torch.tensor([f(angle) for angle in angles for f in (math.sin, math.cos)])


def sinusoid_by_dimension(position, n_embd, base):
    angles = [position / base ** (j / n_embd) for j in range(n_embd)]
    return [math.cos(a) if j % 2 else math.sin(a) for j, a in enumerate(angles)]


def shift_matrix(offset, n_embd, base):
    blocks = []
    for i in range(n_embd // 2):
        angle = offset / base ** (2 * i / n_embd)
        sin, cos = math.sin(angle), math.cos(angle)
        blocks.append(torch.tensor([[cos, sin], [-sin, cos]]))
    return torch.block_diag(*blocks)


def shift_in_halves(offset, n_embd, base):
    sin, cos = (
        torch.diag(f(position_angles(2, n_embd, base)[1] * offset)) for f in (torch.sin, torch.cos)
    )
    return torch.cat([torch.cat([cos, sin], dim=1), torch.cat([-sin, cos], dim=1)])


def my_softmax(scores):
    powers = (scores - scores.amax(dim=-1, keepdim=True)).exp()
    return powers / powers.sum(dim=-1, keepdim=True)


def softmax_with_one_maximum(scores):
    powers = (scores - scores.max()).exp()
    return powers / powers.sum(dim=-1, keepdim=True)


def softmax_in_place(scores):
    scores -= scores.amax(dim=-1, keepdim=True)
    return scores.softmax(dim=-1)


def causal_weights(scores):
    return scores.masked_fill(~causal_mask(len(scores)), -math.inf).softmax(dim=-1)


def hidden(scores, keep, value):
    return scores.masked_fill(~keep(torch.ones_like(scores)).bool(), value)


def entropy(weights):
    return -sum(w * math.log(w) for w in weights.tolist() if w > 0)


def streaming_attention(q, pairs, scale=None, grow=True, start=-math.inf):
    scale = len(q) ** -0.5 if scale is None else scale
    maximum, total, gathered = torch.tensor(start), torch.tensor(0.0), 0.0
    for key, value in pairs:
        score = (q @ key) * scale
        higher = torch.maximum(maximum, score)
        shrink = (maximum - higher).exp() if grow else 1.0
        weight = (score - higher).exp()
        total, gathered = total * shrink + weight, gathered * shrink + weight * value
        maximum = higher
    return gathered / total


def streaming_with_the_first_as_start(q, pairs):
    key, gathered = next(pairs)
    maximum, total = q @ key / len(q) ** 0.5, 1.0
    for key, value in pairs:
        score = q @ key / len(q) ** 0.5
        higher = max(maximum, score)
        shrink, weight = (maximum - higher).exp(), (score - higher).exp()
        total, gathered = total * shrink + weight, gathered * shrink + weight * value
        maximum = higher
    return (gathered / total).tolist()


def streaming_without_maximum(q, pairs):
    total, gathered = 0.0, 0.0
    for key, value in pairs:
        weight = (q @ key / len(q) ** 0.5).exp()
        total, gathered = total + weight, gathered + weight * value
    return gathered / total


def attention_of_all_pairs(q, pairs):
    keys, values = map(torch.stack, zip(*pairs, strict=True))
    return (keys @ q / len(q) ** 0.5).softmax(dim=-1) @ values


def layer_norm(x, weight, bias, dim=-1, correction=0, power=0.5, eps=1e-5):
    variance, mean = torch.var_mean(x, dim=dim, correction=correction, keepdim=True)
    return (x - mean) / (variance + eps) ** power * weight + bias


def layer_norm_eps_outside(x, weight, bias):
    deviation = x.std(dim=-1, correction=0, keepdim=True)
    return (x - x.mean(dim=-1, keepdim=True)) / (deviation + 1e-5) * weight + bias


def layer_norm_without_keepdim(x, weight, bias):
    return (x - x.mean(-1)) / (x.var(-1, correction=0) + 1e-5).sqrt() * weight + bias


def layer_norm_in_place(x, weight, bias):
    x -= x.mean(dim=-1, keepdim=True)
    return x / (x.square().mean(dim=-1, keepdim=True) + 1e-5).sqrt() * weight + bias


def gelu_tanh(x, factor=(2 / math.pi) ** 0.5, power=3):
    return 0.5 * x * (1 + torch.tanh(factor * (x + 0.044715 * x**power)))


def gelu_with_exp(x):
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return x * (2 * inner).exp() / (1 + (2 * inner).exp())


def block_parameters(n_embd, bias):
    return 12 * n_embd**2 + (13 if bias else 2) * n_embd


def count_parameters(model, keep=lambda p: p.requires_grad):
    return sum(p.numel() for p in model.parameters() if keep(p))


def count_by_id(model):
    named = model.named_parameters(remove_duplicate=False)
    return sum({id(p): p.numel() for _, p in named if p.requires_grad}.values())


def count_state(model):
    return sum(tensor.numel() for tensor in model.state_dict().values())


def count_every_name(model):
    return sum(p.numel() for _, p in model.named_parameters(remove_duplicate=False))


def count_without_the_head(model):
    return sum(p.numel() for name, p in model.named_parameters() if "lm_head" not in name)


def count_different_numbers(model):
    return sum(
        len(numbers) for numbers in {tuple(p.flatten().tolist()) for p in model.parameters()}
    )


def stream(model, ids, start="dropout", suffix=""):
    kept = activations(model, ids)
    names = [start, *(f"blocks.{i}{suffix}" for i in range(len(model.blocks)))]
    return torch.stack([kept[name] for name in names])


def logit_lens(model, ids, **names):
    return model.lm_head(model.final_norm(stream(model, ids, **names)))


def logit_lens_by_block(model, ids):
    x = model.token_embedding(ids) + model.position_embedding(ids.shape[1])
    layers = [model.lm_head(model.final_norm(x))]
    for block in model.blocks:
        x = block(x)
        layers.append(model.lm_head(model.final_norm(x)))
    return layers


def logit_lens_in_text_order(model, ids):
    kept = activations(model, ids)
    blocks = [name for name in kept if name.startswith("blocks.") and name.count(".") == 1]
    layers = torch.stack([kept[name] for name in ["dropout", *sorted(blocks)]])
    return model.lm_head(model.final_norm(layers))


def logit_lens_normalised_twice(model, ids):
    kept = activations(model, ids)
    layers = torch.stack([*stream(model, ids)[:-1], kept["final_norm"]])
    return model.lm_head(model.final_norm(layers))


def logit_lens_cutting_the_model(model, ids):
    blocks = model.blocks
    layers = []
    for i in range(len(blocks) + 1):
        model.blocks = blocks[:i]
        layers.append(model(ids))
        model.blocks = blocks[:-1]  # never put back
    return torch.stack(layers)


def logit_lens_leaving_hooks(model, ids):
    model.final_norm.register_forward_hook(lambda module, given, output: None)
    return logit_lens(model, ids)


def cross_entropy(logits, targets, dim=-1, turn=lambda logs: logs, mean=torch.mean):
    logs = logits - logits.logsumexp(dim, keepdim=True)
    return -mean(turn(logs).gather(-1, targets[..., None])[..., 0])


def cross_entropy_overflowing(logits, targets, largest=0.0):
    powers = (logits - largest).exp()
    logs = logits - largest - powers.sum(dim=-1, keepdim=True).log()
    return -logs.gather(-1, targets[..., None]).mean()


def cross_entropy_of_probabilities(logits, targets):
    return -logits.softmax(dim=-1).gather(-1, targets[..., None]).log().mean()


def cross_entropy_in_place(logits, targets):
    logits -= logits.amax(dim=-1, keepdim=True)
    return cross_entropy(logits, targets)


def inputs_and_targets(ids, starts, length, shift=1, longer=0):
    rows = [ids[i : i + length + longer] for i in starts]
    later = [ids[i + shift : i + shift + length] for i in starts]
    return torch.stack(rows), torch.stack(later)


def windows_by_arange(ids, starts, length):
    places = torch.tensor(starts)[:, None] + torch.arange(length + 1)
    return ids[places][:, :-1], ids[places][:, 1:]


def windows_changed(change):
    return lambda *given: change(*inputs_and_targets(*given))


def half_cosine(way):
    return (1 + math.cos(math.pi * way)) / 2


def learning_rate(
    step,
    steps,
    highest,
    warmup,
    final,
    rise=lambda step, warmup, final: (step + 1) / warmup,
    way=lambda step, steps, warmup: (step - warmup) / (steps - warmup),
    fall=lambda way, final: final + (1 - final) * half_cosine(way),
):
    if step < warmup:
        return highest * rise(step, warmup, final)
    return highest * fall(way(step, steps, warmup), final)


def learning_rate_with_final_as_a_rate(step, steps, highest, warmup, final):
    if step < warmup:
        return highest * (step + 1) / warmup
    return final + (highest - final) * half_cosine((step - warmup) / (steps - warmup))


def accumulated_gradient(
    model,
    inputs,
    targets,
    parts,
    share=lambda y, targets, parts: y.numel() / targets.numel(),
    split=torch.Tensor.chunk,
    reduction="mean",
    empty_first=True,
    empty_each=False,
):
    if empty_first:
        model.zero_grad()
    for x, y in zip(split(inputs, parts), split(targets, parts), strict=True):
        if empty_each:
            model.zero_grad()
        logits = model(x).flatten(0, 1)
        loss = F.cross_entropy(logits, y.flatten(), reduction=reduction)
        (loss * share(y, targets, parts)).backward()
    return [p.grad for p in model.parameters()]


def accumulated_without_grad_fields(model, inputs, targets, parts):
    total = [torch.zeros_like(p) for p in model.parameters()]
    for x, y in zip(inputs.split(1), targets.split(1), strict=True):
        loss = next_token_loss(model(x), y) / len(inputs)
        for sum_, gradient in zip(
            total, torch.autograd.grad(loss, model.parameters()), strict=True
        ):
            sum_ += gradient
    yield from total


def accumulated_leaving_the_rest(model, inputs, targets, parts):
    size = len(inputs) // parts
    whole = slice(size * parts)
    return accumulated_gradient(model, inputs[whole], targets[whole], parts)


def accumulated_returning_early(model, inputs, targets, parts):
    return accumulated_gradient(model, inputs.chunk(parts)[0], targets.chunk(parts)[0], 1)


def accumulated_and_stepped(model, *given):
    gradients = accumulated_gradient(model, *given)
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    return gradients


def accumulated_and_emptied(model, *given):
    gradients = accumulated_gradient(model, *given)
    model.zero_grad(set_to_none=False)
    return gradients


def equal_shares(y, targets, parts):
    return 1 / parts


def adamw_step(
    weight,
    gradient,
    mean,
    square,
    step,
    lr,
    beta_1,
    beta_2,
    eps,
    weight_decay,
    corrections=lambda step, beta_1, beta_2: (1 - beta_1**step, 1 - beta_2**step),
    divide=lambda mean, square, eps: mean / (square.sqrt() + eps),
    squared=torch.square,
):
    mean = beta_1 * mean + (1 - beta_1) * gradient
    square = beta_2 * square + (1 - beta_2) * squared(gradient)
    by_1, by_2 = corrections(step, beta_1, beta_2)
    move = divide(mean / by_1, square / by_2, eps)
    return weight - lr * (move + weight_decay * weight), mean, square


def adamw_of_torch(weight, gradient, mean, square, step, lr, beta_1, beta_2, eps, weight_decay):
    weight = nn.Parameter(weight.clone())
    weight.grad = gradient
    optimizer = torch.optim.AdamW([weight], lr, (beta_1, beta_2), eps, weight_decay)
    averages = {"exp_avg": mean.clone(), "exp_avg_sq": square.clone()}
    optimizer.state[weight] = {"step": torch.tensor(step - 1.0), **averages}
    optimizer.step()
    return weight, averages["exp_avg"], averages["exp_avg_sq"]


def adam_with_l2(weight, gradient, mean, square, *settings):
    *settings, weight_decay = settings
    return adamw_step(weight, gradient + weight_decay * weight, mean, square, *settings, 0.0)


def adamw_decaying(kept):
    """AdamW that does something else to the weight: kept(weight, move, lr, weight_decay)."""

    def step(weight, *rest):
        *rest, weight_decay = rest
        lr = rest[4]
        moved, mean, square = adamw_step(weight, *rest, 0.0)
        return kept(weight, (weight - moved) / lr, lr, weight_decay), mean, square

    return step


def adamw_with_eps_before_correction(*given):
    step, _, _, beta_2, eps, _ = given[4:]
    scaled = eps / (1 - beta_2**step) ** 0.5
    return adamw_step(*given[:8], scaled, given[9])


def adamw_without_the_mean(weight, gradient, mean, square, *settings):
    _, m, v = adamw_step(weight, gradient, mean, square, *settings)
    step, lr, _, beta_2, eps, weight_decay = settings
    move = gradient / ((v / (1 - beta_2**step)).sqrt() + eps)
    return weight - lr * (move + weight_decay * weight), m, v


def adamw_with_another_square(average):
    """AdamW that keeps `average(gradient, mean, square, beta_2)` as its square."""

    def step(weight, gradient, mean, square, step, lr, beta_1, beta_2, eps, weight_decay):
        mean = beta_1 * mean + (1 - beta_1) * gradient
        square = average(gradient, mean, square, beta_2)
        move = mean / (1 - beta_1**step) / ((square / (1 - beta_2**step)).sqrt() + eps)
        return weight - lr * (move + weight_decay * weight), mean, square

    return step


def adamw_in_place(weight, gradient, mean, square, *settings):
    mean.mul_(0.9).add_(gradient, alpha=0.1)
    return adamw_step(weight, gradient, mean, square, *settings)


def sharpened(probabilities, temperature):
    powers = (probabilities / probabilities.max()) ** (1 / temperature)
    return powers / powers.sum()


def sharpened_in_place(probabilities, temperature):
    probabilities /= probabilities.max()
    return sharpened(probabilities, temperature)


def top_p(probabilities, p, enough=lambda total, p: total >= p):
    kept, total = [], 0.0
    for i in probabilities.argsort(descending=True).tolist():
        kept.append(i)
        total += probabilities[i].item()
        if enough(total, p):
            break
    return kept


def top_p_without_crossing(probabilities, p):
    order = probabilities.argsort(descending=True)
    return order[probabilities[order].cumsum(dim=0) < p].tolist()


def top_p_from_the_first(probabilities, p):
    count = int((probabilities.cumsum(dim=0) < p).sum()) + 1
    return list(range(count))


def top_p_from_the_worst(probabilities, p):
    order = probabilities.argsort()
    count = int((probabilities[order].cumsum(dim=0) < p).sum()) + 1
    return order[:count].tolist()


def tokens_read(n_prompt, n_new):
    return sum(n_prompt + i for i in range(n_new)), n_prompt + n_new - 1


def tokens_read_wrongly(without=None, cached=None):
    def submission(n_prompt, n_new):
        right = tokens_read(n_prompt, n_new)
        wrong = [f and f(n_prompt, n_new) for f in (without, cached)]
        return tuple(r if w is None else w for r, w in zip(right, wrong, strict=True))

    return submission


def write_until(pieces, stop):
    held = ""
    for piece in pieces:
        text, found, _ = (held + piece).partition(stop)
        if found:
            yield text
            return
        cut = next(i for i in range(len(text) + 1) if stop.startswith(text[i:]))
        yield text[:cut]
        held = text[cut:]
    yield held


def write_by_letters(pieces, stop):
    held = ""
    for piece in pieces:
        for letter in piece:
            held += letter
            if held == stop:
                return
            while not stop.startswith(held):
                yield held[0]
                held = held[1:]
    yield from held


def write_checking_pieces(pieces, stop):
    for piece in pieces:
        if stop in piece:
            yield piece[: piece.index(stop)]
            return
        yield piece


def write_checking_for_equal(pieces, stop):
    for piece in pieces:
        if piece == stop:
            return
        yield piece


def write_dropping_the_piece(pieces, stop):
    for piece in pieces:
        if stop in piece:
            return
        yield piece


def write_all_at_the_end(pieces, stop):
    yield "".join(pieces).split(stop)[0]


def write_as_a_list(pieces, stop):
    return [*write_until(pieces, stop)]


def write_as_a_string(pieces, stop):
    return "".join(write_until(pieces, stop))


def write_when_complete(pieces, stop):
    text = ""
    for piece in pieces:
        text += piece
        if stop in text:
            break
    yield text.partition(stop)[0]


def write_looking_ahead(pieces, stop):
    waiting = ""
    for piece in write_until(pieces, stop):
        yield waiting
        waiting = piece
    yield waiting


def write_and_take_the_rest(pieces, stop):
    yield from write_until(pieces, stop)
    for _ in pieces:
        pass


def write_with_the_stop(pieces, stop):
    taken = []
    yield from write_until((taken.append(piece) or piece for piece in pieces), stop)
    if stop in "".join(taken):
        yield stop


def write_going_on(pieces, stop):
    for piece in pieces:
        yield piece.replace(stop, "")


def write_everything(pieces, stop):
    yield from pieces


def write_until_the_last(pieces, stop):
    for piece in pieces:
        text, found, rest = piece.rpartition(stop)
        yield text or rest
        if found:
            return


def write_noticing_too_late(pieces, stop):
    written = ""
    for piece in pieces:
        before, written = len(written), written + piece
        if stop in written:
            yield written[before : written.index(stop)]
            return
        yield piece


def write_holding(count):
    def submission(pieces, stop):
        held = ""
        for piece in pieces:
            held, found, _ = (held + piece).partition(stop)
            if found:
                break
            cut = max(0, len(held) - count(stop))
            yield held[:cut]
            held = held[cut:]
        yield held

    return submission


def write_holding_pieces(pieces, stop):
    held = ""
    for piece in pieces:
        held, found, _ = (held + piece).partition(stop)
        if found:
            break
        if not any(held.endswith(stop[:i]) for i in range(1, len(stop))):
            yield held
            held = ""
    yield held


def write_losing(middle, end):
    def submission(pieces, stop):
        held = ""
        for piece in pieces:
            text, found, _ = (held + piece).partition(stop)
            if found:
                yield text
                return
            cut = next(i for i in range(len(text) + 1) if stop.startswith(text[i:]))
            false_start = len(held) if middle and cut >= len(held) else 0
            yield text[false_start:cut]
            held = text[cut:]
        if not end:
            yield held

    return submission


def write_by_a_counter(pieces, stop):
    matched = 0
    for piece in pieces:
        for letter in piece:
            if letter == stop[matched]:
                matched += 1
                if matched == len(stop):
                    return
                continue
            yield stop[:matched]
            matched = 1 if letter == stop[0] else 0
            if not matched:
                yield letter
    yield stop[:matched]


def write_none(pieces, stop):
    for _ in pieces:
        yield None


def write_for_ever(pieces, stop):
    while True:
        yield next(pieces, "")


def accept_or_replace(
    p,
    q,
    accepted=lambda p, q: torch.where(q > 0, p / q, 1.0).clamp(max=1),
    replaced=lambda p, q: (p - q).clamp(min=0),
    shares=lambda missing: missing / missing.sum(),
):
    same = torch.equal(p, q)
    return accepted(p, q), p if same else shares(replaced(p, q))


def accept_by_loops(p, q):
    p, q = p.tolist(), q.tolist()
    accepted = [min(1.0, a / b) if b else 0.0 for a, b in zip(p, q, strict=True)]
    missing = [max(0.0, a - b) for a, b in zip(p, q, strict=True)]
    return accepted, [m / (sum(missing) or 1.0) for m in missing]


CORRECT = {
    "bytes_per_token": lambda text, ids: len(text.encode()) / len(ids),
    "most_frequent_pair": most_frequent_pair,
    "merge_pair": merge_pair,
    "encode_word": encode_word,
    "decode_stream": decode_stream,
    "table_parameters": lambda vocab_size, context_length, n_embd: (
        (vocab_size + context_length) * n_embd
    ),
    "one_hot_lookup": one_hot_lookup,
    "nearest": nearest,
    "sinusoid": sinusoid,
    "shift_matrix": shift_matrix,
    "attention_parameters": lambda n_embd, bias: 4 * n_embd**2 + (4 * n_embd if bias else 0),
    "my_softmax": my_softmax,
    "causal_weights": causal_weights,
    "entropy": entropy,
    "streaming_attention": streaming_attention,
    "layer_norm": layer_norm,
    "gelu_tanh": gelu_tanh,
    "block_parameters": block_parameters,
    "count_parameters": count_parameters,
    "logit_lens": logit_lens,
    "cross_entropy": cross_entropy,
    "inputs_and_targets": inputs_and_targets,
    "learning_rate": learning_rate,
    "accumulated_gradient": accumulated_gradient,
    "adamw_step": adamw_step,
    "sharpened": sharpened,
    "top_p": top_p,
    "tokens_read": tokens_read,
    "write_until": write_until,
    "accept_or_replace": accept_or_replace,
}
OTHERWISE_CORRECT = [
    ("one_hot_lookup", lambda ids, table: (ids[:, None] == torch.arange(4)).float() @ table),
    ("one_hot_lookup", lambda ids, table: torch.eye(len(table))[ids] @ table),
    (
        "one_hot_lookup",
        lambda ids, table: torch.stack(
            [sum(float(j == i) * table[j] for j in range(len(table))) for i in ids]
        ),
    ),
    (
        "one_hot_lookup",
        lambda ids, table: torch.stack([(one_hot_lookup(ids, table))[t] for t in range(len(ids))]),
    ),
    ("one_hot_lookup", lambda ids, table: one_hot_lookup(ids, table.detach()).tolist()),
    ("sinusoid", lambda position, *sizes: sinusoidal_positions(8, *sizes)[position]),
    ("sinusoid", lambda *sizes: np.array(sinusoid(*sizes))),
    ("shift_matrix", lambda *sizes: shift_matrix(*sizes).double()),
    ("my_softmax", lambda scores: F.softmax(scores, dim=-1)),
    ("entropy", lambda weights: torch.special.entr(weights).sum()),
    ("streaming_attention", streaming_with_the_first_as_start),
    ("layer_norm", lambda x, weight, bias: F.layer_norm(x, x.shape[-1:], weight, bias)),
    ("layer_norm", lambda *given: layer_norm(*(tensor.double() for tensor in given))),
    ("gelu_tanh", lambda x: F.gelu(x, approximate="tanh")),
    ("count_parameters", count_by_id),
    (
        "count_parameters",
        lambda model: sum(np.prod(p.shape) for p in model.parameters() if p.requires_grad),
    ),
    ("count_parameters", lambda model: torch.tensor(count_parameters(model))),
    ("logit_lens", logit_lens_by_block),
    ("logit_lens", torch.no_grad()(logit_lens)),
    ("cross_entropy", next_token_loss),
    ("cross_entropy", lambda *given: cross_entropy(*given).item()),
    ("cross_entropy", lambda logits, targets: cross_entropy(logits.double(), targets)),
    ("inputs_and_targets", windows_by_arange),
    ("inputs_and_targets", lambda *given: torch.stack(inputs_and_targets(*given))),
    ("inputs_and_targets", lambda *given: [x.tolist() for x in inputs_and_targets(*given)]),
    ("inputs_and_targets", lambda *given: [[*rows] for rows in inputs_and_targets(*given)]),
    ("inputs_and_targets", lambda *given: (x.numpy() for x in inputs_and_targets(*given))),
    (
        "learning_rate",
        lambda step, steps, highest, *rest: highest * warmup_cosine(step, steps, *rest),
    ),
    ("learning_rate", lambda *given: torch.tensor(learning_rate(*given))),
    ("accumulated_gradient", accumulated_without_grad_fields),
    (
        "accumulated_gradient",
        lambda *given: accumulated_gradient(*given, split=torch.Tensor.tensor_split),
    ),
    (
        "accumulated_gradient",
        lambda *given: accumulated_gradient(
            *given, reduction="sum", share=lambda y, targets, parts: 1 / targets.numel()
        ),
    ),
    ("adamw_step", adamw_of_torch),
    ("adamw_step", lambda *given: [x.double() for x in adamw_step(*given)]),
    ("adamw_step", lambda *given: torch.stack(adamw_step(*given))),
    ("sharpened", lambda p, t: (p.log() / t).softmax(dim=-1)),
    ("sharpened", lambda p, t: apply_temperature(p.log()[None], t)[0].softmax(dim=-1)),
    ("sharpened", lambda *given: sharpened(*given).tolist()),
    ("top_p", lambda *given: (i for i in top_p(*given))),
    ("top_p", lambda *given: [torch.tensor(i) for i in top_p(*given)]),
    (
        "top_p",
        lambda probabilities, p: sorted(
            keep_top_p(probabilities.log()[None], p)[0].isfinite().nonzero()[:, 0].tolist(),
            key=lambda i: -probabilities[i],
        ),
    ),
    ("tokens_read", lambda n, m: (n * m + m * (m - 1) / 2, n + m - 1)),
    ("tokens_read", lambda *given: [*tokens_read(*given)]),
    ("write_until", write_by_letters),
    ("write_until", lambda pieces, stop: _until([stop], pieces)),
    ("accept_or_replace", accept_by_loops),
    ("accept_or_replace", lambda *given: torch.stack(accept_or_replace(*given))),
    ("accept_or_replace", lambda *given: (x.double() for x in accept_or_replace(*given))),
    (
        "accept_or_replace",
        lambda *given: accept_or_replace(
            *given, accepted=lambda p, q: (p / (q + 1e-9)).clamp(max=1)
        ),
    ),
]


def wrong(name, *mistakes):
    return [(name, submission, hint) for submission, hint in mistakes]


WRONG = [  # check, submission, a part of the hint that it must earn
    ("bytes_per_token", lambda text, ids: len(text) / len(ids), "counted characters"),
    ("bytes_per_token", lambda text, ids: len(ids) / len(text.encode()), "turn the fraction over"),
    ("bytes_per_token", lambda text, ids: len(text.encode()) // len(ids), "use /"),
    ("bytes_per_token", lambda text, ids: text.bytes / len(ids), "raised AttributeError"),
    ("most_frequent_pair", lambda ids: Counter(ids).most_common(1)[0][0], "most frequent token"),
    (
        "most_frequent_pair",
        lambda ids: Counter(pairwise(ids)).most_common(1)[0][0],
        "not the first",
    ),
    ("most_frequent_pair", lambda ids: min(pairwise(ids)), "the count decides first"),
    ("merge_pair", merge_in_place, "changed what it was given"),
    ("merge_pair", merge_overlapping, "skip two places"),
    ("merge_pair", merge_loses_the_end, "Hint"),
    ("merge_pair", lambda ids, pair, new_id: list(ids), "nothing was merged"),
    ("encode_word", encode_from_the_left, "lowest rank comes first"),
    ("encode_word", encode_once, "look again"),
    (
        "decode_stream",
        lambda tokens: (t.decode("utf-8", "replace") for t in tokens),
        "decoded alone",
    ),
    ("decode_stream", lambda tokens: (t.decode() for t in tokens), "raised UnicodeDecodeError"),
    ("decode_stream", lambda tokens: list(decode_stream(tokens)), "all the text at once"),
    ("decode_stream", stream_swallowing_the_end, "was swallowed"),
    ("table_parameters", lambda v, t, c: v * t * c, "side by side"),
    ("table_parameters", lambda v, t, c: v * c, "positions have rows too"),
    ("table_parameters", lambda v, t, c: (v + t) * float(c), "returned 16.0; expected 16."),
    ("one_hot_lookup", lambda ids, table: table[ids], "picked the rows"),
    ("one_hot_lookup", lambda ids, table: torch.stack([table[i] for i in ids]), "picked the rows"),
    (
        "one_hot_lookup",
        lambda ids, table: torch.cat([table[int(i) : int(i) + 1] for i in ids]),
        "picked the rows",
    ),
    ("one_hot_lookup", lambda ids, table: F.embedding(ids, table) * 1, "picked the rows"),
    ("one_hot_lookup", lambda ids, table: F.one_hot(ids) @ table, "raised RuntimeError"),
    ("one_hot_lookup", lambda ids, table: F.one_hot(ids).float() @ table, "raised RuntimeError"),
    ("one_hot_lookup", lambda ids, table: F.one_hot(ids, 4).float(), "multiply it by the table"),
    ("one_hot_lookup", lambda ids, table: F.one_hot(ids, 4), "expected shape (3, 2)"),
    ("one_hot_lookup", lambda ids, table: one_hot_lookup(ids, table).T, "the transpose"),
    ("one_hot_lookup", lambda ids, table: one_hot_lookup(ids, table).sum(0), "the sum"),
    ("one_hot_lookup", lambda ids, table: one_hot_lookup(ids.unique(), table), "occurs twice"),
    ("one_hot_lookup", lambda ids, table: one_hot_lookup(ids, table).long(), "expected floats"),
    ("nearest", nearest_with_itself, "leave row i out"),
    ("nearest", lambda t, i, k: nearest_with_itself(t, i, k + 1), "and return k"),
    ("nearest", lambda t, i, k: nearest_with_itself(t, i, k + 1)[1:][::-1], "wrong order"),
    ("nearest", lambda *given: nearest(*given, score=torch.mv), "largest dot products"),
    (
        "nearest",
        lambda *given: nearest(*given, score=lambda rows, row: -(rows - row).norm(dim=1)),
        "smallest distances",
    ),
    (
        "nearest",
        lambda *given: nearest(*given, score=lambda rows, row: -F.cosine_similarity(rows, row)),
        "those are the farthest",
    ),
    ("nearest", nearest_shifted, "numbers shift"),
    ("nearest", nearest_masking_with_0, "with -inf, as 0 would be"),
    ("nearest", lambda *given: torch.tensor(nearest(*given)), ".tolist() makes a list"),
    ("sinusoid", lambda *sizes: sinusoid(*sizes, turn=math.radians), "angles are radians"),
    ("sinusoid", sinusoid_in_halves, "take turns"),
    ("sinusoid", sinusoid_exponent_i, "2 * i / n_embd, not i"),
    ("sinusoid", sinusoid_by_dimension, "share an angle"),
    ("sinusoid", lambda *sizes: sinusoid(*sizes, turn=lambda a: math.pi / 2 - a), "comes before"),
    ("sinusoid", lambda *sizes: sinusoid(*sizes)[::2], "expected shape (4,)"),
    ("shift_matrix", lambda offset, *sizes: shift_matrix(-offset, *sizes), "goes back"),
    ("shift_matrix", lambda *sizes: shift_matrix(*sizes).T, "goes back"),
    ("shift_matrix", lambda offset, n_embd, base: torch.eye(n_embd), "stays where it is"),
    ("shift_matrix", lambda offset, *sizes: shift_matrix(1, *sizes), "offset times its rate"),
    ("shift_matrix", lambda offset, c, base: shift_matrix(offset, c, 1.0), "at its own rate"),
    ("shift_matrix", shift_in_halves, "block stands on the diagonal"),
    ("attention_parameters", lambda n_embd, bias: 3 * n_embd**2, "projection after the heads"),
    ("attention_parameters", lambda n_embd, bias: 12 * 4 * n_embd**2, "cost nothing"),
    ("attention_parameters", lambda n_embd, bias: 4 * n_embd**2, "with biases"),
    ("attention_parameters", lambda n_embd, bias: 4 * n_embd**2 + n_embd * bias, "biases too"),
    ("attention_parameters", lambda n_embd, bias: 4 * n_embd**2 + 4 * n_embd, "without biases"),
    ("my_softmax", lambda scores: scores.exp() / scores.exp().sum(-1, keepdim=True), "exp(1000)"),
    ("my_softmax", lambda scores: scores.softmax(dim=0), "columns sum to 1"),
    ("my_softmax", lambda scores: scores.exp() / scores.exp().sum(), "sum of its own"),
    ("my_softmax", lambda scores: scores.exp() / scores.exp().sum(-1), "keepdim=True"),
    ("my_softmax", softmax_with_one_maximum, "every row has its own"),
    ("my_softmax", softmax_in_place, "build a new tensor"),
    ("causal_weights", lambda scores: scores.softmax(-1), "nothing is hidden"),
    ("causal_weights", lambda scores: scores.softmax(-1).tril(), "rows do not sum to 1"),
    ("causal_weights", lambda s: hidden(s, torch.triu, -math.inf).softmax(-1), "kept the future"),
    (
        "causal_weights",
        lambda s: hidden(s, functools.partial(torch.tril, diagonal=-1), -math.inf).softmax(-1),
        "a token may look at itself",
    ),
    ("causal_weights", lambda s: hidden(s, torch.tril, 0.0).softmax(-1), "hide with -inf"),
    ("causal_weights", lambda s: hidden(s, torch.tril, -math.inf).softmax(0), "along rows"),
    ("causal_weights", lambda s: hidden(s, torch.tril, -math.inf), "softmax is missing"),
    ("causal_weights", lambda s: (s + s.new_ones(3, 3).triu(1) * -math.inf).softmax(-1), "* 0"),
    ("causal_weights", lambda s: s.masked_fill_(~causal_mask(len(s)), -9e9).softmax(-1), "a new"),
    ("entropy", lambda weights: entropy(weights) / math.log(2), "those are bits"),
    ("entropy", lambda weights: -entropy(weights), "the sign"),
    ("entropy", lambda weights: -(weights * weights.log()).sum(), "leave out the weights"),
    ("entropy", lambda weights: -sum(w * math.log(w) for w in weights), "leave out the weights"),
    ("entropy", lambda weights: -(weights * weights.log()).mean(), "that is the mean"),
    ("entropy", lambda weights: -weights.log().sum(), "weigh each"),
    ("streaming_attention", streaming_without_maximum, "exp of a large score is inf"),
    ("streaming_attention", attention_of_all_pairs, "3 pairs were kept"),
    ("streaming_attention", lambda q, pairs: attention_of_all_pairs(q, list(pairs)), "let go"),
    ("streaming_attention", lambda *given: streaming_attention(*given, scale=1.0), "square root"),
    ("streaming_attention", lambda *given: streaming_attention(*given, scale=0.25), "not by D"),
    ("streaming_attention", lambda *given: streaming_attention(*given, grow=False), "grows from m"),
    ("streaming_attention", lambda *given: streaming_attention(*given, start=0.0), "from -inf"),
    ("layer_norm", lambda *given: layer_norm(*given, correction=1), "not by C - 1"),
    ("layer_norm", lambda *given: layer_norm(*given, dim=None), "each row has its own"),
    ("layer_norm", lambda x, w, b: (x - x.mean()) / x.std() * w + b, "each row has its own"),
    ("layer_norm", lambda *given: layer_norm(*given, dim=0), "down the batch"),
    ("layer_norm", lambda *given: layer_norm(*given, dim=0, correction=1), "down the batch"),
    ("layer_norm", lambda *given: layer_norm(*given, dim=1), "not dim=1"),
    ("layer_norm", lambda *given: layer_norm(*given, power=1), "root of the variance"),
    ("layer_norm", layer_norm_without_keepdim, "keepdim=True"),
    ("layer_norm", layer_norm_in_place, "build a new tensor"),
    ("layer_norm", lambda x, w, b: x / x.std(-1, False, keepdim=True) * w + b, "subtract the mean"),
    ("layer_norm", lambda x, w, b: (x - x.mean(-1, True)) * w + b, "standard deviation of the row"),
    ("layer_norm", lambda x, w, b: F.rms_norm(x, x.shape[-1:]) * w + b, "that is RMSNorm"),
    ("layer_norm", lambda x, w, b: layer_norm(x, 1, 0), "weight and bias are missing"),
    ("layer_norm", lambda x, w, b: layer_norm(x, w, 0), "the bias is missing"),
    ("layer_norm", lambda x, w, b: layer_norm(x, 1, b), "the weight is missing"),
    ("layer_norm", lambda x, w, b: (layer_norm(x, 1, 0) + b) * w, "weight first"),
    ("layer_norm", layer_norm_eps_outside, "under the root"),
    ("layer_norm", lambda *given: layer_norm(*given, eps=0.0), "0 / 0 is nan"),
    ("layer_norm", lambda *given: layer_norm(*given, eps=1e-12), "under the root"),
    ("layer_norm", lambda *given: layer_norm(*given, eps=1e-6), "eps is 1e-5"),
    ("gelu_tanh", F.gelu, "the exact GELU"),
    ("gelu_tanh", F.relu, "that is ReLU"),
    ("gelu_tanh", lambda x: x * (1.702 * x).sigmoid(), "form with a sigmoid"),
    ("gelu_tanh", F.silu, "that is SiLU"),
    ("gelu_tanh", lambda x: gelu_tanh(x, power=2), "x**3, not x**2"),
    ("gelu_tanh", lambda x: gelu_tanh(x, factor=2 / math.pi), "square root of 2 / pi"),
    ("gelu_tanh", lambda x: gelu_tanh(x, factor=1), "sqrt(2 / pi) inside tanh is missing"),
    (
        "gelu_tanh",
        lambda x: 0.5 * x * (1 + torch.tanh((2 / math.pi) ** 0.5 * x + 0.044715 * x**3)),
        "parentheses",
    ),
    (
        "gelu_tanh",
        lambda x: 0.5 * x * (1 + torch.tanh((2 / math.pi) ** 0.5 * x)),
        "add 0.044715 * x**3",
    ),
    ("gelu_tanh", lambda x: 2 * gelu_tanh(x), "half of it"),
    ("gelu_tanh", lambda x: gelu_tanh(x) - 0.5 * x, "add the 1"),
    ("gelu_tanh", lambda x: torch.where(x == 0, 0.5, gelu_tanh(x) / x), "share by x"),
    ("gelu_tanh", gelu_with_exp, "exp does not"),
    ("gelu_tanh", lambda x: 0.5 * x * (1 + math.tanh(x)), "raised"),
    ("gelu_tanh", lambda x: gelu_tanh(x.mul_(1.1)), "build a new tensor"),
    ("block_parameters", lambda n_embd, bias: 12 * n_embd**2, "two norms learn too"),
    ("block_parameters", lambda n_embd, bias: 12 * n_embd**2 + n_embd, "has two norms"),
    ("block_parameters", lambda n_embd, bias: block_parameters(n_embd, True), "without biases"),
    ("block_parameters", lambda n_embd, bias: block_parameters(n_embd, False), "with biases"),
    (
        "block_parameters",
        lambda n_embd, bias: 12 * n_embd**2 + (13 if bias else 4) * n_embd,
        "norms have none either",
    ),
    ("block_parameters", lambda n_embd, bias: 12 * n_embd**2 + 2, "not one"),
    ("block_parameters", lambda n_embd, bias: 6 * n_embd**2 + 2 * n_embd, "4 C wide"),
    ("block_parameters", lambda n_embd, bias: 6 * n_embd**2, "4 C wide"),
    ("block_parameters", lambda n_embd, bias: 8 * n_embd**2 + 2 * n_embd, "12 in all"),
    ("block_parameters", lambda n_embd, bias: 8 * n_embd**2, "12 in all"),
    ("block_parameters", lambda n_embd, bias: 4 * n_embd**2, "the MLP is missing"),
    ("block_parameters", lambda n_embd, bias: 4 * n_embd**2 + 2 * n_embd, "the MLP is missing"),
    ("block_parameters", lambda n_embd, bias: 11 * n_embd**2 + 2 * n_embd, "after the heads"),
    ("block_parameters", lambda n_embd, bias: 11 * n_embd**2, "after the heads"),
    *(
        (
            "block_parameters",
            lambda n_embd, bias, c=c: 12 * n_embd**2 + (c if bias else 2) * n_embd,
            hint,
        )
        for c, hint in (
            (9, "and a bias"),
            (11, "the norms have biases too"),
            (4, "four linear layers"),
            (10, "4 C outputs"),
            (8, "the MLP has biases"),
        )
    ),
    ("count_parameters", lambda model: len(list(model.parameters())), "those are the tensors"),
    (
        "count_parameters",
        lambda model: sum(p.numel() for p in model.parameters() if p.dim() > 1),
        "biases are learned",
    ),
    ("count_parameters", lambda model: sum(map(len, model.parameters())), "a matrix of 2 x 3"),
    (
        "count_parameters",
        lambda model: sum(sum(p.shape) for p in model.parameters()),
        "a matrix of 2 x 3",
    ),
    (
        "count_parameters",
        lambda model: sum(p.numel() for p in model.parameters(recurse=False)),
        "goes all the way down",
    ),
    ("count_parameters", count_state, "state_dict() twice"),
    ("count_parameters", count_every_name, "one tensor with two names"),
    (
        "count_parameters",
        lambda model: count_parameters(model) - 28 * hasattr(model, "lm_head"),
        "whatever else uses it",
    ),
    ("count_parameters", count_without_the_head, "a matrix of its own"),
    (
        "count_parameters",
        lambda model: count_every_name(model) - 28 * (count_every_name(model) == 324),
        "a matrix of its own",  # takes the tied head and the untied one for the same
    ),
    ("count_parameters", count_different_numbers, "may hold the same numbers"),
    (
        "count_parameters",
        lambda model: (
            count_every_name(model) if isinstance(model, nn.Sequential) else count_by_id(model)
        ),
        "the weight of the first",
    ),
    (
        "count_parameters",
        lambda model: count_by_id(model) + sum(b.numel() for b in model.buffers()),
        "not learned",
    ),
    ("count_parameters", lambda model: count_parameters(model, lambda p: True), "is frozen"),
    ("count_parameters", lambda model: count_parameters(model.requires_grad_(False)), "copy only"),
    ("logit_lens", lambda model, ids: model.lm_head(stream(model, ids)), "before the head"),
    ("logit_lens", lambda *given: logit_lens(*given)[1:], "before the first block counts too"),
    ("logit_lens", lambda *given: logit_lens(*given)[:-1], "after the last block counts too"),
    ("logit_lens", lambda model, ids: model(ids), "the last of L + 1"),
    ("logit_lens", stream, "those are the vectors"),
    ("logit_lens", lambda model, ids: model.final_norm(stream(model, ids)), "lm_head is missing"),
    ("logit_lens", lambda *given: logit_lens(*given).softmax(-1), "those are probabilities"),
    ("logit_lens", lambda *given: logit_lens(*given).log_softmax(-1), "log-probabilities"),
    ("logit_lens", lambda *given: torch.stack([*logit_lens(*given)], dim=1), "layers come first"),
    ("logit_lens", lambda *given: logit_lens(*given).flip(0), "first layer to the last"),
    ("logit_lens", lambda *given: logit_lens(*given, start="token_embedding"), "holds the sum"),
    (
        "logit_lens",
        lambda model, ids: model.lm_head(
            model.final_norm(torch.cat([(x := stream(model, ids))[:1], x.diff(dim=0)]))
        ),
        "what each block adds",
    ),
    ("logit_lens", lambda *given: logit_lens(*given, suffix=".mlp"), "Its number at [1, 0, 0, 0]"),
    ("logit_lens", logit_lens_normalised_twice, "twice"),
    ("logit_lens", logit_lens_in_text_order, "count instead"),
    (
        "logit_lens",
        lambda model, ids: model.final_norm(stream(model, ids)) @ model.token_embedding.weight.T,
        "call lm_head",
    ),
    ("logit_lens", lambda *given: logit_lens(*given)[:3], "11 blocks here"),
    ("logit_lens", logit_lens_cutting_the_model, "changed what it was given"),
    ("logit_lens", logit_lens_leaving_hooks, "Take off every hook"),
    ("logit_lens", lambda model, ids: logit_lens(model.train(), ids), "and mode"),
    *wrong(
        "cross_entropy",
        (lambda *given: cross_entropy(*given, turn=torch.exp), "take the logarithm of each"),
        (lambda *given: -cross_entropy(*given, turn=torch.exp), "take the logarithm of each"),
        (lambda *given: 1 + cross_entropy(*given, turn=torch.exp), "that is 1 - p"),
        (lambda *given: -(-cross_entropy(*given, turn=torch.exp)).log(), "first the logarithm"),
        (lambda *given: -cross_entropy(*given), "the sign"),
        (lambda *given: cross_entropy(*given) / math.log(2), "those are bits"),
        (lambda *given: cross_entropy(*given).item() / math.log(10), "for nats"),
        (lambda *given: cross_entropy(*given, mean=torch.sum), "divide by all B * T"),
        (lambda x, y: cross_entropy(x, y, mean=torch.sum) / len(x), "not by B or T"),
        (lambda *given: cross_entropy(*given, mean=lambda x: x.mean(1)), "whole batch"),
        (lambda *given: cross_entropy(*given, mean=lambda x: x.mean(0)), "whole batch"),
        (lambda *given: cross_entropy(*given, mean=lambda x: x), "whole batch"),
        (lambda *given: cross_entropy(*given).exp(), "the perplexity"),
        (lambda x, y: cross_entropy(x, y) / x.shape[-1], "not once a score"),
        (F.cross_entropy, "takes dimension 1 for the vocabulary"),
        (lambda *given: cross_entropy(*given, dim=1), "of its own: along the last"),
        (lambda *given: cross_entropy(*given, dim=0), "of its own: along the last"),
        (lambda *given: cross_entropy(*given, dim=(0, 1, 2)), "of its own: along the last"),
        (lambda x, y: -x.gather(-1, y[..., None]).mean(), "the softmax is missing"),
        (lambda x, y: next_token_loss(x.softmax(-1), y), "softmax was taken twice"),
        (lambda x, y: -(y * x.log_softmax(-1)).sum(-1).mean(), "no probabilities"),
        (
            lambda x, y: -(y[..., None] * x.log_softmax(-1)).sum(-1).mean(),
            "no probabilities",
        ),
        (lambda x, y: -x.log_softmax(-1).mean(), "has its own target"),
        (lambda x, y: -x.log_softmax(-1)[..., y].mean(), "has its own target"),
        (cross_entropy_overflowing, "exp(1000) is too large"),
        (lambda x, y: -(x.exp() / x.exp().sum(-1, True)).log().mean(), "has its own target"),
        (
            lambda x, y: cross_entropy_overflowing(x, y, largest=x.max()),
            "largest score of its own",
        ),
        (cross_entropy_of_probabilities, "ln 0 is -inf"),
        (cross_entropy_in_place, "build a new tensor"),
        (lambda x, y: cross_entropy(x, y, mean=torch.sum) / 4, "Here B is 1"),
    ),
    *wrong(
        "inputs_and_targets",
        (lambda *given: inputs_and_targets(*given, shift=0), "shift them by one token"),
        (lambda *given: inputs_and_targets(*given, shift=-1), "one token earlier"),
        (lambda *given: inputs_and_targets(*given)[::-1], "Inputs come first"),
        (windows_changed(lambda x, y: (x, x.roll(-1, dims=1))), "roll brings the window's"),
        (windows_changed(lambda x, y: (x, x.roll(-1))), "roll brings the window's"),
        (windows_changed(lambda x, y: (x, x.roll(1, dims=1))), "one token earlier"),
        (windows_changed(lambda x, y: (x, y[:, :-1])), "every input has a target"),
        (windows_changed(lambda x, y: (x[:, :-1], y[:, :-1])), "every input has a target"),
        (lambda *given: inputs_and_targets(*given, longer=1), "only a target"),
        (
            lambda ids, starts, length: inputs_and_targets(ids, starts, length + 1),
            "both are length tokens wide",
        ),
        (windows_changed(lambda x, y: (x, y[:, -1])), "a target at every place"),
        (windows_changed(lambda x, y: (x, y[:, -1:])), "a target at every place"),
        (windows_changed(lambda x, y: (x, x.sort().values)), "one token later in the text"),
        (
            lambda ids, starts, length: inputs_and_targets(ids, starts, length, shift=length),
            "not by a whole window",
        ),
        (
            lambda ids, *rest: inputs_and_targets(torch.arange(len(ids)), *rest),
            "look up the ids",
        ),
        (
            lambda ids, starts, n: [x[0] for x in inputs_and_targets(ids, starts, n)],
            "a batch of one window",
        ),
        (lambda *given: inputs_and_targets(*given)[0], "return two tensors"),
        (
            lambda ids, starts, length: inputs_and_targets(ids, sorted(starts), length),
            "in the order of starts",
        ),
        (
            lambda ids, starts, n: [
                x.T if len(starts) > 1 else x for x in inputs_and_targets(ids, starts, n)
            ],
            "torch.stack(rows) has dim=0",
        ),
        (
            lambda ids, starts, length: inputs_and_targets(ids, starts[:1], length),
            "every start makes a row",
        ),
        (
            lambda ids, starts, n: [
                x.flatten() if len(starts) > 1 else x for x in inputs_and_targets(ids, starts, n)
            ],
            "not torch.cat",
        ),
        (
            lambda ids, starts, n: (
                (x := windows_by_arange(ids, starts, n))[0],
                x[0].roll(-1) if len(starts) > 1 else x[1],
            ),
            "all rows for one",
        ),
        (lambda ids, starts, n: inputs_and_targets(ids.fill_(0), starts, n), "build a new"),
        (lambda ids, starts, n: (starts.sort(), windows_by_arange(ids, starts, n))[1], "chang"),
        (lambda *given: [x.float() for x in inputs_and_targets(*given)], "returned ([[8.0, 1."),
        (lambda *given: None, "length + 1 tokens of the text"),
    ),
    *(
        ("learning_rate", functools.partial(learning_rate, **how), hint)
        for how, hint in (
            ({"rise": lambda step, warmup, final: step / warmup}, "a step for nothing"),
            ({"rise": lambda step, warmup, final: 1.0}, "rises for warmup steps"),
            ({"rise": lambda step, warmup, final: (step + 1) / (warmup + 1)}, "divide by warmup"),
            (
                {"rise": lambda step, warmup, final: final + (1 - final) * step / warmup},
                "not at final",
            ),
            ({"rise": lambda step, warmup, final: max(step, 1) / warmup}, "is the first at the"),
            ({"way": lambda step, steps, warmup: step / steps}, "runs over all steps"),
            ({"way": lambda step, steps, warmup: (step - warmup) / steps}, "from the end of warm"),
            (
                {"way": lambda step, steps, warmup: (step + 1 - warmup) / (steps - warmup)},
                "has way 0",
            ),
            (
                {"way": lambda step, steps, warmup: (step - warmup) / (steps - 1 - warmup)},
                "which is never taken",
            ),
            (
                {"way": lambda step, steps, warmup: 2 * (step - warmup) / (steps - warmup)},
                "half a cosine",
            ),
            ({"fall": lambda way, final: half_cosine(way)}, "not at 0"),
            ({"fall": lambda way, final: max(final, half_cosine(way))}, "not at 0"),
            ({"fall": lambda way, final: 1 - (1 - final) * way}, "but along a cosine"),
            (
                {"fall": lambda way, final: final + (1 - final) * half_cosine(1 - way)},
                "upside down",
            ),
            ({"fall": lambda way, final: final + half_cosine(way)}, "from 1 - final to 0"),
            (
                {"fall": lambda way, final: final + (1 - final) * 2 * half_cosine(way)},
                "divide by 2",
            ),
            (
                {"fall": lambda way, final: final + (1 - final) * math.cos(math.pi * way)},
                "goes from 1 to -1",
            ),
        )
    ),
    ("learning_rate", learning_rate_with_final_as_a_rate, "a share of the highest rate"),
    ("learning_rate", lambda t, n, high, *rest: learning_rate(t, n, 1.0, *rest), "multiply it by"),
    (
        "learning_rate",
        lambda t, n, high, *rest: learning_rate(t, n, high if t < 4 else 1.0, *rest),
        "multiply it by highest",
    ),
    (
        "learning_rate",
        lambda t, n, high, w, f: min((t + 1) / w, 1) * learning_rate(t, n, high, min(w, t), f),
        "nothing is divided by 0",
    ),
    ("learning_rate", lambda t, n, high, w, f: learning_rate(t, n, high, w, 0.1), "Hint"),
    *wrong(
        "accumulated_gradient",
        (
            lambda *given: accumulated_gradient(*given, share=lambda y, targets, parts: 1.0),
            "do not add up to a mean",
        ),
        (
            lambda *given: accumulated_gradient(
                *given, share=lambda y, targets, parts: y.numel() / targets.numel() / parts
            ),
            "add up to 1",
        ),
        (lambda *given: accumulated_gradient(*given, empty_each=True), "only the last part"),
        (
            lambda *given: accumulated_gradient(
                *given, empty_each=True, share=lambda y, targets, parts: 1.0
            ),
            "only the last part",
        ),
        (accumulated_returning_early, "only the first part"),
        (
            lambda *given: [g / 2 for g in accumulated_returning_early(*given)],
            "only the first part",
        ),
        (lambda *given: accumulated_gradient(*given, reduction="sum"), "sums over tokens"),
        (
            lambda *given: accumulated_gradient(
                *given, reduction="sum", share=lambda y, targets, parts: 1.0
            ),
            "sums over tokens",
        ),
        (lambda *given: [-g for g in accumulated_gradient(*given)], "the minus belongs"),
        (lambda *given: accumulated_gradient(*given)[::-1], "in the order of"),
        (accumulated_and_emptied, "emptied before they were returned"),
        (accumulated_and_emptied, "accumulated_and_emptied(Small(room=2), tensor("),
        (lambda *given: accumulated_gradient(*given, share=equal_shares), "1 / parts"),
        (
            lambda model, inputs, targets, parts: accumulated_gradient(
                model,
                inputs,
                targets,
                parts,
                split=lambda x, parts: x.split(len(x) // parts),
                share=equal_shares,
            ),
            "1 / parts",
        ),
        (
            lambda *given: [
                g * 2 / len(given[1].split(2)) if len(given[1]) == 5 else g
                for g in accumulated_gradient(
                    *given, split=lambda x, n: x.split(len(x) // n), share=equal_shares
                )
            ],
            "1 / parts",
        ),
        (accumulated_leaving_the_rest, "the fifth window is missing"),
        (
            lambda model, inputs, targets, parts: [
                g * (len(inputs) // parts * parts / len(inputs))
                for g in accumulated_leaving_the_rest(model, inputs, targets, parts)
            ],
            "the fifth window is missing",
        ),
        (lambda *given: accumulated_gradient(*given, empty_first=False), "an earlier batch"),
        (
            lambda *given: [
                g / given[3]
                for g in accumulated_gradient(
                    *given,
                    empty_first=False,
                    share=lambda y, targets, parts: parts * y.numel() / targets.numel(),
                )
            ],
            "an earlier batch",
        ),
        (
            lambda model, inputs, targets, parts: accumulated_gradient(model, inputs, targets, 1),
            "raised MemoryError: 4 windows at once, with room for 2",
        ),
        (accumulated_and_stepped, "leave the model as it was"),
        (lambda model, *given: [p.grad for p in model.parameters()], "returned (None, None, None)"),
        (lambda *given: [g[0] for g in accumulated_gradient(*given)], "part by part"),
    ),
    *wrong(
        "adamw_step",
        *(
            (functools.partial(adamw_step, corrections=corrections), hint)
            for corrections, hint in (
                (lambda step, b_1, b_2: (1, 1), "averages that start at 0"),
                (lambda step, b_1, b_2: (1 - b_1**step, 1), "averages that start at 0"),
                (lambda step, b_1, b_2: (1, 1 - b_2**step), "averages that start at 0"),
                (lambda step, b_1, b_2: (1 - b_1, 1 - b_2), "1 - beta**step, a power"),
                (
                    lambda step, b_1, b_2: (1 - b_1 ** (step + 1), 1 - b_2 ** (step + 1)),
                    "this step's number",
                ),
                (
                    lambda step, b_1, b_2: (1 - b_1 ** (step - 1), 1 - b_2 ** (step - 1)),
                    "where step counts from 1",
                ),
                (lambda step, b_1, b_2: (1 - b_2**step, 1 - b_1**step), "beta_1 corrects the"),
            )
        ),
        *(
            (functools.partial(adamw_step, divide=divide), hint)
            for divide, hint in (
                (lambda m, v, eps: m / (v + eps).sqrt(), "eps stands outside the root"),
                (lambda m, v, eps: m / v.sqrt(), "eps keeps the denominator from 0"),
                (lambda m, v, eps: m / (v + eps), "divide by the root of the square"),
                (lambda m, v, eps: m, "its own step size"),
                (lambda m, v, eps: -m / (v.sqrt() + eps), "against the gradient"),
                (lambda m, v, eps: m / (v.sqrt() + 1e-8), "eps keeps the denominator from 0"),
            )
        ),
        *(
            (adamw_decaying(kept), hint)
            for kept, hint in (
                (lambda w, move, lr, decay: w - lr * move, "the weight decay is missing"),
                (lambda w, move, lr, decay: w * (1 - decay) - lr * move, "is times lr too"),
                (lambda w, move, lr, decay: w * (1 + lr * decay) - lr * move, "smaller: minus"),
                (
                    lambda w, move, lr, decay: (w - lr * move) * (1 - lr * decay),
                    "as it was before the step",
                ),
                (lambda w, move, lr, decay: w * (1 - lr * decay) - move, "the step is times"),
            )
        ),
        (adam_with_l2, "is Adam with L2"),
        (
            adamw_with_another_square(lambda g, m, v, beta: beta * v + (1 - beta) * m**2),
            "not the square of the mean",
        ),
        (
            adamw_with_another_square(lambda g, m, v, beta: v + g**2),
            "square is an average",
        ),
        (adamw_with_eps_before_correction, "eps comes last"),
        (functools.partial(adamw_step, squared=lambda g: g), "root of a negative number"),
        (
            lambda w, g, m, v, *rest: (
                (right := adamw_step(w, g, m, v, *rest))[0],
                right[1] / (1 - rest[2] ** rest[0]),
                right[2] / (1 - rest[3] ** rest[0]),
            ),
            "before the bias correction",
        ),
        (lambda w, g, m, v, *rest: (adamw_step(w, g, m, v, *rest)[0], m, v), "new averages"),
        (lambda *given: (*adamw_step(*given)[1:], adamw_step(*given)[0]), "in the order"),
        (lambda *given: adamw_step(*given)[0], "the next step needs all three"),
        (
            lambda *given: adamw_step(*given[:6], given[7], given[6], *given[8:]),
            "beta_1 is the mean's",
        ),
        (
            lambda *given: adamw_step(*given[:6], 1 - given[6], 1 - given[7], *given[8:]),
            "the share of the old average",
        ),
        (adamw_without_the_mean, "the mean moves the weight"),
        (adamw_in_place, "build a new tensor"),
    ),
    *wrong(
        "sharpened",
        (lambda p, t: p / t, "of probabilities, take a power"),
        (lambda p, t: p / t / (p / t).sum(), "changes nothing once they sum to 1"),
        (lambda p, t: (p / t).softmax(dim=-1), "softmax takes logits"),
        (lambda p, t: p.softmax(dim=-1), "softmax takes logits"),
        (lambda p, t: (p ** (1 / t)).softmax(dim=-1), "takes exp once more"),
        (lambda p, t: p ** (1 / t), "divide the powers by their sum"),
        (lambda p, t: p**t, "1 / temperature is the exponent"),
        (lambda p, t: p**t / (p**t).sum(), "1 / temperature is the exponent"),
        (lambda p, t: (p.log() * t).softmax(dim=-1), "1 / temperature is the exponent"),
        (lambda p, t: p.log() / t, "those are logits"),
        (lambda p, t: p ** (1 / t) / (p ** (1 / t)).sum(), "divide by the largest probability"),
        (lambda p, t: sharpened(p + 1e-6, t), "stays 0 at every temperature"),
        (sharpened_in_place, "build a new tensor"),
        (lambda p, t: sharpened(p, 0.5), "returned [0.76, 0.24]"),
    ),
    *wrong(
        "top_p",
        (top_p_without_crossing, "so that one stays at least"),
        (lambda probabilities, p: top_p(probabilities, p)[:-1], "so that one stays at least"),
        (
            lambda *given: top_p_without_crossing(*given) or top_p(*given),
            "so that one stays at least",
        ),
        (
            lambda probabilities, p: top_p(probabilities, p, lambda total, p: total > p),
            "equals p has reached it",
        ),
        (
            lambda probabilities, p: probabilities.argsort(descending=True).tolist()[
                : len(top_p(probabilities, p)) + 1
            ],
            "stop when the sum has reached p",
        ),
        (lambda *given: sorted(top_p(*given)), "in the order of their ids"),
        (lambda *given: top_p(*given)[::-1], "begin with the least likely"),
        (lambda *given: [*range(len(top_p(*given)))], "places in the sorted order"),
        (top_p_from_the_first, "not with id 0"),
        (top_p_from_the_worst, "descending=True"),
        (lambda q, p: q[top_p(q, p)].tolist(), "return the tokens' ids"),
        (lambda q, p: [i for i in top_p(q, 1.0) if q[i] >= p], "not every token's own"),
        (
            lambda q, p: top_p(q, p) if p == 0.9 else [i for i in top_p(q, 1) if q[i] > p],
            "at least",
        ),
        (
            lambda q, p: top_p(q, p) if p >= 0.5 else [i for i in top_p(q, 1.0) if q[i] >= p],
            "not every token's own",
        ),
        (lambda q, p: [i for i in top_p(q, 1.0) if q[i] >= p * q.max()], "that is min-p"),
        (lambda q, p: torch.tensor(top_p(q, p)), ".tolist()"),
        (lambda q, p: top_p(q, p) if p < 1 else q.argsort(descending=True).tolist(), "not needed"),
    ),
    *(
        ("tokens_read", tokens_read_wrongly(*functions), hint)
        for functions, hint in (
            (
                (lambda n, m: sum(n + i for i in range(m + 1)), lambda n, m: n + m),
                "is written, but never read",
            ),
            ((lambda n, m: sum(n + i for i in range(m + 1)),), "is written, but never read"),
            ((None, lambda n, m: n + m), "is written, but never read"),
            ((lambda n, m: sum(range(m)), lambda n, m: m - 1), "the prompt is read too"),
            ((lambda n, m: sum(range(m + 1)), lambda n, m: m), "the prompt is read too"),
            ((None, lambda n, m: m), "the prompt is read too"),
            ((lambda n, m: (n + m) ** 2,), "add up the lengths"),
            ((lambda n, m: (n + m) ** 2 / 2,), "add up the lengths"),
            ((lambda n, m: (n + m) * m, lambda n, m: n + m), "add up the lengths"),
            ((lambda n, m: (n + m) * m,), "add up the lengths"),
            ((lambda n, m: n * m,), "not the prompt alone"),
            ((lambda n, m: sum(range(n + m)),), "not token by token"),
            ((lambda n, m: sum(range(n + m + 1)),), "not token by token"),
            (
                (
                    lambda n, m: sum((n + i) ** 2 for i in range(m)),
                    lambda n, m: n * n + sum(range(n + 1, n + m)),
                ),
                "not the pairs of tokens",
            ),
            ((None, lambda n, m: tokens_read(n, m)[0]), "no token is read twice"),
            ((lambda n, m: n + m - 1, lambda n, m: tokens_read(n, m)[0]), "in the order without"),
            ((lambda n, m: n + m - 1,), "everything is read again for each new token"),
            ((lambda n, m: -1,), "one token longer"),
        )
    ),
    ("tokens_read", lambda n, m: n + m - 1, "one token longer"),
    *wrong(
        "write_until",
        (write_checking_for_equal, "in the middle of a piece"),
        (write_checking_pieces, "look for it in what is kept back plus the new piece"),
        (write_dropping_the_piece, "before stop in the same piece is part of the text"),
        (write_all_at_the_end, "kept to the end: yield"),
        (
            lambda *given: (text for text in [*write_all_at_the_end(*given)]),
            "kept to the end: yield",
        ),
        (write_as_a_list, "before you take the next piece"),
        (write_as_a_string, "before you take the next piece"),
        (write_when_complete, "before you take the next piece"),
        (write_looking_ahead, "before you take the next piece"),
        (write_and_take_the_rest, "return when stop is complete"),
        (write_with_the_stop, "stop itself is not part of the text"),
        (write_going_on, "the text ends at the first stop"),
        (write_everything, "the text ends at the first stop"),
        (write_until_the_last, "not the last"),
        (write_noticing_too_late, "before it was sure to be no stop"),
        (write_holding(len), "no more than needed"),
        (write_holding(lambda stop: len(stop) - 1), "no more than needed"),
        (write_holding_pieces, "no more than needed"),
        (write_losing(middle=True, end=False), "turned out to be no stop"),
        (write_losing(middle=True, end=True), "turned out to be no stop"),
        (write_losing(middle=False, end=True), "stop cannot come any more"),
        (write_by_a_counter, "inside a false beginning"),
        (write_none, "raised TypeError: gave out None, which is no string"),
        (write_for_ever, "raised RuntimeError: asked for pieces again and again"),
        (lambda pieces, stop: iter([]), "returned nothing, and took no piece; expected 'To ' for"),
        (lambda pieces, stop: iter(["To be"]), "returned 'To be' before the first piece; expect"),
    ),
    *(
        ("accept_or_replace", functools.partial(accept_or_replace, **how), hint)
        for how, hint in (
            ({"accepted": lambda p, q: (q / p).clamp(max=1)}, "where q is larger than p"),
            ({"accepted": lambda p, q: q / p}, "where q is larger than p"),
            ({"accepted": lambda p, q: p / q}, "a probability is at most 1"),
            ({"accepted": torch.minimum}, "drawn by q already"),
            ({"accepted": lambda p, q: p}, "drawn by q already"),
            ({"accepted": lambda p, q: torch.ones_like(p)}, "tokens come out as q has them"),
            ({"accepted": lambda p, q: (p >= q).float()}, "keep a share of p / q"),
            ({"accepted": lambda p, q: 1 - (p / q).clamp(max=1)}, "not rejected"),
            ({"accepted": lambda p, q: (p / q).clamp(max=1)}, "p / q is nan"),
            (
                {
                    "accepted": lambda p, q: (q / p).clamp(max=1),
                    "replaced": lambda p, q: p - q,
                    "shares": lambda missing: missing,
                },
                "where q is larger than p",
            ),
            (
                {
                    "accepted": lambda p, q: torch.zeros_like(p),
                    "replaced": lambda p, q: p,
                },
                "more of the drafts can be accepted",
            ),
            (
                {
                    "accepted": lambda p, q: p / q / (p / q).max(),
                    "replaced": lambda p, q: p,
                },
                "more of the drafts can be accepted",
            ),
            ({"shares": lambda missing: missing}, "a distribution sums to 1"),
            ({"replaced": lambda p, q: p}, "come too often"),
            ({"replaced": lambda p, q: q}, "q has proposed already"),
            ({"replaced": lambda p, q: (q - p).clamp(min=0)}, "what q has too seldom"),
            ({"replaced": lambda p, q: p - q}, "no probability is negative"),
            (
                {"replaced": lambda p, q: p - q, "shares": lambda missing: missing},
                "no probability is negative",
            ),
            ({"replaced": lambda p, q: (p - q).abs()}, "no probability is negative"),
            ({"shares": lambda missing: missing.softmax(dim=-1)}, "tokens that need none"),
            (
                {"replaced": lambda p, q: p - q, "shares": lambda m: m.softmax(dim=-1)},
                "tokens that need none",
            ),
        )
    ),
    *wrong(
        "accept_or_replace",
        (
            lambda p, q: (accept_or_replace(p, q)[0], (m := (p - q).clamp(min=0)) / m.sum()),
            "return any distribution then",
        ),
        (lambda *given: accept_or_replace(*given)[::-1], "in the order accepted, residual"),
        (lambda *given: accept_or_replace(*given)[0], "return two tensors"),
        (lambda p, q: (p[0], q[0]), "return two tensors"),
        (lambda p, q: accept_or_replace(p.div_(p.max()), q), "build a new tensor"),
        (
            lambda *given: accept_or_replace(*given, replaced=lambda p, q: p),
            "Put together, tokens come out with [0.266, 0.391,",
        ),
    ),
]


def test_every_check_is_tested():
    assert set(CHECKS) == set(CORRECT)
    for name in CHECKS:
        assert sum(check == name for check, *_ in WRONG) >= 2


@pytest.mark.parametrize("name", CHECKS)
def test_a_correct_submission_passes(name):
    verdict = CHECKS[name](CORRECT[name])
    assert verdict.passed, verdict
    assert repr(verdict).startswith("Correct")


@pytest.mark.parametrize(("name", "submission"), OTHERWISE_CORRECT)
def test_another_correct_submission_passes(name, submission):
    verdict = CHECKS[name](submission)
    assert verdict.passed, verdict


@pytest.mark.parametrize("name", CHECKS)
def test_an_empty_submission_gets_a_hint(name):
    def empty(*arguments): ...

    verdict = CHECKS[name](empty)
    assert not verdict.passed
    assert "returned None" in verdict.message
    assert "Hint: " in verdict.message


@pytest.mark.parametrize(("name", "submission", "hint"), WRONG)
def test_a_classic_mistake_gets_its_own_hint(name, submission, hint):
    verdict = CHECKS[name](submission)
    assert isinstance(verdict, Verdict)
    assert not verdict.passed
    assert hint in verdict.message, verdict.message


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_draws_nothing_from_the_readers_generator(name):
    before = torch.get_rng_state()
    CHECKS[name](CORRECT[name])
    assert torch.equal(torch.get_rng_state(), before)


def test_block_parameters_are_those_of_the_package():
    seen = []

    def record(n_embd, bias):
        config = GPTConfig(1, 1, n_layer=1, n_head=1, n_embd=n_embd, bias=bias)
        seen.append(n_embd)
        return count_parameters(Block(config, torch.Generator()))

    assert gpt.block_parameters(record).passed
    assert len(seen) == 4


def test_the_last_of_the_lens_is_what_the_model_returns():
    layers = []

    def record(model, ids):
        answer = logit_lens_by_block(model, ids)
        torch.testing.assert_close(answer[-1], model(ids))
        layers.append(len(answer) - 1)
        return answer

    assert gpt.logit_lens(record).passed
    assert layers == [2, 2, 11]


def test_the_check_of_a_gradient_hands_over_what_was_left_of_an_earlier_one():
    seen = []

    def record(model, inputs, targets, parts):
        seen.append([p.grad for p in model.parameters()])
        return accumulated_gradient(model, inputs, targets, parts)

    assert training.accumulated_gradient(record).passed
    assert seen[:2] == [[None] * 3] * 2
    assert all(bool((gradient == 1).all()) for gradient in seen[2])
    kept = copy.deepcopy(training.gradients.Small(1, left_over=2.0))
    assert [p.grad.unique().tolist() for p in kept.parameters()] == [[2.0]] * 3
    assert repr(kept) == "Small(room=1, left_over=2.0)"


def test_the_steps_of_adamw_follow_one_another():
    weights = []

    def record(weight, gradient, mean, square, step, *settings):
        answer = adamw_of_torch(weight, gradient, mean, square, step, *settings)
        if step > 1:
            for given, before in zip((weight, mean, square), weights[-1], strict=True):
                torch.testing.assert_close(given, before)
        weights.append([x.detach() for x in answer])
        return answer

    assert training.adamw_step(record).passed
    assert len(weights) == 5


@pytest.mark.parametrize(("n_prompt", "n_new"), [(5, 3), (8, 1)])
def test_tokens_read_are_those_of_the_package(n_prompt, n_new, monkeypatch):
    read = []
    forward = GPT.forward
    counted = lambda model, ids, *rest: read.append(ids.numel()) or forward(model, ids, *rest)  # noqa: E731
    monkeypatch.setattr(GPT, "forward", counted)
    model = GPT(GPTConfig(5, 8, n_layer=1, n_head=1, n_embd=2), torch.Generator().manual_seed(0))
    for cached, tokens in zip((False, True), tokens_read(n_prompt, n_new), strict=True):
        read.clear()
        generate(model, [[1] * n_prompt], n_new, cached=cached)
        assert sum(read) == tokens


def test_the_check_of_a_stream_counts_the_pieces_that_were_taken():
    taken = []

    def record(pieces, stop):
        pieces = iter(pieces)
        taken.append(0)

        def counted():
            for piece in pieces:
                taken[-1] += 1
                yield piece

        return write_until(counted(), stop)

    assert generation.write_until(record).passed
    assert taken == [3, 1, 3, 3, 2, 8, 0]
    said = generation.write_until(write_all_at_the_end).message
    assert (
        "returned '' for 'To ', '' for 'be', '' for '\\n', '' for 'or', 'To be' at the end;" in said
    )


def test_speculative_decoding_comes_out_as_the_model_itself():
    seen = []

    def record(p, q):
        accepted, residual = accept_or_replace(p, q)
        kept = q * accepted
        torch.testing.assert_close(kept + (1 - kept.sum()) * residual, p)
        torch.testing.assert_close(kept.sum(), torch.minimum(p, q).sum())
        seen.append(kept.sum().item())
        return accepted, residual

    verdict = generation.accept_or_replace(record)
    assert verdict.passed
    assert seen == [0.625, 0.625, 0.5, 1.0]
    assert "with [0.375, 0.375, 0.125, 0.125], which is p, and 0.625 of" in verdict.message
    never = generation.accept_or_replace(lambda p, q: (torch.zeros_like(p), p))
    assert "come out right" in never.message
    assert "Put together" not in never.message


@pytest.mark.parametrize("answer", [8.0, np.float64(8), True, torch.tensor(8.0), torch.tensor([8])])
def test_a_whole_number_is_no_float_no_truth_value_and_no_list(answer):
    expected = 1 if answer is True else 8
    assert not verdict_on(answer, expected).passed


def test_unusual_answers_get_a_verdict_too():
    check = tokenizer.most_frequent_pair
    assert "raised ValueError" in check(lambda ids: np.array([97, 97])).message
    assert check(functools.partial(most_frequent_pair)).passed
    assert "your function(" in check(functools.partial(min)).message
    exact = lambda text, ids: np.float64(len(text.encode()) / len(ids))  # noqa: E731
    assert tokenizer.bytes_per_token(exact).passed


# Tensors.


def verdict_on(answer, expected, *mistakes, given=()):
    return judge(lambda *arguments: answer, [Case(given, expected, "think", mistakes)])


def test_tensors_are_equal_up_to_rounding():
    third = torch.tensor([1.0, 2.0]) / 3
    for answer in (third, third.double(), third + 1e-6, [1 / 3, 2 / 3], third.numpy(), [*third]):
        assert verdict_on(answer, third).passed
    verdict = verdict_on(third + 4e-4, third)
    assert "returned [0.334, 0.667]; expected [0.333, 0.667].\nHint: think" in verdict.message
    verdict = verdict_on(third + 1e-4, third)  # three decimals would not tell them apart
    assert "returned [0.3334" in verdict.message and "expected [0.3333" in verdict.message
    assert verdict_on(torch.tensor([-math.inf, 1.0]), torch.tensor([-math.inf, 1.0])).passed
    assert not verdict_on(torch.tensor([math.inf, 1.0]), torch.tensor([-math.inf, 1.0])).passed


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (torch.zeros(2, 1), "[[0.0], [0.0]], of shape (2, 1); expected shape (2,)"),
        (torch.zeros(2, dtype=torch.int64), "whole numbers (torch.int64); expected floats"),
        (torch.zeros(2, dtype=torch.bool), "truth values (torch.bool); expected floats"),
        (torch.zeros(2, dtype=torch.complex64), "complex numbers (torch.complex64); expected fl"),
        (torch.zeros(9, 9), "a tensor of shape (9, 9), of shape (9, 9); expected shape (2,)"),
        ([0.0], "[0.0], of shape (1,); expected shape (2,)"),
        (0.0, "0.0, of shape (); expected shape (2,)"),
        ("text", "'text'; expected [0.0, 0.0]"),
    ],
)
def test_another_shape_or_kind_has_its_own_message(answer, said):
    verdict = verdict_on(answer, torch.zeros(2))
    assert not verdict.passed
    assert f"returned {said}" in verdict.message


def test_mistakes_are_tensors_too():
    mistakes = [(torch.ones(2), "ones"), (torch.ones(2, 2), "four"), (3, "three"), ([1], "list")]
    for answer, hint in ((torch.ones(2), "ones"), (torch.ones(2, 2), "four"), ([1.0, 1], "ones")):
        assert verdict_on(answer, torch.zeros(2), *mistakes).message.endswith(f"Hint: {hint}")
    assert verdict_on(torch.ones(3), torch.zeros(2), *mistakes).message.endswith("Hint: think")
    assert verdict_on(torch.ones(()), 2.0, (1.0, "one")).message.endswith("Hint: one")


def test_nan_is_never_right():
    nan = torch.tensor([math.nan, 1.0])
    for answer in (nan, nan.tolist()):
        verdict = verdict_on(answer, nan, (nan, "not this"))
        assert not verdict.passed
        assert "nan means not a number" in verdict.message
    assert not verdict_on(math.nan, math.nan).passed
    verdict = verdict_on(nan, torch.ones(2), (math.nan, "its own hint"))
    assert verdict.message.endswith("returned [nan, 1.0]; expected [1.0, 1.0].\nHint: its own hint")
    assert "nan means" in verdict_on([math.nan], [1.0]).message


def test_a_tensor_changed_in_place_is_noticed():
    for change in (torch.Tensor.zero_, lambda x: x.resize_(1), lambda x: x.unsqueeze_(0)):
        for given in (torch.ones(2), [torch.ones(2)], (torch.ones(2),)):

            def submission(x, change=change):
                change(x if isinstance(x, torch.Tensor) else x[0])
                return 1

            verdict = judge(submission, [Case((given,), 1, "think")])
            assert not verdict.passed
            assert "changed what it was given" in verdict.message


def test_calls_are_shown_short():
    given = (torch.tensor([[1 / 3, -0.0], [1e-9, math.inf]]), torch.tensor([2]), torch.zeros(50, 8))
    verdict = verdict_on(None, 1, given=given)
    call = "(tensor([[0.333, 0.0], [0.0, inf]]), tensor([2]), a tensor of shape (50, 8))"
    assert f"{call} returned None; expected 1." in verdict.message
    assert "(1.0,); expected ([0.5], 'a')" in verdict_on((1.0,), ([0.5], "a")).message


def test_floats_are_equal_up_to_rounding_and_integers_are_not():
    for answer in (0.1 + 0.2, np.float32(0.3), torch.tensor(0.3)):
        assert verdict_on(answer, 0.3).passed
    assert verdict_on(2, 2.0).passed
    assert "returned 0.4; expected 0.3." in verdict_on(torch.tensor(0.4), 0.3).message
    assert (
        "a tensor, [2, 4]; expected [2, 3], a list"
        in verdict_on(torch.tensor([2, 4]), [2, 3]).message
    )
    assert not verdict_on(10**9 + 1, 10**9).passed
    for answer in (True, torch.tensor([1.0]), "1.0", 1.001):
        assert not verdict_on(answer, 1.0).passed


# Modules.


def small_model():
    return GPT(GPTConfig(5, 4, n_layer=2, n_head=1, n_embd=2), torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.final_norm.weight.data.add_(1),
        lambda model: model.eval(),
        lambda model: model.blocks[1].mlp.eval(),
        lambda model: model.blocks.pop(1),
        lambda model: setattr(model, "final_norm", nn.Identity()),
        lambda model: setattr(model, "dropout", nn.Identity()),
        lambda model: setattr(model.lm_head, "weight", nn.Parameter(model.lm_head.weight.data)),
        lambda model: model.final_norm.requires_grad_(False),
        lambda model: model.double(),
        lambda model: model.lm_head.register_buffer("extra", torch.zeros(1)),
        lambda model: model.lm_head.register_forward_hook(print),
        lambda model: model.lm_head.register_forward_pre_hook(print),
    ],
)
def test_a_changed_model_is_noticed(change):
    def submission(model, ids):
        change(model)
        return 1

    verdict = judge(submission, [Case((small_model(), [0]), 1, "think")])
    assert not verdict.passed
    assert "changed what it was given" in verdict.message
    assert "Hint: leave the model as it was" in verdict.message


def test_a_model_that_was_only_used_is_unchanged():
    model = small_model()
    ids = torch.tensor([[0, 1]])

    def submission(model, ids):
        activations(model, ids)
        hook = model.register_forward_hook(lambda module, given, output: None)
        model(ids).sum().backward()
        hook.remove()
        return 1

    assert judge(submission, [Case((model, ids), 1, "think")]).passed
    assert all(p.grad is None for p in model.parameters())  # each call gets a copy


def test_a_model_is_shown_so_that_it_can_be_made_again():
    said = verdict_on(None, 1, given=(small_model(), nn.Linear(3, 2))).message
    sizes = "vocab_size=5, context_length=4, n_layer=2, n_head=1, n_embd=2, dropout=0.0"
    assert f"(GPT(GPTConfig({sizes}, bias=True, tied=True)), Linear(in_features=3, " in said
    two = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    said = verdict_on(None, 1, given=(two, nn.Sequential(*[two] * 3))).message
    assert (
        "(Sequential( (0): Linear(in_features=3, out_features=2, bias=True) (1): ReLU() )" in said
    )
    assert ", a Sequential) returned None" in said


def test_of_long_tensors_the_first_wrong_number_is_shown():
    expected = torch.zeros(3, 20)
    answer = expected.clone()
    answer[1, 7] = 0.25
    answer[2, 0] = -1.0
    said = "a tensor of shape (3, 20). Its number at [1, 7] is 0.25; expected 0.\nHint: think"
    assert said in verdict_on(answer.requires_grad_(), expected).message
    answer = torch.full((3, 20), math.nan)
    assert "number at [0, 0] is nan; expected 0" in verdict_on(answer, expected).message
