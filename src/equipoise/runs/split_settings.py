"""Split settings by name into those of the recipe and those of the run."""

from __future__ import annotations

from typing import Any

from equipoise.coerce import all_checked, hints, raise_mistakes
from equipoise.errors import nearest
from equipoise.recipes.base import Recipe
from equipoise.runs.settings import RunSettings


def split_settings(
    recipe: type[Recipe], settings: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings of the recipe and those of the run, checked.

    Raises:
        RequestError: Names are unknown, or values have another type. The message lists
            all of them.
    """
    of_recipe, of_run = hints(recipe), hints(RunSettings)
    known = of_recipe | of_run
    raise_mistakes(
        [
            f"no setting {name!r} of the recipe {recipe.name!r} or of a run: {nearest(name, known)}"
            for name in settings
            if name not in known
        ]
    )
    values = all_checked(settings, known)
    return (
        {name: value for name, value in values.items() if name in of_recipe},
        {name: value for name, value in values.items() if name in of_run},
    )
