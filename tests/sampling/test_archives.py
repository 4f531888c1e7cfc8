"""Folders and archives appear when they are whole, or not at all."""

from __future__ import annotations

import errno
import tarfile
import zipfile
from pathlib import Path

import pytest

from equipoise.errors import EquipoiseError, RequestError
from equipoise.sampling.archives import Tar, archive_at

FILES = {"a/0.png": b"zero", "a/1.png": b"", "b/2.png": b"two" * 999}


def read(path: Path) -> dict[str, bytes]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    if path.suffix == ".tar":
        with tarfile.open(path) as tar:
            members = [(one.name, tar.extractfile(one)) for one in tar.getmembers()]
            return {name: file.read() for name, file in members if file is not None}
    files = [one for one in path.rglob("*") if one.is_file()]
    return {one.relative_to(path).as_posix(): one.read_bytes() for one in files}


@pytest.mark.parametrize("name", ["out", "out.zip", "out.tar"])
def test_every_file_is_there_and_nothing_else(tmp_path: Path, name: str) -> None:
    for _ in range(2 if "." in name else 1):  # an archive is replaced
        with archive_at(tmp_path / name) as archive:
            for file, content in FILES.items():
                archive.add(file, content)
    assert read(tmp_path / name) == FILES
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["out.zip", "out.tar"])
def test_equal_files_give_equal_archives(tmp_path: Path, name: str) -> None:
    contents = []
    for _ in range(2):
        with archive_at(tmp_path / name) as archive:
            archive.add("0.png", b"zero")
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]


@pytest.mark.parametrize("name", ["out", "out.zip", "out.tar"])
def test_an_error_on_the_way_leaves_nothing(tmp_path: Path, name: str) -> None:
    def write(error: BaseException) -> None:
        with archive_at(tmp_path / name) as archive:
            archive.add("0.png", b"zero")
            raise error

    with pytest.raises(EquipoiseError, match="could not be written: No space left on device"):
        write(OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(KeyboardInterrupt):
        write(KeyboardInterrupt())
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/a.png").touch()
    (tmp_path / "a.zip").mkdir()
    (tmp_path / "file").touch()
    for name in ("full", "a.zip", "file"):
        with pytest.raises(RequestError, match="exists: give another name"):
            archive_at(tmp_path / name)
    (tmp_path / "empty").mkdir()
    with archive_at(tmp_path / "empty") as archive:
        archive.add("0.png", b"zero")
    assert read(tmp_path / "empty") == {"0.png": b"zero"}


def test_a_tar_does_not_remember_what_it_has_written(tmp_path: Path) -> None:
    with archive_at(tmp_path / "out.tar") as archive:
        assert isinstance(archive, Tar)
        for i in range(50):
            archive.add(f"{i}.png", b"x")
        assert not archive.file.getmembers()
    assert len(read(tmp_path / "out.tar")) == 50
