"""Archives that `zipfile` and `unzip` read, in memory that does not grow."""

from __future__ import annotations

import shutil
import subprocess
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.sampling import zip_writer
from equipoise.sampling.zip_writer import ZipWriter

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0\\"), min_size=1, max_size=9)


def written(path: Path, files: dict[str, bytes]) -> Path:
    writer = ZipWriter(path)
    for name, content in files.items():
        writer.add(name, content)
    writer.close()
    return path


def read(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@settings(max_examples=50, deadline=None)
@given(files=st.dictionaries(NAMES, st.binary(max_size=99), max_size=5))
def test_files_are_read_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    assert read(written(tmp_path_factory.mktemp("zip") / "a.zip", files)) == files


def test_more_files_than_sixteen_bits_count(tmp_path: Path) -> None:
    files = {f"{i}.png": b"" for i in range(2**16 + 1)}
    assert read(written(tmp_path / "a.zip", files)) == files


def test_places_beyond_thirty_two_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As if no place from 100 on had room in its usual field.
    monkeypatch.setattr(zip_writer, "MAX_32", 100)
    path = written(tmp_path / "a.zip", {"a.png": b"a" * 80, "b.png": b"b" * 80})
    content = path.read_bytes()
    assert zip_writer.END_64 in content
    # Readers look for the longer number where the field is full.
    full = (100).to_bytes(4, "little"), (2**32 - 1).to_bytes(4, "little")
    path.write_bytes(content.replace(*full))
    assert read(path) == {"a.png": b"a" * 80, "b.png": b"b" * 80}


@pytest.mark.skipif(shutil.which("unzip") is None, reason="needs unzip")
def test_another_program_finds_it_whole(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", {"a/ä.png": b"one", "b.cls": b"2"})
    told = subprocess.run(["unzip", "-t", str(path)], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout


def test_memory_does_not_grow_with_the_files(tmp_path: Path) -> None:
    writer = ZipWriter(tmp_path / "a.zip")
    writer.add("first.png", b"x")
    tracemalloc.start()
    for i in range(5_000):
        writer.add(f"{i:06}.png", b"x")
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    writer.close()
    assert grown < 100_000  # with zipfile it is 1.8 million
