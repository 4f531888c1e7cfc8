"""A training as lines of Python, and as a command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from equipoise.studio.training import commands


def lines_of(data: str, recipe: str, choices: Mapping[str, Any], out: Path) -> dict[str, str]:
    """How else to start a training.

    Args:
        data: A file, a folder or a built-in source.
        recipe: The recipe's name.
        choices: Settings of the recipe and the run by name.
        out: The run directory.

    Returns:
        "cli" and "python".

    Raises:
        RequestError: If a setting could not be typed.
    """
    given = {name: value for name, value in choices.items() if value is not None}
    words = commands.train_words(data, recipe, given, out)
    keywords = [repr(recipe), *(f"{name}={value!r}" for name, value in given.items())]
    python = [
        "from equipoise import GAN",
        "",
        f"gan = GAN({', '.join(keywords)})",
        f"gan.fit({data!r}, out={str(out)!r})",
        "print(gan.report)",
    ]
    return {"cli": commands.line(words), "python": "\n".join(python)}
