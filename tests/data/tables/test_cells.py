from __future__ import annotations

import datetime
import json
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.data.tables.cells import cell_from_json, cell_to_json, is_storable
from equipoise.errors import RequestError

CELLS = [
    None, True, 3, 2**70, 1.5, float("inf"), "a", "", "\ud800", b"\x00\xff", Decimal("1.20"),
    datetime.date(2024, 1, 31), datetime.datetime(2024, 1, 31, 5), datetime.time(7, 30),
    datetime.timedelta(days=-1, microseconds=5), pd.Timestamp("2024-01-31 05:00:00.123456789"),
    pd.Timestamp("2024-01-31", tz="Europe/Berlin"), pd.Timedelta(5, "ns"),
    pd.Period("2024-01", "M"),
    pd.Interval(0, 1.5, closed="left"), pd.Interval(pd.Timestamp("2024"), pd.Timestamp("2025")),
    (1, "a", (2.5,)),
]  # fmt: skip


@pytest.mark.parametrize("cell", CELLS, ids=repr)
def test_a_cell_survives_json_with_its_type(cell: Any) -> None:
    stored = json.loads(json.dumps(cell_to_json(cell), allow_nan=False))
    again = cell_from_json(stored)
    assert type(again) is type(cell)
    assert again == cell


def test_scalars_of_numpy_become_those_of_python() -> None:
    for cell, plain in ((np.int64(3), 3), (np.float32(0.5), 0.5), (np.bool_(True), True)):
        assert type(cell_to_json(cell)) is type(plain)
        assert cell_to_json(cell) == plain


@pytest.mark.parametrize("cell", [[1], {}, {1}, object(), 1j, np.datetime64(0, "s"), ([1],)])
def test_cells_of_other_types_are_not_stored(cell: Any) -> None:
    assert not is_storable(cell)


@pytest.mark.parametrize(
    "stored",
    [[], {}, {"x": 1}, {"float": "a"}, {"date": 3}, {"decimal": []}, {"period": ["a", "?"]},
     {"interval": [1, 2]}, {"interval": [2, 1, "left"]}, {"bytes": "zz"}, {"a": 1, "b": 2},
     {"tuple": 3}, {"timestamp": "never"}, {"timedelta": [1]}, {"span": [1e300, 0, 0]}],
)  # fmt: skip
def test_what_is_no_cell_is_refused(stored: Any) -> None:
    with pytest.raises(RequestError, match="is no cell of a table"):
        cell_from_json(stored)
