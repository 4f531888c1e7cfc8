"""Rows in parts: none lost, none twice, in order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tests.helpers import TINY

from equipoise import GAN
from equipoise.sampling.batching import rebatch
from equipoise.sampling.draws import BLOCK


@pytest.mark.parametrize("sizes", [[], [7], [3, 3, 1], [1] * 7, [5, 0, 2], [10, 11]])
def test_regrouped_rows_are_the_same_in_order(sizes: list[int]) -> None:
    rows = torch.arange(sum(sizes))
    parts = (
        list(rebatch(rows.split(sizes), 3, torch.cat)) if sizes else list(rebatch([], 3, torch.cat))
    )
    assert torch.equal(torch.cat([rows[:0], *parts]), rows)
    assert all(len(part) == 3 for part in parts[:-1])
    assert all(0 < len(part) <= 3 for part in parts[-1:])


LABELS = ["a", "b"] * 30
POINTS = np.random.default_rng(0).normal(size=(60, 2))
IMAGES = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)


@pytest.mark.parametrize(
    ("recipe", "x", "labels", "clusters"),
    [
        ("balanced", POINTS, None, 2),
        ("balanced", POINTS, LABELS, 2),
        ("balanced", IMAGES, LABELS, 2),
        ("balanced", IMAGES, None, 0),
        ("infogan", POINTS, None, 0),
    ],
)
def test_the_first_batch_of_more_than_could_ever_be_drawn_comes_at_once(
    recipe: str, x: Any, labels: Any, clusters: int
) -> None:
    gan = GAN(recipe, **{**TINY, "clusters": clusters}).fit(x, labels)
    asked: dict[str, Any] = {"seed": 1, **({"code": {"c0": 1}} if recipe == "infogan" else {})}
    first = np.asarray(next(gan.sample_batches(10**12, 3, **asked)))
    assert np.array_equal(first, np.asarray(gan.sample(BLOCK, **asked))[:3])
