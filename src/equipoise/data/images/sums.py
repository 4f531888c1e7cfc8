"""Exact sums of integer images, to which a scaling is fitted without reading the images
again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK_VALUES = 2**21  # converted to int64 at once: 16 MiB


def sums_of(images: NDArray[Any]) -> NDArray[np.int64]:
    """The exact sum of each image's values and of their squares, (n, 2), for images of
    8 or 16 bit, (n, ...)."""
    flat = images.reshape(len(images), -1)
    sums = np.zeros((len(flat), 2), np.int64)
    step = max(BLOCK_VALUES // max(len(flat), 1), 1)
    for start in range(0, flat.shape[1], step):
        x = flat[:, start : start + step].astype(np.int64)
        sums += np.stack([x.sum(1), np.einsum("ij,ij->i", x, x)], 1)
    return sums
