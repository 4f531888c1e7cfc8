"""Apache Parquet: a table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from equipoise.data.readers.arrow import columns_of, is_text, note_on, to_frame, value_bytes
from equipoise.data.readers.base import FileContent, Reader, refuse_columns, register, require
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd

ROWS_AT_ONCE = 65_536


@register
class ParquetReader(Reader):
    """A table in columns, by pyarrow."""

    endings: ClassVar[tuple[str, ...]] = (".parquet",)
    summary = "an Apache Parquet table"
    has_columns = True

    def claimed_bytes(self, path: Path) -> int:
        """The columns of a DataFrame, and what the column chunks have unpacked.

        Raises:
            RequestError: For columns of lists, since one row of those can hold any
                number of values.
        """
        require("pandas", path)
        require("pyarrow", path)
        from pyarrow.parquet import ParquetFile

        with ParquetFile(path) as file:
            metadata = file.metadata
            refuse_columns(path, metadata.num_columns)
            row_bytes = sum(value_bytes(path, field) for field in file.schema_arrow)
            groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
            # pyarrow takes memory for the rows of the groups, whatever the total says.
            rows = sum(group.num_rows for group in groups)
            if rows != metadata.num_rows:
                raise RequestError(
                    f"{path} says that it has {metadata.num_rows:,} rows, and {rows:,} in its "
                    "parts: it is damaged"
                )
            unpacked = sum(group.total_byte_size for group in groups)
            return int(rows * row_bytes + unpacked)

    def read(self, path: Path) -> FileContent:
        from pyarrow.parquet import ParquetFile

        texts = _texts(path)
        with ParquetFile(path, read_dictionary=texts) as file:
            table = file.read()
        return FileContent(to_frame(path, table, frozenset(texts)), note=note_on(table))


def outline(path: Path) -> tuple[int, list[str]]:
    """The number of rows of a Parquet file, and the names of its columns."""
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        return file.metadata.num_rows, list(columns_of(file.schema_arrow.names).values())


def frames(path: Path) -> Iterator[pd.DataFrame]:
    """The table of a Parquet file in parts, in order."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    texts = _texts(path)
    with ParquetFile(path, read_dictionary=texts) as file:
        for batch in file.iter_batches(ROWS_AT_ONCE):
            yield to_frame(path, pa.Table.from_batches([batch]), frozenset(texts))


def _texts(path: Path) -> list[str]:
    """The columns of texts. Read as dictionaries, each text is in memory once, until
    there is room for all."""
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        return [field.name for field in file.schema_arrow if is_text(field.type)]
