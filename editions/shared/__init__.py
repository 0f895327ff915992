"""What every edition says of itself, takes as a command, and writes."""
