"""Uploads: bounded, under safe names, whole or not at all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from equipoise.errors import EquipoiseError, RequestError
from equipoise.studio.training.uploads import STALE, Uploads, safe_path


async def chunks(*parts: bytes, breaks: bool = False) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if breaks:
        raise EquipoiseError("the upload broke off")


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "uploads", max_bytes=100)


def receive(uploads: Uploads, name: str, *parts: bytes, length: int | None = None) -> str:
    return asyncio.run(uploads.receive(name, chunks(*parts), length))


def files_in(uploads: Uploads) -> list[str]:
    return sorted(path.name for path in uploads.folder.iterdir())


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".hidden", "a/b", "a\\b", "a\0b", "a\nb", "C:x", "dot.", "x" * 201, "a\u202eb"],
)
def test_a_name_that_is_no_plain_file_name_is_refused(uploads: Uploads, name: str) -> None:
    with pytest.raises(RequestError, match="rename the file"):
        receive(uploads, name, b"x")


@pytest.mark.parametrize("path", ["../a", "a/../b", "/etc/passwd", "a//b", "a/.git/b", "x/" * 20])
def test_a_path_that_leaves_its_folder_is_refused(path: str) -> None:
    with pytest.raises(RequestError):
        safe_path(path)


def test_an_upload_is_what_was_sent_and_the_second_of_a_name_has_a_number(
    uploads: Uploads,
) -> None:
    names = [receive(uploads, "a.csv.gz", b"12", b"34") for _ in range(2)]
    assert names == ["a.csv.gz", "a-2.csv.gz"]
    assert uploads.path("a-2.csv.gz").read_bytes() == b"1234"


@pytest.mark.parametrize("length", [None, 3, 101])
def test_more_than_is_taken_is_refused_and_leaves_nothing(
    uploads: Uploads, length: int | None
) -> None:
    with pytest.raises(EquipoiseError, match=r"larger than|bytes came"):
        receive(uploads, "a.csv", b"x" * 60, b"x" * (60 if length != 3 else 0), length=length)
    assert files_in(uploads) == []


def test_an_upload_that_breaks_off_leaves_nothing(uploads: Uploads) -> None:
    with pytest.raises(EquipoiseError, match="broke off"):
        asyncio.run(uploads.receive("a.csv", chunks(b"12", breaks=True)))
    assert files_in(uploads) == []


def test_a_folder_appears_when_it_is_whole(uploads: Uploads) -> None:
    token = uploads.begin("pictures")
    asyncio.run(uploads.receive_into(token, "cats/1.png", chunks(b"1")))
    assert uploads.all() == []
    with pytest.raises(RequestError, match="sent twice"):
        asyncio.run(uploads.receive_into(token, "cats/1.png", chunks(b"2")))
    assert uploads.finish(token) == "pictures"
    assert (uploads.path("pictures") / "cats" / "1.png").read_bytes() == b"1"
    assert [(one.name, one.files, one.is_folder) for one in uploads.all()] == [
        ("pictures", 1, True)
    ]


def test_the_files_of_a_folder_are_bounded_together(uploads: Uploads) -> None:
    token = uploads.begin("pictures")
    asyncio.run(uploads.receive_into(token, "1.png", chunks(b"x" * 60)))
    with pytest.raises(RequestError, match="larger than"):
        asyncio.run(uploads.receive_into(token, "2.png", chunks(b"x" * 60)))
    uploads.abandon(token)
    assert files_in(uploads) == []


def test_what_a_killed_server_left_half_sent_is_removed_once_it_is_old(uploads: Uploads) -> None:
    for token in ("0" * 16, "1" * 16):
        (uploads.folder / f".uploading-{token}").mkdir(parents=True)
    old = uploads.folder / f".uploading-{'0' * 16}"
    os.utime(old, (0, old.stat().st_mtime - 2 * STALE))
    uploads.clean()
    assert files_in(uploads) == [f".uploading-{'1' * 16}"]


def test_a_link_is_no_upload(uploads: Uploads, tmp_path: Path) -> None:
    receive(uploads, "a.csv", b"x")
    (uploads.folder / "link").symlink_to(tmp_path)
    with pytest.raises(RequestError, match="no upload"):
        uploads.path("link")
