"""A result: the value of a metric, what real samples get, and how far the value could
be off."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.metrics.registry import (
    Better,
    Metric,
    detail_of,
    family_of,
    in_table,
    label_of,
    meaning_of,
)


@dataclass(frozen=True)
class MetricResult:
    """The value of a metric beside its baseline, the value of as many real samples."""

    key: str
    """The metric's key in the registry, such as "c2st_accuracy"."""
    value: float
    baseline: float
    better: Better
    """Which values are good; a "near" one should equal its baseline."""
    protocol: str
    """What it was measured on, in words."""
    low: float | None = None
    """With `high`, the 95% interval of the value over other samples; None where it is
    not known."""
    high: float | None = None
    narrowed: float | None = None
    """The value of real samples with a small difference that matters: of points, with
    distances from the mean reduced by 10%; of rows of tables, with 5% of each column's
    cells exchanged (`Reference.narrow`).

    None where it was not measured.
    """
    n_samples: int | None = None
    """Generated samples that it was computed from; None where that is not known."""

    @classmethod
    def of(
        cls,
        metric: Metric,
        value: float,
        baseline: float,
        protocol: str,
        low: float | None = None,
        high: float | None = None,
        *,
        detail: object = None,
        n: int | None = None,
    ) -> MetricResult:
        """The result of a metric; `detail` names a member of a family."""
        key = metric.key if detail is None else metric.at(detail)
        return cls(key, value, baseline, metric.better, protocol, low, high, n_samples=n)

    @property
    def label(self) -> str:
        """The metric's name for people."""
        return label_of(self.key)

    @property
    def meaning(self) -> str:
        """What the metric measures, in one plain line; empty for a metric that is not
        known here."""
        return meaning_of(self.key)

    @property
    def family(self) -> str:
        """The key without a detail: "digit_frequency" of "digit_frequency/7"."""
        return family_of(self.key)

    @property
    def detail(self) -> str:
        """The detail of a member of a family: "7" of "digit_frequency/7"."""
        return detail_of(self.key)

    @property
    def in_table(self) -> bool:
        """Whether tables show it."""
        return in_table(self.key)
