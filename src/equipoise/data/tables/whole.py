"""Whole numbers that floats do not have all, counted from an origin where they do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_EXACT = 2**53  # up to here float64 has every whole number
FARTHEST = float(2**63 - 1024)  # the greatest float that int64 has


def origin_of(values: NDArray[Any]) -> int:
    """Where to count from, so that floats have every one of these numbers: 0, unless
    whole numbers are so large that they do not.

    Args:
        values: Sorted, (M,).
    """
    if values.dtype.kind not in "iu":
        return 0
    low, high = int(values[0]), int(values[-1])
    if max(abs(low), abs(high)) <= MAX_EXACT or high - low >= 2**63:
        return 0
    return min(low, 2**63)


def counted_from(values: NDArray[Any], origin: int) -> NDArray[np.float64]:
    """The distances of numbers, (N,), from the origin, exact where floats have them."""
    if values.dtype.kind not in "iu" or origin == 0:
        return values.astype(np.float64)
    # Modulo 2**64, where the difference of no two of them overflows.
    start, bits = np.uint64(origin % 2**64), values.astype(np.uint64)
    above = values >= np.array(origin, values.dtype)
    return np.where(above, (bits - start).astype(np.float64), -(start - bits).astype(np.float64))


def whole_from(distances: NDArray[np.float64], origin: int, signed: bool) -> NDArray[Any]:
    """The whole numbers at these distances from the origin, (N,), int64 or uint64: the
    inverse of `counted_from`."""
    kind = np.int64 if signed else np.uint64
    if origin == 0:
        within: NDArray[Any] = np.rint(distances.clip(-FARTHEST * signed, FARTHEST)).astype(kind)
        return within
    far = np.rint(distances.clip(-FARTHEST, FARTHEST))
    start, bits = np.uint64(origin % 2**64), np.abs(far).astype(np.uint64)
    found: NDArray[Any] = np.where(far < 0, start - bits, start + bits).astype(kind)
    return found
