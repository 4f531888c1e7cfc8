"""The provenance of a run in config.json: the user's settings, the origin of its
weights, versions and command."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from equipoise.coerce import checked, hints
from equipoise.errors import RequestError, clipped
from equipoise.recipes import MissingRecipeError, broken
from equipoise.recipes.base import Recipe
from equipoise.runs.settings import RunSettings


def missing_recipe(run: Path, name: str) -> MissingRecipeError:
    """The error for a run whose recipe is of a package that is not installed or cannot
    be imported."""
    quoted = clipped(repr(name))
    if name in broken():
        return MissingRecipeError(
            f"{run} was trained with the recipe {quoted}, which cannot be used: {broken()[name]}"
        )
    return MissingRecipeError(
        f"{run} was trained with the recipe {quoted}, which is not installed here: install the "
        "package that provides it"
    )


def requested(stored: Any, recipe: type[Recipe]) -> dict[str, dict[str, Any]]:
    """The settings of the recipe and of the run that the user set; empty for a config
    without them.

    Raises:
        RequestError: A name is unknown, or a value has another type.
    """
    stored = {} if stored is None else _object("requested", stored)
    parts = {"recipe": recipe, "run": RunSettings}
    if unknown := stored.keys() - parts.keys():
        raise RequestError(
            f"requested = {clipped(repr(stored))}: has no {clipped(repr(unknown.pop()))}"
        )
    found: dict[str, dict[str, Any]] = {}
    for part, settings in parts.items():
        given, known = _object(f"requested {part}", stored.get(part, {})), hints(settings)
        if unknown := given.keys() - known.keys():
            raise RequestError(f"requested {part}: has no {clipped(repr(unknown.pop()))}")
        found[part] = {name: checked(name, value, known[name]) for name, value in given.items()}
    return found


def init_from(stored: Any) -> dict[str, Any] | None:
    """The run of a warm start and the SHA-256 of its generator; None for other runs."""
    if stored is None:
        return None
    stored = _object("init_from", stored)
    return {
        "run": checked("run", stored.get("run"), str | None),
        "generator": checked("generator", stored.get("generator"), str),
    }


def _object(name: str, value: Any) -> dict[str, Any]:
    """The value, if it is a JSON object.

    Raises:
        RequestError: If not.
    """
    if not isinstance(value, dict):
        raise RequestError(f"{name} = {clipped(repr(value))}: must be settings by name")
    return value


def environment() -> dict[str, Any]:
    """The versions and the command line of a run, for config.json."""
    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    return {"versions": versions, "command": sys.argv}
