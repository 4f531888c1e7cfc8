"""Labels against hand-worked cases."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.metrics.labels import agreement, class_divergence, class_shares, unsupervised_accuracy


def test_agreement_is_the_share_that_is_as_asked() -> None:
    assert agreement(np.array([1, 2, 3, 3]), np.array([1, 2, 2, 3])) == 0.75


def test_clusters_may_bear_other_numbers_than_classes() -> None:
    classes = np.random.default_rng(0).integers(5, size=1000)
    assert unsupervised_accuracy(np.array([3, 0, 4, 1, 2])[classes], classes) == 1


def test_a_cluster_is_named_for_one_class_only() -> None:
    assert unsupervised_accuracy(np.array([0, 0, 0, 0]), np.array([0, 0, 1, 1])) == 0.5
    assert unsupervised_accuracy(np.array([0, 1, 2, 3]), np.array([0, 0, 1, 1])) == 0.5


def test_clusters_without_meaning_are_about_chance() -> None:
    clusters, classes = np.random.default_rng(0).integers(10, size=(2, 20_000))
    assert unsupervised_accuracy(clusters, classes) == pytest.approx(0.1, abs=0.01)


def test_the_divergence_of_shares_is_the_textbooks() -> None:
    shares = class_shares(np.array([0, 0, 1, 1, 1, 3]), 4)
    assert shares.tolist() == [2 / 6, 3 / 6, 0, 1 / 6]
    real = np.full(4, 0.25)
    assert class_divergence(shares, real) == pytest.approx(sum(p * np.log(p / 0.25) for p in shares if p > 0))
    assert class_divergence(real, real) == 0
    assert np.isfinite(class_divergence(real, shares))
