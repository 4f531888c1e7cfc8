"""Rows in parts: none lost, none twice, in order."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from equipoise import GAN
from equipoise.sampling.batching import blocks, regrouped


@pytest.mark.parametrize(("n", "expected"), [(0, []), (1, [1]), (3, [3]), (4, [4]), (5, [5]), (6, [4, 2]), (9, [4, 5])])
def test_blocks_are_n_together_and_none_is_one_among_several(n: int, expected: list[int]) -> None:
    assert [*blocks(n, 4)] == expected


@pytest.mark.parametrize("sizes", [[], [7], [3, 3, 1], [1] * 7, [5, 0, 2], [10, 11]])
def test_regrouped_rows_are_the_same_in_order(sizes: list[int]) -> None:
    rows = torch.arange(sum(sizes))
    parts = list(regrouped(rows.split(sizes), 3, torch.cat)) if sizes else list(regrouped([], 3, torch.cat))
    assert torch.equal(torch.cat([rows[:0], *parts]), rows)
    assert all(len(part) == 3 for part in parts[:-1])
    assert all(0 < len(part) <= 3 for part in parts[-1:])


def test_the_first_batch_of_more_than_could_ever_be_drawn_comes_at_once() -> None:
    gan = GAN(samples=32, batch_size=16, width=8, threads=1).fit(np.random.default_rng(0).normal(size=(200, 2)))
    assert gan._trained().modes is not None
    assert len(np.asarray(next(gan.sample_batches(10**24, 3)))) == 3
