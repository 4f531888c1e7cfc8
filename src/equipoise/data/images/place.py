"""Where the bytes of an image file are: in a file of its own, or in something that
holds many."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from equipoise.utils.atomic_io import read_file


class Stored(Protocol):
    """An image file within something else, such as an archive."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def read(self, max_bytes: int) -> bytes:
        """Its bytes.

        Raises:
            OSError: It cannot be read, or has more than `max_bytes` bytes.
        """


Place = Path | Stored


def content_at(place: Place, max_bytes: int) -> bytes:
    """The bytes of an image file, which a stranger may have made.

    Raises:
        OSError: It cannot be read, or has more than `max_bytes` bytes.
    """
    return read_file(place, max_bytes) if isinstance(place, Path) else place.read(max_bytes)
