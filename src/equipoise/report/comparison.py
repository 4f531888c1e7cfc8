"""The tables of a page: a metric a row, what it measures and which way is better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from equipoise.metrics.registry import Better
from equipoise.metrics.result import MetricResult
from equipoise.report.formatting import SIGNS, interval, label
from equipoise.report.report import Report
from equipoise.utils.formatting import number

BETTER_WORDS: dict[Better, str] = {
    "lower": "lower is better",
    "higher": "higher is better",
    "near": "near the baseline is best",
}


@dataclass(frozen=True)
class Row:
    """A metric in a table."""

    label: str
    meaning: str
    """What the metric measures."""
    better: Better
    cells: Sequence[tuple[str, str]]
    """Each run's value and interval; empty strings where a run lacks the metric."""
    baseline: str
    protocol: str = ""
    """How it was measured, where that differs from the row above."""

    @property
    def sign(self) -> str:
        """An arrow in the better direction."""
        return SIGNS[self.better]

    @property
    def better_words(self) -> str:
        """Which way is better, in words."""
        return BETTER_WORDS[self.better]


def rows(reports: Sequence[Report]) -> list[Row]:
    """A row for each metric of one or several runs. Where baselines differ, it has the
    lowest and the highest."""
    found = []
    for key in dict.fromkeys(metric.key for report in reports for metric in report.shown):
        of_runs = [_result(report, key) for report in reports]
        known = [metric for metric in of_runs if metric is not None]
        baselines = sorted({metric.baseline for metric in known if math.isfinite(metric.baseline)})
        ends = list(dict.fromkeys(map(number, baselines[:1] + baselines[-1:]))) or [
            number(math.nan)
        ]
        cells = [
            ("", "") if metric is None else (number(metric.value), interval(metric))
            for metric in of_runs
        ]
        first = known[0]
        found.append(Row(label(first), first.meaning, first.better, cells, " to ".join(ends)))
    return found


def _result(report: Report, key: str) -> MetricResult | None:
    return next((metric for metric in report.metrics if metric.key == key), None)


def rows_with_protocols(report: Report) -> list[Row]:
    """A row for each metric of one run, with its protocol where that changes."""
    found, above = [], ""
    for row, metric in zip(rows([report]), report.shown, strict=True):
        found.append(replace(row, protocol="" if metric.protocol == above else metric.protocol))
        above = metric.protocol
    return found
