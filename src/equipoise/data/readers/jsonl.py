"""JSON Lines: a table with an object a line, its keys the names of the columns."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from equipoise.data.readers.base import (
    FileContent,
    refuse_columns,
    refuse_too_large,
    register,
    require,
)
from equipoise.data.readers.cells import plain_objects, replaced
from equipoise.data.readers.compression import TextFile, with_compressions
from equipoise.data.readers.encoding import NAMES, encodings
from equipoise.data.readers.misnamed import refuse_misnamed
from equipoise.data.readers.text import TextReader
from equipoise.errors import RequestError, clipped, first_line

if TYPE_CHECKING:
    import pandas as pd

HEAD_BYTES = 1 << 16
PART_ROWS = 10_000  # that are Python objects at a time
# Memory of a value beside its text: 23 to 26 were measured, where texts are Arrow's.
VALUE_BYTES = 64
NESTED: set[type[Any]] = {list, dict}
WHOLE: set[type[Any]] = {int, type(None)}
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")  # half of a character, as JSON escapes it
# So many cells may be blank, and so much of a larger table must not be.
MAX_BLANKS, MIN_FILLED = 10_000_000, 0.01
CELL_BYTES = 16  # of a cell of the table, while parts are joined


@register
class JsonlReader(TextReader):
    """A table of JSON objects, by Python's json."""

    endings: ClassVar[tuple[str, ...]] = with_compressions(".jsonl", ".ndjson")
    summary = "a table of JSON objects, one a line"

    def claimed_by_text(self, file: TextFile) -> int:
        return file.memory(b":,", VALUE_BYTES / 2)

    def read_text(self, file: TextFile) -> FileContent:
        require("pandas", file.path)
        import pandas as pd

        head = file.head(HEAD_BYTES)
        refuse_misnamed(file, head)
        encoding = encodings(head)[0]
        parts: list[pd.DataFrame] = []
        names: dict[str, None] = {}
        rows = values = 0
        with io.TextIOWrapper(file.open(), encoding) as text:
            objects = _objects(file, text)
            while part := list(islice(objects, PART_ROWS)):
                rows += len(part)
                values += sum(map(len, part))
                names |= dict.fromkeys(name for row in part for name in row)
                refuse_columns(file.path, len(names))
                # A key in one line makes a cell in each.
                refuse_too_large(file.path, CELL_BYTES * rows * len(names))
                if rows * len(names) > MAX_BLANKS + values / MIN_FILLED:
                    raise RequestError(
                        f"{file.name} has {len(names):,} names in {rows:,} lines, and a value for "
                        "hardly any: give every line the same names"
                    )
                parts.append(_frame(part).set_axis(range(rows - len(part), rows)))
        if not parts:
            raise ValueError("it is empty")
        columns = {
            name: _column([part[name] for part in parts if name in part], rows) for name in names
        }
        frame = pd.DataFrame(columns, index=range(rows))
        note = f"read as: {NAMES[encoding]}" if NAMES[encoding] else ""
        return FileContent(frame, note=note)


def _objects(file: TextFile, text: io.TextIOWrapper) -> Iterator[dict[str, Any]]:
    """The object of each line, blank lines left out.

    Raises:
        RequestError: For a line that holds none, or one with lists or objects in it.
    """
    for number, line in enumerate(text, start=1):
        if not line.strip():
            continue
        where = f"{file.name}: line {number:,}"
        row = _parsed(file, where, line)
        if isinstance(row, list):
            raise _whole_document(file)
        if not isinstance(row, dict):
            raise RequestError(
                f"{where} holds {clipped(line.strip(), 40)!r}, not an object: write "
                '{"name": value, ...} in every line'
            )
        if not NESTED.isdisjoint(map(type, row.values())):
            name = next(name for name, value in row.items() if type(value) in NESTED)
            kind = "a list" if isinstance(row[name], list) else "an object"
            raise RequestError(
                f"{where} has {kind} for {clipped(repr(name))}: give every value a name of its "
                "own, or leave it out"
            )
        yield row


def _parsed(file: TextFile, where: str, line: str) -> Any:
    """What a line says.

    Raises:
        RequestError: If it is not JSON, or not what can be written again.
    """
    try:
        row = json.loads(line)
        if SURROGATE.search(line):
            json.dumps(row, ensure_ascii=False).encode()
    except RecursionError:
        raise RequestError(f"{where} has thousands of lists or objects in one another") from None
    except UnicodeEncodeError:
        raise RequestError(f"{where} has half of a character (\\ud8...): remove it") from None
    except ValueError as error:
        if line.lstrip().startswith("[") or line.strip() == "{":
            raise _whole_document(file) from None
        cause = first_line(error)
        if isinstance(error, json.JSONDecodeError):  # whose own place is in the line
            cause = f"{error.msg} at character {error.pos + 1:,}"
        raise RequestError(
            f"{where} is not JSON: {clipped(cause, 200)}; write an object in every line"
        ) from None
    return row


def _whole_document(file: TextFile) -> RequestError:
    return RequestError(
        f"{file.name} is one JSON document, not an object a line: turn its list into lines "
        "(jq -c '.[]' FILE > NEW.jsonl)"
    )


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The table of some rows, whole numbers beside blanks as such."""
    import pandas as pd

    frame = pd.DataFrame.from_records(rows)
    others = {  # than whole numbers and blanks
        name for row in rows for name, value in row.items() if type(value) not in WHOLE
    }
    whole: dict[str, Any] = {}
    for name in frame.select_dtypes("float64").columns:
        if name not in others and frame[name].notna().any():
            numbers = [row.get(name) for row in rows]
            try:
                whole[name] = pd.array(numbers, dtype="Int64")
            except OverflowError:  # beyond 64 bits
                whole[name] = pd.Series(numbers, dtype=object)
    return replaced(frame, whole)


def _column(pieces: list[pd.Series[Any]], rows: int) -> pd.Series[Any]:
    """A column of the whole table.

    Args:
        pieces: Those of parts that have it, at their places.
        rows: The number of rows of the table.
    """
    import pandas as pd

    filled = [piece for piece in pieces if piece.notna().any()]  # blanks have no type
    if not filled:
        return pd.Series(float("nan"), index=range(rows))
    has_blanks = sum(map(len, filled)) < rows or any(piece.isna().any() for piece in filled)
    if has_blanks and {piece.dtype.kind for piece in filled} == {"i"}:
        filled = [piece.astype("Int64") for piece in filled]
    column = pd.concat(filled).reindex(range(rows))
    return plain_objects(column) if column.dtype == object else column
