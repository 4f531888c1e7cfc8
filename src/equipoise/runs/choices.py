"""Settings by name, from keywords or a command line: which belong to the recipe, which
to the run, and whether their values can be."""

from __future__ import annotations

from typing import Any

from equipoise.coerce import checked, hints
from equipoise.errors import RequestError, nearest
from equipoise.recipes.base import Recipe
from equipoise.runs.settings import RunSettings


def split_settings(
    recipe: type[Recipe], settings: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings of the recipe and those of the run, checked.

    Raises:
        RequestError: On a name that is neither's or a value of another type.
    """
    of_recipe, of_run = hints(recipe), hints(RunSettings)
    for name in settings:
        if name not in of_recipe and name not in of_run:
            raise RequestError(
                f"no setting {name!r} of the recipe {recipe.name!r} or of a run: "
                f"{nearest(name, of_recipe | of_run)}"
            )
    choices = {
        name: checked(name, value, of_recipe[name])
        for name, value in settings.items()
        if name in of_recipe
    }
    run = {
        name: checked(name, value, of_run[name])
        for name, value in settings.items()
        if name in of_run
    }
    return choices, run
