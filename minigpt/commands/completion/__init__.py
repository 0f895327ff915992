"""`minigpt completion`."""
