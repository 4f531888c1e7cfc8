"""Tables of text under names that do not tell the separator, compressed or not."""

from __future__ import annotations

from typing import ClassVar

from equipoise.data.readers.base import register
from equipoise.data.readers.compression import with_compressions
from equipoise.data.readers.csv import CsvReader


@register
class TxtReader(CsvReader):
    """A table of text, such as `numpy.savetxt` writes or the UCI repository has."""

    endings: ClassVar[tuple[str, ...]] = with_compressions(".txt", ".data")
    summary = "a table of text, its cells separated by anything that .csv may have"
