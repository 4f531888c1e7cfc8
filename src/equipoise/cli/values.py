"""Convert command-line words to values of the fields' types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from equipoise.coerce import described

METAVARS: dict[type[Any], str] = {int: "N", float: "X", str: "TEXT", Path: "PATH"}
# Prefix of a negative number: with an exponent, argparse would take it for an option.
NUMBER_MARK = "\0"


@dataclass(frozen=True)
class Mistake:
    """A converter's result for a text of another type."""

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
    """A function from an option's text to its value, or to a mistake.

    Args:
        flag: The option.
        hint: The type of one value.
        whole: The type of the whole field, for messages.
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


def choices_of(hint: Any) -> list[str]:
    """The words that a type allows; none where it allows others too."""
    kinds = [kind for kind in alternatives(hint) if kind is not NoneType]
    if all(get_origin(kind) is Literal for kind in kinds):
        return [str(word) for kind in kinds for word in get_args(kind)]
    return []


def metavar_of(hint: Any) -> str:
    """The name of a value of this type in the help."""
    for kind in alternatives(hint):
        if get_origin(kind) is Literal:
            return "{" + ",".join(map(str, get_args(kind))) + "}"
        if kind in METAVARS:
            return METAVARS[kind]
    return "VALUE"


def shown_default(of_field: Field[Any]) -> str:
    """A field's default in the help; empty for None, False and no default."""
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
