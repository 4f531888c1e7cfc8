"""The tables of a page: a metric a row, with
what it measures and which way is better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from equipoise.diagnosis import Severity
from equipoise.metrics.result import Better, MetricResult, meaning
from equipoise.report.formatting import SIGNS, interval
from equipoise.report.report import Report
from equipoise.utils.formatting import number

MARKS: dict[Severity, str] = {"good": "✓ good", "fair": "▲ not there yet", "bad": "✗ problem"}
"""What stands beside the colour."""
WORDS: dict[Better, str] = {
    "lower": "lower is better",
    "higher": "higher is better",
    "near": "near the baseline is best",
}


@dataclass(frozen=True)
class Row:
    """A metric in a table: each run's value and interval, "" where a run has none,
    and the baseline. `protocol` says on what it was measured, where that is not as in
    the row above."""

    name: str
    better: Better
    cells: Sequence[tuple[str, str]]
    floor: str
    protocol: str = ""

    @property
    def sign(self) -> str:
        """An arrow to the better side."""
        return SIGNS[self.better]

    @property
    def which(self) -> str:
        """The better side in words."""
        return WORDS[self.better]

    @property
    def meaning(self) -> str:
        """What the metric measures."""
        return meaning(self.name)


def rows(reports: Sequence[Report]) -> list[Row]:
    """The table of several runs. Of baselines that
    differ it holds the least and the greatest."""
    found = []
    for name in dict.fromkeys(metric.name for report in reports for metric in report.shown):
        of_runs = [_figure(report, name) for report in reports]
        known = [metric for metric in of_runs if metric is not None]
        floors = sorted({metric.floor for metric in known if math.isfinite(metric.floor)})
        ends = list(dict.fromkeys(map(number, floors[:1] + floors[-1:]))) or [number(math.nan)]
        cells = [
            ("", "") if metric is None else (number(metric.value), interval(metric))
            for metric in of_runs
        ]
        found.append(Row(name, known[0].better, cells, " to ".join(ends)))
    return found


def _figure(report: Report, name: str) -> MetricResult | None:
    return next((metric for metric in report.metrics if metric.name == name), None)


def with_protocols(report: Report) -> list[Row]:
    """The rows of the table; a protocol stands where
    it differs from that of the figure above."""
    found, above = [], ""
    for row, metric in zip(rows([report]), report.shown, strict=True):
        found.append(replace(row, protocol="" if metric.protocol == above else metric.protocol))
        above = metric.protocol
    return found
