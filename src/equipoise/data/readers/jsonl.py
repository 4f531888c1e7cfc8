"""JSON Lines: a table with an object a line, its keys the names of the columns."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from equipoise.data.readers.base import (
    FileContent,
    refuse_columns,
    refuse_too_large,
    register,
    require,
)
from equipoise.data.readers.cells import plain_objects
from equipoise.data.readers.compression import TextFile, with_compressions
from equipoise.data.readers.encoding import NAMES, encodings
from equipoise.data.readers.misnamed import refuse_misnamed
from equipoise.data.readers.text import TextReader
from equipoise.errors import RequestError, clipped, first_line

if TYPE_CHECKING:
    import pandas as pd

HEAD_BYTES = 1 << 16
PART_ROWS = 10_000  # that are Python objects at a time
# Memory of a value beside its text: 60 to 90 were measured.
VALUE_BYTES = 100
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")  # half of a character, as JSON escapes it
CELL_BYTES = 16  # of a cell of the table, while parts are joined


@register
class JsonlReader(TextReader):
    """A table of JSON objects, by Python's json."""

    endings = with_compressions(".jsonl", ".ndjson")
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
        rows = 0
        with io.TextIOWrapper(file.open(), encoding) as text:
            objects = _objects(file, text)
            while part := list(islice(objects, PART_ROWS)):
                rows += len(part)
                names |= dict.fromkeys(name for row in part for name in row)
                refuse_columns(file.path, len(names))
                # A key in one line makes a cell in each.
                refuse_too_large(file.path, CELL_BYTES * rows * len(names))
                parts.append(_frame(file, part).set_axis(range(rows - len(part), rows)))
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
        RequestError: For a line that holds none.
    """
    for number, line in enumerate(text, start=1):
        if not line.strip():
            continue
        where = f"{file.name}: line {number:,}"
        try:
            row = json.loads(line)
            if SURROGATE.search(line):
                json.dumps(row, ensure_ascii=False).encode()
        except RecursionError:
            raise RequestError(
                f"{where} has thousands of lists or objects in one another"
            ) from None
        except UnicodeEncodeError:
            raise RequestError(f"{where} has half of a character (\\ud8...): remove it") from None
        except ValueError as error:
            if line.lstrip().startswith("[") or line.strip() == "{":
                raise _whole_document(file) from None
            at = (
                f" at character {error.pos + 1:,}"
                if isinstance(error, json.JSONDecodeError)
                else ""
            )
            cause = error.msg if isinstance(error, json.JSONDecodeError) else first_line(error)
            raise RequestError(
                f"{where} is not JSON: {clipped(cause, 200)}{at}; write an object in every line"
            ) from None
        if isinstance(row, list):
            raise _whole_document(file)
        if not isinstance(row, dict):
            raise RequestError(
                f"{where} holds {clipped(line.strip(), 40)!r}, not an object: write "
                '{"name": value, ...} in every line'
            )
        yield row


def _whole_document(file: TextFile) -> RequestError:
    return RequestError(
        f"{file.name} is one JSON document, not an object a line: turn its list into lines "
        "(jq -c '.[]' FILE > NEW.jsonl)"
    )


def _frame(file: TextFile, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The table of some rows, whole numbers beside blanks as such.

    Raises:
        RequestError: For a column of lists or objects.
    """
    import pandas as pd

    frame = pd.DataFrame.from_records(rows)
    whole: dict[str, Any] = {}
    for name in frame.columns:
        kinds = {type(row.get(name)) for row in rows}
        if not kinds.isdisjoint({list, dict}):
            kind = "lists" if list in kinds else "objects"
            raise RequestError(
                f"{file.name}: column {clipped(repr(name))} holds {kind}, not values: give every "
                "value a column of its own, or leave the column out"
            )
        if kinds == {int, type(None)} and frame[name].dtype == float:
            whole[name] = pd.array([row.get(name) for row in rows], dtype="Int64")
    return frame.assign(**whole)


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
