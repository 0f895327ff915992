"""`minigpt generate`."""
