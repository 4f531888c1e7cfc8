from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import TensorDataset

from equipoise import GAN
from equipoise.data.factory import open_source
from equipoise.data.levels import levels_of
from equipoise.data.schema import Schema
from equipoise.errors import RequestError

RNG = np.random.default_rng(0)
TWO = np.where(RNG.random(500) < 0.4, -1.5, 2.25)
WIDE = np.stack([TWO, RNG.standard_normal(500), RNG.integers(1, 6, 500)], 1)


def column(values: Any) -> np.ndarray[Any, Any]:
    return np.asarray(values, np.float64)[:, None]


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        ([0.0, 1.0] * 10, (0.0, 1.0)),
        ([-1.5, 2.25, 2.25] * 100, (-1.5, 2.25)),
        ([1.0, 2.0, 3.0, 4.0, 5.0] * 10, (1.0, 2.0, 3.0, 4.0, 5.0)),
        ([0.5] * 10, (0.5,)),
        ([0.0] * 60 + [1.0] * 39 + [7.0], (0.0, 1.0, 7.0)),  # a rare one
        (np.tile(np.arange(100) / 10, 10), tuple((np.arange(100) / 10).tolist())),
    ],
    ids=["few rows", "two", "whole numbers", "one", "one rare", "as many as there can be"],
)
def test_a_column_of_few_values_has_levels(values: Any, levels: tuple[float, ...]) -> None:
    assert levels_of(column(values)) == (levels,)


@pytest.mark.parametrize(
    "values",
    [
        RNG.standard_normal(5),
        RNG.standard_normal(100),
        RNG.standard_normal(1000),
        RNG.standard_normal(60).round(1),
        np.tile(np.arange(101), 50),
        [0.0, 1.0] * 9,
        np.concatenate([np.zeros(980), RNG.exponential(size=20)]),
        np.concatenate([np.zeros(9990), RNG.exponential(size=10)]),
    ],
    ids=[
        "5",
        "100",
        "1000",
        "60 rounded",
        "too many",
        "too few rows",
        "2% not 0",
        "1 in 1000 not 0",
    ],
)
def test_continuous_columns_and_mixed_ones_have_none(values: Any) -> None:
    assert levels_of(column(values)) is None


def test_wide_tables_keep_fewer_levels_a_column() -> None:
    ten = np.tile(np.arange(10.0), 20)[:, None]
    assert levels_of(np.repeat(ten, 2000, 1)) is not None
    assert levels_of(np.repeat(ten, 2001, 1)) is None


def given(kind: str, folder: Path) -> Any:
    """A table of two values, of any, and of whole numbers from 1 to 5, as a user may
    have it."""
    frame = pd.DataFrame(WIDE, columns=["two", "any", "five"])
    if kind == ".npy":
        np.save(folder / "x.npy", WIDE)
    elif kind == ".npz":
        np.savez(folder / "x.npz", x=WIDE)
    elif kind == ".csv":
        frame.to_csv(folder / "x.csv", index=False)
    elif kind == ".parquet":
        frame.to_parquet(folder / "x.parquet")
    else:
        others = {
            "float32": WIDE.astype(np.float32),
            "float16": WIDE.astype(np.float16),
            "tensor": torch.from_numpy(WIDE),
            "frame": frame,
            "frame of types": frame.astype({"two": "float32", "five": "int8"}),
            "batches": list(torch.from_numpy(WIDE).split(100)),
            "dataset": TensorDataset(torch.from_numpy(WIDE)),
        }
        return others.get(kind, WIDE)
    return folder / f"x{kind}"


@pytest.mark.parametrize(
    "kind",
    [
        "array",
        "float32",
        "float16",
        "tensor",
        "frame",
        "frame of types",
        "batches",
        "dataset",
        ".npy",
        ".npz",
        ".csv",
        ".parquet",
    ],
)
def test_samples_of_a_column_of_levels_are_levels_whatever_the_data_came_in(
    kind: str, tiny: dict[str, Any], tmp_path: Path
) -> None:
    gan = GAN(**tiny).fit(given(kind, tmp_path), out=tmp_path / "run")
    for trained in (gan, GAN.load(tmp_path / "run")):
        made = np.asarray(trained.sample(300, seed=0), np.float64)
        assert set(made[:, 0]) == {-1.5, 2.25}
        assert len(set(made[:, 1])) > 250
        assert set(made[:, 2]) <= {1.0, 2.0, 3.0, 4.0, 5.0}


def test_a_line_of_levels_too_and_images_have_none(tiny: dict[str, Any]) -> None:
    assert set(np.asarray(GAN(**tiny).fit(TWO).sample(300, seed=0))) == {-1.5, 2.25}
    assert open_source(RNG.integers(0, 2, (40, 8, 8), np.uint8)).schema.levels is None


def test_a_stream_of_which_more_may_come_has_none() -> None:
    batches = (np.array([[0.0], [1.0]]) for _ in range(6_000))
    assert open_source(batches).schema.levels is None


def test_a_schema_with_levels_survives_json() -> None:
    schema = Schema((2,), "ND", "float32", levels=((0.1, 0.25), None))
    assert Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema


@pytest.mark.parametrize(
    "levels",
    [
        [],
        [None],
        [[0.0, 1.0], None, None],
        [[], None],
        [[1.0, 0.0], None],
        [[1.0, 1.0], None],
        [[float("inf")], None],
        [[float("nan")], None],
        [["a"], None],
        [[10**30], None],
        [[None], None],
        [[[1.0]], None],
        [list(range(101)), None],
        3,
        "ab",
        {"0": [1.0]},
    ],
)
def test_levels_in_a_file_that_cannot_be_are_refused(levels: Any) -> None:
    stored = {**Schema((2,), "ND", "float64").to_dict(), "levels": levels}
    with pytest.raises(RequestError, match="levels"):
        Schema.from_dict(stored)


def test_images_in_a_file_have_no_levels() -> None:
    stored = {**Schema((1, 8, 8), "NHW", "uint8").to_dict(), "levels": [[0.0, 1.0]]}
    with pytest.raises(RequestError, match="levels"):
        Schema.from_dict(stored)
