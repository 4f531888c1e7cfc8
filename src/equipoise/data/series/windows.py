"""What windows of series are, and the rows of numbers that they are learned as.

A row holds the values of a window step by step, all channels of the first step first.
Where lengths differ it begins with the length, and what comes after the end is 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.coerce import instance
from equipoise.data.series.frame_form import FrameForm
from equipoise.errors import RequestError

Array = NDArray[np.float64]
MAX_VALUES = 2**27  # of one window


@dataclass(frozen=True)
class Channel:
    """One of the numbers that every step has."""

    name: str
    step: float | None = None
    """What distances of values are whole multiples of: 1 for whole numbers, .01 for two
    decimals; None for real numbers."""
    low: float | None = None
    """The least value that samples may have; None for any."""
    high: float | None = None
    """The greatest."""

    @property
    def is_valid(self) -> bool:
        ends = [end for end in (self.low, self.high) if end is not None]
        stepped = self.step is None or 0 < self.step < math.inf
        return stepped and all(map(math.isfinite, ends)) and ends == sorted(ends)


@dataclass(frozen=True)
class Series:
    """The form of windows of series."""

    steps: int
    """Of the longest window."""
    shortest: int
    """Steps of the shortest one."""
    channels: tuple[Channel, ...]
    listed: bool = False
    """Whether windows are a list, since lengths differ or the user gave one."""
    flat: bool = False
    """Whether windows have no axis of channels: (T,) instead of (T, 1)."""
    frame: FrameForm | None = None
    """How a table holds them; None of arrays."""
    length_counts: tuple[int, ...] = ()
    """Windows of each length, from the shortest to the longest; empty where all are
    equally long."""

    @property
    def has_lengths(self) -> bool:
        """Whether lengths differ, so that they are learned too."""
        return self.shortest < self.steps

    @property
    def first(self) -> int:
        """Where the values begin in a row."""
        return int(self.has_lengths)

    @property
    def size(self) -> int:
        """Numbers in a row."""
        return self.first + self.steps * len(self.channels)

    @property
    def names(self) -> list[str]:
        return [channel.name for channel in self.channels]

    @staticmethod
    def counts_of(lengths: Sequence[int]) -> tuple[int, ...]:
        """Windows of each of these lengths, from the shortest to the longest."""
        counts: list[int] = np.bincount(lengths)[min(lengths) :].tolist()
        return tuple(counts) if len(counts) > 1 else ()

    def pack(self, windows: Sequence[NDArray[Any]]) -> Array:
        """Rows, (N, size), of windows (T_i, C)."""
        rows = np.zeros((len(windows), self.size))
        for row, window in zip(rows, windows, strict=True):
            row[self.first : self.first + window.size] = np.ravel(window)
        if self.has_lengths:
            rows[:, 0] = [len(window) for window in windows]
        return rows

    def values(self, rows: NDArray[Any]) -> NDArray[Any]:
        """The values in rows, (N, T, C), with 0 after the end."""
        return rows[:, self.first :].reshape(len(rows), self.steps, len(self.channels))

    def lengths(self, rows: NDArray[Any]) -> NDArray[np.int64]:
        """The steps of each window, (N,)."""
        if not self.has_lengths:
            return np.full(len(rows), self.steps)
        lengths = np.rint(rows[:, 0]).clip(self.shortest, self.steps)
        return np.asarray(lengths, np.int64)

    def present(self, rows: NDArray[Any]) -> NDArray[np.bool_]:
        """Which steps a window has, (N, T)."""
        return np.arange(self.steps) < self.lengths(rows)[:, None]

    def unpack(self, rows: NDArray[Any]) -> list[NDArray[Any]]:
        """The windows in rows, (T_i, C) each."""
        windows = zip(self.values(rows), self.lengths(rows).tolist(), strict=True)
        return [values[:length] for values, length in windows]

    def described(self) -> str:
        """The form in words: "windows of 24 steps of 4 channels"."""
        count = len(self.channels)
        steps = f"{self.shortest:,} to {self.steps:,}" if self.has_lengths else f"{self.steps:,}"
        channels = "" if self.flat else f" of {count:,} channel{'s' * (count != 1)}"
        return f"windows of {steps} steps{channels}"

    def to_dict(self) -> dict[str, Any]:
        """The form as JSON."""
        stored = asdict(replace(self, frame=None))
        return {**stored, "frame": None if self.frame is None else self.frame.to_dict()}

    @classmethod
    def from_dict(cls, stored: Any) -> Series:
        """The form that `to_dict` wrote, through JSON.

        Raises:
            RequestError: If it is not valid.
        """
        fields = stored if isinstance(stored, dict) else {}
        listed, frame = fields.get("channels"), fields.get("frame")
        if not isinstance(listed, list | tuple) or not 0 < len(listed) <= MAX_VALUES:
            raise RequestError("series: must have channels")
        channels = tuple(instance(Channel, channel) for channel in listed)
        form = None if frame is None else FrameForm.from_dict(frame)
        series = instance(cls, stored, channels=channels, frame=form)
        if not series._is_valid():
            raise RequestError("series: is not valid")
        return series

    def _is_valid(self) -> bool:
        """Whether the fields fit together."""
        size = self.steps * len(self.channels)
        fits = 1 <= self.shortest <= self.steps and size <= MAX_VALUES
        fits = fits and (self.listed or self.frame is not None or not self.has_lengths)
        fits = fits and not (self.flat and len(self.channels) > 1)
        counts = self.length_counts
        expected = self.steps - self.shortest + 1 if self.has_lengths else 0
        fits = fits and len(counts) == expected and all(count >= 0 for count in counts)
        fits = fits and (not counts or (counts[0] > 0 and counts[-1] > 0))
        in_table = self.frame is None or len(self.frame.channels.raw_columns) == len(self.channels)
        return fits and in_table and all(channel.is_valid for channel in self.channels)
