"""Build the sdist and the wheel, with the same bytes wherever the same commit is built.

    python scripts/build_dist.py FOLDER

The wheel's times are those of SOURCE_DATE_EPOCH, by default of the commit. Setuptools
writes an sdist with the times, owners and order of the files at hand; here it is packed
again without them.
"""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def source_date() -> int:
    """SOURCE_DATE_EPOCH, in seconds, or when the commit was made."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    command = ["git", "log", "-1", "--format=%ct"]
    return int(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)


def repacked(sdist: bytes, date: int) -> bytes:
    """A .tar.gz with its files in order, and all their times, owners and modes alike.

    Args:
        sdist: The archive.
        date: The time of all files, in seconds since 1970.
    """
    packed = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(sdist), mode="r:gz") as old,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for entry in sorted(old.getmembers(), key=lambda entry: entry.name):
            content = old.extractfile(entry) if entry.isfile() else None
            alike = tarfile.TarInfo(entry.name)
            alike.type, alike.size, alike.mtime = entry.type, entry.size, date
            alike.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
            new.addfile(alike, content)
    return gzip.compress(packed.getvalue(), mtime=date)


def main() -> None:
    """Build both into an empty folder."""
    folder, date = Path(sys.argv[1]), source_date()
    if folder.is_dir() and any(folder.iterdir()):
        sys.exit(f"{folder} is not empty")
    settings = {"SOURCE_DATE_EPOCH": str(date), "PIP_CONSTRAINT": str(ROOT / "constraints.txt")}
    build = [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, env={**os.environ, **settings}, check=True, stdout=subprocess.DEVNULL)
    (sdist,) = folder.glob("*.tar.gz")
    sdist.write_bytes(repacked(sdist.read_bytes(), date))
    for path in sorted(folder.iterdir()):
        print(path)


if __name__ == "__main__":
    main()
