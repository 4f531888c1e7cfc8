"""Numbers of rows as numbers that look random: the same for a row and a seed, whatever
other rows are made with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROUNDS = 6  # of the Feistel network; 4 make a pseudorandom permutation (Luby, Rackoff 1988)


def scrambled(numbers: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    """Numbers of 64 bits, one for each, (N,): SplitMix64 (Steele et al. 2014), a
    permutation of all of them."""
    start = np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)
    z = numbers.astype(np.uint64) * np.uint64(0xD1342543DE82EF95) + start
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def permuted(numbers: NDArray[np.int64], size: int, seed: int) -> NDArray[np.int64]:
    """A permutation of 0, 1, ..., size - 1, at these numbers: a Feistel network over a
    power of 4, walked on until it comes below `size`.

    Args:
        numbers: At least 0, (N,). Those beyond begin anew.
        size: At most 2**62.
        seed: Which permutation.
    """
    half = max((max(size - 1, 1).bit_length() + 1) // 2, 1)
    mask = np.uint64(2**half - 1)
    x = (numbers % size).astype(np.uint64)
    left = np.ones(len(x), bool)
    while left.any():
        x[left] = _feistel(x[left], np.uint64(half), mask, seed)
        left = x >= np.uint64(size)
    return x.astype(np.int64)


def _feistel(
    x: NDArray[np.uint64], half: np.uint64, mask: np.uint64, seed: int
) -> NDArray[np.uint64]:
    high, low = x >> half, x & mask
    for turn in range(ROUNDS):
        mixed = scrambled(low.astype(np.int64), seed * ROUNDS + turn)
        high, low = low, high ^ (mixed & mask)
    return (high << half) | low
