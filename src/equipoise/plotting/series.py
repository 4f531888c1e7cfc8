"""Windows of series as lines over their steps, and their autocorrelations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.data.series.windows import Series
from equipoise.errors import clipped
from equipoise.metrics.series.autocorrelation import MAX_LAG, autocorrelations
from equipoise.plotting.axes import (
    GENERATED,
    MAX_PANEL_NAME_LENGTH,
    REAL,
    axis_limits,
    legend_below,
    round_ticks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
MAX_SHOWN = 4  # channels of windows
MAX_SHOWN_ACF = 6  # channels of autocorrelations
LINES = 6  # windows in a panel
BAND = (0.05, 0.95)  # quantiles of all windows
MIN_FOR_BAND = 5  # windows that have a step
ROW, HEAD, WIDTH = 1.5, 0.9, 7.2  # inches


def windows_size(series: Series, width: float = WIDTH) -> tuple[float, float]:
    """The size of a figure of windows in inches."""
    return width, ROW * min(len(series.channels), MAX_SHOWN) + HEAD


def channels_note(series: Series, most: int = MAX_SHOWN) -> str:
    """What a title says where not all channels are drawn; empty where all are."""
    count = len(series.channels)
    return f"; the first {most} of {count} channels" if count > most else ""


def window_panels(figure: Figure, series: Series, generated: Array, real: Array | None) -> None:
    """A row for each channel: some real windows on the left, as many generated ones on
    the right, on the same axes, over the band that 90% of all windows are in.

    Args:
        figure: An empty one.
        series: The form of the windows.
        generated: Rows of windows, (N, D).
        real: Others, (M, D).
    """
    sides = [] if real is None else [(real, REAL, "real")]
    sides.append((generated, GENERATED, "generated"))
    shown = min(len(series.channels), MAX_SHOWN)
    panels = figure.subplots(shown, len(sides), squeeze=False, sharex=True, sharey="row")
    axes_of = generated if real is None else real
    for row, of_channel in enumerate(panels):
        low, high = axis_limits(series.values(axes_of)[series.present(axes_of)][:, row])
        for axes, (rows, color, name) in zip(of_channel, sides, strict=True):
            _windows(axes, series, rows, row, color)
            axes.set_ylim(float(low), float(high))
            if row == 0:
                axes.set_title(f"{min(LINES, len(rows))} {name} of {len(rows):,}", fontsize=9)
        of_channel[0].set_ylabel(_name(series, row), fontsize=9)
    for axes in panels[-1]:
        axes.set_xlabel("step", fontsize=9)


def _windows(axes: Axes, series: Series, rows: Array, channel: int, color: str) -> None:
    """Some windows of one channel as lines, over the band of all."""
    values, present = series.values(rows)[:, :, channel], series.present(rows)
    steps = np.flatnonzero(present.sum(0) >= MIN_FOR_BAND)
    if len(steps):
        ends = np.nanquantile(np.where(present, values, np.nan)[:, steps], BAND, axis=0)
        axes.fill_between(steps, ends[0], ends[1], color=color, alpha=0.15, linewidth=0)
    for line, length in zip(values[:LINES], series.lengths(rows[:LINES]).tolist(), strict=True):
        axes.plot(np.arange(length), line[:length], color=color, linewidth=0.9, alpha=0.8)
    _plain_ticks(axes)


def autocorrelation_panels(
    figure: Figure, series: Series, generated: Array, real: Array
) -> Sequence[float]:
    """A panel for each of the first channels: the autocorrelations of both.

    Args:
        figure: An empty one.
        series: The form of the windows.
        generated: Rows of windows, (N, D).
        real: Others, (M, D).

    Returns:
        The largest difference in each panel.
    """
    shown = min(len(series.channels), MAX_SHOWN_ACF)
    columns = min(shown, 3)
    panels = figure.subplots(-(-shown // columns), columns, squeeze=False, sharey=True)
    found = [
        autocorrelations(series.values(rows), series.present(rows), MAX_LAG)
        for rows in (real, generated)
    ]
    for channel, axes in enumerate(panels.flat):
        if channel >= shown:
            axes.remove()
            continue
        axes.axhline(0, color="#999999", linewidth=0.6)
        for values, color, name in zip(
            found, (REAL, GENERATED), ("real", "generated"), strict=True
        ):
            lags = np.arange(len(values) + 1)
            line = np.append(1.0, values[:, channel])
            axes.plot(lags, line, ".-", color=color, linewidth=1.2, markersize=4, label=name)
        axes.set_title(_name(series, channel), fontsize=9)
        axes.set_xlabel("lag, in steps", fontsize=9)
        _plain_ticks(axes)
    legend_below(figure, figure.axes[0])
    lags = min(found[0].shape[0], found[1].shape[0])
    differences = np.abs(found[0][:lags] - found[1][:lags])
    gaps: list[float] = differences.max(0, initial=0.0)[:shown].tolist()
    return gaps


def _name(series: Series, channel: int) -> str:
    """What a panel of a channel is called."""
    name = series.names[channel]
    return clipped(name if series.frame is not None else f"channel {name}", MAX_PANEL_NAME_LENGTH)


def _plain_ticks(axes: Axes) -> None:
    axes.tick_params(labelsize=8)
    axes.xaxis.set_major_locator(round_ticks(5))
    axes.yaxis.set_major_locator(round_ticks(4))
    axes.ticklabel_format(axis="y", scilimits=(-3, 4))
