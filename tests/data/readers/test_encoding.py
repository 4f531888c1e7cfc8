"""The encoding of a file of text: what its bytes tell."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from equipoise.data import readers
from equipoise.data.readers.encoding import decode, encodings
from equipoise.errors import RequestError

FRAME = pd.DataFrame({"straße": ["Köln", "Zürich", "Ås"], "n": [1, 2, 3]})
CHINESE = pd.DataFrame({"姓名": ["张三", "李四", "王小五"], "年龄": [31, 42, 25]})


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
        ("latin-1", "Windows-1252 (Latin-1)"),
    ],
)
def test_a_table_is_the_same_in_every_encoding_and_the_note_names_it(
    encoding: str, name: str, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_bytes(FRAME.to_csv(index=False).encode(encoding))
    content = readers.read(tmp_path / "x.csv")
    assert isinstance(content.values, pd.DataFrame)
    pd.testing.assert_frame_equal(content.values, FRAME)
    assert content.note == (f"read as: {name}" if name else "")


def test_chinese_of_a_spreadsheet_is_not_taken_for_latin_1(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(CHINESE.to_csv(index=False).encode("gb18030"))
    content = readers.read(tmp_path / "x.csv")
    assert isinstance(content.values, pd.DataFrame)
    pd.testing.assert_frame_equal(content.values, CHINESE)
    assert content.note == "read as: GB 18030"


@pytest.mark.parametrize("text", ["naïve café", "Größe", "Löß", "señor, déjà vu", "100 €", "Åse"])
def test_european_texts_are_not_taken_for_chinese(text: str) -> None:
    assert encodings(text.encode("cp1252")) == ("utf-8", "cp1252", "latin-1")


def test_a_character_that_the_first_bytes_cut_off_is_left_out() -> None:
    head = "aé".encode()[:-1]
    assert decode(head, "utf-8", is_whole=False) == "a"
    with pytest.raises(UnicodeDecodeError):
        decode(head, "utf-8", is_whole=True)


def test_a_letter_of_latin_1_far_behind_the_first_bytes_is_read(tmp_path: Path) -> None:
    names = ["x"] * 100_000 + ["é"]
    (tmp_path / "x.csv").write_bytes(("name,n\n" + ",1\n".join([*names, ""])).encode("latin-1"))
    content = readers.read(tmp_path / "x.csv")
    assert isinstance(content.values, pd.DataFrame)
    assert content.values["name"].tolist() == names
    assert "Latin-1" in content.note


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"\xef\xbb\xbfa,b\n\xff,1\n", "'utf-8' codec can't decode byte 0xff in position"),
        (b"\xff\xfea\x00\n\x00\x00\xd8a\x00", "illegal UTF-16 surrogate"),
        (b"\x00\x01\x00", "truncated data"),
    ],
)
def test_bytes_that_are_no_text_are_refused_with_the_cause(
    content: bytes, cause: str, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(RequestError, match=rf"x\.csv is not text: .*{cause}.*; save it as UTF-8"):
        readers.read(tmp_path / "x.csv")
