from __future__ import annotations

import numpy as np
import pytest

from equipoise.metrics.labels import agreement, unsupervised_accuracy


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
