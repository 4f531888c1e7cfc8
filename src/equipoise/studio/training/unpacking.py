"""A ZIP archive of images as a folder of images.

Names are checked, links and hidden files are passed over, and no more is unpacked than
an upload may have, whatever the archive says of itself.
"""

from __future__ import annotations

import shutil
import stat
import zipfile
from pathlib import Path

from equipoise.data import readers
from equipoise.data.images.formats import SUFFIXES
from equipoise.data.images.listing import ending_of
from equipoise.errors import EquipoiseError, RequestError, clipped, first_line
from equipoise.studio.training.uploads import MAX_FILES, hidden_name, safe_path
from equipoise.utils.system import GIB

CHUNK = 2**20  # bytes


def unpack_images(archive: Path, folder: Path, max_bytes: int) -> dict[str, int]:
    """Unpack an archive that holds images.

    Args:
        archive: The file.
        folder: A new one, to unpack into.
        max_bytes: Of all files together.

    Returns:
        "files": how many were unpacked, 0 for an archive of something else, of which
        nothing is; "passed_over": how many were not.

    Raises:
        RequestError: It is damaged, too large, or locked by a password.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            return _unpack(opened, folder, max_bytes)
    except EquipoiseError:
        raise
    except Exception as error:  # a hostile archive leads zipfile to raise anything
        raise RequestError(
            f"{archive.name} could not be unpacked: {clipped(first_line(error), 200)}"
        ) from None


def _unpack(opened: zipfile.ZipFile, folder: Path, max_bytes: int) -> dict[str, int]:
    entries = [entry for entry in opened.infolist() if not entry.is_dir()]
    images = sum(ending_of(entry.filename) in SUFFIXES for entry in entries)
    tables = sum(readers.find(entry.filename) is not None for entry in entries)
    if images == 0 or tables > images:
        return {"files": 0, "passed_over": len(entries)}
    if len(entries) > MAX_FILES:
        raise RequestError(f"the archive has more than {MAX_FILES:,} files: send fewer")
    folder.mkdir()
    unpacked, left = 0, max_bytes
    for entry in entries:
        path = _safe(entry)
        if path is None or (folder / path).exists():
            continue
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        left -= _copy(opened, entry, folder / path, left)
        if left < 0:
            shutil.rmtree(folder)
            raise RequestError(
                f"what is in the archive is larger than the {max_bytes / GIB:,.3g} GiB that are "
                "taken: start the studio with a larger --max-upload, or train by the command line"
            )
        unpacked += 1
    _lift_only_folder(folder)
    return {"files": unpacked, "passed_over": len(entries) - unpacked}


def _safe(entry: zipfile.ZipInfo) -> Path | None:
    """Where an entry goes; None for a link, a hidden file and a name that is not
    safe."""
    if stat.S_ISLNK(entry.external_attr >> 16) or "__MACOSX" in entry.filename:
        return None
    try:
        return safe_path(entry.filename)
    except RequestError:
        return None


def _copy(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, most: int) -> int:
    """Unpack one file, and return its bytes; of more than `most`, some more than
    that."""
    written = 0
    with opened.open(entry) as source, target.open("xb") as file:
        while (chunk := source.read(CHUNK)) and written <= most:
            written += len(chunk)
            file.write(chunk)
    return written


def _lift_only_folder(folder: Path) -> None:
    """What an archive of one folder holds, instead of that folder, which would stand
    before every name that is shown."""
    inside = [*folder.iterdir()]
    if len(inside) != 1 or not inside[0].is_dir():
        return
    aside = folder.with_name(hidden_name())
    inside[0].rename(aside)
    folder.rmdir()
    aside.rename(folder)


def unpack(archive: str, folder: str, max_bytes: int) -> dict[str, int]:
    """`unpack_images`, as a task of `studio.child`."""
    return unpack_images(Path(archive), Path(folder), max_bytes)
