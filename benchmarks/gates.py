"""What each recipe must reach: bounds on figures of `equipoise train`'s report, for N(4, 1.25), the ring of 8 and MNIST.

They come from what the methods did in benchmarks/RESULTS.md, with room for other seeds, and none is so loose that an untrained or a
collapsed generator passes: tests/benchmarks/test_gates.py shows that.
"""

from __future__ import annotations

from collections.abc import Mapping

W1, KS = "Wasserstein-1", "Kolmogorov-Smirnov"
SLICED, MODES, WITHIN, KL = "sliced Wasserstein", "modes covered, of 8", "share within 3 sigma", "reverse KL"
FRECHET, RECOGNISED, RAREST = "Fréchet (digit features)", "recognised at 90%", "smallest class share"
AGREEMENT = "agrees with the label asked for"

Gate = Mapping[str, tuple[float, float]]
"""The least and the most that a figure may be."""


def line(w1: float, ks: float) -> Gate:
    """On N(4, 1.25): the most that both distances may be."""
    return {W1: (0, w1), KS: (0, ks)}


def ring(within: float, sliced: float, modes: int = 8) -> Gate:
    """On the ring: the least share within 3 sigma, the most that the distance may be, the least modes."""
    return {MODES: (modes, 8), WITHIN: (within, 1), SLICED: (0, sliced)}


def digits(frechet: float, recognised: float, rarest: float = 0.02, agreement: float | None = None) -> Gate:
    """On MNIST: the most that the distance may be, and the least of the others."""
    gate = {FRECHET: (0.0, frechet), RECOGNISED: (recognised, 1.0), RAREST: (rarest, 0.1)}
    return gate if agreement is None else {**gate, AGREEMENT: (agreement, 1.0)}


def failures(gate: Gate, figures: Mapping[str, float]) -> list[str]:
    """What fails, in words; empty if all is passed. A figure that is not finite fails."""
    wrong = {name: figures[name] for name, (low, high) in gate.items() if not low <= figures[name] <= high}
    return [f"{name} {value:.3g}: must be from {gate[name][0]:g} to {gate[name][1]:g}" for name, value in wrong.items()]


GATES: dict[str, dict[str, Gate]] = {
    "gaussian": {
        "balanced": line(0.03, 0.015),
        "classic": line(0.6, 0.3),
        "infogan": line(0.3, 0.15),
        "wgan": line(0.1, 0.06),
        "wgan-gp": line(0.15, 0.06),
        "lsgan": line(0.06, 0.03),
        "sngan": line(0.2, 0.08),
        "dragan": line(0.2, 0.08),
        "r3gan": line(0.06, 0.03),
    },
    "ring": {
        "balanced": ring(0.97, 0.03),
        "classic": ring(0.2, 0.2),
        "cgan": ring(0.25, 0.1),
        "acgan": ring(0.25, 0.1),
        "infogan": ring(0.25, 0.1),
        "wgan": ring(0.05, 0.12),
        "wgan-gp": ring(0.6, 0.06),
        "lsgan": ring(0.6, 0.15),
        "sngan": ring(0.6, 0.06),
        "dragan": ring(0.6, 0.06),
        "r3gan": ring(0.25, 0.1),
    },
    "mnist": {
        "balanced": digits(1.0, 0.65),
        "classic": digits(8.0, 0.5),
        "dcgan": digits(5.0, 0.4),
        "cgan": digits(5.0, 0.4, agreement=0.8),
        "acgan": digits(5.0, 0.4, agreement=0.8),
        "infogan": digits(5.0, 0.4),
        "wgan": digits(12.0, 0.2),
        "wgan-gp": digits(5.0, 0.4),
        "lsgan": digits(5.0, 0.4),
        "sngan": digits(5.0, 0.4),
        "dragan": digits(5.0, 0.4),
        "r3gan": digits(5.0, 0.4),
    },
}
LABELLED: dict[str, Gate] = {name: digits(3.0, 0.5, rarest=0.05, agreement=0.9) for name in ("cgan", "acgan", "balanced")}
"""On MNIST with labels, ten minutes."""
