"""A classifier reads each text's own last token, whatever stands behind it."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lora_models import CONFIG, adapted, made, some_ids
from small_models import seeded
from torch.testing import assert_close

from minigpt.finetuning import Classifier, class_loss, train_only
from minigpt.model.evaluation_mode import in_evaluation_mode

LENGTH = CONFIG.context_length


def classifier(classes: int = 3) -> Classifier:
    made_of = Classifier(made(), classes, seeded(6))
    torch.nn.init.normal_(made_of.head.weight, generator=seeded(7))
    torch.nn.init.normal_(made_of.head.bias, generator=seeded(8))
    return made_of


def padded(texts: list[list[int]], width: int, filler: int) -> tuple[torch.Tensor, torch.Tensor]:
    rows = [text + [filler] * (width - len(text)) for text in texts]
    keep = [[i < len(text) for i in range(width)] for text in texts]
    return torch.tensor(rows), torch.tensor(keep)


def test_it_is_transformers_gpt2_for_sequence_classification():
    from transformers import GPT2Config, GPT2ForSequenceClassification

    from minigpt.exchange.gpt2_format import gpt2_settings, gpt2_weights

    ours = classifier()
    settings = gpt2_settings(CONFIG) | {"num_labels": 3, "pad_token_id": 0}
    theirs = GPT2ForSequenceClassification(GPT2Config(**settings)).eval()
    weights = gpt2_weights(ours.model) | {"score.weight": ours.head.weight.detach()}
    theirs.load_state_dict(weights, strict=False)
    ours.head.bias.data.zero_()  # theirs has none
    ids, keep = padded([[1, 2, 3], [4, 5, 6, 7, 8], [9]], 6, filler=0)
    labels = torch.tensor([2, 0, 1])
    expected = theirs(ids, labels=labels)
    assert_close(ours(ids, keep), expected.logits)
    assert_close(class_loss(ours(ids, keep), labels), expected.loss)


texts = st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=LENGTH), min_size=1, max_size=4)


@settings(max_examples=40)
@given(texts, st.integers(0, 12), st.integers(0, LENGTH))
def test_scores_do_not_depend_on_the_padding(texts, filler, more):
    model = classifier().double()
    width = min(LENGTH, max(map(len, texts)) + more)
    with torch.no_grad():
        together = model(*padded(texts, width, filler))
        alone = torch.cat([model(torch.tensor([text])) for text in texts])
    assert_close(together, alone)


def test_position_minus_one_of_a_padded_row_is_something_else():
    model, (ids, keep) = classifier(), padded([[1, 2, 3]], 6, filler=0)
    assert not torch.allclose(model(ids), model(ids, keep))
    assert torch.equal(model(ids, torch.ones_like(keep)), model(ids))


def test_loss_by_hand():
    # Scores 0 and ln 3: probabilities 1/4 and 3/4.
    scores = torch.tensor([[0.0, math.log(3)]])
    for label, probability in ((0, 0.25), (1, 0.75)):
        loss = class_loss(scores, torch.tensor([label]))
        assert_close(loss, -torch.tensor(probability).log())


def test_it_learns_which_token_a_text_ended_with():
    model = classifier(2)
    train_only(model, "last-block")
    ids, keep = padded([[3, 1], [1, 2, 1], [2], [1, 1, 2], [2, 3, 2], [1]], 5, filler=1)
    labels = torch.tensor([1, 1, 0, 0, 0, 1])
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.03)
    for _ in range(60):
        optimizer.zero_grad()
        class_loss(model(ids, keep), labels).backward()
        optimizer.step()
    assert model(ids, keep).argmax(dim=1).tolist() == labels.tolist()


def test_it_shares_the_model_and_leaves_it_whole():
    gpt, ids = adapted(), some_ids()
    scores = gpt(ids)
    model = Classifier(gpt, 4, seeded())
    assert model.model is gpt and model(ids).shape == (2, 4)
    assert torch.equal(gpt(ids), scores)
    assert not model.head.bias.any() and torch.equal(
        model.head.weight, Classifier(made(), 4, seeded()).head.weight
    )
    model.train()
    assert gpt.training and not in_evaluation_mode(model).model.training
    assert torch.equal(in_evaluation_mode(model)(ids), model(ids))  # no dropout here


def test_what_cannot_be_classified_is_refused():
    with pytest.raises(ValueError, match="classes is 1; it must be a whole number of at least 2"):
        Classifier(made(), 1)
    model, ids = classifier(), some_ids(2, 4)
    keep = torch.ones(2, 4, dtype=torch.bool)
    keep[1] = False
    with pytest.raises(ValueError, match=r"text 1 is padding throughout \(all 4 tokens\)"):
        model(ids, keep)
    keep[1, 2:] = True
    with pytest.raises(ValueError, match="text 1 has padding before its last token: fill texts up"):
        model(ids, keep)
    for labels in ([0, 3], [-1, 1]):
        with pytest.raises(ValueError, match=r"with 3 classes they are whole numbers from 0 to 2"):
            class_loss(model(ids), torch.tensor(labels))


@pytest.mark.usefixtures("as_readers_run_it")
def test_a_mask_of_another_shape_or_kind_is_refused():
    model, ids = classifier(), some_ids(2, 4)
    for keep in (torch.ones(2, 3, dtype=torch.bool), torch.ones(2, 4)):
        with pytest.raises(ValueError, match="it must have one True or False a token, \\(2, 4\\)"):
            model(ids, keep)
