"""Groups of each channel by itself, and when there are any."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from equipoise.data import mnist
from equipoise.data.factory import open_source
from equipoise.transforms.fitting import fit_clustering
from equipoise.transforms.image_kmeans import ImageClusters
from equipoise.transforms.per_channel import ChannelClusters, are_independent
from equipoise.transforms.scaling import fit_scaling

SHAPE = (3, 28, 28)
ANY = torch.Generator()


@pytest.fixture(scope="module")
def stacked() -> torch.Tensor:
    """Three digits on one another, each drawn by itself: (4000, 3, 28, 28)."""
    digits, rng = mnist.load("test")[0][:4000], np.random.default_rng(0)
    return (
        torch.from_numpy(np.stack([digits[rng.permutation(4000)] for _ in range(3)], 1)).float()
        / 127.5
        - 1
    )


def test_each_channel_has_the_groups_that_it_has_by_itself(stacked: torch.Tensor) -> None:
    clustering = ChannelClusters.fit([stacked[:1500], stacked[1500:]], SHAPE, 20, 0)
    classes = clustering.assign(stacked, ANY)
    assert classes.shape == (4000, 3)
    for c in range(3):
        alone = ImageClusters.fit([stacked[:, c : c + 1]], (1, 28, 28), 20, 0)
        assert torch.equal(classes[:, c], 20 * c + alone.assign(stacked[:, c : c + 1], ANY))
    torch.testing.assert_close(
        clustering.posteriors(stacked), torch.zeros(4000, 60).scatter(1, classes, 1 / 3)
    )


def test_classes_are_drawn_at_each_channels_shares_and_independently(stacked: torch.Tensor) -> None:
    clustering = ChannelClusters.fit([stacked], SHAPE, 4, 0)
    drawn = clustering.classes(
        torch.zeros(20_000, dtype=torch.int64), torch.Generator().manual_seed(0)
    ) - clustering.first(1, torch.device("cpu"))
    shares = (
        torch.stack(
            [
                torch.bincount(group, minlength=4)
                for group in (clustering.assign(stacked, ANY) - clustering.first(1, ANY.device)).T
            ]
        )
        / 4000
    )
    together = torch.einsum("i,j,k->ijk", *shares).flatten().double().numpy()
    counts = np.bincount(drawn[:, 0] * 16 + drawn[:, 1] * 4 + drawn[:, 2], minlength=64)
    assert chisquare(counts, 20_000 * together / together.sum()).pvalue > 0.01


def same(x: torch.Tensor) -> torch.Tensor:
    return x[:, :1].expand(-1, 3, -1, -1)


def level(x: torch.Tensor) -> torch.Tensor:
    """The third is empty."""
    return torch.cat([x[:, :2], torch.zeros_like(x[:, :1])], 1)


def shared(x: torch.Tensor) -> torch.Tensor:
    """The third is the second one's for a fifth of the images."""
    return torch.cat(
        [
            x[:, :2],
            torch.where((torch.arange(len(x)) % 5 == 0)[:, None, None, None], x[:, 1:2], x[:, 2:]),
        ],
        1,
    )


@pytest.mark.parametrize("change", [same, level, shared])
def test_channels_that_depend_or_hardly_change_are_not_taken_apart(
    change: Callable[[torch.Tensor], torch.Tensor], stacked: torch.Tensor
) -> None:
    assert are_independent([stacked], SHAPE, 0)
    assert not are_independent([change(stacked)], SHAPE, 0)


def test_few_images_are_not_taken_apart(stacked: torch.Tensor) -> None:
    assert not are_independent([stacked[:1000]], SHAPE, 0)


def test_channels_of_unlabelled_images_are_taken_apart_by_themselves_or_when_asked(
    stacked: torch.Tensor,
) -> None:
    source = open_source(np.asarray((stacked.permute(0, 2, 3, 1).numpy() + 1) * 127.5, np.uint8))
    scaling = fit_scaling(source, "standard", 0)
    assert isinstance(fit_clustering(source, scaling, None, 0, 0, apart=None), ChannelClusters)
    assert isinstance(fit_clustering(source, scaling, 5, 0, 0, apart=True), ChannelClusters)
    assert isinstance(fit_clustering(source, scaling, 5, 0, 0, apart=False), ImageClusters)
