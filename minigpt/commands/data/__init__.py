"""`minigpt data`."""
