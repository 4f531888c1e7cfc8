"""Blocks of samples: each can be drawn without those before it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from equipoise import GAN
from equipoise.sampling.rows import Rows
from equipoise.sampling.sampler import Asked, Sampler

RNG = np.random.default_rng(0)
POINTS, LABELS = RNG.normal(size=(60, 2)), ["a", "b"] * 30
IMAGES = RNG.integers(0, 256, (60, 24, 28), np.uint8)
KINDS: dict[str, tuple[str, Any, Any]] = {
    "points": ("balanced", POINTS, None),
    "labels": ("balanced", POINTS, LABELS),
    "images": ("dcgan", IMAGES, LABELS),
    "codes": ("infogan", POINTS, None),
}


@pytest.fixture(scope="module", params=KINDS)
def sampler(request: pytest.FixtureRequest) -> Sampler:
    recipe, x, labels = KINDS[request.param]
    settings: dict[str, Any] = {"samples": 32, "batch_size": 16, "width": 8, "threads": 1}
    return GAN(recipe, **settings).fit(x, labels)._trained().sampler


def test_any_rows_are_those_of_all(sampler: Sampler) -> None:
    block, size = sampler.draws.block, sampler.draws.pass_size
    n = block + size + 7
    codes = {"c0": np.arange(n) % 10} if sampler.prior.codes else None
    whole = sampler.values(n, 3, codes=codes)
    asked = Asked(n, 3, codes=codes)
    for span in (range(n), range(block, n), range(5, size), range(size - 1, block + 2), range(0)):
        rows = [*sampler.rows(asked, span)]
        made = Rows.join(rows).values if rows else whole[:0]
        assert np.array_equal(made, whole[span.start : span.stop])


def test_blocks_have_latents_and_classes_of_their_own(sampler: Sampler) -> None:
    block = sampler.draws.block
    z, y = sampler.latents(2 * block, 3)
    assert not torch.equal(z[:block], z[block:])
    if y is not None and sampler.recipe.conditional:
        assert not torch.equal(y[:block], y[block:])


def test_candidates_of_a_block_begin_with_its_samples_and_do_not_repeat(sampler: Sampler) -> None:
    block, size = sampler.draws.block, sampler.draws.pass_size
    z, y = sampler.latents(2 * block, 3)
    candidates = sampler.draws.candidates(1, 3)
    drawn = [next(candidates) for _ in range(2 * block // size)]
    assert torch.equal(torch.cat([z for z, _ in drawn])[:block], z[block:])
    if y is not None:
        classes = torch.cat([y for _, y in drawn if y is not None])
        assert torch.equal(classes[:block].to(y.device), y[block:])
    assert not torch.equal(drawn[0][0], drawn[block // size][0])
