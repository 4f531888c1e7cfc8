"""Metric suites: for each kind of data the registered metrics, each with its baseline.

A suite is built once from a reference, and is then called with samples in the user's
units. Its first metric is the primary one. A quick suite, for use while training, has
only the metrics that are cheap.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from equipoise.metrics.intervals import half_widths
from equipoise.metrics.reference import Array, Reference
from equipoise.metrics.registry import Measure, family_of, find, measures
from equipoise.metrics.result import MetricResult

QUICK_SAMPLES = 2_000  # points and digits, while training
QUICK_IMAGES = 500  # other images, while training
MIN_FOR_INTERVALS = 40  # samples


class MetricSuite:
    """Compares samples, (n, *shape) in the user's units, with real ones.

    Args:
        reference: The real samples.
        quick: Only the metrics that are computed while training.
    """

    def __init__(self, reference: Reference, quick: bool = False) -> None:
        self.reference: Reference = reference
        self.n: int = reference.n
        self.cost: float = reference.cost
        self.measures: list[Measure] = measures(reference.kind, while_training=quick)

    @property
    def primary(self) -> Measure:
        """The measure that has the primary metric."""
        return self.measures[0]

    def measure(self, rows: Array) -> dict[str, float]:
        """The value of each metric by its key, the primary one first, of prepared
        samples."""
        values: dict[str, float] = {}
        for measure in self.measures:
            values |= measure(self.reference, rows)
        return values

    def __call__(self, x: Array) -> dict[str, float]:
        return self.measure(self.reference.prepare(x))

    def metrics(self, x: Array, reals: Sequence[Array]) -> list[MetricResult]:
        """Each metric of samples with its interval and its baseline.

        Args:
            x: Generated samples, (n, *shape).
            reals: Draws of other real samples than the reference has; the baseline is
                the mean over them.

        Returns:
            The results, the primary one first. A metric without a value, for x or for
            real samples, is left out; the primary one never is.
        """
        rows = self.reference.prepare(x)
        values, baselines = self.measure(rows), mean_values([self(real) for real in reals])
        widths = self._half_widths(rows)
        primary = next(iter(values))
        return [
            self._result(
                key, value, baselines[key], widths.get(key), (len(x), reals), key == primary
            )
            for key, value in values.items()
            if key == primary or not math.isnan(value + baselines.get(key, math.nan))
        ]

    def _result(
        self,
        key: str,
        value: float,
        baseline: float,
        width: float | None,
        samples: tuple[int, Sequence[Array]],
        is_primary: bool,
    ) -> MetricResult:
        n, reals = samples
        return MetricResult(
            key,
            value,
            baseline,
            find(key).better,
            self.protocol(key, n, len(reals[0]), len(reals)),
            low=None if width is None else value - width,
            high=None if width is None else value + width,
            narrowed=self.narrowed(reals) if is_primary else None,
            n_samples=self._measure_of(key).used(n),
        )

    def _half_widths(self, rows: Array) -> dict[str, float]:
        """Half of each interval, where it is known."""
        n = len(rows)
        if n < MIN_FOR_INTERVALS:
            return {}
        widths = half_widths(
            lambda chosen: self.measure(rows[chosen]), n, lambda key: self._measure_of(key).used(n)
        )
        return {key: width for key, width in widths.items() if math.isfinite(width)}

    def narrowed(self, reals: Sequence[Array]) -> float | None:
        """The primary metric of real samples that were made too narrow, see
        `MetricResult.narrowed`."""
        rows = [self.reference.narrow(self.reference.prepare(real)) for real in reals]
        values = [
            next(iter(self.primary(self.reference, narrow).values()))
            for narrow in rows
            if narrow is not None
        ]
        return float(np.mean(values)) if values else None

    def protocol(self, key: str, n: int, n_real: int, draws: int) -> str:
        """What a metric was measured on, in words."""
        measure = self._measure_of(key)
        baseline = f"baseline: {measure.used(n_real):,} real samples" + (
            f", mean of {draws} draws" if draws > 1 else ""
        )
        compared_with = measure.reference_text(self.reference)
        return f"{measure.used(n):,} samples against {compared_with}; {baseline}"

    def _measure_of(self, key: str) -> Measure:
        """The measure that computes the metric of this key."""
        family = family_of(key)
        return next(
            measure
            for measure in self.measures
            if any(metric.key == family for metric in measure.metrics)
        )


def mean_values(values: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each metric over several draws of samples."""
    return {
        key: float(np.mean([found.get(key, math.nan) for found in values])) for key in values[0]
    }
