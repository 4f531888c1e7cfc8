"""Judges: for each kind of data the figures that say how close samples are, every one with its floor, which real samples get from the
same judge.

A judge is built once from a source, and then called with samples in the user's units. Its first figure is the headline.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise.data.laws import Law
from equipoise.data.sources import Source
from equipoise.metrics import points
from equipoise.metrics.digits import read_digits
from equipoise.metrics.images import frechet_distance

Array = NDArray[np.float64]
Better = Literal["lower", "higher", "near"]
LINE_SAMPLES, SAMPLES, MODE_SAMPLES = 100_000, 10_000, 2_500
QUICK_SAMPLES = 2_000  # for figures taken while training
MODE_FIGURES: dict[str, Better] = {"share within 3 sigma": "higher", "reverse KL": "lower", "spread inside modes": "near"}
CONFIDENT = 0.9  # the classifier's probability from which a digit counts as recognised
LINE_FIGURES: dict[str, Better] = {"Wasserstein-1": "lower", "Kolmogorov-Smirnov": "lower", "mean": "near", "standard deviation": "near"}
DIGIT_FIGURES: dict[str, Better] = {
    "Fréchet (digit features)": "lower",
    f"recognised at {CONFIDENT:.0%}": "higher",
    "smallest class share": "higher",
    **{f"share of {digit}": "near" for digit in range(10)},
}


@dataclass(frozen=True)
class Figure:
    """One figure beside its floor: what as many real samples get. `better` says which way is good; a "near" figure should equal its
    floor."""

    name: str
    value: float
    floor: float
    better: Better
    protocol: str


class Judge(ABC):
    """Compares samples, (n, *shape) in the user's units, with real ones."""

    better: dict[str, Better]
    against: str

    def __init__(self, n: int) -> None:
        self.n = n

    @abstractmethod
    def __call__(self, x: Array) -> dict[str, float]:
        """Figures by name, the headline first."""

    def figures(self, x: Array, real: Array) -> list[Figure]:
        """Each figure of x beside the same figure of `real`, which must be other real samples than the judge holds."""
        values, floors = self(x), self(real)
        return [
            Figure(name, value, floors[name], self.better[name], self.protocol(name, len(x), len(real))) for name, value in values.items()
        ]

    def protocol(self, name: str, n: int, n_real: int) -> str:
        """What the figure of this name was taken on."""
        return f"{n:,} samples against {self.against}; floor: {n_real:,} real samples"


class LawJudge(Judge):
    """A law on the line, against its exact distribution."""

    def __init__(self, law: Law, n: int) -> None:
        super().__init__(n)
        self.law, self.against, self.better = law, "the exact law", LINE_FIGURES

    def __call__(self, x: Array) -> dict[str, float]:
        line = x.reshape(-1)
        return {
            "Wasserstein-1": points.wasserstein_to_law(line, lambda u: _known(self.law.quantile(u))),
            "Kolmogorov-Smirnov": points.kolmogorov_smirnov_to_law(line, lambda v: _known(self.law.cdf(v))),
            "mean": float(line.mean()),
            "standard deviation": float(line.std()),
        }


class LineJudge(Judge):
    """Numbers on the line, against real ones."""

    def __init__(self, real: Array, n: int) -> None:
        super().__init__(n)
        self.real, self.against, self.better = real.reshape(-1), f"{len(real):,} held-out samples", LINE_FIGURES

    def __call__(self, x: Array) -> dict[str, float]:
        line = x.reshape(-1)
        return {
            "Wasserstein-1": points.wasserstein(line, self.real),
            "Kolmogorov-Smirnov": points.kolmogorov_smirnov(line, self.real),
            "mean": float(line.mean()),
            "standard deviation": float(line.std()),
        }


class SpaceJudge(Judge):
    """Points of several columns, or pictures whose features nobody knows, as vectors; and modes where the source knows them."""

    def __init__(self, real: Array, n: int, modes: tuple[Array, float] | None) -> None:
        super().__init__(n)
        self.real, self.modes, self.against = real.reshape(len(real), -1), modes, f"{len(real):,} held-out samples"
        self.better = {"sliced Wasserstein": "lower"}
        self.covered = "" if modes is None else f"modes covered, of {len(modes[0])}"
        if modes is not None:
            self.better |= {self.covered: "higher", **MODE_FIGURES}

    def protocol(self, name: str, n: int, n_real: int) -> str:
        if name in MODE_FIGURES or name == self.covered:
            return f"{min(n, MODE_SAMPLES):,} samples against the law's modes; floor: {min(n_real, MODE_SAMPLES):,} real samples"
        return super().protocol(name, n, n_real)

    def __call__(self, x: Array) -> dict[str, float]:
        flat = x.reshape(len(x), -1)
        n = min(len(flat), len(self.real))
        figures = {"sliced Wasserstein": points.sliced_wasserstein(flat[:n], self.real[:n])}
        if self.modes is not None:
            modes = points.mode_coverage(flat[:MODE_SAMPLES], *self.modes)
            figures |= {
                self.covered: float(modes.covered),
                "share within 3 sigma": modes.within,
                "reverse KL": modes.reverse_kl,
                "spread inside modes": modes.spread,
            }
        return figures


class DigitJudge(Judge):
    """MNIST's digits, by the features and the opinion of the shipped classifier."""

    def __init__(self, real: Array, n: int) -> None:
        super().__init__(n)
        self.real, _ = _read(real)
        self.better = DIGIT_FIGURES
        self.against = f"{len(real):,} test digits, features of the shipped digit classifier"

    def __call__(self, x: Array) -> dict[str, float]:
        features, probabilities = _read(x)
        shares = np.bincount(probabilities.argmax(1), minlength=10) / len(x)
        return {
            "Fréchet (digit features)": frechet_distance(features, self.real),
            f"recognised at {CONFIDENT:.0%}": float((probabilities.max(1) >= CONFIDENT).mean()),
            "smallest class share": float(shares.min()),
            **{f"share of {digit}": float(share) for digit, share in enumerate(shares)},
        }


def judge_for(source: Source, seed: int, quick: bool = False) -> Judge:
    """The judge for this source's kind of data, holding its held-out part; `quick` for the figures taken while training."""
    if source.law is not None and source.law.quantile(np.array([0.5])) is not None:
        return LawJudge(source.law, QUICK_SAMPLES if quick else LINE_SAMPLES)
    real = source.held_out(QUICK_SAMPLES if quick else SAMPLES, seed).double().numpy()
    if source.schema.size == 1:
        return LineJudge(real, len(real))
    if source.is_digits:
        return DigitJudge(real, len(real))
    return SpaceJudge(real, len(real), source.law.modes() if source.law is not None else None)


def _read(x: Array) -> tuple[Array, Array]:
    features, probabilities = read_digits(torch.from_numpy(x.reshape(len(x), *x.shape[-2:])).to(torch.uint8))
    return features.double().numpy(), probabilities.double().numpy()


def _known(values: Array | None) -> Array:
    assert values is not None, "a law with a judge of its own has a CDF and a quantile function"
    return values
