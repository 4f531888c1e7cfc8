"""Clusters of each channel, and when there are any."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from equipoise.data import mnist
from equipoise.data.factory import open_source
from equipoise.transforms.fitting import channels_are_independent, fit_chain
from equipoise.transforms.image_kmeans import ImageClusters
from equipoise.transforms.per_channel import ChannelClusters, are_independent

SHAPE = (3, 28, 28)
ANY = torch.Generator()


@pytest.fixture(scope="module")
def stacked() -> torch.Tensor:
    """Three digits on one another, drawn independently: (4000, 3, 28, 28)."""
    digits, rng = mnist.load("test")[0][:4000], np.random.default_rng(0)
    return (
        torch.from_numpy(np.stack([digits[rng.permutation(4000)] for _ in range(3)], 1)).float()
        / 127.5
        - 1
    )


def test_each_channel_has_the_clusters_of_that_channel_alone(stacked: torch.Tensor) -> None:
    clustering = ChannelClusters(SHAPE, 20).fit([stacked[:1500], stacked[1500:]])
    classes = clustering.assign(stacked, ANY)
    assert classes.shape == (4000, 3)
    for c in range(3):
        single = ImageClusters((1, 28, 28), 20).fit([stacked[:, c : c + 1]])
        assert torch.equal(classes[:, c], 20 * c + single.assign(stacked[:, c : c + 1], ANY))
    torch.testing.assert_close(
        clustering.posteriors(stacked), torch.zeros(4000, 60).scatter(1, classes, 1 / 3)
    )


def test_classes_are_drawn_at_each_channels_weights_and_independently(
    stacked: torch.Tensor,
) -> None:
    clustering = ChannelClusters(SHAPE, 4).fit([stacked])
    drawn = clustering.classes(
        torch.zeros(20_000, dtype=torch.int64), torch.Generator().manual_seed(0)
    ) - clustering.first(1, torch.device("cpu"))
    weights = (
        torch.stack(
            [
                torch.bincount(group, minlength=4)
                for group in (clustering.assign(stacked, ANY) - clustering.first(1, ANY.device)).T
            ]
        )
        / 4000
    )
    together = torch.einsum("i,j,k->ijk", *weights).flatten().double().numpy()
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
def test_channels_that_depend_or_hardly_change_are_not_independent(
    change: Callable[[torch.Tensor], torch.Tensor], stacked: torch.Tensor
) -> None:
    assert are_independent([stacked], SHAPE, 0)
    assert not are_independent([change(stacked)], SHAPE, 0)


def test_few_images_are_not_enough_for_independence(stacked: torch.Tensor) -> None:
    assert not are_independent([stacked[:1000]], SHAPE, 0)


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 4095)])
def test_independence_is_seen_at_any_depth(stacked: torch.Tensor, dtype: type, white: int) -> None:
    values = (stacked.permute(0, 2, 3, 1).numpy() + 1) / 2 * white
    assert channels_are_independent(open_source(np.asarray(values, dtype)), 0)


def test_channels_are_clustered_one_by_one_when_asked(stacked: torch.Tensor) -> None:
    source = open_source(np.asarray((stacked.permute(0, 2, 3, 1).numpy() + 1) * 127.5, np.uint8))
    assert channels_are_independent(source, 0)
    for count, per_channel, kind in (
        (None, True, ChannelClusters),
        (5, True, ChannelClusters),
        (5, False, ImageClusters),
    ):
        found = fit_chain(source, "standard", count, 0, 0, per_channel).clustering
        assert isinstance(found, kind)
