"""Normal components of points, so that networks see every point relative to a component
of its own.

    x = centre_k + factor_k u        k one of K components, drawn from its posterior p(k | x)

This is CTGAN's mode-specific normalisation (Xu et al. 2019, section 4.2), of all
columns together where theirs is of one, and with factors where theirs are standard
deviations. Components are drawn, as there: the likeliest would cut every mode off along
lines. What networks learn is p(u | k): near a standard normal distribution where the
components are good, and whatever the data has in its place where they are not.
"""

from __future__ import annotations

import math
import warnings

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from equipoise.transforms.clustering import Clustering

MOST = 64
ROWS_A_NUMBER = 4  # for every number of a component so many rows at least
FLOOR = (
    1e-3  # the least standard deviation of a component, in standard deviations of the whole data
)
ITERATIONS, GAIN = (
    100,
    1e-4,
)  # of expectation maximisation, which ends when the mean log likelihood gains less
PATIENCE = 2  # doublings of K that may bring nothing before the search ends
# Columns, up to which thousands of small products are faster number by number, and a
# matrix for every point is not much.
FEW = 8
EMPTY = 1e-3  # rows: what a component with less is divided by


class ComponentWhitening(Clustering):
    """K normal components of points (N, D)."""

    centres: Tensor
    """(K, D)."""
    factors: Tensor
    """(K, D, D), lower triangular: factor factor^T is the covariance."""

    def __init__(self, components: int, size: int, labels: int = 0) -> None:
        super().__init__(components, labels)
        self.register_buffer("centres", torch.zeros(components, size))
        units = torch.zeros(components, size, size)
        # torch.eye on the meta device would import torch's compiler, for a second
        units.flatten(1)[:, :: size + 1].fill_(1.0)
        self.register_buffer("factors", units)

    @classmethod
    def fit(cls, x: Tensor, seed: int, components: int | None = None) -> ComponentWhitening:
        """The components of scaled points (N, D): so many, or for None as many of 1, 2,
        4, ..., 64 as the Bayesian information criterion favours (Schwarz 1978). By
        expectation maximisation (Dempster et al. 1977) from k-means++."""
        x = x.double()
        if components is not None:
            return cls._fitted(x, components, seed).float()
        size, each = x.shape[1], 1 + x.shape[1] + x.shape[1] * (x.shape[1] + 1) // 2
        best, lowest, worse, k = None, math.inf, 0, 1
        while k <= min(MOST, cls.room(len(x), size)) and worse < PATIENCE:
            found = cls._fitted(x, k, seed)
            criterion = (found.count * each - 1) * math.log(len(x)) - 2 * float(
                found.log_joint(x).logsumexp(1).sum()
            )
            best, lowest, worse = (
                (found, criterion, 0) if criterion < lowest else (best, lowest, worse + 1)
            )
            k *= 2
        return (best or cls._fitted(x, 1, seed)).float()

    @staticmethod
    def room(rows: int, size: int) -> int:
        """How many components so many rows of so many columns are enough for."""
        return rows // (ROWS_A_NUMBER * (size + 1))

    @classmethod
    def _fitted(cls, x: Tensor, k: int, seed: int) -> ComponentWhitening:
        from scipy.cluster.vq import kmeans2

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of clusters that stay empty, where values repeat
            nearest = torch.from_numpy(
                kmeans2(x.numpy(), k, iter=10, minit="++", seed=seed)[1]
            ).long()
        clustering, before = cls._likeliest(x, one_hot(nearest, k).double()), -math.inf
        for _ in range(ITERATIONS if k > 1 else 0):
            joint = clustering.log_joint(x)
            total = joint.logsumexp(1, keepdim=True)
            likelihood = float(total.mean())
            if likelihood - before < GAIN:
                break
            before = likelihood
            clustering = cls._likeliest(x, (joint - total).exp())
        return clustering

    @classmethod
    def _likeliest(cls, x: Tensor, fractions: Tensor) -> ComponentWhitening:
        """The components under which rows (N, D) that belong to each by its share, (N,
        K), are the likeliest."""
        counts = fractions.sum(0)
        clustering = cls(len(counts), x.shape[1])
        clustering.weights = (counts / counts.sum())[None]
        counts = counts.clamp(min=EMPTY)
        clustering.centres = (fractions.T @ x) / counts[:, None]
        apart = x - clustering.centres[:, None]
        covariances = (
            (apart * fractions.T[:, :, None]).transpose(1, 2) @ apart / counts[:, None, None]
        )
        factors = torch.linalg.cholesky(
            covariances + FLOOR**2 * torch.eye(x.shape[1], dtype=x.dtype)
        )
        clustering.factors = (
            factors.contiguous()
        )  # as they come from a file: products round otherwise in another order
        return clustering

    def log_joint(self, x: Tensor) -> Tensor:
        """log p(k) p(x | k) of points (N, D), over all labels: (N, K)."""
        u = self.inverses() @ (x - self.centres[:, None]).transpose(1, 2)
        scale = self.factors.diagonal(dim1=1, dim2=2).log().sum(1) + x.shape[1] / 2 * math.log(
            2 * math.pi
        )
        joint: Tensor = self.weights.sum(0).log()[:, None] - u.square().sum(1) / 2 - scale[:, None]
        return joint.T

    def posteriors(self, x: Tensor) -> Tensor:
        return self.log_joint(x).softmax(1)

    def inverses(self) -> Tensor:
        """The factors' inverses, (K, D, D)."""
        unit = torch.eye(
            self.factors.shape[1], dtype=self.factors.dtype, device=self.factors.device
        )
        found: Tensor = torch.linalg.solve_triangular(
            self.factors, unit.expand_as(self.factors), upper=False
        )
        return found

    def whiten(self, x: Tensor, component: Tensor) -> Tensor:
        return _each(self.inverses(), x - self.centres[component], component)

    def unwhiten(self, u: Tensor, classes: Tensor) -> Tensor:
        component = self.component(classes)
        return self.centres[component] + _each(self.factors, u, component)


def _each(matrices: Tensor, vectors: Tensor, component: Tensor) -> Tensor:
    """The product of every vector, (N, D), with its mode's matrix of (K, D, D)."""
    if vectors.shape[1] <= FEW:
        return (matrices[component] * vectors[:, None]).sum(2)
    made = torch.empty_like(vectors)
    for k, matrix in enumerate(matrices):
        rows = (component == k).nonzero().squeeze(1)
        made[rows] = vectors[rows] @ matrix.T
    return made
