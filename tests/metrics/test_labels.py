"""Labels against hand-worked cases."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.metrics.labels import (
    above_chance,
    accuracy,
    balanced_accuracy,
    class_frequencies,
    label_kl,
    unsupervised_accuracy,
)


def test_accuracy_is_the_fraction_that_is_right() -> None:
    assert accuracy(np.array([1, 2, 3, 3]), np.array([1, 2, 2, 3])) == 0.75


def test_balanced_accuracy_weighs_classes_equally() -> None:
    asked = np.array([0] * 90 + [1] * 10)
    assert balanced_accuracy(np.zeros(100, int), asked, 2)[0] == 0.5
    assert balanced_accuracy(asked, asked, 3)[0] == 1  # nobody asked for the third
    right, off = balanced_accuracy(np.array([0] * 45 + [1] * 55), asked, 2)
    assert right == pytest.approx(0.75)
    assert off == pytest.approx(1.96 * np.sqrt(0.25 / 90 + 0.25 / 10) / 2)


def test_the_interval_of_chance_contains_the_balanced_accuracy_of_guesses() -> None:
    rng = np.random.default_rng(0)
    asked = rng.choice(4, 400, p=(0.7, 0.2, 0.07, 0.03))
    tried = [balanced_accuracy(rng.integers(4, size=400), asked, 4) for _ in range(400)]
    assert np.mean([abs(right - 0.25) <= off for right, off in tried]) == pytest.approx(
        0.95, abs=0.045
    )  # four standard errors


def test_above_chance_means_a_tenth_of_the_way_to_1() -> None:
    assert above_chance(0.56, 0.5)
    assert not above_chance(0.54, 0.5)
    assert not above_chance(0.95, 0.95)


def test_clusters_may_bear_other_numbers_than_classes() -> None:
    classes = np.random.default_rng(0).integers(5, size=1000)
    assert unsupervised_accuracy(np.array([3, 0, 4, 1, 2])[classes], classes) == 1


def test_a_cluster_is_named_for_one_class_only() -> None:
    assert unsupervised_accuracy(np.array([0, 0, 0, 0]), np.array([0, 0, 1, 1])) == 0.5
    assert unsupervised_accuracy(np.array([0, 1, 2, 3]), np.array([0, 0, 1, 1])) == 0.5


def test_clusters_without_meaning_are_about_chance() -> None:
    clusters, classes = np.random.default_rng(0).integers(10, size=(2, 20_000))
    assert unsupervised_accuracy(clusters, classes) == pytest.approx(0.1, abs=0.01)


def test_the_kl_of_label_marginals_is_the_textbooks() -> None:
    frequencies = class_frequencies(np.array([0, 0, 1, 1, 1, 3]), 4)
    assert frequencies.tolist() == [2 / 6, 3 / 6, 0, 1 / 6]
    real = np.full(4, 0.25)
    assert label_kl(frequencies, real) == pytest.approx(
        sum(p * np.log(p / 0.25) for p in frequencies if p > 0)
    )
    assert label_kl(real, real) == 0
    assert np.isfinite(label_kl(real, frequencies))
