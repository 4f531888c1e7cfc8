"""How windows of series lie in the rows that networks see."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from equipoise.data.series.windows import Series

MARGIN = 1e-4  # of a length's span of levels, which rounding could leave


@dataclass(frozen=True)
class WindowSpace:
    """How the numbers of a window lie in a row: the length, if lengths differ, then all
    channels of the first step, and so on."""

    steps: int
    channels: int
    shortest: int
    """Steps of the shortest window."""
    levels: tuple[float, ...]
    """The share of windows that are shorter than each length, from the shortest on, and
    1; empty where all are equally long."""

    @classmethod
    def of(cls, series: Series) -> WindowSpace:
        ends = [0, *accumulate(series.length_counts)]
        levels = tuple(end / ends[-1] for end in ends) if series.has_lengths else ()
        return cls(series.steps, len(series.channels), series.shortest, levels)

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
        rest = x[:, int(self.has_lengths) :]
        return rest.reshape(x.shape[0], self.steps, self.channels)

    def lengths(self, scores: Tensor) -> Tensor:
        """Steps, (N,), of the normal scores of lengths."""
        ends = torch.tensor(self.levels[1:-1], dtype=torch.float64, device=scores.device)
        above = torch.searchsorted(ends, torch.special.ndtr(scores.double()), right=True)
        return above + self.shortest

    def scores(self, lengths: Tensor, generator: torch.Generator | None) -> Tensor:
        """The normal scores of lengths, (N,), in float64. Each length has a span of
        them, as wide as it is common. One of it is drawn; without a generator it is the
        middle."""
        levels = torch.tensor(self.levels, dtype=torch.float64, device=lengths.device)
        place = (lengths.round().long() - self.shortest).clamp(0, len(self.levels) - 2)
        within = torch.full_like(lengths, 0.5, dtype=torch.float64)
        if generator is not None:
            within = torch.rand(
                len(lengths), generator=generator, dtype=torch.float64, device=lengths.device
            )
        within = MARGIN + (1 - 2 * MARGIN) * within
        level = torch.lerp(levels[place], levels[place + 1], within)
        scores: Tensor = torch.special.ndtri(level)
        return scores

    def present(self, x: Tensor) -> Tensor:
        """Which steps the windows of rows in the user's units, (N, D), have: (N, T)."""
        ones = x.new_ones(len(x), self.steps, dtype=torch.bool)
        if not self.has_lengths:
            return ones
        return self._before(x[:, 0])

    def mask(self, lengths: Tensor) -> Tensor:
        """1 for the length and what comes before the end of windows of these lengths,
        (N,), and 0 after it: (N, D)."""
        inside = self._before(lengths).float().repeat_interleave(self.channels, 1)
        return torch.cat([torch.ones_like(inside[:, :1]), inside], 1)

    def _before(self, lengths: Tensor) -> Tensor:
        """Which steps come before the end of windows of these lengths: (N, T)."""
        return torch.arange(self.steps, device=lengths.device) < lengths[:, None]
