"""Exact sums of images of whole numbers, which a scaling is fitted to without reading
them again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

PART = 2**21  # values that are in int64 at once: 16 MiB


def sums_of(images: NDArray[Any]) -> NDArray[np.int64]:
    """The sum of each image's values and the sum of their squares, (n, 2), exactly, of
    images of 8 or 16 bit, (n, ...)."""
    flat = images.reshape(len(images), -1)
    sums = np.zeros((len(flat), 2), np.int64)
    step = max(PART // max(len(flat), 1), 1)
    for start in range(0, flat.shape[1], step):
        x = flat[:, start : start + step].astype(np.int64)
        sums += np.stack([x.sum(1), np.einsum("ij,ij->i", x, x)], 1)
    return sums
