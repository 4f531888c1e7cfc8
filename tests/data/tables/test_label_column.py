from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.data.frames import TableOptions, from_frame
from equipoise.data.schema import Schema
from equipoise.errors import RequestError

RNG = np.random.default_rng(0)
N = 30


@pytest.mark.parametrize(
    "labels",
    [
        pd.Series(["u", "v"] * 15),
        pd.Series([1, 2, 3] * 10, dtype="int8"),
        pd.Series([1, 2, 3] * 10, dtype="Int64"),
        pd.Series([True, False] * 15),
        pd.Series([0.5, 1.5] * 15),
        pd.Series(pd.Categorical(["u", "v"] * 15, ["w", "v", "u"], ordered=True)),
        pd.Series(pd.cut([0.5, 1.5] * 15, [0, 1, 2, 3])),
        pd.Series(pd.Categorical(pd.to_timedelta(["1 days", "2 days"] * 15))),
        pd.Series(pd.to_datetime(["2020-01-01", "2021-01-01"] * 15)),
        pd.Series([1, "a"] * 15, dtype=object),
    ],
    ids=lambda labels: str(labels.dtype),
)
@pytest.mark.parametrize("kind", ["plain", "mixed"])
def test_labels_come_back_at_their_place_in_their_type(labels: pd.Series[Any], kind: str) -> None:
    frame = pd.DataFrame({"a": RNG.normal(size=N), "y": labels, "b": RNG.normal(size=N)})
    if kind == "mixed":
        frame["c"] = ["p", "q", "r"] * 10
    rows = from_frame(frame, None, "a table", TableOptions("y"))
    schema = Schema.from_dict(json.loads(json.dumps(rows.schema.to_dict())))
    back = schema.to_user(rows.values.astype(np.float64), rows.labels)
    pd.testing.assert_frame_equal(back, frame)


def test_intervals_as_labels_are_intervals_again_when_read() -> None:
    grades = pd.Series(pd.cut([0.5, 1.5] * 15, [0, 1, 2]))
    frame = pd.DataFrame({"a": RNG.normal(size=N), "y": grades})
    schema = from_frame(frame, None, "a table", TableOptions("y")).schema
    again = Schema.from_dict(json.loads(json.dumps(schema.to_dict())))
    assert again.classes == schema.classes == (pd.Interval(0, 1), pd.Interval(1, 2))
    assert again.class_index("(1, 2]") == again.class_index(pd.Interval(1, 2)) == 1


def test_columns_that_samples_lack_do_not_count_for_the_place() -> None:
    frame = pd.DataFrame(
        {
            "note": [f"a longer text of its own, number {RNG.random()}" for _ in range(N)],
            "c": ["p", "q"] * 15,
            "y": ["u", "v"] * 15,
            "a": RNG.normal(size=N),
        }
    )
    options = TableOptions("y", overrides={"note": {"kind": "ignore"}})
    rows = from_frame(frame, None, "a table", options)
    back = rows.schema.to_user(rows.values, rows.labels)
    assert isinstance(back, pd.DataFrame)
    assert back.columns.tolist() == ["c", "y", "a"]


def test_a_column_that_cannot_hold_the_labels_is_refused_when_it_is_read() -> None:
    frame = pd.DataFrame({"a": RNG.normal(size=N), "y": ["u", "v"] * 15})
    schema = from_frame(frame, None, "a table", TableOptions("y")).schema
    assert schema.label_column is not None
    stored = schema.to_dict()
    stored["label_column"]["dtype"]["name"] = "int64"
    with pytest.raises(RequestError, match="label column 'y' cannot hold its labels"):
        Schema.from_dict(json.loads(json.dumps(stored)))
    with pytest.raises(RequestError, match="label_column is not valid"):
        Schema.from_dict(replace(schema, classes=None, class_counts=None).to_dict())
