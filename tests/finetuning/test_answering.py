"""A model that was taught a few answers gives them, and stops where the end mark comes."""

from __future__ import annotations

import pytest
from taught_models import CHATS, PLAY, TAUGHT, TOKENIZER, chat, taught_model

from minigpt.finetuning import answer
from minigpt.generation import Sampling
from minigpt.model import GPT

GREEDY = Sampling(temperature=0.0)


@pytest.fixture(scope="module")
def taught() -> GPT:
    return taught_model()


@pytest.mark.parametrize("question", TAUGHT)
def test_it_answers_what_it_was_taught_and_stops(taught, question):
    pieces = [*answer(taught, TOKENIZER, PLAY, chat(question), 15, GREEDY)]
    assert "".join(pieces) == TAUGHT[question] and len(pieces) > 1


def test_the_oldest_questions_make_room(taught):
    long = [*CHATS[0], *CHATS[1], *CHATS[0], *chat("HAL?")]
    assert "".join(answer(taught, TOKENIZER, PLAY, long, 15, GREEDY)) == "Henry IV"


def test_an_answer_ends_after_so_many_tokens(taught):
    assert "".join(answer(taught, TOKENIZER, PLAY, chat("HAL?"), 3, GREEDY)) == "Hen"


def test_no_room_is_told(taught):
    with pytest.raises(ValueError, match=r"^max_new_tokens is 40, which leaves no room for the qu"):
        answer(taught, TOKENIZER, PLAY, chat("HAL?"), 40)
    with pytest.raises(ValueError, match=r"^the question has 12 tokens .* room for 2: ask"):
        answer(taught, TOKENIZER, PLAY, chat("HAL?"), 38)
