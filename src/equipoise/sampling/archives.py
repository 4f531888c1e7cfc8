"""Files written one by one into a folder, a .zip or a .tar, which appears when it is
whole.

A .tar is laid out as WebDataset reads it: files whose names differ in their endings
alone are one sample, `000123.png` and, with labels, its class in `000123.cls`. Equal
files give equal archives: they hold no times.
"""

from __future__ import annotations

import io
import os
import secrets
import shutil
import tarfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

from equipoise.errors import EquipoiseError, RequestError
from equipoise.sampling.zip_writer import ZipWriter
from equipoise.utils.atomic_io import sync_folder

ARCHIVES = (".zip", ".tar")


class Archive(ABC):
    """Takes files by their names, within a `with` block that ends with all of them in
    place, or with none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.aside: Path = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")

    @abstractmethod
    def add(self, name: str, content: bytes) -> None:
        """Write one file; `name` has a "/" between folders."""

    @abstractmethod
    def close(self) -> None:
        """Finish what is written aside."""

    def _sync(self) -> None:
        """Force an archive to disk, so that a power failure does not leave its name
        alone."""
        if self.aside.is_file():
            with self.aside.open("rb+") as file:
                os.fsync(file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        try:
            self.close()
            if error is None:
                self._sync()
                self.aside.replace(self.path)
                sync_folder(self.path.parent)
        except OSError as reason:
            if error is None:
                error = reason
        finally:
            if self.aside.is_dir():
                shutil.rmtree(self.aside, ignore_errors=True)
            else:
                self.aside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise EquipoiseError(
                f"{self.path} could not be written: {error.strerror or error}"
            ) from error


class Folder(Archive):
    """A folder of files."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.aside.mkdir()

    def add(self, name: str, content: bytes) -> None:
        place = self.aside / name
        if "/" in name:
            place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def close(self) -> None:
        pass  # every file is closed already


class Zip(Archive):
    """A .zip. Its files are compressed already, and are stored as they are."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.file: ZipWriter = ZipWriter(self.aside)

    def add(self, name: str, content: bytes) -> None:
        self.file.add(name, content)

    def close(self) -> None:
        self.file.close()


class Tar(Archive):
    """A .tar."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.file: tarfile.TarFile = tarfile.open(self.aside, "w", format=tarfile.GNU_FORMAT)  # noqa: SIM115  # see close

    def add(self, name: str, content: bytes) -> None:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        self.file.addfile(entry, io.BytesIO(content))
        self.file.getmembers().clear()  # else it would grow with every file

    def close(self) -> None:
        self.file.close()


def archive_at(path: Path) -> Archive:
    """The archive to write at a path: by its ending, else a folder.

    Raises:
        RequestError: If the path is taken, but for an empty folder or an archive, which
            is replaced.
        EquipoiseError: If it cannot be written.
    """
    kind = {".zip": Zip, ".tar": Tar}.get(path.suffix.lower(), Folder)
    taken = path.is_dir() if kind is not Folder else path.is_file()
    if taken or (kind is Folder and path.is_dir() and any(path.iterdir())):
        raise RequestError(f"out = {str(path)!r} exists: give another name, or remove it first")
    try:
        return kind(path)
    except OSError as error:
        raise EquipoiseError(f"{path} could not be written: {error.strerror or error}") from error
