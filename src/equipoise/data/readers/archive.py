"""What is read of ZIP archives."""

from __future__ import annotations

import zipfile
from pathlib import Path

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others may take any memory
# Memory of an archive's directory for each byte of the file; 13 was measured.
DIRECTORY_BYTES = 16


def directory_bytes(path: Path) -> int:
    """Bytes of memory that the list of an archive's entries may take."""
    return DIRECTORY_BYTES * path.stat().st_size
