"""`minigpt info`."""
