"""Which arrays of three axes are windows of series, and which are grey images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data.limits import CONVENTIONS
from equipoise.errors import RequestError

IMAGE_TYPES = ("bool", "uint8", "uint16")
MAX_CHANNELS = 16  # of series, where nothing else tells
MIN_SIDE = 8  # pixels of an image whose values are on a convention's range
MIN_RATIO = 10.0  # of the channels' standard deviations
LOOKED_AT = 1_000  # windows


def looks_like_series(array: NDArray[Any]) -> bool:
    """Whether (N, A, B) is windows of A steps of B channels, and not images of A x B
    pixels.

    Squares are images, and so are arrays of a type that pixels have. So are floats on
    [0, 1] or [-1, 1] of 8 x 8 and more. Anything else is series if it has at most 16
    channels, or channels of very different scales.
    """
    steps, channels = array.shape[1:]
    if array.dtype.name in IMAGE_TYPES or steps == channels or steps < 2:
        return False
    some = array[:LOOKED_AT].astype(np.float64)
    finite = some[np.isfinite(some)]
    if min(steps, channels) >= MIN_SIDE and len(finite):
        low, high = float(finite.min()), float(finite.max())
        if any(least <= low and high <= most for least, most in CONVENTIONS):
            return False
    return channels <= MAX_CHANNELS or _scales_differ(some)


def refuse_windows(first: NDArray[Any], asked: str | None, what: str, give: str) -> None:
    """Check that data which is read part by part, so as points or images, is no windows
    of series.

    Args:
        first: Its first samples.
        asked: The layout that the user asks for; None for what the data looks like.
        what: Names the data in messages.
        give: What would be right instead.

    Raises:
        RequestError: If samples look like windows.
    """
    if asked is not None or first.ndim != 3 or not looks_like_series(first):
        return
    steps, channels = first.shape[1:]
    raise RequestError(
        f"{what} looks like windows of series, of {steps:,} steps of {channels:,} "
        f"channel{'s' * (channels != 1)}, which are learned from memory alone: {give}; for grey "
        f"images of {channels:,} x {steps:,} pixels say layout='NHW'"
    )


def _scales_differ(some: NDArray[np.float64]) -> bool:
    """Whether channels, the last axis, have very different standard deviations."""
    spreads = some.reshape(-1, some.shape[2]).std(0)
    spreads = spreads[spreads > 0]
    return len(spreads) > 1 and bool(spreads.max() > MIN_RATIO * spreads.min())


def read_note(shape: tuple[int, ...], *, as_series: bool) -> str:
    """How (N, A, B) was read, and what to type for the other."""
    count, first, second = shape
    if as_series:
        channels = f"{second:,} channel{'s' * (second != 1)}"
        return (
            f"read as {count:,} windows of {first:,} steps of {channels}; for grey images type "
            "--layout NHW (in Python layout='NHW')"
        )
    return (
        f"read as grey images of {second:,} x {first:,} pixels; for windows of {first:,} steps of "
        f"{second:,} channels type --layout NTC (in Python layout='NTC')"
    )
