"""The catalogue: every published method by name, one file each, found
by looking in this folder and in the entry points of other packages.

A file whose name begins with an underscore is no recipe, but what recipes share."""

from __future__ import annotations

import inspect
import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import NamedTuple

from equipoise.errors import RequestError, first_line, nearest
from equipoise.recipes.base import Recipe

DEFAULT = "balanced"
ENTRY_POINTS = "equipoise.recipes"


class MissingRecipeError(RequestError):
    """There is no recipe of this name, or the
    package that provides it cannot be imported."""


def catalogue() -> dict[str, type[Recipe]]:
    """Every recipe by its name, those of other packages and of the program around among
    them.

    A package's entry point in the group "equipoise.recipes" names a subclass of Recipe.
    One that cannot be used is left out, see `broken`. No recipe takes the name of one
    of Equipoise's own, and of two packages' recipes with one name the first stays.
    """
    refused = [plugin.recipe for plugin in _plugins() if plugin.wrong]
    found = {recipe.name: recipe for recipe in _defined() if recipe not in refused}
    found |= _own()
    return {name: found[name] for name in sorted(found, key=lambda name: (name != DEFAULT, name))}


def broken() -> dict[str, str]:
    """Why the recipes of entry points that cannot be used
    cannot: a line each, by the entry point's name."""
    return {plugin.point: plugin.wrong for plugin in _plugins() if plugin.wrong}


def find(name: str) -> type[Recipe]:
    """The recipe of this name.

    Raises:
        MissingRecipeError: There is none: with the
            nearest name, or with what its import said.
        RequestError: `name` is no text.
    """
    if not isinstance(name, str):
        raise RequestError(
            f"a recipe of type {type(name).__name__}: give its name, such as {DEFAULT!r}; "
            "data is for fit"
        )
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
        if not module.name.startswith("_"):
            import_module(f"{__name__}.{module.name}")
    return {
        recipe.name: recipe for recipe in _defined() if recipe.__module__.startswith(f"{__name__}.")
    }


class _Plugin(NamedTuple):
    """What an entry point of this name gave."""

    point: str
    recipe: type[Recipe] | None
    """None where it gave no recipe."""
    wrong: str = ""
    """Why it cannot be used; empty where it can."""


@cache
def _plugins() -> list[_Plugin]:
    """Every entry point's recipe."""
    taken, found = dict(_own()), []
    for point in entry_points(group=ENTRY_POINTS):
        plugin = _loaded(point, taken)
        found.append(plugin)
        if plugin.recipe is not None and not plugin.wrong:
            taken.setdefault(plugin.recipe.name, plugin.recipe)
    return found


def _loaded(point: EntryPoint, taken: dict[str, type[Recipe]]) -> _Plugin:
    """Import what an entry point names; `taken` are the recipes that have their names
    already."""
    package = f"the package {point.dist.name!r}" if point.dist is not None else point.value
    what = f"{point.value} of {package}"
    try:
        recipe = point.load()
    except (
        Exception,
        SystemExit,
    ) as error:  # whatever a stranger's module raises while it is imported
        why = f"the import of {what} failed: {type(error).__name__}: {first_line(error)}"
        return _Plugin(point.name, None, why)
    if not (isinstance(recipe, type) and issubclass(recipe, Recipe)) or recipe not in _defined():
        return _Plugin(
            point.name,
            None,
            f"{what} is not a subclass of Recipe with a name and a build of its own",
        )
    lacking = [
        name for name in ("summary", "paper") if not isinstance(getattr(recipe, name, None), str)
    ]
    if lacking:
        return _Plugin(point.name, recipe, f"{what} has no {' and no '.join(lacking)}")
    other = taken.get(recipe.name, recipe)
    if other is not recipe:
        whose = (
            "one of Equipoise's own" if other in _own().values() else f"that of {other.__module__}"
        )
        return _Plugin(point.name, recipe, f"{what} has the name {recipe.name!r} of {whose}")
    return _Plugin(point.name, recipe)


def _defined() -> list[type[Recipe]]:
    """Every recipe that is defined in this process."""
    # mypy refuses an abstract class here; only classes with a name, which are whole,
    # come back.
    return _concrete(Recipe)  # type: ignore[type-abstract]


def _concrete(base: type[Recipe]) -> list[type[Recipe]]:
    """Every subclass that has a name and can be
    built, in the order in which they were defined."""
    below = [recipe for child in base.__subclasses__() for recipe in _concrete(child)]
    return below + (
        [base] if isinstance(vars(base).get("name"), str) and not inspect.isabstract(base) else []
    )
