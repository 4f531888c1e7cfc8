"""Clusters as classes of the networks: weights per label, and how classes are drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from equipoise.data.distributions import Ring
from equipoise.data.factory import open_source
from equipoise.transforms.fitting import fit_chain
from equipoise.transforms.whitening import ComponentWhitening


def test_weights_are_fitted_label_by_label() -> None:
    x, y = Ring().labelled(4000, torch.Generator().manual_seed(0))
    x = (x / x.std(0)).float()
    clustering = ComponentWhitening((2,), 8).fit([x])
    clustering.fit_class_weights([x[:1000], x[1000:]], y % 2, 3)
    weights = clustering.weights
    assert weights.shape == (3, 8)
    expected = torch.tensor([0.5, 0.5, 0.0])
    torch.testing.assert_close(weights.sum(1), expected, atol=0.03, rtol=0)
    assert (weights[0] * weights[1] < 1e-6).all()  # no component has both labels
    unseen = weights[2] / weights[2].sum()
    torch.testing.assert_close(unseen, weights[:2].sum(0), atol=0.01, rtol=0)
    ones = torch.ones(100, dtype=torch.int64)
    classes = clustering.classes(ones, torch.Generator().manual_seed(0))
    assert (classes // 8 == 1).all()
    assert (weights[1, classes % 8] > 0).all()


def test_classes_are_drawn_at_their_weights_and_a_cluster_of_weight_0_never() -> None:
    clustering = ComponentWhitening((2,), 3, labels=2)
    clustering.weights = torch.tensor([[0.1, 0.0, 0.3], [0.45, 0.15, 0.0]])
    labels = torch.tensor([0, 1]).repeat(20_000)
    drawn = clustering.classes(labels, torch.Generator().manual_seed(0))
    found = torch.bincount(drawn, minlength=6) / 20_000
    expected = torch.tensor([0.25, 0.0, 0.75, 0.75, 0.25, 0.0])
    torch.testing.assert_close(found, expected, atol=0.01, rtol=0)
    assert found[1] == found[5] == 0


def test_a_wide_table_of_few_rows_takes_no_memory_for_components_that_it_cannot_fill(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = open_source(np.random.default_rng(0).normal(size=(60, 500)))
    monkeypatch.setattr(ComponentWhitening, "fit", None)
    assert fit_chain(source, "standard", None, 0, 0).clustering is None


def test_the_same_seed_gives_the_same_bits_at_any_number_of_threads() -> None:
    source, chains = open_source("ring"), []
    before = torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        chains.append(fit_chain(source, "standard", None, 0, 0).state_dict())
    torch.set_num_threads(before)
    assert all(torch.equal(tensor, chains[1][name]) for name, tensor in chains[0].items())
