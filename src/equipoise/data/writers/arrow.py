"""Parquet and Feather, by pyarrow: types, categories, zones and blanks are kept."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

from equipoise.data.writers.base import Writer, register
from equipoise.errors import RequestError, clipped, first_line

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MAX_DIGITS = 38  # of a decimal of 128 bits


class ArrowWriter(Writer):
    """A table in columns."""

    package: ClassVar[str | None] = "pyarrow"
    install: ClassVar[str] = "'equipoise[tables]'"

    def write_parts(self, file: BinaryIO, path: Path, parts: Iterable[pd.DataFrame]) -> None:
        tables = tables_of(path, parts)
        first = next(tables)
        with self.open(file, first.schema) as writer:
            writer.write_table(first)
            for table in tables:
                writer.write_table(table)

    @abstractmethod
    def open(self, file: BinaryIO, schema: pa.Schema) -> Any:
        """A writer of pyarrow."""


@register
class ParquetWriter(ArrowWriter):
    """Apache Parquet, a row group a part."""

    endings: ClassVar[tuple[str, ...]] = (".parquet",)

    def open(self, file: BinaryIO, schema: pa.Schema) -> Any:
        import pyarrow.parquet as pq

        return pq.ParquetWriter(file, schema)


@register
class FeatherWriter(ArrowWriter):
    """Apache Arrow's file format, compressed as pandas does."""

    endings: ClassVar[tuple[str, ...]] = (".feather",)

    def open(self, file: BinaryIO, schema: pa.Schema) -> Any:
        import pyarrow as pa

        return pa.ipc.new_file(file, schema, options=pa.ipc.IpcWriteOptions(compression="lz4"))


def tables_of(
    path: Path, parts: Iterable[pd.DataFrame], schema: pa.Schema | None = None
) -> Iterator[pa.Table]:
    """Parts as tables of pyarrow, all with the same types.

    Args:
        path: The file that they go into, for messages.
        parts: The rows.
        schema: The types; None for those of the first part.

    Raises:
        RequestError: If a part has no such types.
    """
    for part in parts:
        schema = schema or schema_of(path, part)
        yield _table(path, part, schema).cast(schema)


def schema_of(path: Path, rows: pd.DataFrame) -> pa.Schema:
    """The types of a table that begins with these rows. Raises as `tables_of`.

    Columns of objects have types that later rows fit, too: text where all cells are
    blank so far, and decimals of any number of digits.
    """
    import pyarrow as pa

    schema = _table(path, rows, None).schema
    for place, (field, dtype) in enumerate(zip(schema, map(str, rows.dtypes), strict=True)):
        if dtype == "object" and pa.types.is_null(field.type):
            schema = schema.set(place, field.with_type(pa.string()))
        elif dtype == "object" and pa.types.is_decimal128(field.type):
            widest = pa.decimal128(MAX_DIGITS, field.type.scale)
            schema = schema.set(place, field.with_type(widest))
    return schema


def _table(path: Path, part: pd.DataFrame, schema: pa.Schema | None) -> pa.Table:
    import pandas as pd
    import pyarrow as pa

    dense = part.copy(deep=False)
    dense.attrs = {}
    for name in part.columns:
        column: Any = part[name]
        if isinstance(column.dtype, pd.SparseDtype):
            dense[name] = column.sparse.to_dense()
    try:
        return pa.Table.from_pandas(dense, schema, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise RequestError(
            f"{path.name} cannot hold this table: {clipped(first_line(error), 200)}; write a "
            ".csv or .jsonl file"
        ) from None
