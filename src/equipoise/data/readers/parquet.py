"""Apache Parquet: a table."""

from __future__ import annotations

from pathlib import Path

from equipoise.data.readers.base import FileContent, Reader, refuse_columns, register, require
from equipoise.errors import RequestError, clipped

NUMBER_BYTES = 8  # of a number in a table


@register
class ParquetReader(Reader):
    """A table in columns, by pyarrow."""

    endings = (".parquet",)
    summary = "an Apache Parquet table"
    has_columns = True

    def claimed_bytes(self, path: Path) -> int:
        """The columns as float64, and what the column chunks have unpacked.

        Raises:
            RequestError: For columns of lists, since one row of those can hold any
                number of numbers.
        """
        require("pandas", path)
        require("pyarrow", path)
        import pyarrow as pa
        from pyarrow.parquet import ParquetFile

        with ParquetFile(path) as file:
            metadata = file.metadata
            refuse_columns(path, metadata.num_columns)
            nested = [field.name for field in file.schema_arrow if pa.types.is_nested(field.type)]
            if nested:
                raise RequestError(
                    f"{path.name}: column {clipped(repr(nested[0]))} holds lists, not numbers: "
                    "drop it, or give it a column each"
                )
            groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
            # pyarrow takes memory for the rows of the groups, whatever the total says.
            rows = sum(group.num_rows for group in groups)
            if rows != metadata.num_rows:
                raise RequestError(
                    f"{path} says that it has {metadata.num_rows:,} rows, and {rows:,} in its "
                    "parts: it is damaged"
                )
            unpacked = sum(group.total_byte_size for group in groups)
            return int(rows * metadata.num_columns * NUMBER_BYTES + unpacked)

    def read(self, path: Path) -> FileContent:
        import pandas as pd
        import pyarrow as pa
        from pyarrow.parquet import ParquetFile

        is_text = (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_binary,
            pa.types.is_large_binary,
        )
        with ParquetFile(path) as file:
            schema = file.schema_arrow
        texts = [field.name for field in schema if any(is_one(field.type) for is_one in is_text)]
        # As dictionaries each text is in memory once.
        return FileContent(pd.read_parquet(path, engine="pyarrow", read_dictionary=texts))
