"""`minigpt train`."""
