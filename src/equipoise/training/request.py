"""The arguments of a request to start or resume a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.data.arrays import Labels
from equipoise.recipes.base import Recipe


@dataclass(frozen=True)
class Request:
    """The arguments of `GAN.fit`, unchanged."""

    data: Any
    """The training data; None only to resume a run that can open its data again."""
    labels: Labels | None
    """One a sample, if any."""
    recipe: type[Recipe] | None
    """The recipe that the user named, if any."""
    recipe_settings: dict[str, Any]
    """Fields of the recipe that the user set."""
    run_settings: dict[str, Any]
    """Fields of RunSettings that the user set."""
    out: Path | None
    """The run directory; None for the next free name under runs/."""
    to_disk: bool
    """Whether to write a run directory."""
    warn: Callable[[str], None]
    """Called with each warning, one line."""
