"""The catalogue: every published method by name, one file each, found
by looking in this folder and in the entry points of other packages."""

from __future__ import annotations

import inspect
import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from equipoise.errors import RequestError, first_line, nearest
from equipoise.recipes.base import Recipe

DEFAULT = "balanced"
ENTRY_POINTS = "equipoise.recipes"


class MissingRecipeError(RequestError):
    """There is no recipe of this name, or the
    package that provides it cannot be imported."""


def catalogue() -> dict[str, type[Recipe]]:
    """Every recipe by its name, those of other
    packages and of the program around among them.

    A package's entry point in the group "equipoise.recipes" names a subclass of Recipe.
    One that cannot be imported is left out, see `broken`. No recipe takes the name of
    one of Equipoise's own.
    """
    _plugins()
    found = {recipe.name: recipe for recipe in _concrete(Recipe)}  # type: ignore[type-abstract]
    found |= _own()
    return {name: found[name] for name in sorted(found, key=lambda name: (name != DEFAULT, name))}


def broken() -> dict[str, str]:
    """Why the recipes of entry points that cannot be used
    cannot: a line each, by the entry point's name."""
    return {name: why for name, why in _plugins().items() if why}


def find(name: str) -> type[Recipe]:
    """The recipe of this name.

    Raises:
        MissingRecipeError: There is none: with the
            nearest name, or with what its import said.
        RequestError: `name` is no text.
    """
    if not isinstance(name, str):
        raise RequestError(f"a recipe of type {type(name).__name__}: give its name, such as {DEFAULT!r}; data is for fit")
    known = catalogue()
    if name in known:
        return known[name]
    if name in broken():
        raise MissingRecipeError(f"the recipe {name!r} cannot be used: {broken()[name]}")
    raise MissingRecipeError(f"no recipe {name!r}: {nearest(name, known)}")


@cache
def _own() -> dict[str, type[Recipe]]:
    """The recipes of this folder."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    recipes = _concrete(Recipe)  # type: ignore[type-abstract]
    return {recipe.name: recipe for recipe in recipes if recipe.__module__.startswith(f"{__name__}.")}


@cache
def _plugins() -> dict[str, str]:
    """Every entry point's name, and why it cannot be used; empty where it can."""
    own = _own()
    return {point.name: _loaded(point, own) for point in entry_points(group=ENTRY_POINTS)}


def _loaded(point: EntryPoint, own: dict[str, type[Recipe]]) -> str:
    """Import what an entry point names. Returns what is wrong with it, or nothing."""
    package = f"the package {point.dist.name!r}" if point.dist is not None else point.value
    try:
        recipe = point.load()
    except Exception as error:  # whatever a stranger's module raises while it is imported
        return f"the import of {point.value} of {package} failed: {type(error).__name__}: {first_line(error)}"
    if not (isinstance(recipe, type) and issubclass(recipe, Recipe)) or recipe not in _concrete(Recipe):  # type: ignore[type-abstract]
        return f"{point.value} of {package} is not a subclass of Recipe with a name and a build of its own"
    if own.get(recipe.name, recipe) is not recipe:
        return f"{point.value} of {package} has the name {recipe.name!r} of one of Equipoise's own"
    return ""


def _concrete(base: type[Recipe]) -> list[type[Recipe]]:
    """Every subclass that has a name and can be
    built, in the order in which they were defined."""
    below = [recipe for child in base.__subclasses__() for recipe in _concrete(child)]
    return below + ([base] if "name" in vars(base) and not inspect.isabstract(base) else [])
