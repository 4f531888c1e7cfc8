"""Parquet and Feather, by pyarrow: types, categories, zones and blanks are kept."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from equipoise.data.writers.base import Writer, register
from equipoise.errors import RequestError, clipped, first_line

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class ArrowWriter(Writer):
    """A table in columns."""

    package, install = "pyarrow", "'equipoise[tables]'"

    def write_parts(self, file: BinaryIO, path: Path, parts: Iterable[pd.DataFrame]) -> None:
        tables = _tables(path, parts)
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

    endings = (".parquet",)

    def open(self, file: BinaryIO, schema: pa.Schema) -> Any:
        import pyarrow.parquet as pq

        return pq.ParquetWriter(file, schema)


@register
class FeatherWriter(ArrowWriter):
    """Apache Arrow's file format, compressed as pandas does."""

    endings = (".feather",)

    def open(self, file: BinaryIO, schema: pa.Schema) -> Any:
        import pyarrow as pa

        return pa.ipc.new_file(file, schema, options=pa.ipc.IpcWriteOptions(compression="lz4"))


def _tables(path: Path, parts: Iterable[pd.DataFrame]) -> Iterator[pa.Table]:
    """Parts as tables of pyarrow, all with the types of the first."""
    import pandas as pd
    import pyarrow as pa

    schema = None
    for part in parts:
        dense = part.copy(deep=False)
        dense.attrs = {}
        for name in part.columns:
            column: Any = part[name]
            if isinstance(column.dtype, pd.SparseDtype):
                dense[name] = column.sparse.to_dense()
        try:
            table = pa.Table.from_pandas(dense, schema, preserve_index=False)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise RequestError(
                f"{path.name} cannot hold this table: {clipped(first_line(error), 200)}; write a "
                ".csv or .jsonl file"
            ) from None
        schema = table.schema if schema is None else schema
        yield table.cast(schema)
