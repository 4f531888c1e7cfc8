"""What the user says of data where it was not understood: settings of a run, and
options by column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from equipoise.errors import RequestError, clipped

SETTINGS = (
    "label_column",
    "constraints",
    "series",
    "time",
    "layout",
    "alpha",
    "size",
    "crop",
    "fit",
)
COLUMNS = "columns"
NOTHING: tuple[Any, ...] = (None, "", [], (), False)


def settings_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a run among what the user says, without those that say nothing.

    Raises:
        RequestError: For any other.
    """
    unknown = [name for name in said if name not in (*SETTINGS, COLUMNS)]
    if unknown:
        raise RequestError(f"{clipped(repr(unknown[0]))} is nothing that can be said of data")
    given = {name: said[name] for name in SETTINGS if said.get(name) not in NOTHING}
    if "constraints" in given:
        given["constraints"] = tuple(map(str, given["constraints"]))
    return given
