"""What each recipe must reach: bounds on figures of `equipoise train`'s report, for
N(4, 1.25), the ring of 8 and MNIST.

They come from what the methods did in benchmarks/RESULTS.md, with room for other seeds,
and none is so loose that an untrained or a collapsed generator passes:
tests/benchmarks/test_gates.py shows that.
"""

from __future__ import annotations

from collections.abc import Mapping

W1, KS = "Wasserstein-1", "Kolmogorov-Smirnov"
SLICED, MODES, WITHIN, KL = (
    "sliced Wasserstein",
    "modes covered, of 8",
    "share within 3 sigma",
    "reverse KL",
)
SPREAD = "spread inside modes"
FRECHET, RECOGNISED, RAREST = (
    "Fréchet (digit features)",
    "recognised at 90%",
    "smallest class share",
)
AGREEMENT, UNSUPERVISED = "agrees with the label asked for", "code finds the digit"

Gate = Mapping[str, tuple[float, float]]
"""The least and the most that a figure may be."""


def line(w1: float, ks: float) -> Gate:
    """On N(4, 1.25): the most that both distances may be."""
    return {W1: (0, w1), KS: (0, ks)}


def ring(
    within: float, sliced: float, modes: float = 8, kl: float = 0.1, spread: float = 0.0
) -> Gate:
    """On the ring: the least share within 3 sigma, the most that the distance may be,
    the least modes, the most that the KL of the modes' shares may be, in nats (a mode
    that is missing costs log 8/7 = .13), and the least spread inside modes, which may
    be as much too wide."""
    gate = {MODES: (modes, 8), WITHIN: (within, 1), SLICED: (0, sliced), KL: (0, kl)}
    return gate | ({SPREAD: (spread, 2 - spread)} if spread else {})


def digits(frechet: float, recognised: float, rarest: float, **least: float) -> Gate:
    """On MNIST: the most that the distance may be, and the least of the others;
    `agreement` and `unsupervised` where they are measured."""
    named = {
        {"agreement": AGREEMENT, "unsupervised": UNSUPERVISED}[name]: (bound, 1.0)
        for name, bound in least.items()
    }
    return {FRECHET: (0.0, frechet), RECOGNISED: (recognised, 1.0), RAREST: (rarest, 0.1), **named}


def failures(gate: Gate, metrics: Mapping[str, float]) -> list[str]:
    """What fails, in words; empty if all is passed. A figure that is not finite fails."""
    wrong = {
        name: metrics[name]
        for name, (low, high) in gate.items()
        if not low <= metrics[name] <= high
    }
    return [
        f"{name} {value:.3g}: must be from {gate[name][0]:g} to {gate[name][1]:g}"
        for name, value in wrong.items()
    ]


GATES: dict[str, dict[str, Gate]] = {
    "gaussian": {
        "balanced": line(0.02, 0.01),
        "classic": line(0.6, 0.25),
        "infogan": line(0.2, 0.12),
        "wgan": line(0.08, 0.04),
        "wgan-gp": line(0.08, 0.04),
        "lsgan": line(0.03, 0.015),
        "sngan": line(0.15, 0.05),
        "dragan": line(0.12, 0.05),
        "r3gan": line(0.03, 0.015),
    },
    "ring": {
        "balanced": ring(0.97, 0.03, spread=0.8),
        "classic": ring(0.25, 0.06),
        "cgan": ring(0.4, 0.04),
        "acgan": ring(0.2, 0.06),
        "infogan": ring(0.8, 0.15),
        "wgan": ring(0.05, 0.1, modes=7),
        "wgan-gp": ring(0.7, 0.03),
        "lsgan": ring(0.7, 0.09),
        "sngan": ring(0.7, 0.03),
        "dragan": ring(0.65, 0.03),
        "r3gan": ring(0.25, 0.06),
    },
    "mnist": {
        "balanced": digits(1.3, 0.65, 0.05),
        "classic": digits(8.0, 0.45, 0.02),
        "dcgan": digits(6.0, 0.35, 0.01),
        "cgan": digits(0.2, 0.9, 0.08, agreement=0.97),
        "acgan": digits(0.7, 0.8, 0.06, agreement=0.93),
        "infogan": digits(4.0, 0.4, 0.02, unsupervised=0.3),
        "wgan": digits(13.0, 0.15, 0.01),
        "wgan-gp": digits(4.0, 0.35, 0.04),
        "lsgan": digits(5.0, 0.4, 0.015),
        "sngan": digits(4.0, 0.35, 0.04),
        "dragan": digits(5.0, 0.3, 0.03),
        "r3gan": digits(5.0, 0.4, 0.01),
    },
}
LABELLED: dict[str, Gate] = {
    name: digits(0.4, 0.9, 0.08, agreement=0.95) for name in ("cgan", "acgan", "balanced")
}
"""On MNIST with labels, ten minutes."""
