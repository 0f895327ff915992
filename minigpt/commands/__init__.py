"""What `minigpt` does on the command line, a folder a command.

``options.py`` says what can be typed, and imports nothing heavy, so that help, mistakes and
completion are answered at once; ``run.py`` does it.
"""
