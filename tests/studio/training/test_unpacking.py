"""ZIP archives of images, which strangers may have made."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from tests.helpers import png

from equipoise.errors import RequestError
from equipoise.studio.training.unpacking import unpack_images

IMAGE = png(np.zeros((4, 4), np.uint8))


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return path


def found_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_images_are_unpacked_without_the_one_folder_around_them(tmp_path: Path) -> None:
    names = ["pets/cats/1.png", "pets/dogs/1.png", "pets/.DS_Store", "__MACOSX/pets/1.png"]
    path = archive(tmp_path / "pets.zip", dict.fromkeys(names, IMAGE))
    told = unpack_images(path, tmp_path / "out", 10_000)
    assert told == {"files": 2, "passed_over": 2}
    assert found_in(tmp_path / "out") == ["cats/1.png", "dogs/1.png"]


def test_nothing_is_written_outside_and_no_link_is_made(tmp_path: Path) -> None:
    names = ["../out.png", "/tmp/out.png", "a/../../out.png", "C:\\out.png", "fine.png", "b.png"]
    path = archive(tmp_path / "evil.zip", dict.fromkeys(names, IMAGE))
    link = zipfile.ZipInfo("link.png")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as opened:
        opened.writestr(link, "/etc/passwd")
    unpack_images(path, tmp_path / "out", 10_000)
    assert found_in(tmp_path) == ["evil.zip", "out/b.png", "out/fine.png"]


def test_a_bomb_stops_at_the_limit(tmp_path: Path) -> None:
    path = archive(tmp_path / "bomb.zip", {"a.png": bytes(50_000_000), "b.png": IMAGE})
    with pytest.raises(RequestError, match="larger than"):
        unpack_images(path, tmp_path / "out", 1_000_000)
    assert found_in(tmp_path) == ["bomb.zip"]


def test_an_archive_of_a_table_stays_as_it_is(tmp_path: Path) -> None:
    path = archive(tmp_path / "table.zip", {"table.csv": b"a,b\n1,2\n"})
    assert unpack_images(path, tmp_path / "out", 10_000)["files"] == 0
    assert not (tmp_path / "out").exists()


def test_what_is_no_archive_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "no.zip"
    path.write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(RequestError, match=r"no\.zip could not be unpacked"):
        unpack_images(path, tmp_path / "out", 10_000)
