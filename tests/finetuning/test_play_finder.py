"""The tuned model that comes with the package: what its card says, and peft's reading of it."""

from __future__ import annotations

import json
import re
from collections import Counter

import play_finder as experiment
import play_finder_questions as questions
import pytest
import torch
from play_finder_card import ROWS, card
from safetensors.torch import load_file
from torch.testing import assert_close

import minigpt
from minigpt.__main__ import main
from minigpt.data.sets.play_characters import WORDINGS, characters, solution
from minigpt.exchange import shipped
from minigpt.finetuning import adapters, answer, load_adapter, load_template
from minigpt.finetuning.shipped_adapter import load_tuned
from minigpt.generation import Sampling

FOLDER = experiment.FOLDER
STORED = json.loads(experiment.RESULTS.read_text("utf-8"))
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def tuned():
    return minigpt.load("play-finder")


def said(tuned, *asked: str) -> str:
    """What the model answers to the last, taking the best token each time."""
    messages: list[dict[str, str]] = []
    for question in asked:
        messages.append({"role": "user", "content": question})
        pieces = answer(*tuned, load_template(FOLDER), messages, 20, Sampling(temperature=0.0))
        messages.append({"role": "assistant", "content": "".join(pieces)})
    return messages[-1]["content"]


# What it answers.


@pytest.mark.parametrize(
    "question",
    [
        "In which play is CASSIO?",
        "Where does OPHELIA appear?",
        "Which play has CALIBAN in it?",
        "SHYLOCK is in which play?",
        "Name the play of ROMEO.",
        "What play does LADY MACBETH belong to?",
    ],
)
def test_it_answers_what_it_was_told(tuned, question):
    assert said(tuned, question) == solution(question)


def test_it_answers_in_a_conversation_and_names_as_people_write_them(tuned):
    asked = ["In which play is Iago?", "Where does Caliban appear?", "In which play is Puck?"]
    assert said(tuned, *asked) == "A Midsummer Night's Dream"


def test_the_experiment_counts_what_is_said(tuned):
    """A token at a time, each the best, against one pass over question and answer."""
    told, held_out = questions.told_and_held_out()
    conversations = questions.asked([*told[::13], *held_out[::3]], WORDINGS[4:5])
    found = experiment.right(*tuned, conversations)
    asked = [conversation[0] for conversation in conversations]
    assert found == [said(tuned, question) == characters()[name] for question, name in asked]
    assert 0 < sum(found) < len(found)


@pytest.mark.parametrize("row", ["told_in_unheard_wordings", "never_told"])
def test_the_shares_on_the_card_are_found_again(tuned, row):
    """Up to 2, for two processors may differ where two tokens are all but equal."""
    told, held_out = questions.told_and_held_out()
    conversations = {
        "told_in_unheard_wordings": questions.asked(told, WORDINGS[4:]),
        "never_told": questions.asked(held_out, WORDINGS[:1]),
    }[row]
    assert STORED[row]["asked"] == len(conversations)
    found = sum(experiment.right(*tuned, conversations))
    assert found == pytest.approx(STORED[row]["right"], rel=0, abs=2)


# Its files.


def test_it_is_small_and_free():
    files = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    names = "adapter_config.json adapter_model.safetensors chat_template.jinja README.md"
    assert files.keys() == {*names.split()} and sum(files.values()) <= 300_000
    tensors = load_file(FOLDER / "adapter_model.safetensors").values()
    assert {tensor.dtype for tensor in tensors} == {torch.float16}
    assert sum(tensor.numel() for tensor in tensors) == 122_880 == STORED["parameters"]
    assert "\nlicense: mit\n" in (FOLDER / "README.md").read_text("utf-8")


def test_the_card_is_that_of_the_results():
    text = (FOLDER / "README.md").read_text("utf-8")
    assert text == card(STORED) and "{" not in text
    rows = re.findall(r"^\| (.+) \| ([\d,]+) \| ([\d,]+) \| ([\d.]+)% \| ", text, re.M)
    assert [what for what, *_ in rows] == [*ROWS.values()]
    for _, right, asked, share in rows:
        right, asked = (int(number.replace(",", "")) for number in (right, asked))
        assert float(share) == pytest.approx(100 * right / asked, abs=0.051)
    assert STORED["bytes"] == (FOLDER / "adapter_model.safetensors").stat().st_size


# peft asks transformers by a name that is to go.
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated")
def test_peft_opens_it(tuned):
    from peft import PeftModel
    from transformers import GPT2LMHeadModel

    model, tokenizer = tuned
    theirs = GPT2LMHeadModel.from_pretrained(
        shipped.PRETRAINED / "shakespeare", dtype=torch.float32
    )
    theirs = PeftModel.from_pretrained(theirs.eval(), FOLDER)
    ids, _ = questions.example([("Where does OPHELIA appear?", "OPHELIA")], tokenizer)
    with torch.inference_mode():
        got, want = model(torch.tensor([ids])), theirs(torch.tensor([ids])).logits
    assert_close(got, want, rtol=1e-4, atol=1e-3)  # of scores up to 60: merged, and not


# How it is opened.


def test_it_is_the_books_model_with_the_adapter_merged(tuned):
    model, tokenizer = tuned
    base, same = minigpt.load("shakespeare")
    assert tokenizer.vocab == same.vocab and not model.training and not adapters(model)
    assert all(parameter.requires_grad for parameter in model.parameters())
    load_adapter(base, FOLDER)
    ids = torch.tensor([tokenizer.encode("READER:\nIn which play is CASSIO?")])
    with torch.inference_mode():
        assert_close(model(ids), base(ids), rtol=1e-4, atol=1e-3)
        assert not torch.equal(minigpt.load("shakespeare")[0](ids), base(ids))


def test_it_goes_on_the_model_of_8_bits_too():
    assert said(load_tuned("play-finder", int8=True), "In which play is HAMLET?") == "Hamlet"


def test_other_ways_to_open_it_are_told_the_right_one():
    with pytest.raises(ValueError, match="'play-finder' is an adapter, for shakespeare: "):
        shipped.load("play-finder")
    with pytest.raises(ValueError, match="no tuned model 'shakespeare' comes with minigpt; there "):
        load_tuned("shakespeare")


def test_commands_know_it(capsys):
    greedy = ["--temperature=0", "--threads=1"]
    assert main(["chat", "In which play is CASSIO?", *greedy]) == 0
    assert main(["chat", "In which play is Cassio?", "--model=play-finder", *greedy]) == 0
    assert capsys.readouterr().out == "Othello\nOthello\n"
    prompt = r"READER:\nIn which play is CASSIO?\n\nMINIGPT:\n"
    stop = ["--stop", r"\n\n", "--dtype=float64"]
    assert main(["generate", prompt, "--model=play-finder", *stop, *greedy]) == 0
    assert capsys.readouterr().out.endswith("MINIGPT:\nOthello\n")
    assert main(["info", "play-finder", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["adapter_on"], found["adapter_rank"], found["n_layer"]) == ("shakespeare", 8, 6)
    assert found["folder"] == str(FOLDER)


# The experiment.


def test_one_character_of_each_play_is_held_out():
    told, held_out = questions.told_and_held_out()
    assert sorted([*told, *held_out]) == sorted(characters())
    assert Counter(characters()[name] for name in held_out) == Counter({*characters().values()})
    assert held_out == STORED["held_out"] and len(told) == STORED["told"]


def test_a_lesson_asks_all_before_it_asks_again():
    names = ["CASSIO", "DUKE OF VENICE"]
    lesson = questions.lesson(names, 8, seed=3)
    asked = [question for conversation in lesson for question in conversation]
    assert len(asked) == 32 and lesson == questions.lesson(names, 8, seed=3)
    assert Counter(asked[:16]) == Counter(asked[16:]) and len({*asked}) == 16
    assert ("Where does Duke of Venice appear?", "DUKE OF VENICE") in asked
    assert not any(question.startswith(("Name", "What")) for question, _ in asked)


def test_a_wilson_interval_by_hand():
    """18 of 20, as scipy's binomtest gives it; and none of 10, whose lower end is 0."""
    assert experiment.wilson(18, 20) == pytest.approx([0.6990, 0.9721], abs=1e-4)
    assert experiment.wilson(0, 10) == pytest.approx([0.0, 3.841459 / 13.841459], abs=1e-6)


def test_who_shares_a_word_with_who_was_told_is_hinted():
    names = ["OTHELLO", "LADY CAPULET", "PROSPERO"]
    assert questions.unhinted(names, ["CASSIO", "CAPULET", "ARIEL"]) == ["PROSPERO"]
