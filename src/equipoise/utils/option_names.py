"""The options of the command line by the fields that they set."""

from __future__ import annotations

# Options of fields whose names differ from the field's.
OPTION_NAMES = {"stop_when": "until"}


def option_of(name: str) -> str:
    """The option of a field."""
    return f"--{OPTION_NAMES.get(name, name).replace('_', '-')}"
