"""Windows of series from arrays and lists of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data.series.windows import MAX_VALUES, Array, Channel, Series
from equipoise.data.tables.numbers import decimals_of
from equipoise.data.tables.spread_fit import bounds_of
from equipoise.errors import RequestError

ASK = "fill them first, as by interpolation, or drop the windows"


def series_of(
    windows: Sequence[NDArray[Any]], what: str, *, listed: bool, known: Series | None = None
) -> tuple[Array, Series]:
    """The rows of windows, and their form.

    Args:
        windows: (T_i, C) each, or (T_i,), of numbers.
        what: Names the data in messages.
        listed: Whether samples are to be a list.
        known: The form, where that is known.

    Raises:
        RequestError: If they cannot be windows of one series' channels, or hold blanks.
    """
    flat = all(window.ndim == 1 for window in windows)
    if flat:
        windows = [window[:, None] for window in windows]
    _check_shapes(windows, what)
    lengths = [len(window) for window in windows]
    check_blanks(windows, what)
    if known is not None:
        check_form(windows, known)
        return known.pack(windows), known
    joined = np.concatenate([*windows])
    names = [str(channel) for channel in range(joined.shape[1])]
    channels = tuple(channel_of(values, name) for values, name in zip(joined.T, names, strict=True))
    counts = Series.counts_of(lengths)
    series = Series(
        max(lengths), min(lengths), channels, listed=listed, flat=flat, length_counts=counts
    )
    return series.pack(windows), series


def check_form(windows: Sequence[NDArray[Any]], series: Series) -> None:
    """Check windows, (T_i, C) each, against a form.

    Raises:
        RequestError: If they have other channels, or lengths that it does not have.
    """
    lengths, channels = [len(window) for window in windows], windows[0].shape[1]
    fits = series.shortest <= min(lengths) and max(lengths) <= series.steps
    if not fits or channels != len(series.channels):
        raise RequestError(
            f"data has windows of {min(lengths):,} to {max(lengths):,} steps of {channels:,} "
            f"channels, the generator makes {series.described()}: give such"
        )


def _check_shapes(windows: Sequence[NDArray[Any]], what: str) -> None:
    """Check that windows have steps, and the same channels.

    Raises:
        RequestError: If not.
    """
    for place, window in enumerate(windows):
        if window.ndim != 2 or not window.size:
            raise RequestError(
                f"{what}: window {place} has shape {window.shape}: give (T, C) steps of channels, "
                "at least one step"
            )
        if window.shape[1] != windows[0].shape[1]:
            raise RequestError(
                f"{what}: window {place} has {window.shape[1]} channels, the first has "
                f"{windows[0].shape[1]}: give every window the same channels"
            )
    if (most := max(window.size for window in windows)) > MAX_VALUES:
        raise RequestError(f"{what} has a window of {most:,} values: cut it into shorter ones")


def check_blanks(windows: Sequence[NDArray[Any]], what: str, names: Sequence[str] = ()) -> None:
    """Check that all values are finite.

    Args:
        windows: (T_i, C) each.
        what: Names the data in messages.
        names: Of the channels.

    Raises:
        RequestError: If not, with how many values of how many windows are blank.
    """
    bad = [~np.isfinite(window) for window in windows]
    hit = [place for place, blank in enumerate(bad) if blank.any()]
    if not hit:
        return
    first = hit[0]
    step, channel = (int(i) for i in np.argwhere(bad[first])[0])
    of = repr(names[channel]) if names else channel
    count = sum(int(blank.sum()) for blank in bad)
    raise RequestError(
        f"{what} has {count:,} blank or infinite values in {len(hit):,} of {len(windows):,} "
        f"windows, the first in window {first}, step {step}, channel {of}: {ASK}"
    )


def channel_of(values: NDArray[Any], name: str) -> Channel:
    """What one channel's values, (M,), are like."""
    eps = float(np.finfo(values.dtype).eps) if values.dtype.kind == "f" else 0.0
    distinct, counts = np.unique(values.astype(np.float64), return_counts=True)
    decimals = decimals_of(distinct, eps)
    low, high = bounds_of(distinct, counts, None if decimals is None else 10.0**decimals)
    return Channel(name, None if decimals is None else 10.0**-decimals, low, high)
