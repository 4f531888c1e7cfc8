"""How windows of series lie in the rows that networks see."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from equipoise.data.series.windows import Series


@dataclass(frozen=True)
class WindowSpace:
    """How the numbers of a window of series lie in a row: the length, if lengths differ,
    then all channels of the first step, and so on."""

    steps: int
    channels: int
    shortest: int
    """Steps of the shortest window."""
    length_scale: tuple[float, float]
    """Shift and scale of lengths."""

    @classmethod
    def of(cls, series: Series) -> WindowSpace:
        return cls(series.steps, len(series.channels), series.shortest, series.length_scale)

    @property
    def size(self) -> int:
        """Numbers in a row."""
        return int(self.has_lengths) + self.steps * self.channels

    @property
    def has_lengths(self) -> bool:
        """Whether lengths differ."""
        return self.shortest < self.steps

    def values(self, x: Tensor) -> Tensor:
        """The values of rows, (N, D), as (N, T, C)."""
        return x[:, int(self.has_lengths) :].unflatten(1, (self.steps, self.channels))

    def lengths(self, scaled: Tensor) -> Tensor:
        """Steps, (N,), of scaled lengths."""
        shift, scale = self.length_scale
        return (scaled * scale + shift).round().clamp(self.shortest, self.steps)

    def lengths_of_scaled(self, x: Tensor) -> Tensor:
        """Steps, (N,), of scaled rows, (N, D), that begin with the length."""
        return self.lengths(x[:, 0])

    def present(self, x: Tensor) -> Tensor:
        """Which steps the windows of rows in the user's units, (N, D), have: (N, T)."""
        ones = x.new_ones(len(x), self.steps, dtype=torch.bool)
        if not self.has_lengths:
            return ones
        return self._before(x[:, 0])

    def mask(self, lengths: Tensor) -> Tensor:
        """1 for the length and what comes before the end of windows of these lengths,
        (N,), and 0 after it: (N, D)."""
        inside = self._before(lengths).to(lengths).repeat_interleave(self.channels, 1)
        return torch.cat([torch.ones_like(inside[:, :1]), inside], 1)

    def _before(self, lengths: Tensor) -> Tensor:
        """Which steps come before the end of windows of these lengths: (N, T)."""
        return torch.arange(self.steps, device=lengths.device) < lengths[:, None]
