from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data.tables.column_file import (
    columns_from_toml,
    columns_to_toml,
    constraints_from_toml,
    read_columns,
    write_columns,
)
from equipoise.data.tables.recognition import constrained, recognise
from equipoise.errors import RequestError

RNG = np.random.default_rng(0)
N = 300
FRAME = pd.DataFrame(
    {
        "age": RNG.integers(17, 90, N),
        "hours": np.where(RNG.random(N) < 0.5, 40, RNG.integers(1, 99, N)),
        "pay": np.where(RNG.random(N) < 0.1, np.nan, RNG.lognormal(8, 1, N).round(2)),
        "score": RNG.normal(size=N),
        "big": 2**60 + RNG.integers(0, 99, N),
        "work": RNG.choice(["?", "private", "state"], N),
        "plan": pd.Categorical(RNG.choice(["lo", "hi"], N), ["lo", "hi", "no"], ordered=True),
        "flag": RNG.integers(0, 2, N),
        "when": pd.Timestamp("2021-03-01") + pd.to_timedelta(RNG.integers(0, 900, N), unit="D"),
        "day": (pd.Timestamp("2021") + pd.to_timedelta(RNG.integers(0, 900, N), unit="D")).strftime(
            "%d/%m/%Y"
        ),
        "took": pd.to_timedelta(RNG.integers(0, 10**5, N), unit="s"),
        "tel": RNG.choice([*map(str, range(200)), "?", "n/a"], N),
        "ratio": np.where(RNG.random(N) < 0.1, np.inf, RNG.normal(size=N)),
        "id": range(N),
        "uid": [RNG.bytes(16).hex() for _ in range(N)],
        "note": [f"{i} words in no order {RNG.integers(10**9)} at all" for i in range(N)],
        "country": "DE",
        "empty": np.nan,
        'ids of "it"\\\n\x00\x7f\x1b[31m\u202e\u2028\'': RNG.normal(size=N),
        "": RNG.normal(size=N),
        7: RNG.normal(size=N),
    }
)


def assert_one_line(error: RequestError) -> None:
    assert "\n" not in str(error)


def test_a_file_that_nobody_edits_changes_nothing() -> None:
    table, _ = recognise(FRAME)
    text = columns_to_toml(table, FRAME, "customers.csv")
    overrides = columns_from_toml(text)
    assert list(overrides) == list(map(str, FRAME.columns))
    again, _ = recognise(FRAME, overrides)
    assert again == table
    assert columns_to_toml(again, FRAME, "customers.csv") == text


def test_constraints_survive_writing_and_reading_and_a_column_may_be_called_so() -> None:
    texts = ["age >= 17", "combinations(plan, `flag`)", "work != '\"\\x1b'"]
    table = constrained(recognise(FRAME)[0], FRAME, texts)
    text = columns_to_toml(table, FRAME)
    assert constraints_from_toml(text) == tuple(texts)
    assert "constraints" not in columns_from_toml(text)
    of_column = '[constraints]\nkind = "ignore"\n'
    assert columns_from_toml(of_column) == {"constraints": {"kind": "ignore"}}
    assert constraints_from_toml(of_column) == ()


@pytest.mark.parametrize("text", ["constraints = [1]", 'constraints = ["a <"]'])
def test_constraints_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        constraints_from_toml(text)
    assert_one_line(caught.value)


def test_what_the_user_says_survives_writing_and_reading() -> None:
    said: dict[str, dict[str, Any]] = {
        "age": {"kind": "integer", "minimum": 0, "maximum": 120, "spikes": []},
        "hours": {"kind": "number", "decimals": 1, "levels": True, "spikes": [40, 20]},
        "pay": {"minimum": float("-inf"), "decimals": "all"},
        "work": {"missing": ["?"], "ordered": True},
        "flag": {"kind": "integer"},
        "plan": {"kind": "ignore"},
        "day": {"format": "%d/%m/%Y", "minimum": "2020-01-01"},
        "took": {"maximum": "3 days"},
        "tel": {"kind": "category", "missing": ["?", "n/a"]},
        "score": {"missing": [-999], "minimum": -50.5},
        "id": {"kind": "integer"},
    }
    table, _ = recognise(FRAME, said)
    again, _ = recognise(FRAME, columns_from_toml(columns_to_toml(table, FRAME)))
    assert again == table


def test_the_file_says_what_was_seen() -> None:
    table, _ = recognise(FRAME[["age", "pay", "uid"]])
    text = columns_to_toml(table, FRAME, "a\nhostile\x1bname")
    assert text.startswith("# The columns of a\\nhostile\\x1bname, as they were recognised")
    low, high = FRAME["age"].min(), FRAME["age"].max()
    assert f'["age"]\n# {low} to {high}\nkind = "integer"\nminimum = {low}\n' in text
    assert f"or blank; {FRAME['pay'].isna().mean():.2%} blank\n" in text
    assert f"such as '{FRAME['uid'][0]}'" in text


@given(
    names=st.lists(st.text(max_size=6), min_size=1, max_size=4, unique=True),
    cells=st.lists(st.text(max_size=6), min_size=2, max_size=8),
)
def test_hostile_names_and_cells_survive(names: list[str], cells: list[str]) -> None:
    columns = {name: pd.Series(cells, dtype=object) for name in names}
    frame = pd.DataFrame({**columns, "a column of numbers": np.linspace(-1, 2, len(cells)) ** 3})
    try:
        table, _ = recognise(frame)
    except RequestError:
        return  # a name that cannot be stored
    overrides = columns_from_toml(columns_to_toml(table, frame))
    assert list(overrides) == list(frame.columns)
    assert recognise(frame, overrides)[0] == table


def test_a_file_is_written_and_read(tmp_path: Path) -> None:
    table, _ = recognise(FRAME)
    path = tmp_path / "columns.toml"
    write_columns(table, FRAME, path, "customers.csv")
    assert tomllib.loads(path.read_text()) == read_columns(path)
    assert recognise(FRAME, read_columns(path))[0] == table


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[age\n", "is not TOML"),
        (b"age = 3\n", "'age' = 3 is in no column: put it below a line"),
        (b"\xff\xfe", "cannot be read as columns"),
        (b"[a]\n[a]\n", "is not TOML"),
        (b"x = " + b"[" * 10_000, "is not TOML"),
    ],
)
def test_a_file_that_is_none_is_refused_in_a_line(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "columns.toml"
    path.write_bytes(content)
    with pytest.raises(RequestError, match=message) as error:
        read_columns(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"cannot be read as columns: .*No such file"):
        read_columns(tmp_path / "columns.toml")
    with pytest.raises(RequestError, match="cannot be read as columns"):
        read_columns(tmp_path)


@given(st.text(max_size=40))
def test_any_text_is_columns_or_one_line(text: str) -> None:
    try:
        overrides = columns_from_toml(text)
        recognise(FRAME[["age", "work"]], overrides)
    except RequestError as error:
        assert_one_line(error)
