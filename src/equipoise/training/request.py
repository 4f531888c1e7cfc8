"""What a user asks for when a training is to begin or to go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.data.arrays import Labels
from equipoise.recipes.base import Recipe


@dataclass(frozen=True)
class Request:
    """What `fit` was given, as it was given."""

    data: Any
    """None only where the run that is resumed knows it."""
    labels: Labels | None
    recipe: type[Recipe] | None
    """That the user names, if any."""
    recipe_settings: dict[str, Any]
    """Fields of the recipe that the user sets."""
    run_settings: dict[str, Any]
    """Fields of RunSettings that the user sets."""
    out: Path | None
    """The run's directory, if it is to have a certain one."""
    to_disk: bool
    """Whether to keep the run."""
    warn: Callable[[str], None]
    """Is told of what the user should know, a line each."""
