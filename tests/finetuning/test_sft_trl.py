"""The masked loss is that of TRL, by another hand: its rows, its labels, its number."""

from __future__ import annotations

import warnings

import pytest
import torch

from minigpt.exchange import load, shipped
from minigpt.finetuning import ChatTemplate, Examples
from minigpt.tokenizer import open_tokenizer

FOLDER = shipped.PRETRAINED / "shakespeare"
QUESTIONS = {
    "In which play is CASSIO?": "Othello",
    "In which play is VOLUMNIA, the mother?": "Coriolanus",
}
PLAY = ChatTemplate()


@pytest.fixture(scope="module")
def by_trl(tmp_path_factory):
    """The batch that TRL makes of the questions, its loss, and the name of its end token."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of deprecations in what it imports
        patch.setenv("HF_HUB_OFFLINE", "1")
        import trl
        from datasets import Dataset
        from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

        model = GPT2LMHeadModel.from_pretrained(FOLDER, dtype=torch.float32).eval()
        rows = []
        for question, answer in QUESTIONS.items():
            prompt = PLAY.text([{"role": "user", "content": question}], answer=True)
            rows.append({"prompt": prompt, "completion": f"{answer}\n\n"})
        settings = trl.SFTConfig(
            output_dir=str(tmp_path_factory.mktemp("trl")),
            per_device_train_batch_size=2,
            completion_only_loss=True,
            use_cpu=True,
            bf16=False,
            report_to=[],
        )
        trainer = trl.SFTTrainer(
            model,
            args=settings,
            train_dataset=Dataset.from_list(rows),
            processing_class=PreTrainedTokenizerFast.from_pretrained(FOLDER),
        )
        batch = next(iter(trainer.get_train_dataloader()))
        with torch.no_grad():
            loss = trainer.compute_loss(model, dict(batch)).item()
    return batch["input_ids"], batch["labels"], loss


def test_the_masked_loss_is_trls(by_trl):
    """Of the same rows. TRL adds the end of text to each answer, and so do we here."""
    ids, labels, loss = by_trl
    tokenizer = open_tokenizer(FOLDER)
    end = tokenizer.special_tokens["<|endoftext|>"]
    examples = []
    for question, answer in QUESTIONS.items():
        chat = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        tokens, counts = PLAY.encode(chat, tokenizer)
        examples.append(([*tokens, end], [*counts, True]))
    source = Examples(examples, 256, seed=1)
    inputs, targets = next(source.all(2))
    order = sorted(range(2), key=lambda row: (labels[row] != -100).sum())  # TRL shuffles
    assert torch.equal(targets, labels[order, 1:])
    counted = targets != -100
    assert torch.equal(inputs[counted], ids[order, :-1][counted])
    with torch.no_grad():
        ours = source.loss(load(FOLDER), inputs, targets).item()
    assert ours == pytest.approx(loss, rel=1e-6)
