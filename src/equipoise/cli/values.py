"""The text of a command line as values of the fields' types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from equipoise.coerce import described

METAVARS = {int: "N", float: "X", str: "TEXT", Path: "PATH"}
# Before a negative number, which argparse would take for an option where it has an
# exponent.
NUMBER_MARK = "\0"


@dataclass(frozen=True)
class Mistake:
    """What a converter returns for a text that is not of its type."""

    message: str


def alternatives(hint: Any) -> Iterator[Any]:
    """The types that a hint allows: the parts of a Union, without annotations."""
    if get_origin(hint) is Annotated:
        yield from alternatives(get_args(hint)[0])
    elif get_origin(hint) in (Union, UnionType):
        for part in get_args(hint):
            yield from alternatives(part)
    else:
        yield hint


def converter(flag: str, hint: Any, *, whole: Any) -> Callable[[str], Any]:
    """From what is typed after an option to its value, or to a mistake.

    Args:
        flag: The option.
        hint: The type of one value.
        whole: The type of the field, which the message describes.
    """

    def convert(text: str) -> Any:
        text = text.removeprefix(NUMBER_MARK)
        for kind in alternatives(hint):
            if get_origin(kind) is Literal:
                chosen = [choice for choice in get_args(kind) if str(choice) == text]
                if chosen:
                    return chosen[0]
            elif kind is NoneType:
                if text.lower() == "none":
                    return None
            else:
                try:
                    return kind(text)
                except ValueError:
                    continue
        return Mistake(f"{flag} = {text!r}: must be {described(whole)}")

    return convert


def metavar_of(hint: Any) -> str:
    """How the help shows a value of this type."""
    for kind in alternatives(hint):
        if get_origin(kind) is Literal:
            return "{" + ",".join(map(str, get_args(kind))) + "}"
        if kind in METAVARS:
            return METAVARS[kind]
    return "VALUE"


def shown_default(of_field: Field[Any]) -> str:
    """A field's default as the help shows it; empty for None, False and none at all."""
    value = of_field.default
    if value is MISSING or value is None or value is False or value == "":
        return ""
    shown = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f" (default: {shown})"


def is_number(text: str) -> bool:
    """Whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
