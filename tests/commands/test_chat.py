"""`minigpt chat`: with wrong input first, then a conversation."""

from __future__ import annotations

import io
import signal
import sys

import pytest
from taught_models import PLAY, TAUGHT, TOKENIZER, taught_model

from minigpt.__main__ import main
from minigpt.exchange import save
from minigpt.finetuning import save_template

GREEDY = ["--temperature=0", "--tokens=13"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("chat") / "taught"
    save(taught_model(), path, TOKENIZER)
    save_template(PLAY, path)
    return str(path)


@pytest.fixture
def ask(folder, monkeypatch, capsys):
    """Runs the command with lines to read; its status, and what it wrote to both streams."""

    def asked(lines: str, *options: str, stdin=io.StringIO):
        monkeypatch.setattr(sys, "stdin", stdin(lines))
        status = main(["chat", "--model", folder, *GREEDY, *options])
        return status, *capsys.readouterr()

    return asked


def test_one_question_one_answer(ask):
    for question, reply in TAUGHT.items():
        assert ask("", question) == (0, f"{reply}\n", "")


def test_lines_of_a_pipe_are_questions(ask):
    """The conversation is as long as the model sees, so its oldest questions go."""
    status, out, err = ask("".join(f"{question}\n\n" for question in TAUGHT))
    assert (status, out.splitlines()) == (0, [*TAUGHT.values()])
    assert "the model does not see the oldest 2 messages any more" in err


def test_at_a_terminal_it_says_what_it_is(ask):
    status, out, err = ask("HAL?\n", stdin=Terminal)
    assert status == 0 and out == "> Henry IV\n> \n"
    assert err.startswith("A GPT with 27,") and "it sees 40 tokens at once.\nAsk, then Ent" in err


def test_the_packages_own_says_what_it_was_taught(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", Terminal("In which play is Cassio?\n"))
    assert main(["chat", *GREEDY]) == 0
    out, err = capsys.readouterr()
    assert out == "> Othello\n> \n"
    assert 'who is in which of Shakespeare\'s plays: try "In which play is Cassio?"\nAsk, ' in err


def test_orders(ask):
    status, out, err = ask("/reset\n/system HAL\nHAL?\n/rest\n/system\n")
    assert status == 1 and len(out.splitlines()) == 1
    news = err.splitlines()
    assert news[:2] == ["a new conversation", "a new conversation, with the instruction 'HAL'"]
    assert news[-1].startswith("minigpt: '/system' is no order: there are /reset and /system TEXT")
    assert news[-2].startswith("minigpt: '/rest' is no order")


def test_a_question_that_cannot_be_is_told_and_the_next_one_answered(ask):
    status, out, err = ask("é?\nHAL? HAL? HAL? HAL? HAL?\nHAL?\n")
    assert (status, out) == (1, "Henry IV\n")
    first, second = err.splitlines()
    assert "'é'" in first and "the question has 32 tokens with their names, and there is" in second


def test_ctrl_c_stops_an_answer_and_what_was_said_stays(ask, monkeypatch):
    from minigpt.commands.chat import conversation

    written = conversation.answer
    seen = []

    def stopped(model, tokenizer, template, messages, *rest):
        seen.append([message["content"] for message in messages])
        for number, piece in enumerate(written(model, tokenizer, template, messages, *rest)):
            if number == 3 and len(seen) == 1:
                signal.raise_signal(signal.SIGINT)
            yield piece

    monkeypatch.setattr(conversation, "answer", stopped)
    status, out, _ = ask("HAL?\nHAL?\n")
    assert (status, out) == (0, "Hen\nHenry IV\n")
    assert seen == [["HAL?"], ["HAL?", "Hen", "HAL?"]]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--model=nowhere"], "--model is 'nowhere': no folder, nor one of"),
        (["--model=shakespeare"], "has no chat template"),
        (["--model=shakespeare", "a", "b"], 'the question is in 2 parts; put it in quotes: "a b"'),
    ],
)
def test_what_is_no_model_to_talk_with(options, told, capsys):
    assert main(["chat", *options]) == 2
    assert told in capsys.readouterr().err


def test_no_room_is_told_by_the_option(folder, capsys):
    assert main(["chat", "--model", folder, "--tokens=40", "HAL?"]) == 2
    assert "--tokens is 40, which leaves no room" in capsys.readouterr().err
