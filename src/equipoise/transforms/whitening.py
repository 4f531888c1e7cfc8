"""Whitening by component: points relative to the component of a Gaussian mixture.

    x = centre_k + factor_k u        k one of K components, drawn from its posterior

This is CTGAN's mode-specific normalisation (Xu et al. 2019, section 4.2), of all
columns together where theirs is of one column, and with Cholesky factors where theirs
are standard deviations. Components are drawn, as there: the most probable one would cut
the distribution along lines. Networks learn p(u | k), which is near a standard normal
distribution where the components fit well.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import torch
from torch import Tensor

from equipoise.coerce import checked
from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.transforms.clustering import Clustering
from equipoise.transforms.gaussian_mixture import GaussianMixture, inverses, log_joint

MAX_COMPONENTS = 64
ROWS_PER_PARAMETER = 4  # rows per column of a component, and one more, at least
PATIENCE = 2  # doublings of K that may bring nothing before the search ends
# Up to so many columns a matrix for every point takes little memory, and products
# number by number are faster than K matrix products.
MAX_GATHERED_COLUMNS = 8


class ComponentWhitening(Clustering):
    """K components of points (N, D)."""

    name = "whitening"
    centres: Tensor
    """(K, D)."""
    factors: Tensor
    """(K, D, D), lower triangular: factor factor^T is the covariance."""

    def __init__(
        self, shape: tuple[int, ...], components: int | None = None, labels: int = 0
    ) -> None:
        """
        Args:
            shape: (D,).
            components: K; None for as many of 1, 2, 4, ..., 64 as the Bayesian
                information criterion favours (Schwarz 1978).
            labels: C, of the class weights; 0 without labels.
        """
        super().__init__(shape, components or 1, labels)
        self.components: int | None = components
        size = shape[0]
        self.register_buffer("centres", torch.zeros(self.count, size))
        units = torch.zeros(self.count, size, size)
        # torch.eye on the meta device would import torch's compiler, for a second
        units.flatten(1)[:, :: size + 1].fill_(1.0)
        self.register_buffer("factors", units)

    def fit(self, parts: Iterable[Tensor], seed: int = 0) -> Self:
        """Fit the mixture to scaled points (n, D) in parts. There are never more
        components than points."""
        x = torch.cat([*parts]).double()
        if self.components is None:
            mixture = self._search(x, seed)
        else:
            mixture = GaussianMixture.fit(x, min(self.components, len(x)), seed)
        self.weights: Tensor = mixture.weights[None].float()
        self.centres, self.factors = mixture.means.float(), mixture.factors.float()
        return self

    def _search(self, x: Tensor, seed: int) -> GaussianMixture:
        """The mixture of the lowest BIC."""
        most = min(MAX_COMPONENTS, self.max_components(len(x), x.shape[1]))
        best = GaussianMixture.fit(x, 1, seed)
        lowest, worse, k = best.bic(x), 0, 2
        while k <= most and worse < PATIENCE:
            found = GaussianMixture.fit(x, k, seed)
            criterion = found.bic(x)
            if criterion < lowest:
                best, lowest, worse = found, criterion, 0
            else:
                worse += 1
            k *= 2
        return best

    @staticmethod
    def max_components(rows: int, columns: int) -> int:
        """The number of components that so many rows are enough for."""
        return rows // (ROWS_PER_PARAMETER * (columns + 1))

    def log_joint(self, x: Tensor) -> Tensor:
        """log p(k) p(x | k) of points (N, D), over all labels: (N, K)."""
        return log_joint(x, self.weights.sum(0), self.centres, self.factors)

    def posteriors(self, x: Tensor) -> Tensor:
        return self.log_joint(x).softmax(1)

    def whiten(self, x: Tensor, component: Tensor) -> Tensor:
        return _each(inverses(self.factors), x - self.centres[component], component)

    def unwhiten(self, u: Tensor, component: Tensor) -> Tensor:
        """The scaled points of whitened ones, (N, D), of components (N,)."""
        return self.centres[component] + _each_traceable(self.factors, u, component)

    def decode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        assert y is not None, "points that are whitened by component have classes"
        return self.unwhiten(x, self.component(y))

    def config(self) -> dict[str, Any]:
        return {"components": self.count, "labels": self.weights.shape[0]}

    @classmethod
    def from_config(cls, schema: Schema, shape: tuple[int, ...], stored: dict[str, Any]) -> Self:
        if schema.is_image:
            raise RequestError("its whitening is of points, and its schema of images")
        return cls(shape, *(checked(name, stored[name], int) for name in ("components", "labels")))


def _each(matrices: Tensor, vectors: Tensor, component: Tensor) -> Tensor:
    """The product of every vector, (N, D), with its component's matrix of (K, D, D)."""
    if vectors.shape[1] <= MAX_GATHERED_COLUMNS:
        return (matrices[component] * vectors[:, None]).sum(2)
    product = torch.empty_like(vectors)
    for k, matrix in enumerate(matrices):
        rows = (component == k).nonzero().squeeze(1)
        product[rows] = vectors[rows] @ matrix.T
    return product


def _each_traceable(matrices: Tensor, vectors: Tensor, component: Tensor) -> Tensor:
    """As `_each`, where no shape depends on the data, as `torch.export` wants it: with
    many columns at K times the arithmetic, which training is spared."""
    if vectors.shape[1] <= MAX_GATHERED_COLUMNS:
        return _each(matrices, vectors, component)
    product = vectors @ matrices[0].T
    for k, matrix in enumerate(matrices[1:], 1):
        product = torch.where((component == k)[:, None], vectors @ matrix.T, product)
    return product
