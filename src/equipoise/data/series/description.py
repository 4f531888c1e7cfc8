"""The channels of windows of series in words."""

from __future__ import annotations

from equipoise.data.series.windows import Array, Channel, Series
from equipoise.data.tables.table import Described

EXAMPLES = 3  # values
DIGITS = 4  # of the mean and standard deviation


def described_channels(series: Series, rows: Array) -> tuple[Described, ...]:
    """A row of a printed table for each channel.

    Args:
        series: The form of the windows.
        rows: Of some windows, (N, D).
    """
    values = series.values(rows)[series.present(rows)]
    return tuple(
        Described(
            channel.name,
            "channel",
            f"{_range(channel)}, mean {column.mean():.{DIGITS}g}, std {column.std():.{DIGITS}g}",
            0.0,
            ", ".join(f"{value:.6g}" for value in column[:EXAMPLES]),
        )
        for channel, column in zip(series.channels, values.T, strict=True)
    )


def _range(channel: Channel) -> str:
    """What values a channel can have."""
    low, high, step = channel.low, channel.high, channel.step
    kind = "real" if step is None else "whole" if step == 1 else f"in steps of {step:.6g}"
    if low is None and high is None:
        return kind
    if high is None:
        return f"{kind}, from {low:.6g}"
    return f"{kind}, up to {high:.6g}" if low is None else f"{kind}, {low:.6g} to {high:.6g}"
