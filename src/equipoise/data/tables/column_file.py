"""The columns of a table as a file to edit: TOML, with what was seen as comments.

    ["hours-per-week"]
    # 1 to 99, often 40
    kind = "integer"
    minimum = 1

Before the first column, `constraints = ["start <= end"]` says what holds in every row.
What is left out is recognised anew. Python reads TOML, and does not write it. A library
that writes comments builds the document by hand too, and this shape needs no more than
quotes and lists.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from equipoise.data.tables.constraints import constraint_texts
from equipoise.data.tables.overrides import stored_overrides
from equipoise.data.tables.table import Table
from equipoise.errors import RequestError, clipped, first_line, printable
from equipoise.utils.atomic_io import read_file, write_atomic

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 2**26
T = TypeVar("T")
HEAD = """\
# The columns of {what}, as they were recognised: change what is wrong, delete what need not
# be said, and give this file as --columns. Kinds: number, integer, category, date,
# duration, id, constant, ignore (to leave a column out). missing lists cells that mean
# nothing, spikes are values that are points of their own beside the others.
"""
# What lists the constraints, or shows how to.
CONSTRAINTS = """\
# constraints lists what holds in every row, and will in every sample.
{listed}
"""
EXAMPLE = (
    '# constraints = ["start <= end", "total = price * quantity", "combinations(plan, country)"]'
)


def write_columns(table: Table, frame: pd.DataFrame, path: Path, what: str = "a table") -> None:
    """Write the columns of a table into a file.

    Args:
        table: The columns.
        frame: The table itself, for comments.
        path: The file.
        what: What the table is called.

    Raises:
        EquipoiseError: If the file cannot be written.
    """
    write_atomic(path, columns_to_toml(table, frame, what).encode())


def read_columns(path: Path) -> dict[str, dict[str, Any]]:
    """What a file says of columns, by name, for `recognise`.

    Raises:
        RequestError: If it cannot be read, or is not such a file.
    """
    return _read(path, columns_from_toml)


def _read(path: Path, parsed: Callable[[str], T]) -> T:
    """What the text of a file is parsed as. Raises as `read_columns`."""
    try:
        return parsed(read_file(path, MAX_BYTES).decode())
    except RequestError as error:
        raise RequestError(f"{path}: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(
            f"{path} cannot be read as columns: {clipped(first_line(error), 200)}; give the file "
            "that `equipoise describe` writes"
        ) from None


def given_columns(given: Any) -> dict[str, dict[str, Any]]:
    """What a user gives as columns, checked: options by column, or the path of a file.

    Raises:
        RequestError: If the file cannot be read, or what it says is wrong.
    """
    if not isinstance(given, str | Path):
        return stored_overrides(given)
    try:
        return stored_overrides(read_columns(Path(given)))
    except RequestError as error:
        text = str(error)
        raise RequestError(text if text.startswith(str(given)) else f"{given}: {text}") from None


def given_constraints(columns: Any, given: Any) -> tuple[str, ...]:
    """The constraints of a file of columns, and those that a user gives beside it.

    Args:
        columns: What the user gives as columns: perhaps the path of a file.
        given: What the user gives as constraints; None for nothing.

    Raises:
        RequestError: If the file cannot be read, or one of them is wrong.
    """
    of_file: tuple[str, ...] = ()
    if isinstance(columns, str | Path):
        of_file = _read(Path(columns), constraints_from_toml)
    return constraint_texts([*of_file, *(() if given is None else constraint_texts(given))])


def columns_to_toml(table: Table, frame: pd.DataFrame, what: str = "a table") -> str:
    """The columns of a table as the text of a file."""
    listed = _toml([constraint.text for constraint in table.constraints])
    shown = f"constraints = {listed}" if table.constraints and listed else EXAMPLE
    parts = [HEAD.format(what=_comment(what)), CONSTRAINTS.format(listed=shown)]
    for column, described in zip(table.columns, table.describe(frame), strict=True):
        blanks = f"; {described.blanks:.2%} blank" if described.blanks else ""
        settings = column.settings()
        examples = "" if settings else f"; such as {described.examples}"
        lines = [
            f"[{_toml(str(column.name))}]",
            f"# {_comment(described.seen)}{blanks}{_comment(examples)}",
            f'kind = "{column.label}"',
        ]
        for name, value in settings.items():
            if (text := _toml(value)) is not None:
                lines.append(f"{name} = {text}")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def columns_from_toml(text: str) -> dict[str, dict[str, Any]]:
    """What the text of a file says of columns.

    Raises:
        RequestError: If it is not such a file.
    """
    read = _loaded(text)
    if isinstance(read.get("constraints"), list):
        del read["constraints"]
    wrong = next((name for name, options in read.items() if not isinstance(options, dict)), None)
    if wrong is not None:
        raise RequestError(
            f"{clipped(repr(wrong))} = {clipped(repr(read[wrong]))} is in no column: put it below "
            'a line with a column\'s name, such as ["age"]'
        )
    return read


def constraints_from_toml(text: str) -> tuple[str, ...]:
    """The constraints in the text of a file; a column may be called so.

    Raises:
        RequestError: If it is not such a file, or one of them is wrong.
    """
    listed = _loaded(text).get("constraints")
    return constraint_texts(listed) if isinstance(listed, list) else ()


def _loaded(text: str) -> dict[str, Any]:
    """The content of a file. Raises RequestError if it is not TOML."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"is not TOML: {clipped(first_line(error), 200)}") from None


def _comment(text: str) -> str:
    return clipped(printable(text), 200)


def _toml(value: Any) -> str | None:
    """A value as TOML has it; None for one that it cannot have."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _quoted(value)
    if not isinstance(value, list):
        return None
    parts = [_toml(part) for part in value]
    return None if None in parts else f"[{', '.join(map(str, parts))}]"


def _quoted(text: str) -> str | None:
    """A basic string of TOML; None for half of a character, which no file can hold."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        return None
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"
