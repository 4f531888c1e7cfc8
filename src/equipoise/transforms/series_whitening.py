"""Whitening of windows of series by component, in the order of time.

    x = centre_k + factor_k u        factor_k lower triangular

Rows are in the order of time, and factors are triangular. So u has at every step what
the steps before do not tell: it is the sequence of innovations of the component's
Gaussian process. Where lengths differ, u after the end is 0, and what is before the end
depends on nothing after it, neither here nor on the way back.

A window that has ended is fitted as if it had gone on: each next step is drawn from its
regression on the steps before, among the windows that have it. For a monotone pattern
of missing values the factored regressions are the most likely ones (Anderson 1957,
"Maximum likelihood estimates for a multivariate normal distribution when some
observations are missing").

With few windows the covariance is shrunk towards a multiple of the unit matrix (Ledoit,
Wolf 2004, "A well-conditioned estimator for large-dimensional covariance matrices").
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Self

import torch
from torch import Tensor

from equipoise.coerce import checked
from equipoise.data.schema import Schema
from equipoise.data.series.windows import Series
from equipoise.errors import RequestError
from equipoise.transforms.gaussian_mixture import inverses
from equipoise.transforms.whitening import ComponentWhitening
from equipoise.transforms.window_space import WindowSpace

PREVIOUS = 64  # numbers that the continuation of a window is regressed on
RIDGE = 1e-3  # of their variance, added where the continuation is regressed
MIN_ROWS = 8  # windows that a regression needs; with fewer it has no slopes


class SeriesWhitening(ComponentWhitening):
    """K components of the rows of windows, (N, D)."""

    name = "series_whitening"

    def __init__(self, series: Series, components: int | None = None, labels: int = 0) -> None:
        """
        Args:
            series: The form of the windows.
            components: K; None for as many as the data shows.
            labels: C, of the class weights; 0 without labels.
        """
        super().__init__((series.size,), components, labels)
        self.series: Series = series
        self.windows: WindowSpace = WindowSpace.of(series)

    def fit(self, parts: Iterable[Tensor], seed: int = 0) -> Self:
        """Fit the mixture to scaled rows, (n, D) in parts."""
        x = torch.cat([*parts]).double()
        super().fit([self._continued(x, seed)], seed)
        if self.count == 1:
            self.factors: Tensor = shrunk(self.factors[0].double(), x - self.centres[0])[
                None
            ].float()
        return self

    def _continued(self, x: Tensor, seed: int) -> Tensor:
        """Rows, (N, D), whose windows go on after their end."""
        if not self.series.has_lengths:
            return x
        x, width = x.clone(), len(self.series.channels)
        generator = torch.Generator().manual_seed(seed)
        lengths = self.windows.lengths(x[:, 0])
        for step in range(self.series.shortest, self.series.steps):
            end = self.series.first + step * width
            block, known = slice(end, end + width), lengths > step
            before = x[:, max(end - PREVIOUS, 0) : end]
            mean, spread = _regression(before, x[:, block], known)
            noise = torch.randn(len(x), width, generator=generator, dtype=x.dtype)
            x[:, block] = torch.where(known[:, None], x[:, block], mean + noise @ spread.T)
        return x

    def log_joint(self, x: Tensor) -> Tensor:
        """log p(k) p(x | k) of what windows have before their end, over all labels: (N,
        K). A factor's leading block is that of the steps before."""
        if not self.series.has_lengths:
            return super().log_joint(x)
        mask = self.windows.mask(self.windows.lengths(x[:, 0]))
        u = (inverses(self.factors) @ (x - self.centres[:, None]).transpose(1, 2)).transpose(1, 2)
        scales = self.factors.diagonal(dim1=1, dim2=2).log()
        logs = -(mask * u.square()).sum(2) / 2 - (mask * scales[:, None]).sum(2)
        weights = self.weights.sum(0).log()[:, None]
        joint: Tensor = weights + logs - mask.sum(1) / 2 * math.log(2 * math.pi)
        return joint.T

    def encode(
        self, x: Tensor, y: Tensor | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        u, classes = super().encode(x, y, generator)
        if self.series.has_lengths:
            u = u * self.windows.mask(self.windows.lengths(x[:, 0]))
        return u, classes

    def lengths(self, u: Tensor, component: Tensor) -> Tensor:
        """The steps of whitened windows, (N, D), of components (N,)."""
        scores = self.centres[component, 0] + self.factors[component, 0, 0] * u[:, 0]
        return self.windows.lengths(scores)

    def unwhiten(self, u: Tensor, component: Tensor) -> Tensor:
        if self.series.has_lengths:
            u = u * self.windows.mask(self.lengths(u, component))
        return super().unwhiten(u, component)

    @classmethod
    def from_config(cls, schema: Schema, shape: tuple[int, ...], stored: dict[str, Any]) -> Self:
        if schema.series is None:
            raise RequestError("its whitening is of series, and its schema of other data")
        known = (checked(name, stored[name], int) for name in ("components", "labels"))
        return cls(schema.series, *known)


def _regression(before: Tensor, after: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """What the next step is likely to be.

    Args:
        before: Numbers of the steps before, (N, P).
        after: Those of the next one, (N, C).
        known: Which windows have it, (N,).

    Returns:
        The means, (N, C), and a factor of the covariance about them, (C, C). Of no
        window those of standardised rows: 0 and the unit matrix.
    """
    if not known.any():  # the longest windows are held out
        return torch.zeros_like(after), torch.eye(after.shape[1], dtype=after.dtype)
    x, y = before[known], after[known]
    centre, middle = x.mean(0), y.mean(0)
    mean = middle.expand(len(before), -1)
    if len(x) >= MIN_ROWS:
        products = (x - centre).T @ (x - centre) / len(x)
        products.diagonal().add_(RIDGE)
        slopes = torch.linalg.solve(products, (x - centre).T @ (y - middle) / len(x))
        mean = middle + (before - centre) @ slopes
    rest = y - mean[known]
    covariance = rest.T @ rest / len(x)
    covariance.diagonal().add_(RIDGE**2)
    return mean, torch.linalg.cholesky(covariance)


def shrunk(factor: Tensor, centred: Tensor) -> Tensor:
    """The factor of a covariance that is shrunk as Ledoit and Wolf do.

    Args:
        factor: Of the covariance, (D, D).
        centred: The rows that it was estimated from, about their mean, (N, D).
    """
    covariance = factor @ factor.T
    n, size = centred.shape
    mean = covariance.diagonal().mean()
    distance = covariance.square().sum() - size * mean**2
    scatter = (centred.square().sum(1).square().sum() / n - covariance.square().sum()) / n
    share = float((scatter / distance).clamp(0, 1)) if float(distance) > 0 else 0.0
    target = share * mean * torch.eye(size, dtype=factor.dtype)
    found: Tensor = torch.linalg.cholesky((1 - share) * covariance + target)
    return found
