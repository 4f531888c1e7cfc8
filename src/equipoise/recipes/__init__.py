"""The catalogue of recipes: published methods, one per file in this folder, and those
that other packages and programs register.

What recipes are built from is in `base`, `method`, `output` and `dcgan_family`.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from equipoise.errors import RequestError, nearest, warn
from equipoise.recipes.base import RECIPES, Recipe, register
from equipoise.utils.plugins import import_failure

__all__ = ["DEFAULT", "MissingRecipeError", "Recipe", "broken", "catalogue", "find", "register"]

DEFAULT = "balanced"
ENTRY_POINTS = "equipoise.recipes"


class MissingRecipeError(RequestError):
    """There is no recipe of this name, or the package that provides it cannot be
    imported."""


def catalogue() -> dict[str, type[Recipe]]:
    """All recipes by name, the default first: Equipoise's own, those of entry points in
    the group "equipoise.recipes", and those registered by the program.

    Entry points that cannot be loaded are left out, see `broken`.
    """
    _import_own()
    _broken_entry_points()
    return {
        name: RECIPES[name] for name in sorted(RECIPES, key=lambda name: (name != DEFAULT, name))
    }


def broken() -> dict[str, str]:
    """The errors of entry points that cannot be loaded, one line each, by name."""
    _import_own()
    return dict(_broken_entry_points())


def find(name: str) -> type[Recipe]:
    """The recipe of this name.

    Raises:
        MissingRecipeError: There is none, or it cannot be loaded. The message has the
            closest name, or the error of its import.
        RequestError: `name` is not a string.
    """
    if not isinstance(name, str):
        raise RequestError(
            f"a recipe of type {type(name).__name__}: give its name, such as {DEFAULT!r}; "
            "data is for fit"
        )
    known = catalogue()
    if name in known:
        _warn_of_namesake(name)
        return known[name]
    if name in broken():
        raise MissingRecipeError(f"the recipe {name!r} cannot be used: {broken()[name]}")
    raise MissingRecipeError(f"no recipe {name!r}: {nearest(name, known)}")


@cache
def _warn_of_namesake(name: str) -> None:
    """Warn, once, that a package's recipe of this name is not the one that is used."""
    if name in broken():
        warn(f"the recipe {name!r} of another package is not used: {broken()[name]}")


@cache
def _import_own() -> None:
    """Import the recipes of this folder, which register themselves."""
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            import_module(f"{__name__}.{module.name}")


@cache
def _broken_entry_points() -> dict[str, str]:
    """Load and register the recipe of every entry point, once.

    Returns:
        The errors of those that failed, by the entry point's name.
    """
    failed = {point.name: _load(point) for point in entry_points(group=ENTRY_POINTS)}
    return {name: why for name, why in failed.items() if why}


def _load(point: EntryPoint) -> str:
    """Import and register the recipe of an entry point.

    Returns:
        The error if that failed; else empty.
    """
    try:
        recipe = point.load()
    except RequestError as error:  # of its own @register
        return str(error)
    # Another package's module may raise anything when it is imported.
    except (Exception, SystemExit) as error:
        return import_failure(point, error)
    try:
        register(recipe)
    except RequestError as error:
        return str(error)
    return ""
