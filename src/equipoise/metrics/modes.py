"""Coverage of the known modes of a distribution in the plane.

Srivastava, Valkov, Russell, Gutmann, Sutton: "VEEGAN: Reducing Mode Collapse in GANs
using Implicit Variational Learning", NeurIPS 2017: modes covered and samples within 3
standard deviations of a mode.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.metrics.reference import Array, TabularReference
from equipoise.metrics.registry import Metric, register

MAX_SAMPLES = 2_500
RADIUS = 3.0  # standard deviations about a mode that count as on it

MODES_COVERED = Metric(
    "modes_covered",
    "modes covered, of {}",
    "higher",
    "modes (clusters) of the real distribution that have generated samples",
)
WITHIN_3_SIGMA = Metric(
    "within_3_sigma",
    "fraction within 3 sigma",
    "higher",
    "fraction of generated samples within 3 standard deviations of a mode",
)
REVERSE_KL = Metric(
    "reverse_kl",
    "reverse KL",
    "lower",
    "how unevenly samples are divided among the modes; 0 if evenly",
)
MODE_SPREAD = Metric(
    "mode_spread",
    "spread inside modes",
    "near",
    "width of the generated modes over the true width (1 is best)",
)


@register(
    MODES_COVERED,
    WITHIN_3_SIGMA,
    REVERSE_KL,
    MODE_SPREAD,
    kinds=["tabular"],
    position=20,
    max_samples=MAX_SAMPLES,
    while_training=True,
    compared_with=lambda _: "the distribution's modes",
)
def mode_metrics(reference: TabularReference, rows: Array) -> dict[str, float]:
    """Against the distribution's modes; none where they are not known."""
    if reference.modes is None:
        return {}
    centres, std = reference.modes
    found = mode_coverage(rows, centres, std)
    return {
        MODES_COVERED.at(len(centres)): float(found.covered),
        WITHIN_3_SIGMA.key: found.within,
        REVERSE_KL.key: found.reverse_kl,
        MODE_SPREAD.key: found.spread,
    }


@dataclass(frozen=True)
class ModeCoverage:
    """How the samples spread over modes that are known and equally likely."""

    covered: int
    """Modes with at least one sample within 3 standard deviations, nearest to that
    mode."""
    within: float
    """Fraction of the samples within 3 standard deviations of a mode; for round normal
    modes in the plane 98.9% of real ones are."""
    reverse_kl: float
    """KL(samples' modes || uniform) over all samples' nearest modes, in nats."""
    spread: float
    """Root mean square distance from the mode, per axis, of the samples within 3
    standard deviations, over that of real ones: 1 is right, less is too narrow."""


def mode_coverage(x: Array, centres: Array, std: float) -> ModeCoverage:
    """How samples cover equally likely modes.

    Args:
        x: Samples, (N, 2).
        centres: The modes, (K, 2), each round and normal.
        std: The standard deviation of each.
    """
    distances = np.linalg.norm(x[:, None] - centres[None], axis=-1)
    nearest, distance = distances.argmin(1), distances.min(1)
    on_mode = distance <= RADIUS * std
    covered = len(np.unique(nearest[on_mode]))
    fractions = np.bincount(nearest, minlength=len(centres)) / len(x)
    reverse_kl = float(
        np.sum(fractions * np.log(np.where(fractions > 0, fractions * len(centres), 1.0)))
    )
    # A normal distribution cut off at 3 standard deviations has a smaller second
    # moment: E[r^2 | r <= 3] / 2 for the Rayleigh distribution of r.
    whole = 1 - np.exp(-(RADIUS**2) / 2)
    expected = 1 - RADIUS**2 / 2 * np.exp(-(RADIUS**2) / 2) / whole
    spread = (
        float(np.sqrt((distance[on_mode] ** 2).mean() / 2 / expected) / std)
        if on_mode.any()
        else 0.0
    )
    return ModeCoverage(covered, float(on_mode.mean()), reverse_kl, spread)
