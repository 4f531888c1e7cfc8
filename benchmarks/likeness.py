"""The two figures by which P4 calls two samples equally good, each with what real
samples get. Lower is closer."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise.data import mnist
from equipoise.data.distributions import Gaussian
from equipoise.metrics.digits import read_digits
from equipoise.metrics.frechet import frechet_distance
from equipoise.metrics.wasserstein import wasserstein_to_distribution

BASELINE_SEED = 1


class LineQuality:
    """Wasserstein-1 of numbers, (N,), to the exact N(4, 1.25)."""

    name = "Wasserstein-1"

    def __init__(self, n: int = 100_000) -> None:
        self.n, self.distribution = n, Gaussian()
        self.baseline = self(
            self.distribution.sample(n, torch.Generator().manual_seed(BASELINE_SEED))
            .double()
            .numpy()
        )

    def __call__(self, samples: NDArray[np.generic]) -> float:
        return wasserstein_to_distribution(
            np.asarray(samples, np.float64).reshape(-1), self.distribution.quantile
        )


class DigitQuality:
    """The Fréchet distance of images, (N, 28, 28) or (N, 1, 28, 28), to the test
    digits, on the shipped digit classifier's features.

    It depends on N: figures are to be compared at the same `n` alone.
    """

    name = "Fréchet (digit features)"

    def __init__(self, n: int = 10_000) -> None:
        self.n = n
        self.real = _features(mnist.load("test")[0])
        self.baseline = self(mnist.load("train")[0][:n])

    def __call__(self, samples: NDArray[np.generic]) -> float:
        return frechet_distance(_features(samples), self.real)


def _features(images: NDArray[np.generic]) -> NDArray[np.float64]:
    grey = torch.from_numpy(np.array(images, np.uint8).reshape(-1, 28, 28))
    features: NDArray[np.float64] = read_digits(grey)[0].double().numpy()
    return features
