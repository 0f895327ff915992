"""How often a run looks up from its steps."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from minigpt.data.numbers import is_whole, make_plain

MOST = 250  # steps between evaluations, or states, that no one has asked for


@dataclass(frozen=True)
class Intervals:
    """How often a run does what else it does, in steps.

    Args:
        log: between lines of the log.
        evaluate: between evaluations; the best model so far is saved then. None: a twentieth of
            the steps, at most 250; but more where an evaluation would else read more than a
            quarter of the tokens that are trained on in between.
        checkpoint: between states to go on from. None: a twentieth of the steps, at most 250.
        sample: between texts that the model writes on the way. None: it writes none.
        evaluation_tokens: of the validation text, from its start, that an evaluation reads. After
            the last step more is read, all of it if that takes no more than some tenth of the run.

    Raises:
        ValueError: one below 1.
    """

    log: int = 10
    evaluate: int | None = None
    checkpoint: int | None = None
    sample: int | None = None
    evaluation_tokens: int = 65_536

    def __post_init__(self) -> None:
        make_plain(self)
        for name, value in asdict(self).items():
            left_open = value is None and name in ("evaluate", "checkpoint", "sample")
            if not left_open and not is_whole(value, 1):
                raise ValueError(f"{name} is {value!r}; it must be a whole number of at least 1")

    def of_run(self, steps: int, tokens_per_step: int, validation_tokens: int) -> Intervals:
        """The same with numbers for what is None."""
        share = max(1, steps // 20)
        read = min(self.evaluation_tokens, validation_tokens)
        return replace(
            self,
            evaluate=self.evaluate or min(MOST, max(share, 4 * read // tokens_per_step)),
            checkpoint=self.checkpoint or min(MOST, share),
        )
