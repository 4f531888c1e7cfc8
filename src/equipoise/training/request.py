"""What a user asks for when a training is to begin or to go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.data.arrays import Labels
from equipoise.recipes.base import Recipe
from equipoise.runs.config import Requested, RunConfig


@dataclass(frozen=True)
class Request:
    """What `fit` was given, as it was given."""

    data: Any
    """None only where the run that is resumed knows it."""
    labels: Labels | None
    recipe: type[Recipe] | None
    """That the user names, if any."""
    settings: Requested
    """The settings that the user gives."""
    out: Path | None
    """The run's directory, if it is to have a certain one."""
    to_disk: bool
    """Whether to keep the run."""
    warn: Callable[[str], None]
    """Is told of what the user should know, a line each."""
    recorded: RunConfig | None = None
    """The configuration of the run that is resumed or started from, where it has been
    read already."""
