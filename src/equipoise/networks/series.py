"""The end of a generator of windows of series.

In whitened windows, where a component of the fitted mixture is standard normal noise,
the generator is

    G(z) = z + gain * g(z)

with gains that start at 0: training begins with the mixture, whose autocovariances are
the data's, and has to learn what is not Gaussian. After the end of a window G is 0, as
real windows are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from equipoise.networks.conditioning import MixedPrecision
from equipoise.transforms.series_whitening import SeriesWhitening
from equipoise.transforms.window_space import WindowSpace


class SeriesGenerator(MixedPrecision):
    """A generator of windows: any generator of points, with the end that windows need.

    Args:
        points: Maps latents (N, Z) and classes to rows (N, D).
        windows: How windows lie in rows.
        components: K of the mixture that rows are whitened by; 0 for none.
        adds: Whether latents are added to the output.
    """

    centres: Tensor
    """(K,): the mean score of lengths in each component."""
    spreads: Tensor
    """(K,): the standard deviations of the scores."""

    def __init__(
        self, points: nn.Module, windows: WindowSpace, components: int, *, adds: bool
    ) -> None:
        super().__init__()
        self.points: nn.Module = points
        self.windows: WindowSpace = windows
        self.adds: bool = adds
        count = max(components, 1)
        self.register_buffer("centres", torch.zeros(count))
        self.register_buffer("spreads", torch.ones(count))
        if adds:
            self.gain: nn.Parameter = nn.Parameter(torch.zeros(windows.size))

    def start_from(self, mixture: SeriesWhitening) -> None:
        """Take over what tells the lengths in each component of a mixture."""
        self.centres.copy_(mixture.centres[:, 0])
        self.spreads.copy_(mixture.factors[:, 0, 0])

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        if isinstance(self.points, MixedPrecision):
            self.points.mixed = self.mixed
        out: Tensor = self.points(z, y)
        if self.adds:
            out = z[:, : self.windows.size] + self.gain * out
        if not self.windows.has_lengths:
            return out
        component = (
            z.new_zeros(z.shape[0], dtype=torch.int64) if y is None else y % len(self.centres)
        )
        scores = self.centres[component] + self.spreads[component] * out[:, 0].detach()
        return out * self.windows.mask(self.windows.lengths(scores))
