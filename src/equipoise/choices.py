"""Settings by name, from keywords or a command line: which belong to the recipe, which to the run, and whether their values can be."""

from __future__ import annotations

from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from equipoise.errors import RequestError, nearest
from equipoise.recipes.base import Recipe
from equipoise.training.settings import RunSettings


def split_settings(recipe: type[Recipe], settings: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings of the recipe and those of the run, checked. Raises RequestError on a name that is neither's or a value of another
    type."""
    of_recipe, of_run = hints(recipe), hints(RunSettings)
    for name in settings:
        if name not in of_recipe and name not in of_run:
            raise RequestError(f"no setting {name!r} of the recipe {recipe.name!r} or of a run: {nearest(name, of_recipe | of_run)}")
    choices = {name: checked(name, value, of_recipe[name]) for name, value in settings.items() if name in of_recipe}
    run = {name: checked(name, value, of_run[name]) for name, value in settings.items() if name in of_run}
    return choices, run


def hints(settings: type[Any]) -> dict[str, Any]:
    """The type of each field of a dataclass of settings."""
    known = get_type_hints(settings)
    return {field.name: known[field.name] for field in fields(settings)}


def checked(name: str, value: Any, hint: Any) -> Any:
    """The value as the field's type; whole numbers pass for floats. Raises RequestError if it is of another type."""
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    for option in options:
        if get_origin(option) is Literal:
            if value in get_args(option):
                return value
        elif option is NoneType:
            if value is None:
                return None
        elif option is bool or isinstance(value, bool):
            if option is bool and isinstance(value, bool):
                return value
        elif option is float and _is_number(value):
            return float(value)
        elif option is int and _is_number(value) and (isinstance(value, int) or float(value).is_integer()):
            return int(value)
        elif option is str and isinstance(value, str):
            return value
    raise RequestError(f"{name} = {value!r}: must be {described(hint)}")


def described(hint: Any) -> str:
    """A field's type in words."""
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(described(option) for option in get_args(hint) if option is not NoneType)
    option = hint
    if get_origin(option) is Literal:
        return " or ".join(map(repr, get_args(option)))
    words = {int: "a whole number", float: "a number", bool: "True or False", str: "text", NoneType: "None"}
    return words.get(option, "several numbers" if get_origin(option) is tuple else str(option))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) or (hasattr(value, "__float__") and getattr(value, "ndim", 0) == 0)
