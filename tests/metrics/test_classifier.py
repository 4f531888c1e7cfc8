"""The classifier learns what can be learned, of points and of images, and one seed
gives one answer."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from equipoise.metrics.classifier import cross_predict, train_classifier

RNG = np.random.default_rng(0)


def blobs(n: int) -> tuple[np.ndarray, np.ndarray]:
    y = RNG.integers(0, 4, n)
    return 1000 * (np.eye(4)[y][:, :3] * 3 + RNG.normal(size=(n, 3))), y


def test_it_reads_blobs_as_well_as_the_best_linear_rule() -> None:
    (x, y), (unseen, truth) = blobs(3000), blobs(2000)
    best = LogisticRegression(max_iter=500).fit(x / 1000, y).score(unseen / 1000, truth)
    assert (train_classifier(x, y, 4).predict(unseen) == truth).mean() > best - 0.02


def test_it_reads_where_a_bright_spot_is_in_a_image() -> None:
    y = RNG.integers(0, 3, 600)
    x = RNG.normal(0, 0.3, (600, 1, 12, 12))
    x[np.arange(600), 0, 4 * y, 4 * y] += 5
    classifier = train_classifier(x[:500], y[:500], 3)
    assert (classifier.predict(x[500:]) == y[500:]).mean() > 0.95


def test_one_seed_gives_one_answer_and_torchs_own_randomness_is_left_alone() -> None:
    x, y = blobs(300)
    state = torch.get_rng_state()
    first, second = train_classifier(x, y, 4, seed=3), train_classifier(x, y, 4, seed=3)
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(first.predict(x), second.predict(x))


def test_a_rare_class_is_read_from_the_other_half_as_if_it_were_as_common_as_any() -> None:
    y = (RNG.random(3000) < 0.05).astype(np.int64)
    x = (
        RNG.normal(size=(3000, 1)) + y[:, None]
    )  # at .5 both are equally likely, were they equally common
    assert train_classifier(x, y, 2).predict(x).mean() < 0.01
    read = cross_predict(x, y, 2)
    assert (read == (x[:, 0] > 0.5)).mean() > 0.8
