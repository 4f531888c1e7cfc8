from __future__ import annotations

import json
import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest

from equipoise.data.tables.stored import from_json, to_json
from equipoise.errors import RequestError


@dataclass(frozen=True)
class Inner:
    numbers: tuple[float, ...]
    name: str = ""


@dataclass(frozen=True)
class Outer:
    inner: Inner
    other: Inner | None
    cells: tuple[Hashable, ...]
    cell: Hashable
    count: int = 0


WHOLE = Outer(Inner((1.5, math.inf)), None, (pd.Timestamp("2024"), "a", None), 2**70, 5)


def test_nested_dataclasses_survive_json() -> None:
    stored = json.loads(json.dumps(to_json(WHOLE), allow_nan=False))
    assert from_json(Outer, stored) == WHOLE
    both = Outer(WHOLE.inner, WHOLE.inner, (), None)
    assert from_json(Outer, to_json(both)) == both


@pytest.mark.parametrize(
    "change",
    [{"inner": None}, {"inner": 3}, {"inner": {}}, {"inner": {"numbers": ["a"]}},
     {"inner": {"numbers": 3}}, {"inner": {"numbers": [], "x": 1}}, {"other": []}, {"cells": 3},
     {"cells": [[]]}, {"cell": [1]}, {"count": 1.5}, {"count": None}, {"more": 1}],
)  # fmt: skip
def test_what_has_another_type_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        from_json(Outer, {**to_json(WHOLE), **change})


@pytest.mark.parametrize("stored", [None, 3, [], "x", {}])
def test_what_is_no_object_is_refused(stored: Any) -> None:
    with pytest.raises(RequestError):
        from_json(Outer, stored)
