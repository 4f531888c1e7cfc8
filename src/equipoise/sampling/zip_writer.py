"""A .zip of any number of files, written in bounded memory.

`zipfile.ZipFile` keeps an entry for every file until the end, about 350 MiB for a
million. Here they go to a temporary file. (PKWARE, "APPNOTE.TXT: .ZIP File Format
Specification", 6.3.10; sections 4.3.7, 4.3.12 and 4.3.14 to 4.3.16.)
"""

from __future__ import annotations

import shutil
import struct
import tempfile
import zlib
from pathlib import Path
from typing import BinaryIO

LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
END, END_64, LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
STORED = 0  # files are compressed already
UTF_8 = 0x800  # the flag of names that are no ASCII
VERSION, VERSION_64 = 20, 45
UNIX = 3 << 8  # of the system that an entry comes from
EARLIEST = (0, 0x21)  # the time and the date that a .zip can begin with: 1980-01-01
READ_WRITE = 0o600 << 16  # what the owner may do with a file
# What stands where a longer number stands elsewhere.
MAX_16, MAX_32 = 2**16 - 1, 2**32 - 1


class ZipWriter:
    """Takes the names and contents of files, each below 4 GiB, and closes."""

    def __init__(self, path: Path) -> None:
        self.file: BinaryIO = path.open("wb")
        try:
            self.entries: BinaryIO = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115  # see close
        except OSError:
            self.file.close()
            raise
        self.count: int = 0

    def add(self, name: str, content: bytes) -> None:
        """Write one file."""
        stored, place = name.encode(), self.file.tell()
        flags = 0 if name.isascii() else UTF_8
        what = flags, STORED, *EARLIEST, zlib.crc32(content), len(content), len(content)
        self.file.write(LOCAL + struct.pack("<5H3I2H", VERSION, *what, len(stored), 0) + stored)
        self.file.write(content)
        far = struct.pack("<2HQ", 1, 8, place) if place >= MAX_32 else b""
        needed = VERSION_64 if far else VERSION
        about = len(stored), len(far), 0, 0, 0, READ_WRITE, min(place, MAX_32)
        entry = struct.pack("<6H3I5H2I", UNIX | needed, needed, *what, *about)
        self.entries.write(CENTRAL + entry + stored + far)
        self.count += 1

    def close(self) -> None:
        """Write the directory of all files, and close."""
        with self.file, self.entries:
            start, size = self.file.tell(), self.entries.tell()
            self.entries.seek(0)
            shutil.copyfileobj(self.entries, self.file)
            if self.count >= MAX_16 or start + size >= MAX_32:
                record = VERSION_64 | UNIX, VERSION_64, 0, 0, self.count, self.count, size, start
                self.file.write(END_64 + struct.pack("<Q2H2I4Q", 44, *record))
                self.file.write(LOCATOR_64 + struct.pack("<IQI", 0, start + size, 1))
            counts = (min(self.count, MAX_16),) * 2
            end = 0, 0, *counts, min(size, MAX_32), min(start, MAX_32), 0
            self.file.write(END + struct.pack("<4H2IH", *end))
