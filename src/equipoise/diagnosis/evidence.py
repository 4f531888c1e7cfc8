"""The evidence for a diagnosis: metrics beside their baselines, the log's curves, and
what the run was."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from equipoise.diagnosis.missing import MissingCategory
from equipoise.metrics.c2st import C2ST_ACCURACY, MARGIN
from equipoise.metrics.intervals import equivalence_power
from equipoise.metrics.modes import MODE_SPREAD
from equipoise.metrics.neighbours import COVERAGE, PRECISION, RECALL
from equipoise.metrics.registry import Metric
from equipoise.metrics.result import MetricResult
from equipoise.metrics.series.autocorrelation import AUTOCORRELATION, SQUARED
from equipoise.metrics.series.cross_correlation import CROSS_CORRELATION
from equipoise.metrics.series.marginals import WINDOWS
from equipoise.metrics.tables.column_shapes import COLUMN_SHAPE
from equipoise.metrics.tables.frechet import TABLE_FRECHET
from equipoise.metrics.tables.two_sample import C2ST_AUC

MODE_SPREAD_MARGIN = 0.1  # relative difference from real samples that does not matter
# Of precision, recall and coverage below their baselines, that does not matter.
RECALL_MARGIN = 0.05
AUC_MARGIN = 0.04  # of the C2ST above .5; two normals with an accuracy of .53 have .542
# Of a column's shape below its baseline, from which the column is off. Of a table that
# is learned well none is .02 below.
SHAPE_MARGIN = 0.05
# Of differences of autocorrelations above their baselines, that does not matter.
CORRELATION_MARGIN = 0.05
SHORT_FRACTION = 0.25  # of the usual samples; a shorter run may simply need more
BEGUN_FRACTION = 0.01  # of the usual samples; before, the networks have hardly been trained
# The primary metric still falls if its best value in the last third of the training is
# below this fraction of the best before.
IMPROVEMENT = 0.9
MIN_EVALUATIONS = 4  # while training; fewer show no trend
# More training is advised if as much again would bring the primary metric to this many
# times its baseline.
PROMISING_RATIO = 10.0


@dataclass(frozen=True)
class Evidence:
    """What a diagnosis is made from."""

    metrics: Sequence[MetricResult]
    """The results of the evaluation, the primary one first."""
    log: Sequence[Mapping[str, Any]]
    """The run's lines as log.jsonl has them."""
    held_out: int
    """Held-out samples, as far as they were counted."""
    samples_seen: int
    """Real samples that the training has seen."""
    usual_samples: int
    """Real samples that runs of this recipe on such data see by default."""
    recipe: str
    latent_dim: int
    """Continuous dimensions of a latent."""
    class_frequencies: tuple[float, ...]
    """Of the training data, for a conditional generator; empty for another."""
    data: str
    """As on the command line; empty for data that has no name there."""
    run: str | None
    """The run directory, if there is one."""
    has_validation: bool = False
    """Whether half of the held-out samples are a validation split."""
    outliers: bool = False
    """Whether the data has rows so extreme that the others are not learned."""
    ends_level: bool = True
    """Whether D ends a good training right about half of what it sees."""
    changed: tuple[str, ...] = ()
    """Settings of the recipe that differ from its defaults for this data."""
    missing_categories: tuple[MissingCategory, ...] = ()
    """Of a table, those that real rows have and samples hardly ever, the commonest
    first."""
    dropped: float | None = None
    """Of a table with constraints, the share of rows drawn that broke one."""

    def __getitem__(self, metric: Metric) -> MetricResult | None:
        return next((found for found in self.metrics if found.key == metric.key), None)

    @property
    def primary(self) -> MetricResult:
        """The primary metric."""
        return self.metrics[0]

    @property
    def is_table(self) -> bool:
        """Whether the data is a table of mixed columns."""
        return self[TABLE_FRECHET] is not None

    @property
    def is_series(self) -> bool:
        """Whether the data is windows of series."""
        return self.primary.key == WINDOWS.key

    @property
    def correlations_off(self) -> list[MetricResult]:
        """The differences of correlations in time that are surely above those of real
        windows."""
        found = (self[metric] for metric in (AUTOCORRELATION, SQUARED, CROSS_CORRELATION))
        return [
            metric
            for metric in found
            if metric is not None
            and metric.value > metric.baseline + CORRELATION_MARGIN
            and (metric.low is None or metric.low > metric.baseline)
        ]

    @property
    def columns_off(self) -> list[MetricResult]:
        """The shapes of a table's columns that are surely below their baselines, the
        furthest first."""
        off = [
            metric
            for metric in self.metrics
            if metric.family == COLUMN_SHAPE.key
            and metric.value < metric.baseline - SHAPE_MARGIN
            and (metric.high is None or metric.high < metric.baseline)
        ]
        return sorted(off, key=lambda metric: metric.value - metric.baseline)

    @property
    def baseline_ratio(self) -> float:
        """The primary metric over its baseline, at least 1; infinite where the metric
        is not finite, and where it is above a baseline of 0."""
        value, baseline = self.primary.value, self.primary.baseline
        if not math.isfinite(value):
            return math.inf
        if value <= baseline:
            return 1.0
        return value / baseline if baseline > 0 else math.inf

    @property
    def summary(self) -> str:
        """The primary metric beside its baseline, and the C2ST accuracy, in words."""
        value, baseline, c2st = self.primary.value, self.primary.baseline, self[C2ST_ACCURACY]
        accuracy = (
            "; a newly trained classifier tells generated from real samples with "
            f"{c2st.value:.0%} accuracy (chance: 50%)"
            if c2st
            else ""
        )
        beside = f"{times(self.baseline_ratio)} the baseline of real samples ({baseline:.4g})"
        if math.isinf(self.baseline_ratio):
            beside = f"where real samples get {baseline:.4g}"
        return f"{self.primary.label} is {value:.4g}, {beside}{accuracy}"

    @property
    def summary_sentence(self) -> str:
        """The same, beginning with a capital."""
        return self.summary[:1].upper() + self.summary[1:]

    @property
    def equivalent(self) -> bool:
        """Whether the samples were shown to be as good as real ones.

        That no test finds a difference does not show it: each test must have been able
        to. So the whole interval of the C2ST accuracy must be below .5 + MARGIN, the
        whole interval of the primary metric below that of real samples with a small
        difference that matters (points made 10% too narrow, rows of tables with 5% of
        each column's cells exchanged), that of coverage near its baseline (a digit of
        ten that is missing from images hardly shows in the others), precision and
        recall near theirs, and the spread inside known modes within 10% of the real
        one. Of a table the area under the ROC curve must be near .5 too, which says
        more than the accuracy where few rows give themselves away.
        """
        c2st, primary, spread = self[C2ST_ACCURACY], self.primary, self[MODE_SPREAD]
        if c2st is None or c2st.high is None or c2st.high >= 0.5 + MARGIN:
            return False
        if primary.narrowed is not None and (
            primary.high is None or primary.high >= primary.narrowed
        ):
            return False
        auc = self[C2ST_AUC]
        if auc is not None and (auc.high is None or auc.high >= 0.5 + AUC_MARGIN):
            return False
        coverage = self[COVERAGE]
        near = [
            (result.value, result.baseline)
            for result in (self[PRECISION], self[RECALL])
            if result is not None
        ]
        if coverage is not None and coverage.low is not None:
            near.append((coverage.low, coverage.baseline))
        if any(value < baseline - RECALL_MARGIN for value, baseline in near):
            return False
        return (
            spread is None
            or abs(spread.value - spread.baseline) <= MODE_SPREAD_MARGIN * spread.baseline
        )

    @property
    def equivalence_power(self) -> float:
        """The probability that the classifier two-sample test, on all held-out samples,
        shows a perfect sampler to be equivalent."""
        return equivalence_power(2 * max(self.held_out, 1), 0.5 + MARGIN)

    @property
    def rollbacks(self) -> int:
        """How often training went back to the last good weights."""
        return sum("recovered" in line for line in self.log)

    def curve(self, reading: str) -> list[float]:
        """The values of a reading, such as "balance", in the order of the log."""
        return [line[reading] for line in self.log if isinstance(line.get(reading), int | float)]

    @property
    def primary_curve(self) -> list[float]:
        """The primary metric as it was measured while training."""
        return [value for _, value in self._evaluations]

    @property
    def last_third(self) -> tuple[list[float], list[float]]:
        """The primary metric as it was measured while training: in the first two thirds
        of the samples seen, and after."""
        cut = 2 / 3 * self.samples_seen
        return [v for seen, v in self._evaluations if seen <= cut], [
            v for seen, v in self._evaluations if seen > cut
        ]

    @property
    def _evaluations(self) -> list[tuple[int, float]]:
        """Samples seen, and the primary metric then."""
        # A run that was stopped early went back to its best generator.
        until = [
            line for line in comparable_lines(self.log) if line["samples_seen"] <= self.samples_seen
        ]
        evaluated = [
            (line["samples_seen"], line["metrics"])
            for line in until
            if isinstance(line.get("metrics"), dict)
        ]
        primary = ((seen, values.get(self.primary.key, math.nan)) for seen, values in evaluated)
        return [(seen, value) for seen, value in primary if not math.isnan(value)]

    @property
    def greatest_rise(self) -> tuple[float, float]:
        """The greatest relative rise of the primary metric while training: the best
        value before, and the value that it rose to."""
        best, rise = math.inf, (1.0, 1.0)
        for value in self.primary_curve:
            if best < math.inf and value * rise[0] > rise[1] * max(best, 1e-300):
                rise = best, value
            best = min(best, value)
        return rise

    @property
    def improving(self) -> bool:
        """Whether the primary metric's best value in the last third is clearly below
        all before it, and the last value has not lost what was gained."""
        before, after = self.last_third
        if not before or not after:
            return False
        return min(after) < IMPROVEMENT * min(before) and after[-1] < min(before)

    @property
    def shows_trend(self) -> bool:
        """Whether there were enough evaluations while training for a trend."""
        return len(self.primary_curve) >= MIN_EVALUATIONS

    @property
    def promising(self) -> bool:
        """Whether as much training again would bring the primary metric near its
        baseline, if every third of it gains what the last third did."""
        if not self.improving:
            return False
        before, after = map(min, self.last_third)
        return self.baseline_ratio * (after / before) ** 3 <= PROMISING_RATIO

    @property
    def early_stopped(self) -> bool:
        """Whether training stopped because the primary metric no longer improved."""
        return bool(self.log) and "early_stopped" in self.log[-1]

    @property
    def failure(self) -> str:
        """Why training ended early and could not go on; empty if it did not, or went on
        later."""
        return str(self.log[-1].get("diverged", "")) if self.log else ""

    @property
    def is_short(self) -> bool:
        """Whether the run has seen far fewer samples than such runs usually do."""
        return self.samples_seen < SHORT_FRACTION * self.usual_samples

    @property
    def hardly_begun(self) -> bool:
        """Whether the run is too short for its curves to mean anything."""
        return self.samples_seen < BEGUN_FRACTION * self.usual_samples or (
            self.is_short and not self.shows_trend
        )


def comparable_lines(log: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The lines of a log whose metrics can be compared: from the last with baselines.

    Before it, a run that was resumed with or without early stopping measured them on
    other samples.
    """
    last = max((number for number, line in enumerate(log) if "baselines" in line), default=0)
    return log[last:]


def times(ratio: float) -> str:
    """A ratio, at least 1, in words."""
    if ratio <= 1:
        return "as good as"
    return f"{ratio:.1f} times" if ratio < 10 else f"{ratio:.0f} times"
