"""`minigpt finetune`: with wrong input first, then runs that go on and models that answer."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from string import ascii_letters

import pytest
import torch
from taught_models import CHATS
from torch.nn import functional as F

from minigpt.__main__ import main
from minigpt.commands.finetune.options import EXAMPLES, RECIPE, command
from minigpt.exchange import load, save
from minigpt.finetuning import ChatTemplate, adapters, load_adapter, load_template
from minigpt.finetuning.tuning_recipe import ADAPTER_RATE, TUNING
from minigpt.model import GPT, GPTConfig
from minigpt.tokenizer import CharTokenizer
from minigpt.training import Trainer, model_of

PLAY = ChatTemplate()
ALL = "".join(sorted({*f"READERMINIGPT:\n {ascii_letters}", *"".join(map(PLAY.text, CHATS))}))
CHARACTERS = CharTokenizer.train(ALL)


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """A model that was taught nothing, and knows the characters."""
    folder = tmp_path_factory.mktemp("base") / "base"
    config = GPTConfig(CHARACTERS.vocab_size, context_length=64, n_layer=2, n_head=2, n_embd=32)
    save(GPT(config, torch.Generator().manual_seed(1)), folder, CHARACTERS)
    return folder


@pytest.fixture
def files(tmp_path, monkeypatch) -> Path:
    """A folder to work in, with chats and a text."""
    monkeypatch.chdir(tmp_path)
    lines = [json.dumps({"messages": chat}) for chat in CHATS * 4]
    Path("chats.jsonl").write_text("\n".join(lines), "utf-8")
    Path("old.txt").write_text("to READ or not to READ: " * 40, "utf-8")
    return tmp_path


def tune(base: Path, folder: str, *options: str) -> int:
    common = [f"--from={base}", "--threads=1", "--steps=6", "--batch-size=4", "--log-every=1"]
    return main(["finetune", folder, *common, *options])


def weights(folder: str | Path) -> dict[str, torch.Tensor]:
    return load(folder).state_dict()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "nothing is to be taught: give --chats FILE, --data NAME or --text FILE"),
        (["--chats=a", "--text=b"], "--chats and --text were both given, and a run learns from"),
        (["--data=sortin"], "--data is 'sortin': no data set; did you mean sorting?"),
        (["--text=a", "--as-text"], "--as-text is for --data, and --text was given: leave it out"),
        (["--text=a", "--packed"], "--packed is for conversations, and not for a text"),
        (["--chats=a", "--packed", "--replay=b"], "--packed is for conversations, and not for --r"),
        (["--chats=a", "--replay-share=0.5"], "--replay-share needs a text to replay"),
        (["--data=shakespeare", "--examples=5"], "--examples is for a task of --data"),
        (["--chats=a", "--rank=4"], "--rank is an adapter's, and --method is full: leave it out"),
        (["--chats=nowhere.jsonl"], "no file nowhere.jsonl in"),
        (["--chats=chats.jsonl", "--from=nowhere"], "--from is 'nowhere': no folder"),
        (["--chats=chats.jsonl", "--batch-size=3", "--accumulate=2"], "--batch-size is 3, which"),
    ],
)
def test_wrong_input_is_told_and_nothing_is_left(files, base, options, told, capsys):
    assert main(["finetune", "run", f"--from={base}", *options]) in (1, 2)
    assert told in capsys.readouterr().err
    assert not Path("run").exists()


def test_chats_that_are_none_or_too_long(files, base, capsys):
    Path("bad.jsonl").write_text('{"messages": []}\n', "utf-8")
    assert tune(base, "run", "--chats=bad.jsonl") == 1
    assert "bad.jsonl, line 1: it has no messages" in capsys.readouterr().err
    long = [{"role": "user", "content": "READ " * 20}, {"role": "assistant", "content": "D"}]
    lines = [json.dumps({"messages": chat}) for chat in [long, *CHATS * 4, long]]
    Path("some.jsonl").write_text("\n".join(lines), "utf-8")
    assert tune(base, "run", "--chats=some.jsonl", "--validation-fraction=0.2") == 0
    told = capsys.readouterr().out
    assert "2 of 14 conversations are left out: they are longer than the 64 tokens that" in told
    Path("all.jsonl").write_text("\n".join([lines[0]] * 4), "utf-8")
    assert tune(base, "other", "--chats=all.jsonl") == 1
    assert "all 3 conversations of one part are longer than the 64" in capsys.readouterr().err


def test_what_the_model_s_tokenizer_lacks_is_told(files, base, capsys):
    Path("new.txt").write_text("é" * 999, "utf-8")
    assert tune(base, "run", "--text=new.txt") == 2
    told = capsys.readouterr().err
    assert (
        f"--from is '{base}', whose tokenizer cannot read all of new.txt: character 'é' at" in told
    )
    Path("short.txt").write_text("to READ", "utf-8")
    assert tune(base, "run", "--text=short.txt") == 1
    assert "short.txt has 6 tokens; a window of 64 needs 65" in capsys.readouterr().err


def test_a_model_is_taught_to_answer(files, base, capsys):
    """To the end: from a file of chats to `minigpt chat`, by the line that finetune prints."""
    options = ["--chats=chats.jsonl", "--steps=150", "--learning-rate=0.01", "--evaluate-every=50"]
    assert tune(base, "runs/taught", *options) == 0
    told = capsys.readouterr().out
    following = told.splitlines()[-1].removeprefix("next: minigpt ")
    assert following == "chat --model runs/taught"
    assert main([*shlex.split(following), "--temperature=0", "--tokens=20", "HAL?"]) == 0
    assert capsys.readouterr().out == "Henry IV\n"
    assert load_template("runs/taught") == PLAY


METHODS = {
    "full": ["--chats=chats.jsonl"],
    "packed": ["--chats=chats.jsonl", "--packed"],
    "replay": ["--chats=chats.jsonl", "--replay=old.txt"],
    "lora": ["--chats=chats.jsonl", "--method=lora", "--rank=2"],
    "last-block": ["--text=old.txt", "--method=last-block"],
    "biases": ["--data=us-names", "--method=biases", "--examples=50"],
}


@pytest.mark.parametrize("name", METHODS)
def test_a_stopped_run_goes_on_to_the_same_model(files, base, name, monkeypatch, capsys):
    options = [*METHODS[name], "--evaluate-every=3", "--checkpoint-every=2"]
    assert tune(base, "whole", *options) == 0
    take = Trainer.step

    def stopped(trainer: Trainer) -> float:
        if trainer.steps_taken == 4:
            raise KeyboardInterrupt
        return take(trainer)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", stopped)
        assert tune(base, "run", *options) == 130
    capsys.readouterr()
    assert tune(base, "run", *options) == 0
    assert "going on after step 4 of 6" in capsys.readouterr().out
    for file in ("model.safetensors", *(["adapter/adapter_model.safetensors"] * (name == "lora"))):
        assert Path("run", file).read_bytes() == Path("whole", file).read_bytes()


def test_only_what_the_method_names_has_changed(files, base):
    before = weights(base)
    for method, share in (("biases", "bias"), ("last-block", "blocks.1.|final_norm.")):
        assert tune(base, method, "--chats=chats.jsonl", f"--method={method}") == 0
        assert model_of(method).step > 0
        changed = {name for name, x in weights(method).items() if not torch.equal(x, before[name])}
        parts = share.split("|")
        assert changed and all(any(part in name for part in parts) for name in changed)


def test_the_adapter_on_its_base_is_the_model_in_the_folder(files, base):
    assert tune(base, "run", "--chats=chats.jsonl", "--method=lora", "--rank=2") == 0
    assert model_of("run").step > 0
    model = load(base)
    load_adapter(model, "run/adapter")
    assert adapters(model)["default"].rank == 2 and adapters(model)["default"].alpha == 4
    ids = torch.arange(20)[None]
    torch.testing.assert_close(load("run")(ids), model(ids))
    assert not torch.equal(load("run")(ids), load(base)(ids))


def test_another_method_is_another_run(files, base, capsys):
    assert tune(base, "run", "--chats=chats.jsonl", "--method=lora") == 0
    for options in (["--method=full"], ["--method=lora", "--rank=4"], ["--method=lora", "--lr=1"]):
        assert tune(base, "run", "--chats=chats.jsonl", *options) == 1
    told = capsys.readouterr().err.splitlines()
    assert "method (was lora, now full)" in told[0]
    assert "rank (was 8, now 4)" in told[1] and "--learning-rate (was 0.005, now 1.0)" in told[2]


def test_a_task_by_its_name_and_as_a_text(files, base, capsys):
    assert tune(base, "task", "--data=us-names", "--examples=50") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "next: minigpt chat --model task"
    assert tune(base, "text", "--data=us-names", "--as-text") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "next: minigpt generate --model text"
    assert load_template("task") == PLAY
    with pytest.raises(FileNotFoundError, match="no chat template"):
        load_template("text")


def test_a_set_that_is_text_alone_teaches_no_answers(files, base, monkeypatch, capsys):
    monkeypatch.setattr("minigpt.commands.finetune.lesson.open_text", lambda name: "to READ " * 200)
    assert tune(base, "run", "--data=shakespeare") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "next: minigpt generate --model run"


def test_replay_keeps_the_old_text(files, base, capsys):
    """In the numbers: the loss on it after the same steps."""
    first = ["--text=old.txt", "--steps=60", "--learning-rate=0.01"]
    assert tune(base, "old", *first) == 0
    losses = []
    for options in ([], ["--replay=old.txt", "--replay-share=0.5"]):
        name = f"new{len(losses)}"
        more = ["--chats=chats.jsonl", "--steps=60", "--learning-rate=0.01", *options]
        assert tune(Path("old"), name, *more) == 0
        ids = torch.tensor([CHARACTERS.encode("to READ or not to READ: " * 2)])
        logits = load(name)(ids)
        losses.append(F.cross_entropy(logits[0, :-1], ids[0, 1:]).item())
    assert losses[1] < 1 and losses[0] > 2 * losses[1], losses


def test_the_help_names_what_holds():
    options = {option.name: option for option in command.params}
    for option in options.values():
        if getattr(option, "section", "") == RECIPE:
            value = getattr(TUNING, option.name)
            assert f"[{value}" in option.help, option.name
    assert f"{ADAPTER_RATE} with --method lora" in options["learning_rate"].help
    for line in EXAMPLES.strip().splitlines():
        words = shlex.split(line)
        names = {opt for option in command.params for opt in option.opts}
        if words[1] == "finetune":
            assert {word for word in words if word.startswith("--")} <= names
