"""Modes as classes of the networks, and the feed that assigns them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from equipoise.data.distributions import Ring
from equipoise.data.factory import open_source
from equipoise.data.loading import EndOfDataError
from equipoise.transforms.clustering import Clustering
from equipoise.transforms.fitting import fit_clustering
from equipoise.transforms.loading import ClusteredLoader
from equipoise.transforms.scaling import fit_scaling
from equipoise.transforms.whitening import ComponentWhitening

CPU = torch.device("cpu")


def test_shares_are_counted_label_by_label() -> None:
    x, y = Ring().labelled(4000, torch.Generator().manual_seed(0))
    x = (x / x.std(0)).float()
    clustering = ComponentWhitening.fit(x, 0, 8)
    clustering.count_labels([x[:1000], x[1000:]], y % 2, 3)
    assert clustering.weights.shape == (3, 8)
    torch.testing.assert_close(
        clustering.weights.sum(1), torch.tensor([0.5, 0.5, 0.0]), atol=0.03, rtol=0
    )
    assert (clustering.weights[0] * clustering.weights[1] < 1e-6).all()  # no mode has both labels
    torch.testing.assert_close(
        clustering.weights[2] / clustering.weights[2].sum(),
        clustering.weights[:2].sum(0),
        atol=0.01,
        rtol=0,
    )  # which no point has
    classes = clustering.classes(
        torch.ones(100, dtype=torch.int64), torch.Generator().manual_seed(0)
    )
    assert (classes // 8 == 1).all()
    assert (clustering.weights[1, classes % 8] > 0).all()


def modes_loader(
    batch_size: int = 50, labelled: bool = False
) -> tuple[ClusteredLoader, Clustering]:
    source = open_source("ring")
    scaling = fit_scaling(source, "standard", 0)
    clustering = fit_clustering(source, scaling, None, 8 if labelled else 0, 0)
    assert clustering is not None
    return ClusteredLoader(
        source.loader(batch_size, scaling.encode, CPU, 0), clustering, 2, 0, labelled
    ), clustering


@pytest.mark.parametrize("batches", [1, 31, 32, 40])
def test_batches_go_on_from_a_restored_position(batches: int) -> None:
    loader, _ = modes_loader()
    for _ in range(batches):
        loader.next()
    again, _ = modes_loader()
    again.restore(loader.position())
    for _ in range(40):
        for part, other in zip(loader.next(), again.next(), strict=True):
            assert torch.equal(part, other)


def test_batches_are_the_other_loaders_points_within_their_modes() -> None:
    loader, clustering = modes_loader()
    source = open_source("ring")
    other = source.loader(50, fit_scaling(source, "standard", 0).encode, CPU, 0)
    for _ in range(3):
        torch.testing.assert_close(
            clustering.unwhiten(*loader.next()), other.next()[0], atol=1e-4, rtol=1e-3
        )


def test_one_component_leaves_columns_that_do_not_correlate() -> None:
    rng = np.random.default_rng(0)
    source = open_source(
        (rng.normal(size=(4000, 1)) + 0.2 * rng.normal(size=(4000, 12))) * np.logspace(-3, 3, 12)
    )
    scaling = fit_scaling(source, "standard", 0)
    clustering = fit_clustering(source, scaling, None, 0, 0)
    assert clustering is not None
    assert clustering.count == 1
    x, y = ClusteredLoader(
        source.loader(3600, scaling.encode, CPU, 0), clustering, 12, 0, labelled=False
    ).next()
    assert y is not None
    assert (y == 0).all()
    torch.testing.assert_close(torch.cov(x.T), torch.eye(12), atol=1e-2, rtol=0)


def test_labels_and_components_make_one_class() -> None:
    loader, clustering = modes_loader(labelled=True)
    u, y = loader.next()
    assert clustering.count == 8
    assert (clustering.weights[y // 8, y % 8] > 0.9 / 8).all()  # each label of the ring is a mode
    assert u.abs().max() < 6


def test_a_stream_that_ends_gives_every_whole_batch_first() -> None:
    source = open_source(
        iter([np.random.default_rng(i).normal(size=(100, 2)) for i in range(130)])
    )  # of which 1,000 are held out
    scaling = fit_scaling(source, "standard", 0)
    clustering = fit_clustering(source, scaling, 2, 0, 0)
    assert clustering is not None
    loader = ClusteredLoader(source.loader(64, scaling.encode, CPU, 0), clustering, 2, 0, False)
    for _ in range(12_000 // 64):
        loader.next()
    with pytest.raises(EndOfDataError):
        loader.next()


def test_classes_are_drawn_at_their_shares_and_a_mode_without_one_never() -> None:
    clustering = ComponentWhitening(3, 2, labels=2)
    clustering.weights = torch.tensor([[0.1, 0.0, 0.3], [0.45, 0.15, 0.0]])
    drawn = clustering.classes(
        torch.tensor([0, 1]).repeat(20_000), torch.Generator().manual_seed(0)
    )
    shares = torch.bincount(drawn, minlength=6) / 20_000
    torch.testing.assert_close(
        shares, torch.tensor([0.25, 0.0, 0.75, 0.75, 0.25, 0.0]), atol=0.01, rtol=0
    )
    assert shares[1] == shares[5] == 0


def test_a_wide_table_of_few_rows_takes_no_memory_for_components_that_it_cannot_fill(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = open_source(np.random.default_rng(0).normal(size=(60, 500)))
    monkeypatch.setattr(ComponentWhitening, "fit", None)
    assert fit_clustering(source, fit_scaling(source, "standard", 0), None, 0, 0) is None
