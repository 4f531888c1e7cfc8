"""Feather (version 2), which is Arrow's file format: a table.

Its buffers may be compressed, and pyarrow takes memory for what they say that they have
unpacked. So the description of each batch is read here first (Arrow columnar format,
"Serialization and Interprocess Communication"; FlatBuffers, "Internals").
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from equipoise.data.readers.arrow import note_on, to_frame, value_bytes
from equipoise.data.readers.base import (
    FileContent,
    Reader,
    refuse_columns,
    refuse_too_large,
    register,
    require,
)

if TYPE_CHECKING:
    import pyarrow as pa

MAGIC = b"ARROW1\0\0"
NOT_COMPRESSED = -1  # stands in place of a buffer's unpacked size
# Fields of the tables Message, DictionaryBatch and RecordBatch of Arrow's Message.fbs.
HEADER, DICTIONARY_DATA = 2, 1
LENGTH, BUFFERS, COMPRESSION = 0, 2, 3


@register
class FeatherReader(Reader):
    """A table in columns, by pyarrow."""

    endings: ClassVar[tuple[str, ...]] = (".feather",)
    summary = "an Apache Arrow (Feather) table"
    has_columns = True

    def claimed_bytes(self, path: Path) -> int:
        """The columns of a DataFrame, and what the buffers have unpacked.

        Raises:
            RequestError: For columns of lists, since one row of those can hold any
                number of values.
        """
        require("pandas", path)
        require("pyarrow", path)
        import pyarrow as pa

        refuse_too_large(path, path.stat().st_size)
        claimed = row_bytes = 0
        for message in pa.ipc.MessageReader.open_stream(_stream(path)):
            if message.type == "schema":
                schema = pa.ipc.read_schema(message)
                refuse_columns(path, len(schema))
                row_bytes = sum(value_bytes(path, field) for field in schema)
                continue
            metadata, body = message.metadata.to_pybytes(), message.body
            batch = _field(metadata, _root(metadata), HEADER)
            if batch is not None and message.type == "dictionary":
                batch = _field(metadata, _pointed(metadata, batch), DICTIONARY_DATA)
            if batch is None:
                raise ValueError("a batch has no description")
            batch = _pointed(metadata, batch)
            rows = _field(metadata, batch, LENGTH)
            claimed += row_bytes * (0 if rows is None else _read("<q", metadata, rows))
            claimed += sum(_buffer_sizes(metadata, batch, body))
        return claimed

    def read(self, path: Path) -> FileContent:
        import pyarrow as pa

        with pa.ipc.open_stream(_stream(path)) as reader:
            table = reader.read_all()
        return FileContent(to_frame(path, table), note=note_on(table))


def _stream(path: Path) -> pa.BufferReader:
    """The messages of a file. Its footer, which lists them once more, is not read, so
    that what is counted and what is read are the same."""
    import pyarrow as pa

    content = path.read_bytes()
    if not content.startswith(MAGIC):
        raise ValueError("it does not begin as Feather (version 2) does")
    stream = pa.BufferReader(content)
    stream.seek(len(MAGIC))
    return stream


def _buffer_sizes(metadata: bytes, batch: int, body: Any) -> Iterator[int]:
    """Bytes of each buffer of a record batch, unpacked."""
    buffers = _field(metadata, batch, BUFFERS)
    if buffers is None:
        return
    is_compressed = _field(metadata, batch, COMPRESSION) is not None
    start = _pointed(metadata, buffers)
    for i in range(_read("<I", metadata, start)):
        offset, length = struct.unpack_from("<qq", metadata, start + 4 + 16 * i)
        if not (offset >= 0 and 0 <= length <= body.size - offset):
            raise ValueError("a buffer lies outside of the file")
        size = length
        if is_compressed and length:
            (size,) = struct.unpack("<q", body.slice(offset, 8).to_pybytes())
        if size < NOT_COMPRESSED:
            raise ValueError("a buffer has a negative size")
        yield length if size == NOT_COMPRESSED else size


def _root(metadata: bytes) -> int:
    return _pointed(metadata, 0)


def _pointed(metadata: bytes, at: int) -> int:
    """Where the offset at a place of a FlatBuffer leads."""
    return at + _read("<I", metadata, at)


def _field(metadata: bytes, table: int, number: int) -> int | None:
    """The place of a field of a FlatBuffer's table; None where it has its default."""
    vtable = table - _read("<i", metadata, table)
    if vtable < 0:
        raise ValueError("a table lies outside of its message")
    entry = 4 + 2 * number
    if entry + 2 > _read("<H", metadata, vtable):
        return None
    offset = _read("<H", metadata, vtable + entry)
    return table + offset if offset else None


def _read(form: str, metadata: bytes, at: int) -> int:
    value: int
    (value,) = struct.unpack_from(form, metadata, at)
    return value
