"""Numbers that vary, beside values that are points of their own.

99,999 stands for "more" in a column of capital gains, -999 for an unknown age, and an
infinity has no place among numbers. Such points get codes of their own, and the number
describes the others alone: the spread. A value that many rows share among others, such
as a 0 for nothing, needs none: `transforms.table_encoding` makes it exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

MAX_GRID = 2.0**53  # up to here float64 has every whole number


@dataclass(frozen=True)
class Spread:
    """The numbers that a column can have."""

    low: float | None
    """The least number beside the spikes; None for any."""
    high: float | None
    """The greatest one."""
    typical: float
    """A number that the column holds, near its middle."""
    step: float | None = None
    """What numbers are whole multiples of, counted from `typical`; None where the
    column's own digits are all there is to keep."""
    levels: tuple[float, ...] = ()
    """All numbers there are, in order; empty where there are too many to list."""
    spikes: tuple[float, ...] = ()
    """Values that are points of their own, perhaps infinite, in order of frequency."""

    @property
    def least(self) -> float:
        """The least value of the column, spikes among them; -inf without a bound."""
        return -math.inf if self.low is None else min(self.low, *self._points)

    @property
    def greatest(self) -> float:
        """The greatest value of the column; inf without a bound."""
        return math.inf if self.high is None else max(self.high, *self._points)

    @property
    def _points(self) -> tuple[float, ...]:
        return (self.typical, *(spike for spike in self.spikes if math.isfinite(spike)))

    @property
    def is_valid(self) -> bool:
        """Whether fields that come from a file fit together."""
        ends = [end for end in (self.low, self.high) if end is not None]
        numbers = [*ends, self.typical, *self.levels, *([] if self.step is None else [self.step])]
        return (
            all(map(math.isfinite, numbers))
            and ends == sorted(ends)
            and (self.step is None or self.step > 0)
            and all(low < high for low, high in pairwise(self.levels))
            and not any(math.isnan(spike) for spike in self.spikes)
        )

    def snap(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """The nearest numbers that the column can have beside the spikes, (N,)."""
        x = numbers
        if self.low is not None or self.high is not None:
            x = np.clip(x, self.low, self.high)
        if self.levels:
            levels = np.array(self.levels)
            return levels[np.searchsorted((levels[1:] + levels[:-1]) / 2, x)]
        if self.step is None:
            return x
        # The last step is not beyond a bound. 1e-9 is for steps such as 0.1, which no
        # float is exactly.
        least = -MAX_GRID if self.low is None else math.ceil(self._steps(self.low) - 1e-9)
        most = MAX_GRID if self.high is None else math.floor(self._steps(self.high) + 1e-9)
        with np.errstate(over="ignore"):
            steps = np.rint((x - self.typical) / self.step)
        return self.typical + steps.clip(least, most) * self.step

    def _steps(self, number: float) -> float:
        assert self.step is not None
        return max(min((number - self.typical) / self.step, MAX_GRID), -MAX_GRID)
