"""`minigpt chat`."""
