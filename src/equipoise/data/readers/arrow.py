"""Columns of Arrow as those of pandas: what Parquet and Feather files have in common.

What pandas noted in a file about index and types is not read: a stranger may have
written it, and Arrow's own types tell enough.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.data.readers.base import listed_columns, refuse_too_large
from equipoise.errors import RequestError, clipped

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

VALUE_BYTES, OBJECT_BYTES = 8, 64  # of a number or a date, and of a Python object
# Types of Polars and others, for which older versions of pyarrow have no tests.
VIEWS = {"string_view", "binary_view"}
INDEX = re.compile(r"__index_level_\d+__")  # pandas' name for an index without one


def value_bytes(path: Path, field: pa.Field) -> int:
    """Bytes that a value of a column takes in a DataFrame, beside its text.

    Raises:
        RequestError: For a column of lists or the like, since one row of those can hold
            any number of values.
    """
    import pyarrow as pa

    types = pa.types
    kind = field.type.value_type if types.is_dictionary(field.type) else field.type
    numbers = (types.is_integer, types.is_floating, types.is_boolean, types.is_null)
    moments = (types.is_date, types.is_timestamp, types.is_duration)
    objects = (types.is_time, types.is_decimal)
    if any(is_one(kind) for is_one in numbers + moments):
        return VALUE_BYTES
    if is_text(kind) or any(is_one(kind) for is_one in objects):
        return OBJECT_BYTES
    raise RequestError(
        f"{path.name}: column {clipped(repr(field.name))} holds {clipped(str(kind))}, which is "
        "not one value a row: leave it out, or give every value a column of its own"
    )


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds texts, or bytes that should be texts."""
    import pyarrow as pa

    types = pa.types
    texts = (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    return str(kind) in VIEWS or any(is_one(kind) for is_one in texts)


def to_frame(path: Path, table: pa.Table, texts: frozenset[str] = frozenset()) -> pd.DataFrame:
    """A table as pandas has it: texts, categories, numbers, truth values and dates,
    nullable types where whole numbers or truth values have blanks.

    Args:
        path: The file, for messages.
        table: The table.
        texts: Columns of texts that were read as categories.

    Raises:
        RequestError: For bytes that are no text, or texts that memory has no room for.
    """
    import pandas as pd
    import pyarrow as pa

    names = columns_of(table.column_names)
    columns, size = [], 0
    for i, name in names.items():
        column = table.column(i)
        if pa.types.is_dictionary(column.type):
            column = _plain_dictionary(column)
            if name in texts:
                size += _text_bytes(column)
                refuse_too_large(path, size)
                column = column.cast(column.type.value_type)
        columns.append(_to_series(path, name, column))
    frame = pd.DataFrame(dict(enumerate(columns)), index=range(table.num_rows))
    frame.columns = pd.Index(list(names.values()))
    return frame


def columns_of(names: Sequence[str]) -> dict[int, str]:
    """The names of a table's columns, by their places, without an index that has no
    name."""
    return {place: name for place, name in enumerate(names) if not INDEX.fullmatch(name)}


def note_on(table: pa.Table) -> str:
    """What `to_frame` changes, in a line; empty where it is nothing."""
    import pyarrow as pa

    decimals = [field.name for field in table.schema if pa.types.is_decimal(field.type)]
    notes = []
    if decimals:
        notes.append(f"decimals read as floats in {listed_columns(decimals)}")
    if any(map(INDEX.fullmatch, table.column_names)):
        notes.append("the index, which has no name, is left out")
    return "; ".join(notes)


def _to_series(path: Path, name: str, column: pa.ChunkedArray) -> pd.Series[Any]:
    import pandas as pd
    import pyarrow as pa

    types = pa.types
    if is_text(column.type) and not types.is_string(column.type):
        try:
            column = column.cast(pa.large_string())
        except pa.ArrowInvalid:
            raise RequestError(
                f"{path.name}: column {clipped(repr(name))} holds bytes that are no text: "
                "leave it out"
            ) from None
    elif types.is_decimal(column.type) or types.is_null(column.type):
        column = column.cast(pa.float64())
    elif types.is_time(column.type):
        column = column.cast(pa.string())
    if column.null_count and (types.is_integer(column.type) or types.is_boolean(column.type)):
        is_unsigned = types.is_unsigned_integer(column.type)
        nullable = (
            f"{'UInt' if is_unsigned else 'Int'}{column.type.bit_width}"
            if types.is_integer(column.type)
            else "boolean"
        )
        dtype: Any = pd.api.types.pandas_dtype(nullable)
        return pd.Series(dtype.__from_arrow__(column))
    series: pd.Series[Any] = column.to_pandas(date_as_object=False)
    return series


def _plain_dictionary(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of categories that pandas takes. Polars has codes without a sign, which
    pyarrow before 23 refuses to convert, and views of texts."""
    import pyarrow as pa

    kind = column.type
    is_view = str(kind.value_type) in VIEWS
    if not is_view and not pa.types.is_unsigned_integer(kind.index_type):
        return column
    values = pa.large_string() if is_view else kind.value_type
    plain = [
        pa.DictionaryArray.from_arrays(
            chunk.indices.cast(pa.int64()), chunk.dictionary.cast(values), ordered=kind.ordered
        )
        for chunk in column.chunks
    ]
    return pa.chunked_array(plain, pa.dictionary(pa.int64(), values, kind.ordered))


def _text_bytes(column: pa.ChunkedArray) -> int:
    """Bytes of the texts of a column of categories, each as often as it comes."""
    import pyarrow.compute as pc

    size = VALUE_BYTES * len(column)
    for chunk in column.chunks:
        lengths = pc.binary_length(chunk.dictionary)
        size += pc.sum(lengths.take(chunk.indices)).as_py() or 0
    return int(size)
