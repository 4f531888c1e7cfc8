"""Groups of images that look alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

from equipoise.data import mnist
from equipoise.data.factory import open_source
from equipoise.transforms.fitting import fit_clustering
from equipoise.transforms.image_kmeans import ImageClusters, usual
from equipoise.transforms.scaling import fit_scaling


@pytest.fixture(scope="module")
def digits() -> torch.Tensor:
    return torch.from_numpy(mnist.load("test")[0][:3000, None].copy()).float() / 127.5 - 1


def test_groups_are_as_tight_as_scikit_learns(digits: torch.Tensor) -> None:
    clustering = ImageClusters.fit([digits], (1, 28, 28), 30, 0)
    found = clustering.on_axes(clustering.small(digits)).numpy()
    theirs = KMeans(30, n_init=3, random_state=0).fit(found).inertia_
    assert (cdist(found, clustering.centres.numpy()).min(1) ** 2).sum() < 1.05 * theirs


def test_a_image_is_of_the_group_whose_centre_is_nearest(digits: torch.Tensor) -> None:
    clustering = ImageClusters.fit([digits], (1, 28, 28), 30, 0)
    expected = cdist(
        clustering.on_axes(clustering.small(digits)).numpy(), clustering.centres.numpy()
    ).argmin(1)
    assert np.array_equal(clustering.assign(digits, torch.Generator()).numpy(), expected)
    assert torch.equal(clustering.posteriors(digits).argmax(1), torch.from_numpy(expected))


def test_shares_are_the_groups_own(digits: torch.Tensor) -> None:
    clustering = ImageClusters.fit([digits], (1, 28, 28), 30, 0)
    counts = torch.bincount(clustering.assign(digits, torch.Generator()), minlength=30)
    torch.testing.assert_close(clustering.weights[0], counts / len(digits))


def test_groups_of_digits_agree_with_their_labels(digits: torch.Tensor) -> None:
    groups = (
        ImageClusters.fit([digits], (1, 28, 28), 100, 0).assign(digits, torch.Generator()).numpy()
    )
    labels = mnist.load("test")[1][:3000]
    assert sum(
        np.bincount(labels[groups == group]).max() for group in np.unique(groups)
    ) > 0.75 * len(labels)


def test_images_come_and_go_as_they_are(digits: torch.Tensor) -> None:
    clustering, group = ImageClusters(3, (1, 28, 28)), torch.zeros(9, dtype=torch.int64)
    assert torch.equal(clustering.unwhiten(clustering.whiten(digits[:9], group), group), digits[:9])


@pytest.mark.parametrize("shape", [(1, 5, 40), (3, 64, 48), (4, 1, 1)])
def test_images_of_any_shape_have_groups(shape: tuple[int, ...]) -> None:
    x = torch.rand(50, *shape, generator=torch.Generator().manual_seed(0))
    assert (
        len(ImageClusters.fit([x[:20], x[20:]], shape, 4, 0).assign(x, torch.Generator()).unique())
        > 1
    )


def test_images_that_are_all_alike_are_one_group() -> None:
    clustering = ImageClusters.fit([torch.zeros(50, 1, 8, 8)], (1, 8, 8), 3, 0)
    assert len(clustering.assign(torch.zeros(5, 1, 8, 8), torch.Generator()).unique()) == 1


@pytest.mark.parametrize(
    ("images", "looked_at", "labels", "groups"),
    [
        (60_000, 10_000, 0, 256),
        (10_000, 10_000, 0, 50),
        (60_000, 3000, 0, 100),
        (60_000, 10_000, 10, 25),
        (150, 150, 0, 1),
        (2000, 2000, 30, 1),
    ],
)
def test_there_are_as_many_groups_as_images_can_fill(
    images: int, looked_at: int, labels: int, groups: int
) -> None:
    assert usual(images, looked_at, labels) == groups


def test_few_images_have_no_groups() -> None:
    source = open_source(np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8))
    assert fit_clustering(source, fit_scaling(source, "standard", 0), None, 0, 0) is None


def test_one_image_has_groups_if_they_are_asked_for() -> None:
    clustering = ImageClusters.fit([torch.rand(1, 1, 4, 4)], (1, 4, 4), 2, 0)
    assert (
        clustering.nearest(clustering.on_axes(clustering.small(torch.rand(3, 1, 4, 4)))).max() < 2
    )
