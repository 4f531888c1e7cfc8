"""The best setting beside the default, each trained with the same fresh seeds.

The best of many noisy trials looks better than it is: it was lucky too (the winner's
curse). Training both again with seeds that the search has not seen tells how much of
the gain is the setting's.

The figures are of the test split. Their differences are taken seed by seed, and the
interval of their mean is Student's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Literal

from equipoise.sweeps.storage import DEFAULT

CONFIDENCE = 0.95
Outcome = Literal["better", "no better", "worse"]


@dataclass(frozen=True)
class FreshRun:
    """A run of one setting with a seed that the search has not seen."""

    setting: str
    """"best" or "default"."""
    seed: int
    test: float
    """The metric on the test split; infinity if training diverged."""
    validation: float
    """The metric while training, on the validation split, at the end."""
    baseline: float
    """The metric of real samples."""
    path: Path | None
    """Its run directory; None where training diverged, or is on another machine."""


@dataclass(frozen=True)
class Comparison:
    """The runs of both settings, by seed."""

    best: tuple[FreshRun, ...]
    """Empty where the default is the best setting of the search."""
    default: tuple[FreshRun, ...]

    @classmethod
    def of(cls, runs: Sequence[FreshRun]) -> Comparison | None:
        """The comparison of these runs, as far as there are both of a seed; None if
        there are none."""
        by_setting: dict[str, dict[int, FreshRun]] = {"best": {}, DEFAULT: {}}
        for run in runs:
            by_setting[run.setting][run.seed] = run
        best, default = by_setting["best"], by_setting[DEFAULT]
        shared = sorted(best.keys() & default.keys() if best else default.keys())
        if not shared:
            return None
        return cls(
            tuple(best[seed] for seed in shared if seed in best),
            tuple(default[seed] for seed in shared),
        )

    @property
    def seeds(self) -> int:
        """The number of seeds."""
        return len(self.default)

    @property
    def diverged(self) -> dict[str, int]:
        """How many runs of each setting diverged."""
        parts = {"best": self.best, DEFAULT: self.default}
        return {
            name: sum(not math.isfinite(run.test) for run in runs) for name, runs in parts.items()
        }

    @property
    def differences(self) -> list[float]:
        """The best setting's metric less the default's, of each seed with both."""
        pairs = zip(self.best, self.default, strict=bool(self.best))
        found = [best.test - default.test for best, default in pairs]
        return [difference for difference in found if math.isfinite(difference)]

    @property
    def half_width(self) -> float:
        """Half of the interval of the mean difference: smaller differences cannot be
        told from none. Infinity for fewer than two seeds."""
        from scipy import stats

        differences = self.differences
        if len(differences) < 2:
            return math.inf
        quantile = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(differences) - 1))
        return quantile * stdev(differences) / math.sqrt(len(differences))

    @property
    def mean_difference(self) -> float:
        """The mean over seeds of the best setting's metric less the default's."""
        return fmean(self.differences) if self.differences else math.nan

    @property
    def verdict(self) -> Outcome:
        """Whether the interval of the difference is below 0, has it, or is above.

        A setting that diverges more often is worse. One that never does is better than
        a default that diverges half of the time.
        """
        diverged = self.diverged
        if self.best and not diverged["best"] and 2 * diverged[DEFAULT] >= self.seeds:
            return "better"
        if not self.best or not self.differences:
            return "no better"
        if self.mean_difference - self.half_width > 0 or diverged["best"] > diverged[DEFAULT]:
            return "worse"
        return "better" if self.mean_difference + self.half_width < 0 else "no better"

    @property
    def gain_on_validation(self) -> float:
        """How much lower the best setting's metric is on the validation split, as a
        fraction of the default's: the measure of the search, on fresh seeds."""
        return gain(mean_of(self.best, "validation"), mean_of(self.default, "validation"))


def mean_of(runs: Sequence[FreshRun], split: Literal["test", "validation"]) -> float:
    """The mean of a metric over runs that have one; NaN where none has."""
    found = [value for run in runs if math.isfinite(value := getattr(run, split))]
    return fmean(found) if found else math.nan


def spread_of(runs: Sequence[FreshRun]) -> float:
    """The standard deviation over seeds on the test split; NaN for fewer than two."""
    found = [run.test for run in runs if math.isfinite(run.test)]
    return stdev(found) if len(found) > 1 else math.nan


def gain(value: float, reference: float) -> float:
    """How much lower a metric is, as a fraction of the reference; NaN if unknown."""
    return 1 - value / reference if reference > 0 and math.isfinite(value) else math.nan
