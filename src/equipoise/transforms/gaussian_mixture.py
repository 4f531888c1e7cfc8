"""Gaussian mixtures with full covariances, fitted by expectation maximisation.

    p(x) = sum_k weight_k N(x | mean_k, factor_k factor_k^T)

Dempster, Laird, Rubin: "Maximum likelihood from incomplete data via the EM algorithm"
(1977). Why not scikit-learn's: its fits are as likely and take as long, but importing
it takes .9 s of the 3 s until the first step.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from equipoise.utils.threads import single_threaded

MIN_STD = 1e-3  # of a component, where the data has 1
KMEANS_ITERATIONS = 10
MAX_ITERATIONS = 100
MIN_GAIN = 1e-4  # of the mean log likelihood, below which the iterations end
MIN_ROWS = 1e-3  # what a component of fewer rows is divided by


@dataclass(frozen=True)
class GaussianMixture:
    """K normal distributions of D columns, in double precision."""

    weights: Tensor
    """(K,), of sum 1."""
    means: Tensor
    """(K, D)."""
    factors: Tensor
    """(K, D, D), lower triangular: the Cholesky factors of the covariances."""

    @classmethod
    def fit(cls, x: Tensor, k: int, seed: int) -> GaussianMixture:
        """A mixture of `k` components of rows (N, D), from k-means++. Columns should
        have a standard deviation near 1."""
        from scipy.cluster.vq import kmeans2

        x = x.double()
        with single_threaded():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of empty clusters, where values repeat
                nearest = kmeans2(x.numpy(), k, iter=KMEANS_ITERATIONS, minit="++", seed=seed)[1]
            mixture = cls._maximise(x, one_hot(torch.from_numpy(nearest).long(), k).double())
            before = -math.inf
            for _ in range(MAX_ITERATIONS if k > 1 else 0):
                joint = log_joint(x, mixture.weights, mixture.means, mixture.factors)
                total = joint.logsumexp(1, keepdim=True)
                likelihood = float(total.mean())
                if likelihood - before < MIN_GAIN:
                    break
                before = likelihood
                mixture = cls._maximise(x, (joint - total).exp())
        return mixture

    @classmethod
    def _maximise(cls, x: Tensor, posteriors: Tensor) -> GaussianMixture:
        """The most likely mixture for rows (N, D) of these posteriors, (N, K)."""
        counts = posteriors.sum(0)
        weights = counts / counts.sum()
        counts = counts.clamp(min=MIN_ROWS)
        means = (posteriors.T @ x) / counts[:, None]
        centred = x - means[:, None]
        covariances = (centred * posteriors.T[:, :, None]).transpose(1, 2) @ centred
        covariances = covariances / counts[:, None, None]
        smallest = MIN_STD**2 * torch.eye(x.shape[1], dtype=x.dtype)
        return cls(weights, means, torch.linalg.cholesky(covariances + smallest).contiguous())

    def bic(self, x: Tensor) -> float:
        """The Bayesian information criterion on rows (N, D); lower is better.

        Schwarz: "Estimating the dimension of a model" (1978).
        """
        k, d = self.means.shape
        parameters = k * (1 + d + d * (d + 1) // 2) - 1
        joint = log_joint(x.double(), self.weights, self.means, self.factors)
        return parameters * math.log(len(x)) - 2 * float(joint.logsumexp(1).sum())


def log_joint(x: Tensor, weights: Tensor, means: Tensor, factors: Tensor) -> Tensor:
    """log p(k) p(x | k) of rows (N, D): (N, K). Weights are (K,), means (K, D), factors
    (K, D, D)."""
    u = inverses(factors) @ (x - means[:, None]).transpose(1, 2)
    log_factor = factors.diagonal(dim1=1, dim2=2).log().sum(1)
    constant = log_factor + x.shape[1] / 2 * math.log(2 * math.pi)
    joint: Tensor = weights.log()[:, None] - u.square().sum(1) / 2 - constant[:, None]
    return joint.T


def inverses(factors: Tensor) -> Tensor:
    """The inverses of lower triangular matrices, (K, D, D)."""
    unit = torch.eye(factors.shape[1], dtype=factors.dtype, device=factors.device)
    found: Tensor = torch.linalg.solve_triangular(factors, unit.expand_as(factors), upper=False)
    return found
