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
"""Channels that an image can have, in pages or in one."""
MAX_DIRECTORIES = 512  # pages, their reduced copies, and what cameras add
MAX_TILE = 2**26  # pixels of a tile or of a strip, which are decoded as one
MAX_VALUES = 2**20  # of a tag that is read here, such as the places of strips
TAG_ROOM = 2**16  # bytes that tags may claim beside the file's own size
# Bytes of one value, by the number of its type.
TYPE_BYTES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)
SAMPLES, TILE_WIDTH, TILE_HEIGHT = 277, 322, 323
WHOLE_TYPES = {1: "B", 3: "H", 4: "I", 16: "Q"}  # of numbers without a sign, for struct
REDUCED_COPY = 254  # whose first bit says that a page is a smaller copy
NEXT = -1  # no tag: the place of the next directory
SUB_DIRECTORIES = (34665, 34853, 40965)  # EXIF, GPS, interoperability


@dataclass(frozen=True)
class _Form:
    """How numbers are written: the byte order, and the sizes of a BigTIFF or not."""

    order: str
    big: bool

    @property
    def start(self) -> int:
        """Where the place of the first directory stands."""
        return 8 if self.big else 4

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
        ValueError: If they do, or it has too many channels.
    """
    form = _form_of(content)
    if len(content) < form.start + struct.calcsize(form.place):
        raise ValueError("it is cut off")
    waiting, seen, claimed = [_number(content, form.place, form.start)], set[int](), 0
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
        if values.get(SAMPLES, 1) > MAX_PAGES:
            raise ValueError(f"it has {values[SAMPLES]} channels: at most {MAX_PAGES} are read")
        waiting += [values[tag] for tag in SUB_DIRECTORIES if tag in values]
        waiting.append(values.get(NEXT, 0))


def first_directory(content: bytes) -> tuple[str, dict[int, tuple[int, ...]]]:
    """The byte order, < or >, and the tags of a file's first page whose values are
    whole numbers: those that are there, of a file that is cut off.

    Raises:
        ValueError: If one has more values than an image needs.
    """
    form = _form_of(content)
    tags: dict[int, tuple[int, ...]] = {}
    with suppress(struct.error):
        place = _number(content, form.place, form.start)
        start, step = place + struct.calcsize(form.count), struct.calcsize(form.entry)
        for index in range(_number(content, form.count, place)):
            at = start + index * step
            tag, kind, count, value = struct.unpack_from(form.entry, content, at)
            if kind not in WHOLE_TYPES:
                continue
            if count > MAX_VALUES:
                raise ValueError(f"its tag {tag} has too many values")
            if count * TYPE_BYTES[kind] <= struct.calcsize(form.place):
                value = at + struct.calcsize(form.entry) - struct.calcsize(form.place)
            tags[tag] = struct.unpack_from(
                f"{form.order}{count}{WHOLE_TYPES[kind]}", content, value
            )
    return form.order, {tag: values for tag, values in tags.items() if values}


def has_more_pages(content: bytes) -> bool:
    """Whether a file has another page than the first, beside smaller copies of it."""
    form, seen = _form_of(content), set[int]()
    with suppress(struct.error):
        place = _number(content, form.place, form.start)
        while place and place not in seen and len(seen) < MAX_DIRECTORIES:
            values = {tag: value for tag, _, value in _entries(content, form, place)}
            if seen and not values.get(REDUCED_COPY, 0) & 1:
                return True
            seen.add(place)
            place = values.get(NEXT, 0)
    return False


def _form_of(content: bytes) -> _Form:
    return _Form("<" if content[:2] == b"II" else ">", big=43 in content[2:4])


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
        if kind in WHOLE_TYPES and values == 1:  # a short number stands in the first bytes
            of_kind = form.order + WHOLE_TYPES[kind]
            value = _number(content, of_kind, at + struct.calcsize(form.entry[:-1]))
        yield tag, size if size > struct.calcsize(form.place) else 0, value
    yield NEXT, 0, _number(content, form.place, start + count * step)


def _number(content: bytes, form: str, place: int) -> int:
    number: int = struct.unpack_from(form, content, place)[0]
    return number
