"""`minigpt finetune`."""
