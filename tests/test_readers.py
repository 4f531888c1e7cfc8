"""Whatever a file holds, its reader reads or refuses it in one line: what fuzzing
found, and what hypothesis makes of whole files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.fuzz import CORPUS, READERS, attempt, file_seed, seeds
from hypothesis import given
from hypothesis import strategies as st

FOUND = sorted(path for path in CORPUS.rglob("*") if path.is_file())
OF_JSON = ("config", "report", "log", "generator", "schema")
VALUES = st.recursive(
    st.sampled_from(
        [
            None,
            True,
            0,
            -1,
            1,
            2**53 + 1,
            10**30,
            0.5,
            -0.0,
            1e308,
            float("nan"),
            float("inf"),
            "",
            "a",
            "float32",
            "ND",
            "\x1b[2J",
        ]
    )
    | st.integers()
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from("abc") | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name[:20]}")
def test_a_file_that_once_broke_a_reader_is_read_or_refused_in_a_line(
    path: Path, tmp_path: Path
) -> None:
    attempt(path.parent.name, path.read_bytes(), tmp_path)


@pytest.mark.parametrize("reader", READERS)
def test_what_fuzzing_begins_with_is_read(reader: str, tmp_path: Path) -> None:
    if reader == "xlsx":
        pytest.importorskip("openpyxl")
    for content in seeds(reader):
        if reader != "generator":  # whose tensors are none
            (tmp_path / "made").write_bytes(content)
            READERS[reader](tmp_path / "made")
        attempt(reader, content, tmp_path)
        attempt(reader, content[: len(content) // 2], tmp_path)


def test_a_format_without_a_seed_is_fuzzed_from_an_empty_file() -> None:
    assert file_seed("words") == b""
    assert seeds("words") == [b""]


@pytest.mark.parametrize("reader", READERS)
@given(choose=st.data())
def test_bytes_changed_anywhere_are_read_or_refused_in_a_line(
    reader: str, choose: st.DataObject
) -> None:
    content = choose.draw(st.sampled_from(seeds(reader)))
    for _ in range(choose.draw(st.integers(1, 4))):
        start = choose.draw(st.integers(0, len(content)))
        content = (
            content[:start]
            + choose.draw(st.binary(max_size=8))
            + content[start + choose.draw(st.integers(0, 8)) :]
        )
    with tempfile.TemporaryDirectory() as folder:
        attempt(reader, content, Path(folder))


@pytest.mark.parametrize("reader", OF_JSON)
@given(choose=st.data())
def test_json_with_any_value_anywhere_is_read_or_refused_in_a_line(
    reader: str, choose: st.DataObject
) -> None:
    content = json.loads(*seeds(reader))
    for _ in range(choose.draw(st.integers(1, 3))):
        holder, key = choose.draw(st.sampled_from(list(places(content))))
        if isinstance(holder, dict) and choose.draw(st.booleans()):
            holder[choose.draw(st.text(max_size=5))] = holder.pop(key)
        else:
            holder[key] = choose.draw(VALUES)
    with tempfile.TemporaryDirectory() as folder:
        attempt(reader, json.dumps(content).encode(), Path(folder))


def places(content: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a value in JSON: what holds it, and under which key or number."""
    for key in content if isinstance(content, dict) else range(len(content)):
        yield content, key
        if isinstance(content[key], dict | list):
            yield from places(content[key])
