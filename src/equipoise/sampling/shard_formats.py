"""The formats of shards: .tar for images, .parquet for all else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from equipoise.data import writers
from equipoise.sampling.archives import Tar
from equipoise.sampling.batching import rebatch
from equipoise.sampling.frames import frame_of, part_size
from equipoise.sampling.image_files import ImageFiles
from equipoise.sampling.rows import Rows
from equipoise.sampling.sampler import Asked, Sampler
from equipoise.utils.atomic_io import replacing

if TYPE_CHECKING:
    import pandas as pd

PARQUET, TAR = ".parquet", ".tar"
# Samples of a shard, and bytes of them in the data's type, unless the user says
# otherwise. On 2 cores a shard of a table of ten columns takes seconds.
TABLE_ROWS, TABLE_BYTES = 250_000, 2**28
TAR_IMAGES, TAR_BYTES = 10_000, 2**30


class ShardFormat(ABC):
    """Writes shards of one format."""

    ending: ClassVar[str]

    @abstractmethod
    def write(self, path: Path, asked: Asked, span: range, done: Callable[[int], None]) -> None:
        """Write a shard, whole or not at all.

        Args:
            path: Its file.
            asked: All samples.
            span: The numbers of those in the shard.
            done: Called with each number of samples made.

        Raises:
            EquipoiseError: If it cannot be written.
        """


class TarShards(ShardFormat):
    """Images as WebDataset has them."""

    ending = TAR

    def __init__(self, files: ImageFiles) -> None:
        self.files = files

    def write(self, path: Path, asked: Asked, span: range, done: Callable[[int], None]) -> None:
        with Tar(path) as archive:
            self.files.add(archive, asked, span, done)


class ParquetShards(ShardFormat):
    """Rows of a table, points, or windows of series as a table of steps.

    Raises:
        RequestError: If pyarrow is missing, or Parquet cannot hold the table.
    """

    ending = PARQUET

    def __init__(self, sampler: Sampler) -> None:
        from equipoise.data.writers.arrow import schema_of

        writers.find(PARQUET).check_installed(f"{PARQUET} files")
        self.sampler = sampler
        size = min(part_size(sampler.schema), sampler.draws.block)
        first = Asked(size, seed=0)
        some = self._frame(Rows.join([*sampler.rows(first, range(size))]), first, 0)
        self.no_rows: pd.DataFrame = some.iloc[:0]
        self.types: Any = schema_of(Path("Parquet"), some)

    def write(self, path: Path, asked: Asked, span: range, done: Callable[[int], None]) -> None:
        import pyarrow.parquet as pq

        from equipoise.data.writers.arrow import tables_of

        with replacing(path) as file, pq.ParquetWriter(file, self.types) as writer:
            for table in tables_of(path, self._parts(asked, span, done), self.types):
                writer.write_table(table)

    def _parts(
        self, asked: Asked, span: range, done: Callable[[int], None]
    ) -> Iterator[pd.DataFrame]:
        if not span:
            yield self.no_rows
        number, size = span.start, part_size(self.sampler.schema)
        for rows in rebatch(self.sampler.rows(asked, span), size, Rows.join):
            yield self._frame(rows, asked, number)
            number += len(rows)
            done(len(rows))

    def _frame(self, rows: Rows, asked: Asked, number: int) -> pd.DataFrame:
        schema = self.sampler.schema
        samples = schema.to_user(rows.values, rows.labels, asked.seed, number)
        return frame_of(samples, schema, number)


def default_size(sampler: Sampler) -> int:
    """Samples of a shard."""
    schema = sampler.schema
    most, size = (TAR_IMAGES, TAR_BYTES) if schema.is_image else (TABLE_ROWS, TABLE_BYTES)
    return max(min(most, size // schema.sample_bytes), 1)
