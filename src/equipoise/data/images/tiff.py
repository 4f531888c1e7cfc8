"""What a TIFF file claims, checked before Pillow reads it.

A TIFF is a chain of directories of tags. Each tag says where in the file its values are
and how many, so that a small file can name the same megabyte a thousand times, or say
that a tile has more pixels than memory has room for. (Adobe, "TIFF Revision 6.0", 1992;
BigTIFF has longer numbers.)
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

MAX_PAGES = 64
"""Channels that an image of several pages can have."""
MAX_DIRECTORIES = 512  # pages, their reduced copies, and what cameras add
MAX_TILE = 2**26  # pixels of a tile or of a strip, which are decoded as one
TAG_ROOM = 2**16  # bytes that tags may claim beside the file's own size
# Bytes of one value, by the number of its type.
TYPE_BYTES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)
SAMPLES, TILE_WIDTH, TILE_HEIGHT = 277, 322, 323
NEXT = -1  # no tag: the place of the next directory
SUB_DIRECTORIES = (34665, 34853, 40965)  # EXIF, GPS, interoperability


@dataclass(frozen=True)
class _Form:
    """How numbers are written: the byte order, and the sizes of a BigTIFF or not."""

    order: str
    big: bool

    @property
    def entry(self) -> str:
        """Of a tag: number, type, count of values, place or value."""
        return self.order + ("HHQQ" if self.big else "HHII")

    @property
    def count(self) -> str:
        return self.order + ("Q" if self.big else "H")

    @property
    def place(self) -> str:
        return self.order + ("Q" if self.big else "I")


def check_tiff(content: bytes) -> None:
    """Check that a file's tags do not claim more than it has.

    Raises:
        ValueError: If they do, or it has channels that Pillow does not read.
    """
    order = "<" if content[:2] == b"II" else ">"
    form = _Form(order, big=43 in content[2:4])
    start = 8 if form.big else 4
    if len(content) < start + struct.calcsize(form.place):
        raise ValueError("it is cut off")
    waiting, seen, claimed = [_number(content, form.place, start)], set[int](), 0
    while waiting:
        place = waiting.pop()
        if place == 0 or place in seen:
            continue
        seen.add(place)
        if len(seen) > MAX_DIRECTORIES:
            raise ValueError(f"it has more than {MAX_DIRECTORIES} pages")
        values: dict[int, int] = {}
        with suppress(struct.error):  # cut off: Pillow takes what is there
            for tag, size, value in _entries(content, form, place):
                claimed += size
                values[tag] = value
        if claimed > len(content) + TAG_ROOM:
            raise ValueError("its tags claim more bytes than it has")
        if values.get(TILE_WIDTH, 0) * values.get(TILE_HEIGHT, 0) > MAX_TILE:
            raise ValueError("its tiles claim too many pixels")
        if values.get(SAMPLES, 1) > 4:
            raise ValueError(
                f"it has {values[SAMPLES]} channels in one page: save each as a page of its own"
            )
        waiting += [values[tag] for tag in SUB_DIRECTORIES if tag in values]
        waiting.append(values.get(NEXT, 0))


def _entries(content: bytes, form: _Form, place: int) -> Iterator[tuple[int, int, int]]:
    """The tags of the directory at `place`: number, bytes that its values take outside
    of it, and value or place; last, as NEXT, where the next
    directory is."""
    count = _number(content, form.count, place)
    start, step = place + struct.calcsize(form.count), struct.calcsize(form.entry)
    for index in range(count):
        at = start + index * step
        tag, kind, values, value = struct.unpack_from(form.entry, content, at)
        size = values * (TYPE_BYTES[kind] if kind < len(TYPE_BYTES) else 0)
        if kind == 3 and values == 1:  # a short number stands in the first two bytes
            value = _number(content, form.order + "H", at + struct.calcsize(form.entry[:-1]))
        yield tag, size if size > struct.calcsize(form.place) else 0, value
    yield NEXT, 0, _number(content, form.place, start + count * step)


def _number(content: bytes, form: str, place: int) -> int:
    number: int = struct.unpack_from(form, content, place)[0]
    return number
