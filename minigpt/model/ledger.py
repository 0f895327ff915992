"""What a GPT of given sizes costs: numbers learned, arithmetic done, bytes kept.

Formulas, so that a size can be judged before it is built; the tests count the real model.
"""

from __future__ import annotations

from minigpt.model.config import GPTConfig


def parameter_counts(config: GPTConfig) -> dict[str, int]:
    """How many numbers each part learns, over all blocks; a tied head learns none of its own.

    Derived in https://minigpt-book.github.io/minigpt/model.html
    """
    V, T, C, L = config.vocab_size, config.context_length, config.n_embd, config.n_layer
    bias = int(config.bias)
    return {
        "token_embedding": V * C,
        "position_embedding": T * C,
        "attention": L * (4 * C * C + bias * 4 * C),
        "mlp": L * (8 * C * C + bias * 5 * C),
        "norms": (2 * L + 1) * (1 + bias) * C,
        "lm_head": 0 if config.tied else V * C,
    }


def parameter_count(config: GPTConfig) -> int:
    """How many numbers the whole model learns.

    Derived in https://minigpt-book.github.io/minigpt/model.html
    """
    return sum(parameter_counts(config).values())


def forward_flops(config: GPTConfig, tokens: int, batch: int = 1) -> int:
    """Floating-point operations of one forward pass over `batch` sequences of `tokens` tokens.

    A multiplication and an addition count as two. Only matrix products count, as is usual
    (Kaplan et al. 2020, section 2.1), and attention's T × T table counts whole, although half of
    it is masked.

    Raises:
        ValueError: more tokens than the context holds, or a number below 1.

    Derived in https://minigpt-book.github.io/minigpt/model.html
    """
    _check_input(config, tokens, batch)
    V, C, L = config.vocab_size, config.n_embd, config.n_layer
    matrices = L * 12 * C * C + V * C  # numbers that every token is multiplied with
    tables = L * 2 * tokens * C  # scores, and the weighted sum of the values
    return 2 * batch * tokens * (matrices + tables)


def activation_bytes(config: GPTConfig, tokens: int, batch: int = 1) -> int:
    """Bytes that a forward pass in float32 keeps for `backward()`, weights and loss apart.

    On a CPU, without dropout. Per token, a block keeps 16 C numbers (what came into both norms
    and what came out, queries, keys and values, what the heads gathered, and 4 C before and
    after the GELU), 2 numbers a norm and 1 a head; the end keeps 2 C + 2, and the ids take 8
    bytes.

    Raises:
        ValueError: more tokens than the context holds, or a number below 1.

    Derived in https://minigpt-book.github.io/minigpt/model.html
    """
    _check_input(config, tokens, batch)
    C, L, H = config.n_embd, config.n_layer, config.n_head
    numbers = L * (16 * C + 4 + H) + 2 * C + 2
    return batch * tokens * (4 * numbers + 8)


def kv_cache_bytes(
    config: GPTConfig, tokens: int, batch: int = 1, bytes_per_number: int = 2
) -> int:
    """Bytes of the keys and values of `tokens` tokens in all blocks, by default as float16.

    Raises:
        ValueError: more tokens than the context holds, or a number below 1.

    Derived in https://minigpt-book.github.io/minigpt/model.html
    """
    _check_input(config, tokens, batch, bytes_per_number)
    return batch * tokens * 2 * config.n_layer * config.n_embd * bytes_per_number


def _check_input(config: GPTConfig, tokens: int, batch: int, bytes_per_number: int = 1) -> None:
    given = {"tokens": tokens, "batch": batch, "bytes_per_number": bytes_per_number}
    for name, value in given.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is {value!r}; it must be a whole number of at least 1")
    if tokens > config.context_length:
        raise ValueError(
            f"tokens is {tokens}, more than context_length, {config.context_length}: shorten the "
            "sequence, or give the model a longer context"
        )
