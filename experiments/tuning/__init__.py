"""The experiments of the chapter on fine-tuning, a file a task; `experiments/finetuning.py` runs
them."""
