"""Labels of any hashable kind: as Python has them, as JSON has them, and what cannot be
one."""

from __future__ import annotations

import datetime
import json
import math
import os
import subprocess
import sys
from collections.abc import Hashable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise.data.labels import (
    distinct_labels,
    is_typed_number,
    label_from_json,
    label_to_json,
    plain_label,
)
from equipoise.errors import RequestError

DAY = datetime.date(2026, 1, 2)


@pytest.mark.parametrize(
    "label",
    [
        3,
        math.inf,
        (1, -math.inf),
        -0.5,
        True,
        "seven",
        "",
        b"\x00\xff",
        (1, "a", (2.5, b"x")),
        (DAY, frozenset({1, 2})),
        DAY,
        datetime.datetime(2026, 1, 2, 3, 4, 5),
        frozenset({"a", "b", ("c", 1)}),
        2**80,
    ],
    ids=lambda label: (
        type(label).__name__ if isinstance(label, frozenset) else repr(label)
    ),  # a set's text differs by process
)
def test_labels_come_back_through_json_as_they_were(label: Hashable) -> None:
    again = label_from_json(json.loads(json.dumps(label_to_json(label), allow_nan=False)))
    assert again == label
    assert type(again) is type(label)


def test_numpys_numbers_are_plain_ones_in_tuples_too() -> None:
    label = plain_label((np.int64(1), np.str_("a"), (np.bool_(True),)))
    assert label == (1, "a", (True,))
    assert [type(part) for part in label[:2]] == [int, str]  # a tuple, as the line above says
    assert plain_label(np.datetime64("2026-01-02")) == "2026-01-02"


def test_a_set_is_ordered_equally_in_every_process() -> None:
    code = (
        "import json; from equipoise.data.labels import label_to_json as to; "
        "print(json.dumps(to(frozenset({'a', 'b', 'c', 'd'}))))"
    )
    command = [sys.executable, "-c", code]
    outputs = {
        subprocess.check_output(command, env=os.environ | {"PYTHONHASHSEED": seed})
        for seed in "123"
    }
    assert len(outputs) == 1


def test_numbers_come_before_text_and_labels_without_an_order_as_they_first_appear() -> None:
    assert distinct_labels(["b", 2, "a", 1, 2]) == (1, 2, "a", "b")
    assert distinct_labels([("b", 1), "a", (1, "y"), ("b", 1)]) == (("b", 1), "a", (1, "y"))


def test_a_number_is_found_by_the_digits_that_are_typed() -> None:
    assert is_typed_number(3.0, "3")
    assert is_typed_number(Decimal("2.50"), "2.5")
    assert not is_typed_number(2**53, str(2**53 + 1))
    assert not is_typed_number(True, "1")
    assert not is_typed_number("3.0", "3")
    assert not is_typed_number(3.0, "three")


class Nameless:
    pass


class Named:
    def __str__(self) -> str:
        return "2026"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([Nameless(), Nameless()], "labels of type Nameless cannot be stored as text"),
        ([Named(), "2026"], "are the same once they are stored as text"),
        ([float("nan")], "labels hold NaN"),
        (pd.Series([1, None], dtype="Int64").tolist(), "labels hold NaN"),
        (pd.Series(pd.to_datetime(["2020-01-01", None])).tolist(), "labels hold NaN"),
        ([np.datetime64("NaT")], "labels hold NaN"),
        ([(1, None)], "labels hold None"),
        ([[1]], "type list, which is not hashable"),
        ([(1, [2])], "type list, which is not hashable"),
        ([np.zeros(2)], "a label is an array"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_a_label_is_refused(labels: list[Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        distinct_labels([plain_label(label) for label in labels])


def test_a_stored_label_of_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown kind 'complex'"):
        label_from_json({"complex": 1})
