"""Files that are no text, whatever their name says."""

from __future__ import annotations

from equipoise.data.readers.compression import TextFile
from equipoise.errors import RequestError

# First bytes, what they are of, and what to do.
SIGNATURES = (
    (b"PK\x03\x04", "a ZIP archive or an Excel file", "name it .zip or .xlsx"),
    (b"\x1f\x8b", "compressed by gzip", "give it the ending .gz too"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "give it the ending .zst too"),
    (b"BZh", "compressed by bzip2", "unpack it (bunzip2)"),
    (b"\xfd7zXZ\x00", "compressed by xz", "unpack it (unxz)"),
    (b"PAR1", "a Parquet file", "name it .parquet"),
    (b"ARROW1", "a Feather file", "name it .feather"),
    (b"\x93NUMPY", "a NumPy array", "name it .npy"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file", "save it as .xlsx"),
    (b"%PDF", "a PDF document", "give the table itself"),
    (b"SQLite format 3\x00", "an SQLite database", "save the table as .csv"),
)
PAGES = (b"<!doctype html", b"<html")


def refuse_misnamed(file: TextFile, head: bytes) -> None:
    """Check that a file with a name of text does not begin as another format does.

    Args:
        file: The file.
        head: Its first bytes.

    Raises:
        RequestError: If it does.
    """
    for signature, kind, remedy in SIGNATURES:
        if head.startswith(signature):
            raise RequestError(f"{file.name} is {kind}, not a table of text: {remedy}")
    if head[:200].lstrip().lower().startswith(PAGES):
        raise RequestError(
            f"{file.name} is a web page, not a table of text: download the file itself"
        )
