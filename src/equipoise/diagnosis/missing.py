"""Modes, digits and categories that the samples lack, of data where they are known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.errors import clipped
from equipoise.metrics.digit_frequencies import DIGIT_FREQUENCY
from equipoise.metrics.modes import MODES_COVERED, REVERSE_KL
from equipoise.metrics.registry import detail_of, family_of
from equipoise.metrics.suites import QUICK_SAMPLES

MIN_DIGIT_FREQUENCY = 0.02  # of a digit that is not missing; real ones have .09 to .11
# Standard deviations between the missed modes of two draws of real samples: a training
# is evaluated dozens of times, and none of them may be a false alarm.
CHANCE_STDS = 4.0
# Modes are missing, and not merely near misses, from this fraction of the reverse KL
# that missing modes would give.
MIN_KL_FRACTION = 0.5
MAX_NAME = 40  # letters of a column or a category


@dataclass(frozen=True)
class MissingCategory:
    """A category of a table's column that real rows have, and samples hardly ever."""

    column: str
    category: str
    share: float
    """Of generated rows."""
    real_share: float
    """Of real ones."""

    def __str__(self) -> str:
        column, category = (clipped(name, MAX_NAME) for name in (self.column, self.category))
        return (
            f"{column} = {category!r} ({self.share:.1%} of them, {self.real_share:.1%} of the "
            "real rows)"
        )


def missing(values: Mapping[str, float], baselines: Mapping[str, float]) -> str:
    """Which modes or digits are missing.

    Samples that lie beside every mode, and on few, are divided evenly among the modes:
    they are blurred, and not collapsed.

    Args:
        values: Metrics of the samples by key.
        baselines: The same of real samples.

    Returns:
        What is missing, in words; empty if nothing is.
    """
    for key, covered in values.items():
        if family_of(key) != MODES_COVERED.key:
            continue
        if covered < baselines[key] - _missed_by_chance(int(detail_of(key))):
            collapsed_kl = math.log(baselines[key] / max(covered, 1))
            if values.get(REVERSE_KL.key, math.inf) > MIN_KL_FRACTION * collapsed_kl:
                return f"{covered:.0f} of {baselines[key]:.0f} modes are covered"
    digits = [
        detail_of(key)
        for key, frequency in values.items()
        if family_of(key) == DIGIT_FREQUENCY.key and frequency < MIN_DIGIT_FREQUENCY
    ]
    return f"hardly any {', '.join(digits)} among the digits" if digits else ""


def _missed_by_chance(modes: int) -> float:
    """How many modes fewer than real samples a sampler of the same distribution may
    cover.

    Of n samples modes * exp(-n / modes) modes are missed, which varies no more than a
    Poisson distribution; of few modes it is none.
    """
    return max(0.5, CHANCE_STDS * math.sqrt(2 * modes * math.exp(-QUICK_SAMPLES / modes)))
