from __future__ import annotations

import datetime
from typing import Any

import pytest

from equipoise.data.tables import kinds  # noqa: F401
from equipoise.data.tables.base import KINDS
from equipoise.data.tables.overrides import override_of
from equipoise.errors import RequestError


def test_kinds_and_options_are_found_by_their_names() -> None:
    integer = override_of({"kind": "integer", "minimum": 0})
    assert integer.kind is KINDS["number"]
    options: Any = integer.options(KINDS["number"])
    assert (options.decimals, options.minimum, options.maximum) == (0, 0, None)
    real: Any = override_of({"kind": "real"}).options(KINDS["number"])
    assert (real.decimals, real.levels) == ("all", False)
    assert override_of({}).kind is None
    assert override_of({"missing": [-999, "?"]}).missing == (-999, "?")


def test_dates_of_a_file_are_text() -> None:
    given = {"minimum": datetime.date(2024, 1, 31), "spikes": [datetime.datetime(1970, 1, 1)]}
    options: Any = override_of(given).options(KINDS["date"])
    assert options.minimum == "2024-01-31"
    assert options.spikes == ("1970-01-01 00:00:00",)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "3 are no options: give them by name"),
        ({1: 2}, "are no options"),
        ({"kind": "intger"}, "'intger' is no kind of column: did you mean 'integer'?"),
        ({"kind": None, "missing": 3}, "missing = 3: must be"),
        ({"missing": [[1]]}, r"missing = \[1\]: must be"),
    ],
)
def test_what_is_no_option_is_refused(given: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        override_of(given)


def test_all_wrong_options_are_in_one_message() -> None:
    override = override_of({"minimun": 0, "levels": 3, "decimals": 1.5})
    with pytest.raises(RequestError) as error:
        override.options(KINDS["number"])
    assert str(error.value) == (
        "'minimun' is no option of the kind 'number': did you mean 'minimum'?; levels = 3: must "
        "be True or False; decimals = 1.5: must be a whole number or 'all'"
    )
    with pytest.raises(RequestError, match="is no option of the kind 'id': it has none"):
        override_of({"minimum": 0}).options(KINDS["id"])
