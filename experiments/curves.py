"""Train one small GPT well, with and without dropout, and nine times with a planted bug.

    python experiments/curves.py                    # as stored: about eight minutes on one core
    python experiments/curves.py --steps 20 --out /tmp/trial.json

The chapter on training lets its readers tell the bugs from the curves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from play_characters import play_characters
from stored_runs import command_line, write_runs
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from minigpt.model import GPT, GPTConfig
from minigpt.training import Recipe, Trainer, evaluate, next_token_loss

SIZES = {"context_length": 64, "n_layer": 2, "n_head": 2, "n_embd": 64}
STEPS = 1500
RECIPE = Recipe(batch_size=16, learning_rate=3e-3, warmup=50)
LOG_EVERY, EVALUATE_EVERY = 10, 100
MEASURED_ON = 30_000  # characters of the validation text
DROPOUT = 0.3  # of the runs that have it
FEW = 10_000  # characters of training text, where it is too little


@dataclass
class Run:
    """What a bug may change before the first step."""

    model: GPT
    recipe: Recipe
    training: Tensor
    validation: Tensor
    measure: Callable[[nn.Module, Tensor], float]


def loss_of_windows(model: nn.Module, ids: Tensor) -> float:
    return evaluate(model, ids, SIZES["context_length"])


def none(run: Run) -> None:
    pass


def rate_times_100(run: Run) -> None:
    run.recipe = replace(run.recipe, learning_rate=100 * run.recipe.learning_rate)


def rate_over_100(run: Run) -> None:
    run.recipe = replace(run.recipe, learning_rate=run.recipe.learning_rate / 100)


def no_zero_grad(run: Run) -> None:
    run.model.zero_grad = lambda: None  # gradients of all steps add up


def future_not_masked(run: Run) -> None:
    for block in run.model.blocks:
        block.attention.forward = lambda x, of=block.attention: look_everywhere(of, x)


def look_everywhere(attention: nn.Module, x: Tensor) -> Tensor:
    """Attention with is_causal forgotten."""
    y = F.scaled_dot_product_attention(*attention.heads(x))
    return attention.projection(y.transpose(1, 2).flatten(-2))


def targets_not_shifted(run: Run) -> None:
    """Each token is asked for itself, in training and in validation alike."""
    run.training = Unshifted(run.training)
    run.measure = loss_of_itself


class Unshifted:
    """Marks a text whose windows come with themselves as targets."""

    def __init__(self, ids: Tensor) -> None:
        self.ids = ids


@torch.no_grad()
def loss_of_itself(model: nn.Module, ids: Tensor) -> float:
    length = SIZES["context_length"]
    rows = ids[: len(ids) // length * length].view(-1, length)
    return next_token_loss(model(rows), rows).item()


def overfitting(run: Run) -> None:
    run.training = run.training[:FEW]


def leaked_validation(run: Run) -> None:
    """As little text, half of it the one that the run is judged by."""
    run.validation = run.validation[: FEW // 2]
    run.training = torch.cat([run.training[: FEW // 2], run.validation])


def none_with_dropout(run: Run) -> None:
    """Healthy too; what a run with dropout is to be compared with."""
    run.model = fresh_model(run.model.config.vocab_size, dropout=DROPOUT)


def no_eval_mode(run: Run) -> None:
    none_with_dropout(run)
    run.model.eval = lambda: run.model  # forgotten: dropout stays on while measuring


def bad_start(run: Run) -> None:
    with torch.no_grad():
        run.model.token_embedding.weight *= 50  # N(0, 1) instead of N(0, 0.02²)


BUGS = {
    "none": none,
    "rate-times-100": rate_times_100,
    "rate-over-100": rate_over_100,
    "no-zero-grad": no_zero_grad,
    "targets-not-shifted": targets_not_shifted,
    "future-not-masked": future_not_masked,
    "overfitting": overfitting,
    "leaked-validation": leaked_validation,
    "none-with-dropout": none_with_dropout,
    "no-eval-mode": no_eval_mode,
    "bad-start": bad_start,
}


def fresh_model(vocab_size: int, dropout: float = 0.0) -> GPT:
    generator = torch.Generator().manual_seed(1616)
    return GPT(GPTConfig(vocab_size, **SIZES, dropout=dropout), generator)


def train(bug: str, texts: list[Tensor], steps: int, stop: int | None = None) -> dict:
    """One run; `stop` leaves after so many of the steps."""
    training, validation = texts
    vocab_size = int(max(training.max(), validation.max())) + 1
    run = Run(
        fresh_model(vocab_size),
        replace(RECIPE, steps=steps, warmup=min(RECIPE.warmup, steps)),
        training,
        validation,
        loss_of_windows,
    )
    BUGS[bug](run)
    unshifted = isinstance(run.training, Unshifted)
    trainer = Trainer(run.model, run.training.ids if unshifted else run.training, run.recipe)
    if unshifted:
        batch = trainer.windows.batch
        trainer.windows.batch = lambda *which: (batch(*which)[0],) * 2
    losses, norms, validation_losses = [], [], [run.measure(run.model, run.validation)]
    for step in range(steps if stop is None else stop):
        try:
            loss, norm = trainer.step(), trainer.gradient_norm
        except ValueError:  # it has diverged, and stays so
            break
        if step % LOG_EVERY == 0:
            losses.append(loss)
            norms.append(norm)
        if (step + 1) % EVALUATE_EVERY == 0:
            validation_losses.append(run.measure(run.model, run.validation))
    return {
        "bug": bug,
        "training_loss": [rounded(x) for x in losses],
        "gradient_norm": [rounded(x) for x in norms],
        "validation_loss": [rounded(x) for x in validation_losses],
    }


def rounded(number: float) -> float | None:
    return float(f"{number:.4g}") if math.isfinite(number) else None


def shares(ids: Tensor) -> Tensor:
    counts = torch.bincount(ids).double()
    return counts[counts > 0] / len(ids)


def entropies(ids: Tensor) -> tuple[float, float]:
    """Nats per character of the letters' frequencies, and of a letter given the one before."""
    single = shares(ids)
    pairs = shares(ids[:-1].long() * (int(ids.max()) + 1) + ids[1:])
    one = -(single * single.log()).sum().item()
    return one, -(pairs * pairs.log()).sum().item() - one


def main() -> None:
    _, arguments = command_line(__doc__, "curves", STEPS)
    texts = play_characters(MEASURED_ON)
    unigram, bigram = entropies(texts[0])
    settings = SIZES | {
        "steps": arguments.steps,
        "batch_size": RECIPE.batch_size,
        "learning_rate": RECIPE.learning_rate,
        "log_every": LOG_EVERY,
        "evaluate_every": EVALUATE_EVERY,
        "measured_on": MEASURED_ON,
        "few": FEW,
        "ln_vocabulary": round(math.log(int(texts[0].max()) + 1), 3),
        "unigram": round(unigram, 3),
        "bigram": round(bigram, 3),
        "torch": torch.__version__,
    }
    runs = [train(bug, texts, arguments.steps) for bug in tqdm(BUGS, unit="run")]
    write_runs(arguments.out, settings, runs)


if __name__ == "__main__":
    main()
