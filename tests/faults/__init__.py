"""The fault matrix: a real product under load while its parts are killed, and a verdict at the end.

`make faults`, or `python -m tests.faults --help`. What it does and how to read what it prints:
docs/operations.md, "The fault matrix".
"""
