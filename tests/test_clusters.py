"""Training on clusters, from the data to the samples: weights, labels, files, and every
recipe that learns classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from equipoise import GAN
from equipoise.errors import RequestError
from equipoise.recipes import catalogue

CONDITIONAL = sorted(
    name
    for name, recipe in catalogue().items()
    if recipe.takes_labels
    and not recipe.needs_labels
    and not recipe.images_only
    and name != "classic"
)

IMAGES = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), np.uint8)


def blobs(n: int = 600) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Three narrow blobs on the plane with fractions .5, .3 and .2; the last is half of
    label 0 and half of label 1."""
    rng = np.random.default_rng(0)
    which = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    points = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])[which] + 0.1 * rng.standard_normal(
        (n, 2)
    )
    return points, np.where(which == 2, rng.integers(0, 2, n), which)


def blob_of(points: Any) -> NDArray[np.int64]:
    """The nearest blob of each point."""
    centres = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    found: NDArray[np.int64] = np.linalg.norm(np.asarray(points)[:, None] - centres, axis=2).argmin(
        1
    )
    return found


def test_samples_have_the_clusters_at_their_fractions(tiny: dict[str, Any]) -> None:
    samples = GAN(**tiny).fit(blobs()[0]).sample(5000, seed=0)
    fractions = np.bincount(blob_of(samples), minlength=3) / 5000
    np.testing.assert_allclose(fractions, [0.5, 0.3, 0.2], atol=0.05)


def test_samples_of_a_label_have_its_clusters_at_their_fractions(tiny: dict[str, Any]) -> None:
    points, labels = blobs()
    gan = GAN(**tiny).fit(points, labels)
    for label in (0, 1):
        asked, real = gan.sample(2000, label=label, seed=0), points[labels == label]
        fractions, expected = (np.bincount(blob_of(x), minlength=3) / len(x) for x in (asked, real))
        np.testing.assert_allclose(fractions, expected, atol=0.06)


def test_clusters_come_back_from_a_file(tiny: dict[str, Any], tmp_path: Path) -> None:
    gan = GAN(**tiny, clusters=3).fit(*blobs())
    gan.save(tmp_path / "run")
    again = GAN.load(tmp_path / "run")
    for label in (None, 0, 1):
        assert np.array_equal(
            gan.sample(50, label=label, seed=1), again.sample(50, label=label, seed=1)
        )


@pytest.mark.parametrize("recipe", CONDITIONAL)
def test_every_recipe_that_learns_classes_learns_clusters(
    recipe: str, tiny: dict[str, Any]
) -> None:
    samples = GAN(recipe, **tiny, clusters=3).fit(blobs()[0]).sample(2000, seed=0)
    np.testing.assert_allclose(
        np.bincount(blob_of(samples), minlength=3) / 2000, [0.5, 0.3, 0.2], atol=0.06
    )


def test_images_have_clusters_at_their_fractions(tiny: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    images = (
        rng.integers(0, 40, (200, 8, 8)) + np.where(rng.random(200) < 0.25, 200, 0)[:, None, None]
    ).astype(np.uint8)
    gan = GAN(**tiny, clusters=2).fit(images)
    assert gan._trained().sampler.transform.clustering is not None
    assert sorted(gan._trained().sampler.transform.clustering.weights[0].tolist()) == pytest.approx(
        [0.25, 0.75], abs=0.06
    )
    assert np.asarray(gan.sample(5, seed=0)).shape == (5, 8, 8)


@pytest.mark.parametrize("independent", [True, False])
def test_independent_channels_are_no_colours(independent: bool, tiny: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    bright = rng.random((2000, 1, 1, 3 if independent else 1)) < 0.4
    images = (rng.integers(0, 40, (2000, 8, 8, 3)) + np.where(bright, 200, 0)).astype(np.uint8)
    recipe = GAN(**tiny).fit(images)._trained().config.recipe
    assert recipe.per_channel_clusters is independent
    expected = ("penalties" if independent else "spectral", "unit")
    assert (vars(recipe)["regularization"], recipe.scaling) == expected


def test_clusters_per_channel_come_back_from_a_file(tiny: dict[str, Any], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    bright = rng.random((2000, 1, 1, 2)) < [0.25, 0.6]
    images = (rng.integers(0, 40, (2000, 8, 8, 2)) + np.where(bright, 200, 0)).astype(np.uint8)
    gan = GAN(**tiny, clusters=2, per_channel_clusters=True).fit(images, out=tmp_path / "run")
    again = GAN.load(tmp_path / "run")
    assert again._trained().config.transform[-1]["name"] == "channel_clusters"
    assert again._trained().sampler.transform.clustering is not None
    np.testing.assert_allclose(
        np.sort(again._trained().sampler.transform.clustering.weights.numpy(), 1),
        [[0.125, 0.375], [0.2, 0.3]],
        atol=0.03,
    )
    assert np.array_equal(gan.sample(20, seed=1), again.sample(20, seed=1))


@pytest.mark.parametrize(
    ("data", "labels", "clusters", "message"),
    [
        (IMAGES, None, 1, "per_channel_clusters is on, and clusters = 1: give the number"),
        (
            IMAGES[..., 0],
            None,
            2,
            "per_channel_clusters is on, which is for images of several channels: leave it out",
        ),
        (
            IMAGES,
            [0, 1] * 30,
            2,
            "per_channel_clusters is on, and so is conditional: leave one out",
        ),
    ],
)
def test_clusters_per_channel_are_refused_where_they_cannot_be(
    data: Any, labels: Any, clusters: int, message: str, tiny: dict[str, Any]
) -> None:
    with pytest.raises(RequestError, match=message):
        GAN(**tiny, clusters=clusters, per_channel_clusters=True).fit(data, labels)


@pytest.mark.parametrize(
    ("data", "clusters"),
    [(blobs()[0], 0), (blobs()[0][:, 0], 1), (IMAGES, 1), (blobs(11)[0], None)],
)
def test_too_few_clusters_are_none(data: Any, clusters: int | None, tiny: dict[str, Any]) -> None:
    training = GAN(**tiny, clusters=clusters).trainer(data, to_disk=False)
    assert training.sampler.transform.clustering is None
    assert training.recipe.clusters == clusters


def test_a_table_of_one_component_is_made_as_correlated_as_it_is_and_comes_back_from_a_file(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    table = (rng.normal(size=(2000, 1)) + 0.1 * rng.normal(size=(2000, 9))) * np.logspace(-3, 3, 9)
    gan = GAN(**{**tiny, "learning_rate": 1e-9}).fit(
        table, out=tmp_path / "run"
    )  # which learns nothing
    assert gan._trained().config.transform[-1]["components"] == 1
    samples = gan.sample(500, seed=0)
    assert (
        np.linalg.cond(np.cov((samples / table.std(0)).T)) > 100
    )  # of columns that do not correlate it would be near 1
    assert np.array_equal(GAN.load(tmp_path / "run").sample(500, seed=0), samples)


def test_one_component_of_labelled_points_leaves_the_labels_as_they_are(
    tiny: dict[str, Any],
) -> None:
    rng = np.random.default_rng(0)
    points, labels = rng.normal(size=(500, 3)), rng.choice(["a", "b"], 500, p=[0.2, 0.8])
    gan = GAN(**tiny).fit(points, labels)
    assert gan._trained().config.transform[-1]["components"] == 1
    drawn = gan._trained().sampler.labels(gan._trained().sampler.latents(4000, seed=0)[1])
    assert drawn is not None
    assert float((drawn == 0).double().mean()) == pytest.approx(0.2, abs=0.05)
    assert gan.sample(10, label="b", seed=0).shape == (10, 3)


def test_the_number_asked_for_and_the_number_found_are_recorded(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    GAN(**tiny).fit(blobs()[0], out=tmp_path / "run")
    config = GAN.load(tmp_path / "run")._trained().config
    assert config.recipe.clusters is None
    assert config.transform[-1]["components"] >= 3


def test_a_recipe_without_classes_refuses_clusters(tiny: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match="clusters = 3: infogan is not conditioned on classes"):
        GAN("infogan", **tiny, clusters=3).fit(blobs()[0])


@pytest.mark.parametrize("seed", [0, 1])
def test_columns_that_follow_one_another_are_learned_as_spread_as_they_are_in_every_direction(
    seed: int,
) -> None:
    """Without whitening some direction is off by an eighth
    to a sixth."""
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(8, 8))
    samples = (
        GAN(seed=seed, samples=200_000, threads=1)
        .fit(rng.normal(size=(4000, 8)) @ mixing)
        .sample(5000, seed=1)
    )
    stds = np.sqrt(np.linalg.eigvalsh(np.cov((samples @ np.linalg.inv(mixing)).T)))
    np.testing.assert_allclose(stds, 1, atol=0.1)
