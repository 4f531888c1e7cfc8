"""Metrics as people read them: signs for which way is good, and intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping

from equipoise.diagnosis import Severity
from equipoise.errors import clipped, printable
from equipoise.metrics.registry import Better
from equipoise.metrics.result import MetricResult
from equipoise.utils.formatting import MAX_PLAIN, number

SIGNS: Mapping[Better, str] = {"lower": "↓", "higher": "↑", "near": "≈"}
SEVERITY_MARKS: dict[Severity, str] = {
    "good": "✓ good",
    "fair": "▲ not there yet",
    "bad": "✗ problem",
}
"""The severity in words, beside its colour."""
KEY = "↓ lower is better, ↑ higher is better, ≈ nearer to the baseline is better"
GENERATED, INTERVAL, BASELINE = "generated", "± 95% interval", "real (baseline)"  # of a table
# Fraction of half an interval by which its middle may be off the value, to be written
# as the value +- half the interval.
OFF_CENTRE = 0.25
MAX_LABEL = 46  # letters


def label(metric: MetricResult) -> str:
    """A metric's name for people. That of one column holds the column's name, which may
    be anything."""
    return clipped(printable(metric.label), MAX_LABEL)


def interval(metric: MetricResult) -> str:
    """Half the width of a metric's interval, with a sign; its ends where the value is
    not about its middle; empty where it is not known."""
    if metric.low is None or metric.high is None or not 0 < metric.high - metric.low < math.inf:
        return ""
    half = (metric.high - metric.low) / 2
    if abs(metric.low + half - metric.value) > OFF_CENTRE * half:
        return f"({number(metric.low)} to {number(metric.high)})"
    return f"± {float(f'{half:.2g}'):,.0f}" if 100 <= half < MAX_PLAIN else f"± {half:.2g}"
