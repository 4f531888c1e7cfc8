"""What each recipe must reach: bounds on metrics of `equipoise train`'s report, for
N(4, 1.25), the ring of 8, the grid of 25 and MNIST.

They come from what the methods did in benchmarks/RESULTS.md, with room for other seeds,
and none is so loose that an untrained or a collapsed generator passes:
tests/benchmarks/test_gates.py shows that.
"""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.metrics.digit_frequencies import RECOGNISED, SMALLEST_FREQUENCY
from equipoise.metrics.frechet import DIGIT_FRECHET
from equipoise.metrics.kolmogorov_smirnov import KOLMOGOROV_SMIRNOV
from equipoise.metrics.modes import MODE_SPREAD, MODES_COVERED, REVERSE_KL, WITHIN_3_SIGMA
from equipoise.metrics.wasserstein import SLICED_WASSERSTEIN, WASSERSTEIN_1

UNSUPERVISED_ACCURACY = "unsupervised_accuracy"  # of InfoGAN's code

Gate = Mapping[str, tuple[float, float]]
"""The least and the greatest value of each metric, by its key."""


def line(w1: float, ks: float) -> Gate:
    """On N(4, 1.25): the most that both distances may be."""
    return {WASSERSTEIN_1.key: (0, w1), KOLMOGOROV_SMIRNOV.key: (0, ks)}


def ring(
    within: float, sliced: float, modes: float = 8, kl: float = 0.1, spread: float = 0.0
) -> Gate:
    """On the ring: the least fraction within 3 sigma, the greatest sliced distance, the
    least modes, the greatest reverse KL in nats (a missing mode costs log 8/7 = .13),
    and the least spread inside modes, which may be as much too wide."""
    return _modes(8, modes, sliced, kl, within, spread)


def grid(
    within: float, sliced: float, modes: float = 25, kl: float = 0.04, spread: float = 0.0
) -> Gate:
    """On the grid: as on the ring, of 25 modes. A missing one costs log 25/24 = .04."""
    return _modes(25, modes, sliced, kl, within, spread)


def _modes(
    count: int, modes: float, sliced: float, kl: float, within: float, spread: float
) -> Gate:
    gate = {
        MODES_COVERED.at(count): (modes, count),
        WITHIN_3_SIGMA.key: (within, 1),
        SLICED_WASSERSTEIN.key: (0, sliced),
        REVERSE_KL.key: (0, kl),
    }
    return gate | ({MODE_SPREAD.key: (spread, 2 - spread)} if spread else {})


def digits(frechet: float, recognised: float, rarest: float, **least: float) -> Gate:
    """On MNIST: the greatest Fréchet distance, and the least of the others;
    `label_accuracy` and `unsupervised_accuracy` where they are measured."""
    return {DIGIT_FRECHET.key: (0.0, frechet), **goal(recognised, rarest, **least)}


def goal(recognised: float = 0.8, rarest: float = 0.05, **least: float) -> Gate:
    """On MNIST: as `digits`, whatever the Fréchet distance is."""
    return {
        RECOGNISED.key: (recognised, 1.0),
        SMALLEST_FREQUENCY.key: (rarest, 0.1),
        **{key: (bound, 1.0) for key, bound in least.items()},
    }


def failures(gate: Gate, metrics: Mapping[str, float]) -> list[str]:
    """What fails and by how much, in words; empty if all pass. A metric that is not
    finite fails."""
    wrong = {
        name: metrics[name]
        for name, (low, high) in gate.items()
        if not low <= metrics[name] <= high
    }
    return [
        f"{name} {value:.3g}: must be from {low:g} to {high:g}, off by {_off(value, low, high):.2g}"
        for name, value in wrong.items()
        for low, high in [gate[name]]
    ]


def _off(value: float, low: float, high: float) -> float:
    return low - value if value < low else value - high


GATES: dict[str, dict[str, Gate]] = {
    "gaussian": {
        "balanced": line(0.02, 0.01),
        "classic": line(0.6, 0.25),
        "began": line(0.3, 0.15),
        "infogan": line(0.2, 0.12),
        "wgan": line(0.08, 0.04),
        "wgan-gp": line(0.08, 0.04),
        "lsgan": line(0.03, 0.015),
        "sngan": line(0.15, 0.05),
        "dragan": line(0.12, 0.05),
        "pacgan": line(0.06, 0.03),
        "r3gan": line(0.03, 0.015),
    },
    "ring": {
        "balanced": ring(0.97, 0.03, spread=0.8),
        "classic": ring(0.25, 0.06),
        "began": ring(0.9, 0.03, spread=0.8),
        "cgan": ring(0.4, 0.04),
        "acgan": ring(0.2, 0.06),
        "infogan": ring(0.8, 0.15),
        "wgan": ring(0.05, 0.1, modes=7),
        "wgan-gp": ring(0.7, 0.03),
        "lsgan": ring(0.7, 0.09),
        "sngan": ring(0.7, 0.03),
        "dragan": ring(0.65, 0.03),
        "pacgan": ring(0.6, 0.08),
        "r3gan": ring(0.25, 0.06),
    },
    "grid": {
        "balanced": grid(0.9, 0.08, spread=0.8),
        "began": grid(0.9, 0.08, spread=0.8),
        # Each mode is a class.
        "cgan": grid(0.5, 0.2),
        "acgan": grid(0.1, 0.6, modes=15, kl=0.2),
        # At a third to a half of the usual length these have .06 to .14 of the samples
        # within 3 sigma, a uniform distribution .016.
        "wgan-gp": grid(0.03, 0.6, modes=15, kl=0.2),
        "sngan": grid(0.05, 0.5, modes=15, kl=0.25),
        "dragan": grid(0.03, 0.5, modes=14, kl=0.2),
        "infogan": grid(0.03, 0.9, modes=14, kl=0.25),
        # These smear the modes, classic and wgan to the end, the others at a third of
        # the usual length: hardly more samples lie in them than of a uniform
        # distribution. That they reach most of the data is all that is asked.
        "classic": grid(0.005, 0.8, modes=10, kl=0.3),
        "wgan": grid(0.005, 0.8, modes=10, kl=0.3),
        "lsgan": grid(0.005, 0.8, modes=10, kl=0.3),
        "pacgan": grid(0.005, 0.8, modes=10, kl=0.3),
        "r3gan": grid(0.005, 0.8, modes=10, kl=0.3),
    },
    "mnist": {
        "balanced": digits(0.35, 0.85, 0.07),
        "classic": digits(8.0, 0.45, 0.02),
        "dcgan": digits(0.7, 0.7, 0.06),
        "cgan": digits(0.1, 0.95, 0.08, label_accuracy=0.985),
        "acgan": digits(0.1, 0.95, 0.08, label_accuracy=0.985),
        "infogan": digits(0.2, 0.9, 0.07, unsupervised_accuracy=0.8),
        "wgan": digits(4.5, 0.4, 0.05),
        "wgan-gp": digits(0.9, 0.65, 0.06),
        "lsgan": digits(0.8, 0.7, 0.06),
        "sngan": digits(0.7, 0.72, 0.06),
        "dragan": digits(1.0, 0.65, 0.06),
        "pacgan": digits(0.7, 0.72, 0.06),
        "began": digits(2.0, 0.8, 0.05),
        "projected": digits(2.5, 0.45, 0.03),
        "fastgan": digits(2.2, 0.5, 0.04),
        "sagan": digits(1.4, 0.55, 0.04),
        # Modulated convolutions cost the most: 78,000 samples in the five minutes.
        "stylegan2": digits(15.0, 0.15, 0.015),
        "r3gan": digits(4.0, 0.5, 0.02),
    },
}
LABELLED: dict[str, Gate] = {
    name: digits(0.4, 0.9, 0.08, label_accuracy=0.95) for name in ("cgan", "acgan", "balanced")
}
"""On MNIST with labels, ten minutes."""

TEN_MINUTES: dict[str, Gate] = {
    name: goal() for name in GATES["mnist"] if name not in ("cgan", "acgan")
} | {
    "wgan": goal(recognised=0.6),
    "classic": GATES["mnist"]["classic"],  # fully connected
}
"""The goals on MNIST, ten minutes, for all that have no labels."""
TEN_MINUTES_LABELLED: dict[str, Gate] = {name: goal(label_accuracy=0.97) for name in LABELLED}
"""The goals on MNIST with labels, ten minutes."""
