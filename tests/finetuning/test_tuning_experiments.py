"""The stored runs of tuning are complete, and of what the experiments' code computes."""

from __future__ import annotations

import json
import math
import sys
from importlib.resources import files

import finetuning as experiment
import numpy as np
import pytest
import torch
from small_models import seeded
from torch.testing import assert_close
from tuning import answer_groups, bible, methods, plays, ranks, sorting
from tuning import sorting_task as task

from minigpt.data.sets.data_set import Pair
from minigpt.finetuning import Groups, sequence_logprobs
from minigpt.finetuning.answer_tensors import answer_tensors, answered
from minigpt.model import GPT
from minigpt.training import TextBatches, evaluate

RESULTS = files("minigpt") / "results"
STORED = json.loads((RESULTS / "finetuning.json").read_text("utf-8"))["runs"]
GROUPS = json.loads((RESULTS / "answer_groups.json").read_text("utf-8"))
pytestmark = pytest.mark.usefixtures("one_thread")  # as the experiments ran


@pytest.fixture(scope="module")
def begun() -> tuple[GPT, list[Pair], list[Pair]]:
    """The model of the first seed at its start, and its problems."""
    return sorting.begun(1)


def of(experiment_name: str, **settings) -> list[dict]:
    wanted = {"experiment": experiment_name, **settings}
    return [r for r in STORED if all(r.get(name) == x for name, x in wanted.items())]


# The command.


def test_every_run_is_stored_once_in_order():
    wanted = [[s.get(name) for name in experiment.NAMES] for s, _ in experiment.wanted(400)]
    assert [[run.get(name) for name in experiment.NAMES] for run in STORED] == wanted


def test_settings_that_one_of_two_runs_lacks_tell_them_apart():
    with_replay = {"experiment": "bible", "method": "full", "seed": 1, "share": 0.25}
    without = {name: value for name, value in with_replay.items() if name != "share"}
    assert experiment.done(without, [with_replay]) is None
    assert experiment.done(without, [with_replay, without | {"new": 4.0}]) == without | {"new": 4.0}


def test_experiments_take_turns_and_so_do_seeds(monkeypatch):
    monkeypatch.setattr(experiment, "AHEAD", 2)
    rows = [("a", seed, row) for row in "pqrs" for seed in (1, 2)] + [("b", 1, "t"), ("b", 1, "u")]
    jobs = [({"experiment": e, "seed": seed, "row": row}, print) for e, seed, row in rows]
    order = "".join(f"{s['row']}{s['seed']}" for s, _ in experiment.in_turn(jobs))
    assert order == "p1t1q1u1p2r1q2s1r2s2"


def test_an_interrupted_experiment_goes_on_where_it_stopped(monkeypatch, tmp_path):
    calls, stopped = [], []

    def grid():
        return [
            {"experiment": "a", "method": m, "seed": s, "steps": 9} for m in "xy" for s in (1, 2)
        ]

    def quick(settings):
        if len(calls) == 3 and not stopped:
            stopped.append(True)
            raise KeyboardInterrupt
        calls.append((settings["method"], settings["seed"], settings["steps"]))
        return {"figure": len(calls)}

    monkeypatch.setattr(experiment, "AHEAD", 2)
    monkeypatch.setattr(experiment, "EXPERIMENTS", {"a": (grid, quick)})
    monkeypatch.setattr(answer_groups, "answer_groups", lambda steps: [{"step": max(steps)}])
    out = tmp_path / "a.json"
    monkeypatch.setattr(sys, "argv", ["finetuning.py", "--steps", "4", "--out", str(out)])
    with pytest.raises(KeyboardInterrupt):
        experiment.main()
    assert len(json.loads(out.read_text())["runs"]) == 3
    experiment.main()
    assert calls == [("x", 1, 4), ("y", 1, 4), ("x", 2, 4), ("y", 2, 4)]
    runs = json.loads(out.read_text())["runs"]
    assert [(r["method"], r["seed"], r["figure"]) for r in runs] == [
        ("x", 1, 1), ("x", 2, 3), ("y", 1, 2), ("y", 2, 4)
    ]  # fmt: skip
    groups = json.loads((tmp_path / "answer_groups.json").read_text())
    assert groups["groups"] == [{"step": 4}]


def test_runs_of_other_settings_are_not_lost(monkeypatch, tmp_path, capsys):
    out = tmp_path / "a.json"
    monkeypatch.setattr(experiment, "EXPERIMENTS", {})  # nothing is to be run
    monkeypatch.setattr(sys, "argv", ["finetuning.py", "--out", str(out)])
    message = "holds runs of other settings: choose another --out"
    for text, told in {'{"runs": [{"seed": 1}]}': message, "[]": message, "{": "no whole"}.items():
        out.write_text(text)
        with pytest.raises(SystemExit):
            experiment.main()
        assert told in capsys.readouterr().err and out.read_text() == text


# The King James Bible.


def test_the_model_before_tuning_comes_out_again():
    stored, again = of("bible", method="before")[0], bible.run({"method": "before"})
    assert again == pytest.approx({name: stored[name] for name in again}, abs=2e-3)
    ids = bible.texts()[1]
    assert len(ids) == bible.WINDOWS * bible.LENGTH + 1
    size = len(methods.tokenizer().decode(ids[1:].tolist()))  # ASCII: a byte a character
    nats = again["new"] * (len(ids) - 1)
    assert again["bits_per_byte"] == pytest.approx(nats / size / math.log(2), abs=2e-4)


@pytest.mark.parametrize(
    ("method", "rank", "trained"),
    [("full", 8, 2_552_320), ("scratch", 8, 2_552_320), ("lora", 8, 122_880), ("lora", 1, 15_360)],
)
def test_what_each_method_trains(method, rank, trained):
    model, count = methods.prepared(method, 1, rank)
    assert count == trained and model.config.dropout == 0
    stored = of("bible", method=method, seed=1, **({"rank": rank} if method == "lora" else {}))
    assert {run["trained"] for run in stored} == {trained}


def test_only_the_one_from_scratch_knows_nothing():
    few = methods.plays()[1][:257]
    losses = {m: evaluate(methods.prepared(m, 1)[0], few, 256) for m in ("full", "lora", "scratch")}
    assert losses["full"] == losses["lora"] < 5
    assert losses["scratch"] == pytest.approx(math.log(4096), abs=0.2)


def test_a_first_step_is_at_the_shipped_models_loss():
    """Of the very windows that the run reads, by another path; and the run can be repeated."""
    settings = {"method": "full", "seed": 1, "learning_rate": 5e-4, "steps": 1}
    model, costs = bible.tuned_model(settings)
    inputs, targets = TextBatches(bible.texts()[0], bible.LENGTH, 1).batch(0, bible.BATCH)
    with torch.no_grad():
        logprobs = methods.prepared("full", 1)[0](inputs).log_softmax(-1)
    surprise = -logprobs.gather(-1, targets[..., None]).mean().item()
    assert costs["training_loss"] == pytest.approx(surprise, abs=2e-4)
    again = bible.tuned_model(settings)[0]
    assert all(
        torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True)
    )


# Ranks.


def test_a_cut_is_the_nearest_of_its_rank():
    change = torch.randn(7, 5, generator=seeded())
    u, s, v = np.linalg.svd(change.double().numpy())
    wanted = sum(s[i] * np.outer(u[:, i], v[i]) for i in range(2))
    assert_close(ranks.cut(change, 2), torch.tensor(wanted).float())
    assert_close(ranks.cut(change, 5), change)
    assert not ranks.cut(change, 0).any() and not ranks.cut(torch.ones(3), 0).any()
    assert torch.equal(ranks.cut(torch.ones(3), 1), torch.ones(3))


def test_the_ends_of_the_ranks_are_the_runs_without_and_with_tuning():
    for name in ("new", "old"):
        before, full = of("bible", method="before")[0], of("bible", method="full", seed=1)[0]
        cuts = of("ranks", of="all")
        assert cuts[0][name] == before[name]
        assert cuts[-1][name] == pytest.approx(full[name], abs=2e-3)
    kept = [run["kept"] for run in of("ranks", of="all")]
    assert kept == sorted(kept) and (kept[0], kept[-1]) == (0.0, 1.0)
    values = of("singular values")[0]["values"]
    assert len(values) == 160 and values == sorted(values, reverse=True)


def test_what_is_left_of_a_change(monkeypatch):
    """Of two matrices that alone changed, one is a linear layer's."""
    model, _ = methods.prepared("full", 1)
    found = {name: torch.zeros_like(p) for name, p in model.named_parameters()}
    found["blocks.0.mlp.up.weight"][0, 0], found["blocks.0.mlp.up.weight"][1, 1] = 3.0, 4.0
    found["position_embedding.weight"][0, 0] = 5.0
    monkeypatch.setattr(ranks, "changes", lambda steps: found)
    for name, rank, kept in (("all", 1, 41 / 50), ("layers", 1, 16 / 50), ("layers", 2, 25 / 50)):
        changed, share = ranks.with_rank(rank, name, 1)
        assert share == pytest.approx(kept)
        moved = changed.blocks[0].mlp.up.weight - model.blocks[0].mlp.up.weight
        assert moved[1, 1].item() == pytest.approx(4) and bool(moved[0, 0] > 1) == (rank == 2)


# Who is in which play.


def test_questions_as_they_are_told_and_counted():
    read = [methods.tokenizer().decode(list(ids)) for ids, _ in plays.examples(1).examples]
    assert len(read) == of("plays", method="before")[0]["told_of"]
    assert all(text.startswith("READER:\nIn which play is ") for text in read)
    ids, counts = plays.examples(1).examples[0]
    counted = [i for i, c in zip(ids, counts, strict=True) if c]
    assert read[0].endswith(f"MINIGPT:\n{methods.tokenizer().decode(counted)}")
    assert all(all(counts) for _, counts in plays.examples(1, masked=False).examples)


def test_only_the_very_answer_is_right(monkeypatch):
    replies = {"A": "Hamlet", "B": "Hamlet,", "C": "King Lear"}
    pairs = [Pair(name, "Hamlet") for name in replies]
    encoded = [methods.tokenizer().encode(reply) for reply in replies.values()]
    monkeypatch.setattr(plays, "generate", lambda *arguments: encoded)
    assert plays.right(None, pairs) == 1


# Six digits in order.


def test_rewards_by_hand():
    cases = {"012359": (1, 1), "012358": (0, 1), "520931": (0, 0), "": (0, 1), "0123599": (0, 1)}
    for text, (right, in_order) in cases.items():
        assert task.is_right("520931=", text) == right, text
        assert task.looks_sorted("520931=", text) == in_order, text


def test_nobody_is_judged_by_what_was_learned():
    for seed in range(1, 9):  # of those drawn, a few are known
        first, told, others = task.draws(seed)
        assert not {pair.prompt for pair in others} & {pair.prompt for pair in first + told}
    sizes = (task.START_STEPS * task.START_BATCH, task.TOLD, task.UNHEARD)
    assert (len(first), len(told), len(others)) == sizes


def test_the_start_comes_out_again(begun):
    stored = of("sorting", method="start", seed=1)[0]
    again = task.figures(begun[0], begun[0], begun[2])
    assert again["kl"] == stored["kl"] == 0
    assert again["greedy"] == pytest.approx(stored["greedy"], abs=0.05)
    assert again["entropy"] == pytest.approx(stored["entropy"], abs=0.2)
    assert again["pass_1"] == pytest.approx(stored["pass_1"], abs=0.03)


@pytest.mark.parametrize("method", ["reward", "divided", "shuffled", "rejection", "dpo", "answers"])
def test_first_steps_of_every_way(begun, method, monkeypatch):
    model, told, others = begun
    monkeypatch.setattr(sorting, "begun", lambda seed: (model, told[:160], others[:40]))
    settings = {"method": method, "seed": 1, "learning_rate": 1e-4, "steps": 2, "reward": "right"}
    found = sorting.run(settings)
    assert set(found) >= {"greedy", "pass_1", "pass_8", "entropy", "kl", "cpu_seconds"}
    assert 0 < abs(found["kl"]) < 0.5  # it has moved, and not far
    if method == "dpo":
        assert found["log_ratios"][0] == [0, 0.0, 0.0] and len(found["log_ratios"]) == 3
    if method in ("reward", "divided", "shuffled"):
        assert [point[0] for point in found["curve"]] == [0, 1, 2]


def test_pairs_are_a_right_and_a_wrong_answer_to_one_prompt(begun):
    prompts, right, wrong = ["21=", "43=", "65="], ["12", "34", "56"], ["21", "43", "65"]
    encode = task.CHARACTERS.encode
    answers = [[wrong[0], right[0]], [wrong[1], wrong[1]], [right[2], right[2]]]
    coded = [[encode(answer) for answer in group] for group in answers]
    groups = Groups([encode(p) for p in prompts], coded, [[True, True]] * 3, task.end())
    pairs = sorting.preferences_of(groups, begun[0], 1)
    assert len(pairs) == 1  # two groups have no pair
    examples = [answered(encode("21="), encode(answer + "\n")) for answer in ("12", "21")]
    inputs, targets = answer_tensors(examples)
    assert torch.equal(pairs.inputs[0], inputs) and torch.equal(pairs.targets[0], targets)
    assert_close(pairs.reference[0], sequence_logprobs(begun[0], inputs, targets).detach())
    assert sorting.log_ratios(begun[0], pairs) == pytest.approx([0, 0], abs=1e-5)


# The groups that the page shows.


def test_groups_are_of_three_problems_at_every_step():
    steps = [group["step"] for group in GROUPS["groups"]]
    assert steps == [step for step in answer_groups.STEPS for _ in range(3)]
    prompts = [group["prompt"] for group in GROUPS["groups"]]
    assert prompts == prompts[:3] * 4 and len(set(prompts)) == 3
    for group, right in zip(GROUPS["groups"][:3], answer_groups.RIGHT, strict=True):
        assert sum(answer["reward"] for answer in group["answers"]) in right


def test_rewards_and_logarithms_of_the_groups(begun):
    """Rewards by Python's own sorting; logarithms of the very answers by the start, made anew."""
    for group in GROUPS["groups"]:
        assert len(group["answers"]) == task.SAMPLES
        examples = []
        for answer in group["answers"]:
            assert answer["reward"] == (answer["text"] == "".join(sorted(group["prompt"])))
            ended = len(answer["text"]) < task.TOKENS
            told = task.CHARACTERS.encode(answer["text"] + "\n" * ended)
            examples.append(answered(task.CHARACTERS.encode(group["prompt"] + "="), told))
            if group["step"] == 0:
                assert answer["logprob"] == answer["reference"]
        again = sequence_logprobs(begun[0], *answer_tensors(examples)).tolist()
        stored = [answer["reference"] for answer in group["answers"]]
        # 50 steps on another processor may end a little elsewhere.
        assert again == pytest.approx(stored, abs=0.3)


# What the book says of them: of every seed, unless said otherwise.


def each(name: str, *arguments, **settings) -> list[float]:
    """A figure of the runs with these settings, in the order of the seeds."""
    found = [run[name] for run in of(*arguments, **settings)]
    assert found, settings
    return found


def test_a_tuned_model_reads_the_bible_and_one_from_scratch_does_not():
    before = of("bible", method="before")[0]
    full = {"method": "full", "learning_rate": 5e-4, "share": None}
    assert max(each("new", "bible", **full)) < before["new"] - 1.5
    assert min(each("new", "bible", method="scratch")) > before["new"]
    assert min(each("old", "bible", **full)) > before["old"] + 0.3
    drill = of("bible", method="full", learning_rate=1e-2)[0]
    assert (
        drill["old"] > before["old"] + 1
        and abs(drill["new"] - each("new", "bible", **full)[0]) < 0.05
    )


def test_replay_keeps_most_of_the_old_and_costs_little():
    common = {"method": "full", "learning_rate": 5e-4}
    without, replay = ({"share": share, **common} for share in (None, 0.25))
    lost = each("old", "bible", **without)[0] - of("bible", method="before")[0]["old"]
    kept = each("old", "bible", **without)[0] - max(each("old", "bible", **replay))
    assert kept > 0.55 * lost
    assert max(each("new", "bible", **replay)) < max(each("new", "bible", **without)) + 0.07


def test_lora_forgets_more_at_an_equal_gain_though_a_low_rank_need_not():
    before = of("bible", method="before")[0]["old"]
    lora = {"method": "lora", "rank": 8, "learning_rate": 3e-3}
    full = {"method": "full", "learning_rate": 2e-4}
    for one, other in zip(each("new", "bible", **lora), each("new", "bible", **full), strict=True):
        assert abs(one - other) < 0.03
    losses = [each("old", "bible", **settings) for settings in (lora, full)]
    assert min(losses[0]) - before > 1.8 * (max(losses[1]) - before)
    cut = of("ranks", of="all", rank=4)[0]  # of the full tuning at 5e-4
    assert abs(cut["new"] - of("bible", **lora)[0]["new"]) < 0.01
    assert cut["old"] < min(losses[0]) - 0.15


def test_who_is_in_which_play_is_learned_by_heart():
    short = {"learning_rate": 1e-3, "steps": plays.STEPS, "share": None}
    told = each("told", "plays", method="full", **short)
    of_all = of("plays", method="full", **short)[0]
    assert min(told) > 0.7 * of_all["told_of"]
    assert max(each("untold", "plays", method="full", **short)) < 0.2 * of_all["untold_of"]
    assert 4 * max(each("told", "plays", method="scratch", **short)) < 1.2 * min(told)
    assert 2.5 * max(each("told", "plays", method="full, no mask", **short)) < min(told)
    assert 2 * max(each("told", "plays", method="lora", steps=plays.STEPS)) < min(told)


def test_a_reward_is_worth_something_answers_more_and_chance_nothing():
    begun = each("pass_1", "sorting", method="start")
    common = {"learning_rate": 1e-3, "steps": sorting.STEPS, "reward": "right"}
    found = {m: each("pass_1", "sorting", method=m, **common) for m in sorting.METHODS}
    for start, reward, kept, chance in zip(
        begun, found["reward"], found["rejection"], found["shuffled"], strict=True
    ):
        assert reward > 2 * start and kept > reward and chance < 0.2 * start
    seconds = {m: each("cpu_seconds", "sorting", method=m, **common) for m in sorting.METHODS}
    assert 4 * max(seconds["answers"]) < min(seconds["reward"])


def test_a_reward_that_can_be_cheated_is_and_too_late_there_is_no_way_back():
    for run in of("sorting", reward="in order"):
        assert run["curve"][-1][1] > 0.95 and run["pass_1"] < 0.01
    for run in of("sorting", method="repaired"):
        assert run["pass_1"] < 0.01
