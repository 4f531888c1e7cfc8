"""Clusters of similar images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

from equipoise.data import mnist
from equipoise.data.factory import open_source
from equipoise.transforms.fitting import fit_chain
from equipoise.transforms.image_kmeans import ImageClusters, default_clusters


@pytest.fixture(scope="module")
def digits() -> torch.Tensor:
    return torch.from_numpy(mnist.load("test")[0][:3000, None].copy()).float() / 127.5 - 1


def test_clusters_are_as_tight_as_the_best_of_three_fits(digits: torch.Tensor) -> None:
    clustering = ImageClusters((1, 28, 28), 30).fit([digits])
    found = clustering.projected(clustering.features(digits)).numpy()
    theirs = KMeans(30, n_init=3, random_state=0).fit(found).inertia_
    assert (cdist(found, clustering.centres.numpy()).min(1) ** 2).sum() < 1.05 * theirs


def test_an_image_is_in_the_cluster_whose_centre_is_nearest(digits: torch.Tensor) -> None:
    clustering = ImageClusters((1, 28, 28), 30).fit([digits])
    expected = cdist(
        clustering.projected(clustering.features(digits)).numpy(), clustering.centres.numpy()
    ).argmin(1)
    assert np.array_equal(clustering.assign(digits).numpy(), expected)
    assert torch.equal(clustering.posteriors(digits).argmax(1), torch.from_numpy(expected))


def test_weights_are_the_fractions_of_images_in_each_cluster(digits: torch.Tensor) -> None:
    clustering = ImageClusters((1, 28, 28), 30).fit([digits])
    counts = torch.bincount(clustering.assign(digits), minlength=30)
    torch.testing.assert_close(clustering.weights[0], counts / len(digits))


def test_clusters_of_digits_agree_with_their_labels(digits: torch.Tensor) -> None:
    clusters = ImageClusters((1, 28, 28), 100).fit([digits]).assign(digits).numpy()
    labels = mnist.load("test")[1][:3000]
    assert sum(
        np.bincount(labels[clusters == group]).max() for group in np.unique(clusters)
    ) > 0.88 * len(labels)


def test_clusters_tell_forms_whatever_their_colours() -> None:
    generator = np.random.default_rng(0)
    at = np.arange(24)
    images = np.empty((1000, 24, 24, 3))
    is_disk = np.arange(1000) % 2
    for i, disk in enumerate(is_disk):
        y, x = (abs(at - centre) for centre in generator.uniform(9, 14, 2))
        y, radius = y[:, None], generator.uniform(5, 8)
        inside = np.hypot(y, x) < radius if disk else np.maximum(y, x) < 0.8 * radius
        images[i] = np.where(inside[..., None], *generator.uniform(-1, 1, (2, 3)))
    encoded = torch.from_numpy(images).float().permute(0, 3, 1, 2)
    clusters = ImageClusters((3, 24, 24), 20).fit([encoded]).assign(encoded).numpy()
    disks = np.bincount(clusters, is_disk, minlength=20) / np.bincount(clusters, minlength=20)
    assert np.maximum(disks, 1 - disks)[clusters].mean() > 0.95


def test_images_are_encoded_as_they_are(digits: torch.Tensor) -> None:
    clustering, group = ImageClusters((1, 28, 28), 3), torch.zeros(9, dtype=torch.int64)
    assert torch.equal(clustering.decode(clustering.whiten(digits[:9], group), group), digits[:9])


@pytest.mark.parametrize("shape", [(1, 5, 40), (3, 64, 48), (4, 1, 1)])
def test_images_of_any_shape_have_clusters(shape: tuple[int, ...]) -> None:
    x = torch.rand(50, *shape, generator=torch.Generator().manual_seed(0))
    assert len(ImageClusters(shape, 4).fit([x[:20], x[20:]]).assign(x).unique()) > 1


def test_small_copies_of_many_channels_are_smaller() -> None:
    assert ImageClusters((3, 32, 32), 2).sides == (16, 16)
    assert ImageClusters((64, 32, 32), 2).sides == (5, 5)
    assert ImageClusters((64, 32, 2), 2).sides == (5, 2)


def test_images_that_are_all_equal_are_one_cluster() -> None:
    clustering = ImageClusters((1, 8, 8), 3).fit([torch.zeros(50, 1, 8, 8)])
    assert len(clustering.assign(torch.zeros(5, 1, 8, 8)).unique()) == 1


@pytest.mark.parametrize(
    ("images", "fitted", "labels", "clusters"),
    [
        (60_000, 10_000, 0, 256),
        (10_000, 10_000, 0, 50),
        (60_000, 3000, 0, 100),
        (60_000, 10_000, 10, 25),
        (150, 150, 0, 1),
        (2000, 2000, 30, 1),
    ],
)
def test_there_are_as_many_clusters_as_images_can_fill(
    images: int, fitted: int, labels: int, clusters: int
) -> None:
    assert default_clusters(images, fitted, labels) == clusters


def test_few_images_have_no_clusters() -> None:
    source = open_source(np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8))
    assert fit_chain(source, "standard", None, 0, 0).clustering is None


def test_there_are_never_more_clusters_than_images() -> None:
    clustering = ImageClusters((1, 4, 4), 2).fit([torch.rand(1, 1, 4, 4)])
    assert clustering.assign(torch.rand(3, 1, 4, 4)).max() < 1
