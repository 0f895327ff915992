"""What commands that train in a folder can be told about their run."""

from __future__ import annotations

from minigpt.commands.command import Option, Whole

COUNT = Whole(1)


def interval_options(section: str, judged_by: str) -> list[Option]:
    """How often what happens; `judged_by` is what the model is measured on."""
    return [
        Option(
            ["--log-every"],
            type=COUNT,
            default=10,
            show_default=True,
            metavar="N",
            section=section,
            field="log",
            help="Steps between lines of the log.",
        ),
        Option(
            ["--evaluate-every"],
            type=COUNT,
            metavar="N",
            section=section,
            field="evaluate",
            help=f"Steps between looks at {judged_by}; the best model so far is saved then.  "
            "[default: a twentieth of the steps, or more where looking takes long; at most 250]",
        ),
        Option(
            ["--checkpoint-every"],
            type=COUNT,
            metavar="N",
            section=section,
            field="checkpoint",
            help="Steps between states to go on from.  [default: a twentieth of the steps, at most "
            "250]",
        ),
    ]


def told_options(section: str) -> list[Option]:
    """What is told of a run, and where."""
    return [
        Option(["--tensorboard"], is_flag=True, section=section, help="Also log for TensorBoard."),
        Option(
            ["-q", "--quiet"],
            is_flag=True,
            section=section,
            help="Say nothing but errors; the folder's log.jsonl has the numbers.",
        ),
    ]
