"""Tab-separated values, compressed or not."""

from __future__ import annotations

from typing import ClassVar

from equipoise.data.readers.base import register
from equipoise.data.readers.compression import with_compressions
from equipoise.data.readers.csv import CsvReader


@register
class TsvReader(CsvReader):
    """A table of text with tabs between the cells, unless it has others."""

    endings: ClassVar[tuple[str, ...]] = with_compressions(".tsv")
    summary = "a table of tab-separated values"
