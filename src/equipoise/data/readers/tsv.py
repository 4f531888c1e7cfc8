"""Tab-separated values, compressed or not."""

from __future__ import annotations

from equipoise.data.readers.base import register
from equipoise.data.readers.compression import COMPRESSIONS
from equipoise.data.readers.csv import CsvReader


@register
class TsvReader(CsvReader):
    """A table of text with tabs between the columns."""

    endings = (".tsv", *(f".tsv{compressed}" for compressed in COMPRESSIONS))
    summary = "a table of tab-separated values"
    delimiter = "\t"
