"""Samples as a Dataset for PyTorch's loaders."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader

from equipoise import GAN, dataset
from equipoise.errors import RequestError

RNG = np.random.default_rng(0)


@pytest.fixture
def points(tiny: dict[str, Any]) -> GAN:
    """A generator of points with labels."""
    x = RNG.normal(size=(60, 2)).astype(np.float32)
    return GAN(**tiny).fit(x, np.repeat(["left", "right"], 30))


def test_items_are_the_samples_of_the_same_seed_in_any_order(points: GAN) -> None:
    samples = np.asarray(points.sample(3_000, seed=5))
    items = points.dataset(3_000, seed=5)
    assert len(items) == 3_000
    for i in (2_999, 0, -1, 1_024, 1_023, 1):
        x, y = items[i]
        assert np.array_equal(x, samples[i])
        assert y in (0, 1)
    assert items.classes == ("left", "right")
    assert len([*items]) == 3_000


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_a_loader_gets_the_same_batches_whatever_the_number_of_workers(points: GAN) -> None:
    items = points.dataset(2_500, seed=5)
    alone, shared = ([*DataLoader(items, 100, num_workers=workers)] for workers in (0, 2))
    for (x, y), (other, label) in zip(alone, shared, strict=True):
        assert x.shape == (100, 2)
        assert torch.equal(x, other)
        assert torch.equal(y, label)


def test_pickled_for_workers_that_are_spawned_it_has_the_same_samples(points: GAN) -> None:
    items = points.dataset(50, seed=5)
    again = pickle.loads(pickle.dumps(items))
    assert np.array_equal(again[7][0], items[7][0])


def test_blocks_that_are_not_kept_are_drawn_again(
    points: GAN, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "CACHE_BYTES", 0)
    items = points.dataset(3_000, seed=5)
    first = items[0][0].copy()
    assert items[2_000][0].shape == (2,)
    assert np.array_equal(items[0][0], first)
    assert len(items._blocks) == 1


def test_one_label_alone(points: GAN) -> None:
    assert {points.dataset(20, label="right", seed=1)[i][1] for i in range(20)} == {1}


def test_rows_of_a_table_are_dicts_by_column(tiny: dict[str, Any]) -> None:
    frame = pd.DataFrame({"age": RNG.normal(40, 9, 60), "plan": ["free", "pro"] * 30})
    gan = GAN(**tiny).fit(frame)
    items, samples = gan.dataset(30, seed=2), gan.sample(30, seed=2)
    assert isinstance(samples, pd.DataFrame)
    assert [items[i] for i in range(30)] == samples.to_dict("records")
    batch = next(iter(DataLoader(items, 10)))
    assert batch["age"].shape == (10,)
    assert len(batch["plan"]) == 10


def test_images_and_tensors_are_items_as_they_were_fed(tiny: dict[str, Any]) -> None:
    images = GAN(**tiny).fit(RNG.integers(0, 256, (60, 8, 8), np.uint8)).dataset(3, seed=1)[0]
    assert isinstance(images, np.ndarray)
    assert images.shape == (8, 8)
    assert images.dtype == np.uint8
    assert isinstance(GAN(**tiny).fit(torch.randn(60, 2)).dataset(3, seed=1)[0], torch.Tensor)


def test_windows_of_a_table_are_refused(tiny: dict[str, Any]) -> None:
    rows = [(at, step, RNG.normal()) for at in range(40) for step in range(4)]
    frame = pd.DataFrame(rows, columns=["who", "when", "value"])
    gan = GAN(**tiny, series="who", time="when").fit(frame)
    with pytest.raises(RequestError, match="windows of a table are several rows each"):
        gan.dataset(3)
