"""The catalogue: every published method by name, one file each, found by looking in this folder and in the entry points of other
packages."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from equipoise.errors import RequestError, nearest
from equipoise.recipes.base import Recipe

DEFAULT = "balanced"
ENTRY_POINTS = "equipoise.recipes"


@cache
def catalogue() -> dict[str, type[Recipe]]:
    """Every recipe by its name; a package's entry point in the group "equipoise.recipes" names a subclass of Recipe."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    for point in entry_points(group=ENTRY_POINTS):
        point.load()
    found = {recipe.name: recipe for recipe in _concrete(Recipe)}  # type: ignore[type-abstract]  # only classes with a name, which are whole, come back
    return {name: found[name] for name in sorted(found, key=lambda name: (name != DEFAULT, name))}


def find(name: str) -> type[Recipe]:
    """The recipe of this name. Raises RequestError with the nearest name if there is none."""
    if not isinstance(name, str):
        raise RequestError(f"a recipe of type {type(name).__name__}: give its name, such as {DEFAULT!r}; data is for fit")
    if name not in catalogue():
        raise RequestError(f"no recipe {name!r}: {nearest(name, catalogue())}")
    return catalogue()[name]


def _concrete(base: type[Recipe]) -> list[type[Recipe]]:
    below = [recipe for child in base.__subclasses__() for recipe in _concrete(child)]
    return below + ([base] if "name" in vars(base) else [])
