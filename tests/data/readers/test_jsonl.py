"""JSON Lines: what comes back, and the line that is at fault."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data import readers
from equipoise.data.readers import jsonl
from equipoise.errors import RequestError

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "whole": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: x != int(x)),
    "text": st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    "truth": st.booleans(),
}


@pytest.fixture
def table(tmp_path: Path) -> Any:
    """Reads what a file of this content holds."""

    def read(content: str | bytes) -> readers.FileContent:
        path = tmp_path / "x.jsonl"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return readers.read(path)

    return read


def plain(column: pd.Series[Any]) -> list[Any]:
    return column.astype(object).where(column.notna(), None).tolist()


@given(
    choose=st.data(),
    kinds=st.lists(st.sampled_from([*VALUES]), min_size=1, max_size=4),
    part=st.integers(1, 9),
)
def test_every_value_comes_back_with_its_type_from_however_many_parts(
    choose: st.DataObject, kinds: list[str], part: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = choose.draw(
        st.lists(
            st.fixed_dictionaries(
                {},
                optional={f"{kind} {i}": VALUES[kind] | st.none() for i, kind in enumerate(kinds)},
            ),
            min_size=1,
            max_size=12,
        )
    )
    path = tmp_path_factory.getbasetemp() / "table.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonl, "PART_ROWS", part)
        frame = readers.read(path).values
    assert isinstance(frame, pd.DataFrame)
    assert set(frame.columns) == {name for row in rows for name in row}
    assert len(frame) == len(rows)
    for name in frame:
        assert plain(frame[name]) == [row.get(name) for row in rows]


def test_columns_have_the_types_of_pandas(table: Any) -> None:
    frame = table(
        '{"i": 1, "n": 1, "f": 0.5, "s": "007", "b": true, "m": true, "none": null}\n\n'
        '{"i": 2, "n": null, "f": null, "s": "?", "b": false, "m": null, "late": 5}\n'
    ).values
    assert frame.dtypes.astype(str).drop("s").to_dict() == {
        "i": "int64",
        "n": "Int64",
        "f": "float64",
        "b": "bool",
        "m": "boolean",
        "none": "float64",
        "late": "Int64",
    }
    assert frame["s"].tolist() == ["007", "?"]


def test_a_column_may_have_any_name(table: Any) -> None:
    frame = table('{"self": 1, "n": 1}\n{"self": null, "n": 2}\n').values
    assert plain(frame["self"]) == [1, None]


def test_mixed_values_and_numbers_beyond_64_bits_are_texts(table: Any) -> None:
    frame = table('{"a": 1, "b": 123456789012345678901234}\n{"a": "x", "b": null}\n').values
    assert plain(frame["a"]) == ["1", "x"]
    assert plain(frame["b"]) == ["123456789012345678901234", None]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_other_encodings_of_unicode_are_read(encoding: str, table: Any) -> None:
    content = table('{"a": "ä"}\n'.encode(encoding))
    assert content.values["a"].tolist() == ["ä"]
    assert content.note == ("read as: UTF-16" if encoding == "utf-16" else "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1}\n{"a":\n', "line 2 is not JSON: Expecting value at character 7"),
        ('{"a": 1}\n5\n', "line 2 holds '5', not an object"),
        ('[{"a": 1}, {"a": 2}]', r"is one JSON document, .* \(jq -c '.\[\]' FILE > NEW.jsonl\)"),
        ('[\n{"a": 1}\n]', "is one JSON document"),
        ('{\n"a": 1\n}', "is one JSON document"),
        ('{"a": 1}\n{"a": [1]}\n', "line 2 has a list for 'a'"),
        ('{"a": {"b": 1}}\n', "line 1 has an object for 'a'"),
        ('{"a": ' * 100_000, "line 1 has thousands of lists or objects in one another"),
        (f'{{"a": {"9" * 5_000}}}', "line 1 is not JSON: Exceeds the limit"),
        ('{"a": "\\ud800"}\n', r"line 1 has half of a character \(\\ud8\.\.\.\)"),
        ("\n", r"could not be read as \.jsonl: it is empty"),
        ("<html>", "is a web page"),
        (
            "".join(f'{{"k{i}": 1}}\n' for i in range(9_000)),
            "has 9,000 names in 9,000 lines, and a value for hardly any",
        ),
        (
            json.dumps({f"k{i}": i for i in range(10_001)}),
            "has 10,001 columns: give at most 10,000",
        ),
    ],
)
def test_what_is_no_table_is_refused_with_the_line(text: str, message: str, table: Any) -> None:
    with pytest.raises(RequestError, match=message):
        table(text)


def test_names_that_many_lines_lack_are_refused_where_memory_has_no_room_for_the_blanks(
    table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "".join(f'{{"k{i}": 1}}\n' for i in range(1_000))
    assert table(text).values.shape == (1_000, 1_000)
    monkeypatch.setattr("equipoise.data.readers.base.available_memory", lambda: 2**24)
    with pytest.raises(RequestError, match=r"of memory, and 0\.0 GiB are free"):
        table(text)


def test_a_compressed_file_claims_what_it_has_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("equipoise.data.readers.base.available_memory", lambda: 2**22)
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1, "b": 2}\n' * 2**16))
    assert path.stat().st_size < 2**14
    with pytest.raises(RequestError, match=r"of memory, and 0\.0 GiB are free"):
        readers.read(path)
