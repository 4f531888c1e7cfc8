"""Tables of settings in Markdown: what a dataclass says of its fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any, get_args, get_origin

from equipoise.cli.field_docs import field_docs
from equipoise.cli.values import alternatives, metavar_of, shown_default
from equipoise.coerce import Ge, Gt, Interval, Le, Lt, bounds, described, hints
from equipoise.utils.option_names import option_of

Row = Sequence[str]


def table(columns: Row, rows: Sequence[Row]) -> str:
    """A table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(text: str) -> str:
    """Text that stands in a cell as it is."""
    return re.sub(r"([\\`*_{}\[\]<>|])", r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """Text in a cell, as code."""
    return f"`{text}`".replace("|", "\\|")


def settings_table(settings: type[Any], without: Collection[str] = ()) -> str:
    """The fields of a dataclass with their options, types, defaults and help."""
    types, limits, docs = hints(settings), bounds(settings), field_docs(settings)
    rows = [
        [
            code(field.name),
            code(option_of(field.name)),
            cell(
                ", ".join([described(_plain(types[field.name])), *limit_texts(limits[field.name])])
            ),
            default_of(field),
            cell(docs.get(field.name, "")),
        ]
        for field in fields(settings)
        if field.name not in without
    ]
    return table(["name", "option", "values", "default", "what it sets"], rows)


def options_table(settings: type[Any], without: Collection[str] = ()) -> str:
    """The fields of a dataclass as options of a command."""
    types, docs = hints(settings), field_docs(settings)
    rows = [
        [
            code(_typed(field, types[field.name])),
            cell((field.metadata.get("doc") or docs.get(field.name, "")) + shown_default(field)),
        ]
        for field in fields(settings)
        if field.name not in without
    ]
    return table(["option", "what it sets"], rows)


def default_of(field: Field[Any]) -> str:
    """A field's default in a cell; empty for none."""
    return "" if field.default in (MISSING, None, (), "") else code(str(field.default))


def limit_texts(marks: Sequence[Any]) -> list[str]:
    """The bounds of a number, in words."""
    words: dict[type[Any], Callable[[Any], str]] = {
        Ge: lambda mark: f"at least {_number(mark.bound)}",
        Gt: lambda mark: f"above {_number(mark.bound)}",
        Le: lambda mark: f"at most {_number(mark.bound)}",
        Lt: lambda mark: f"below {_number(mark.bound)}",
        Interval: lambda mark: f"from {_number(mark.low)} to {_number(mark.high)}",
    }
    return [words[type(mark)](mark) for mark in marks]


def _number(bound: float) -> str:
    return f"{bound:,}" if isinstance(bound, int) else f"{bound:g}"


def _plain(hint: Any) -> Any:
    """A type without annotations."""
    return get_args(hint)[0] if hasattr(hint, "__metadata__") else hint


def _typed(field: Field[Any], hint: Any) -> str:
    """An option as it is typed, with its value."""
    metadata, kinds = field.metadata, list(alternatives(hint))
    if metadata.get("positional"):
        return str(metadata["metavar"])
    flag = option_of(field.name)
    if bool in kinds:
        return flag if field.default is False else f"{flag}, --no-{flag.removeprefix('--')}"
    part = next((get_args(kind)[0] for kind in kinds if get_origin(kind) is tuple), hint)
    name = metadata.get("metavar") or metavar_of(part)
    shown = f"[{name}]" if metadata.get("bare", MISSING) is not MISSING else name
    short = f"{metadata['short']}, " if metadata.get("short") else ""
    return f"{short}{flag} {shown}"
