from __future__ import annotations

import torch
from scipy import stats

from equipoise.networks.latents import Prior


def test_normal_latents_are_standard_normal() -> None:
    z = Prior(2).sample(20_000, torch.Generator().manual_seed(0))
    assert stats.kstest(z[:, 0].numpy(), "norm").pvalue > 0.01


def test_uniform_latents_fill_minus_one_to_one() -> None:
    z = Prior(1, "uniform").sample(20_000, torch.Generator().manual_seed(0))
    assert stats.kstest(z[:, 0].numpy(), "uniform", args=(-1, 2)).pvalue > 0.01


def test_the_categorical_part_is_one_hot_of_height_two_and_even() -> None:
    prior = Prior(3, categories=5)
    z = prior.sample(10_000, torch.Generator().manual_seed(0))
    part = z[:, 3:]
    assert z.shape == (10_000, prior.width)
    assert torch.equal(part.sort(1).values, torch.tensor([0.0, 0, 0, 0, 2]).expand_as(part))
    assert stats.chisquare((part > 0).sum(0).numpy()).pvalue > 0.01


def test_equal_generators_give_equal_latents() -> None:
    prior = Prior(3, categories=5)
    assert torch.equal(prior.sample(9, torch.Generator().manual_seed(4)), prior.sample(9, torch.Generator().manual_seed(4)))
