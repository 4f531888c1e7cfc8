"""What the user says of columns, as a setting of a run."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise import GAN
from equipoise.data.factory import open_source
from equipoise.data.tables.overrides import override_of, stored_overrides
from equipoise.errors import RequestError
from equipoise.recipes.balanced import Balanced
from equipoise.runs.config import Requested, _columns_argument

RNG = np.random.default_rng(0)
PLAIN = pd.DataFrame({"age": RNG.integers(18, 80, 80), "x": RNG.normal(size=80)})
TINY: dict[str, Any] = {"samples": 32, "batch_size": 16, "width": 8, "threads": 1}


def test_what_is_said_survives_json() -> None:
    said = {
        "x": {"minimum": -math.inf, "maximum": np.float64(3), "spikes": (0.0, math.inf)},
        5: {"kind": "category", "categories": ("a", "b"), "ordered": True},
    }
    stored = json.loads(json.dumps(stored_overrides(said), allow_nan=False))
    assert set(stored) == {"x", "5"}
    assert stored_overrides(stored) == stored
    read = override_of(stored["x"])
    assert read.given["minimum"] == -math.inf
    assert read.given["spikes"] == [0.0, math.inf]
    assert read.given["maximum"] == 3.0


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (5, "columns = 5: must be a file"),
        ({"x": 5}, "column 'x': 5 are no options"),
        ({"x": {"kind": "numbr"}}, "column 'x': 'numbr' is no kind of column"),
        ({"x": {"kind": "number", "maxmum": 3}}, "'maxmum' is no option .* mean 'maximum'"),
        ({"x": {"kind": "number", "maximum": object()}}, "column 'x': maximum = "),
        ({"x": {"minimum": {"float": "3"}}}, "column 'x': float = '3'"),
        ({"x": {"kind": "a"}, "y": {"kind": "b"}}, "column 'x': .*; column 'y': "),
        ("none.toml", "none.toml cannot be read as columns: .*describe"),
    ],
)
def test_mistakes_are_refused_at_the_door(columns: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message) as raised:
        GAN(columns=columns)
    assert "\n" not in str(raised.value)


def test_a_file_and_a_mapping_are_the_same_setting(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('["x"]\nkind = "number"\nminimum = -inf\ndecimals = 2\n')
    said = {"x": {"kind": "number", "minimum": -math.inf, "decimals": 2}}
    given = [Requested.of(Balanced, {"columns": one}).run for one in (path, str(path), said)]
    assert given[0] == given[1] == given[2]


def test_a_table_of_plain_numbers_is_read_as_is_said() -> None:
    assert open_source(PLAIN).schema.table is None
    source = open_source(PLAIN, overrides={"x": {"decimals": 1}})
    assert source.schema.table is not None
    assert [column.kind for column in source.columns] == ["integer", "number"]
    with pytest.raises(RequestError, match="columns were given, but array has no columns"):
        open_source(PLAIN.to_numpy(), overrides={"x": {"decimals": 1}})
    with pytest.raises(RequestError, match="no column 'y'"):
        open_source(PLAIN, overrides={"y": {"decimals": 1}})


def test_the_column_of_labels_may_be_among_the_columns() -> None:
    said = {"age": {"kind": "category"}, "x": {"decimals": 1}}
    source = open_source(PLAIN, label_column="age", overrides=said)
    assert source.schema.table is not None
    assert [column.name for column in source.schema.table.columns] == ["x"]


def test_a_run_goes_on_with_its_columns_and_no_others(tmp_path: Path) -> None:
    PLAIN.to_csv(tmp_path / "a.csv", index=False)
    run, said = tmp_path / "run", {"x": {"decimals": 1, "minimum": -math.inf}}
    GAN(columns=said, **TINY).fit(tmp_path / "a.csv", out=run)
    loaded = GAN.load(run)
    rows = loaded.sample(50, seed=0)
    assert isinstance(rows, pd.DataFrame)
    assert (rows["x"] == rows["x"].round(1)).all()
    assert loaded._trained().training_data().schema.table is not None
    GAN(samples=64, columns=said).fit(out=run, resume=True)
    with pytest.raises(RequestError, match=r"other settings \(columns: "):
        GAN(samples=96, columns={"x": {"decimals": 2}}).fit(out=run, resume=True)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("equipoise", "train", "a.csv", "--columns", "c d.toml"), ["--columns", "'c d.toml'"]),
        (("equipoise", "train", "a.csv", "--columns=c.toml"), ["--columns", "c.toml"]),
        (("python", "script.py"), []),
        (("equipoise", "--columns"), []),
    ],
)
def test_the_file_of_columns_is_part_of_what_to_type_again(
    command: tuple[str, ...], words: list[str]
) -> None:
    assert _columns_argument(command) == words
