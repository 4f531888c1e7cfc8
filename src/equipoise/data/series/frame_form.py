"""How a table holds windows of series: a row for each step, with the id of its window
and perhaps a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.coerce import checked
from equipoise.data.tables.table import Table
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.data.tables.notes import Name

FIELDS = {"order", "ids", "channels", "time", "start", "step"}


@dataclass(frozen=True)
class FrameForm:
    """The columns of such a table."""

    order: tuple[Name, ...]
    """The names of all columns, as the user has them."""
    ids: Table
    """The column of ids, which are made anew."""
    channels: Table
    """The columns that are learned, all of them of numbers."""
    time: Table | None
    """The column of times; None without one."""
    start: float = 0.0
    """The time of the first step, as the column counts it."""
    step: float = 1.0
    """The time between steps."""

    @property
    def roles(self) -> tuple[str, str | None]:
        """The names of the columns of ids and of times, as the user gives them."""
        time = None if self.time is None else str(self.time.columns[0].name)
        return str(self.ids.columns[0].name), time

    def decode(self, windows: Sequence[NDArray[np.float64]], seed: int, start: int) -> pd.DataFrame:
        """A table of windows, (T_i, C) each.

        Args:
            windows: Their values.
            seed: Of ids.
            start: The number of the first window.
        """
        import pandas as pd

        lengths = np.array([len(window) for window in windows], np.int64)
        values = np.concatenate([np.empty((0, len(self.channels.raw_columns))), *windows])
        ids = self.ids.decode(np.empty((len(windows), 0)), seed, start)
        frame = self.channels.decode(values)
        ids = ids.iloc[np.repeat(np.arange(len(windows)), lengths)]
        parts = [frame, ids.reset_index(drop=True)]
        if self.time is not None:
            ends = np.cumsum(lengths)
            place = np.arange(len(values)) - np.repeat(ends - lengths, lengths)
            parts.append(self.time.decode((self.start + self.step * place)[:, None]))
        joined: pd.DataFrame = pd.concat(parts, axis=1)
        return joined[list(self.order)]

    def to_dict(self) -> dict[str, Any]:
        """The form as JSON."""
        return {
            "order": [*self.order],
            "ids": self.ids.to_dict(),
            "channels": self.channels.to_dict(),
            "time": None if self.time is None else self.time.to_dict(),
            "start": self.start,
            "step": self.step,
        }

    @classmethod
    def from_dict(cls, stored: Any) -> FrameForm:
        """The form that `to_dict` wrote, through JSON.

        Raises:
            RequestError: If it is not valid.
        """
        if not isinstance(stored, dict) or stored.keys() != FIELDS:
            raise RequestError("series: its table is not valid")
        time = stored["time"]
        form = cls(
            checked("order", stored["order"], tuple[str | int, ...]),
            Table.from_dict(stored["ids"]),
            Table.from_dict(stored["channels"]),
            None if time is None else Table.from_dict(time),
            checked("start", stored["start"], float),
            checked("step", stored["step"], float),
        )
        if not form._is_valid():
            raise RequestError("series: its table is not valid")
        return form

    def _is_valid(self) -> bool:
        """Whether the fields fit together."""
        tables = [self.ids, self.channels, *([] if self.time is None else [self.time])]
        names = [column.name for table in tables for column in table.columns if column.kept]
        sizes = (len(self.ids.columns), len(self.ids.raw_columns)) == (1, 0)
        sizes = sizes and (self.time is None or self.time.sizes == (0,))
        numbers = not any(self.channels.sizes) and math.isfinite(self.start) and self.step > 0
        order = len(self.order) == len(names) and {*map(str, self.order)} == {*map(str, names)}
        return sizes and numbers and order and math.isfinite(self.step)
