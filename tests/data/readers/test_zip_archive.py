"""ZIP archives of one table."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd
import pytest

from equipoise.data import readers
from equipoise.errors import RequestError


def zipped(path: Path, entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "entries",
    [
        {"a.csv": b"a;b\n1,5;2\n2,5;3\n"},
        {"data/A.TSV": b"a\tb\n1.5\t2\n2.5\t3\n"},
        {"x.jsonl": b'{"a": 1.5, "b": 2}\n{"a": 2.5, "b": 3}\n'},
        {
            "a.csv": b"a,b\n1.5,2\n2.5,3\n",
            "readme.md": b"#",
            "__MACOSX/._a.csv": b"\0",
            ".b.csv": b"x",
            ".ipynb_checkpoints/a-checkpoint.csv": b"x",
        },
    ],
)
def test_the_one_table_in_an_archive_is_read(entries: dict[str, bytes], tmp_path: Path) -> None:
    frame = readers.read(zipped(tmp_path / "x.zip", entries)).values
    assert isinstance(frame, pd.DataFrame)
    assert frame.to_dict("list") == {"a": [1.5, 2.5], "b": [2, 3]}


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (
            {"a.csv": b"1", "b.tsv": b"2"},
            r"holds 2 tables \('a.csv', 'b.tsv'\): give an archive of",
        ),
        ({f"{i}.csv": b"" for i in range(9)}, "holds 9 tables .*'4.csv' and 4 more"),
        ({"a.png": b""}, r"holds no table of text \('a.png'\)"),
        ({}, "holds no table of text: give"),
        ({"\x1b[31m.csv": b"", "b.csv": b""}, r"'\\x1b\[31m.csv'"),
        ({"../../a.csv": b"a,b\n1,x\n1\n"}, r"'../../a.csv' in x.zip: line 3 has 1 cell"),
    ],
)
def test_an_archive_of_no_table_or_of_several_is_refused_with_what_is_there(
    entries: dict[str, bytes], message: str, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match=message):
        readers.read(zipped(tmp_path / "x.zip", entries))
    assert [path.name for path in tmp_path.iterdir()] == ["x.zip"]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_that_may_take_any_memory_is_refused(method: int, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=rf"compressed by method {method} of ZIP"):
        readers.read(zipped(tmp_path / "x.zip", {"a.csv": b"1,2\n"}, method))


def test_an_archive_claims_what_it_has_unpacked_not_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "x.zip", {"a.csv": b"1,2\n" * 2**18})
    monkeypatch.setattr("equipoise.data.readers.base.available_memory", lambda: 2**22)
    with pytest.raises(RequestError, match=r"of memory, and 0\.0 GiB are free"):
        readers.read(path)
    raw = path.read_bytes()
    size = (2**20).to_bytes(4, "little")
    path.write_bytes(raw.replace(size, (8).to_bytes(4, "little")))
    with pytest.raises(RequestError, match=r"x.zip could not be read as \.zip: Bad CRC-32"):
        readers.read(path)
