"""The loader that encodes every batch anew."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from equipoise.data.factory import open_source
from equipoise.data.loading import EndOfDataError
from equipoise.transforms.chain import Chain
from equipoise.transforms.fitting import fit_chain
from equipoise.transforms.loading import EncodedLoader

CPU = torch.device("cpu")
WHOLE = np.random.default_rng(0).integers(0, 12, (3000, 2))


def loader_of(
    data: object = "ring", batch_size: int = 50, labels: int = 0, clusters: int | None = None
) -> tuple[EncodedLoader, Chain]:
    source = open_source(data)
    transform = fit_chain(source, "standard", clusters, labels, 0)
    loader = source.loader(batch_size, transform.encode_once, CPU, 0)
    return EncodedLoader(loader, transform, 0, labels > 0), transform


@pytest.mark.parametrize("data", ["ring", WHOLE])
@pytest.mark.parametrize("batches", [1, 31, 32, 40])
def test_batches_go_on_from_a_restored_position_to_the_bit(data: object, batches: int) -> None:
    loader, _ = loader_of(data)
    for _ in range(batches):
        loader.next()
    again, _ = loader_of(data)
    again.restore(loader.position())
    for _ in range(40):
        for part, other in zip(loader.next(), again.next(), strict=True):
            assert torch.equal(part, other)


def test_encoded_batches_decode_to_the_other_loaders_points() -> None:
    loader, transform = loader_of()
    other = open_source("ring").loader(50, lambda raw: raw, CPU, 0)
    for _ in range(3):
        decoded = transform.decode(*loader.next())
        torch.testing.assert_close(decoded, other.next()[0], atol=1e-4, rtol=1e-3)


def test_whole_numbers_get_other_noise_in_every_epoch_and_decode_to_themselves() -> None:
    loader, transform = loader_of(WHOLE[:64], batch_size=29, clusters=0)
    rows, seen = set(map(tuple, WHOLE[:64].tolist())), set()
    for _ in range(100):
        x, y = loader.next()
        assert y is None
        seen |= set(x.flatten().tolist())
        assert set(map(tuple, transform.decode(x).long().tolist())) <= rows
    assert len(seen) > 0.99 * 100 * 29 * 2


def test_one_component_decorrelates_columns() -> None:
    rng = np.random.default_rng(0)
    data = rng.normal(size=(4000, 1)) + 0.2 * rng.normal(size=(4000, 12))
    loader, transform = loader_of(data * np.logspace(-3, 3, 12), batch_size=3600)
    assert transform.clustering is not None
    assert transform.clustering.count == 1
    x, y = loader.next()
    assert y is not None
    assert (y == 0).all()
    torch.testing.assert_close(torch.cov(x.T), torch.eye(12), atol=1e-2, rtol=0)


def test_labels_and_components_make_one_class() -> None:
    loader, transform = loader_of(labels=8)
    u, y = loader.next()
    assert transform.clustering is not None
    assert transform.clustering.count == 8
    assert transform.clustering.weights.numel() == 64
    assert y is not None
    weights = transform.clustering.weights
    assert (weights[y // 8, y % 8] > 0.9 / 8).all()  # each label of the ring is a component
    assert u.abs().max() < 6


def test_a_stream_that_ends_gives_every_whole_batch_first() -> None:
    stream = (np.random.default_rng(i).normal(size=(100, 2)) for i in range(130))
    loader, _ = loader_of(stream, 64, clusters=2)  # 1,000 of the rows are held out
    for _ in range(12_000 // 64):
        loader.next()
    with pytest.raises(EndOfDataError):
        loader.next()
