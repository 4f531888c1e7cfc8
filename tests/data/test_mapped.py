"""Arrays in files over the memory budget."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.helpers import npy

from equipoise import GAN
from equipoise.data import indexed
from equipoise.data.datasets import FetchedSource
from equipoise.data.factory import open_again, open_source
from equipoise.data.sources import RowsSource
from equipoise.errors import RequestError

SMALL = 1e-6  # GiB
RNG = np.random.default_rng(0)
ARRAYS = {
    "points": RNG.normal(size=(300, 4)),
    "numbers": RNG.integers(0, 9, 400),
    "columns": np.asfortranarray(RNG.normal(size=(300, 4)).astype(np.float32)),
    "big-endian": RNG.normal(size=(300, 4)).astype(">f4"),
    "images": RNG.integers(0, 256, (60, 8, 8, 3), np.uint8),
    "float images": RNG.random((60, 3, 8, 8)).astype(np.float32) * 7,
}


@pytest.mark.parametrize("kind", sorted(ARRAYS))
def test_a_mapped_array_is_the_one_in_memory(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexed, "PART_BYTES", 1_000)
    path = tmp_path / "a.npy"
    path.write_bytes(npy(ARRAYS[kind]))
    large, small = (open_source(path, memory_budget=budget) for budget in (SMALL, 4.0))
    assert isinstance(large, FetchedSource)
    assert isinstance(small, RowsSource)
    assert "are over memory_budget = 1e-06 GiB: samples are read as they" in large.notes[0]
    assert (large.name, large.fingerprint, large.limits) == ("a", small.fingerprint, small.limits)
    for source in (large, small):
        assert source.schema.layout == small.schema.layout
    assert torch.equal(large.held_out(99, 0), small.held_out(99, 0))
    assert torch.equal(large.seen(999, 0), small.seen(999, 0))
    again = open_again(large.describe(), label_column=None, memory_budget=SMALL, split_seed=0)
    assert torch.equal(again.held_out(99, 0), large.held_out(99, 0))


def test_a_mapped_array_trains_to_the_same_bits_with_labels(
    tmp_path: Path, tiny: dict[str, Any]
) -> None:
    path, labels = tmp_path / "a.npy", [*"ab"] * 30
    np.save(path, ARRAYS["images"])
    given = [(path, SMALL), (path, 4.0), (np.load(path, mmap_mode="r"), SMALL)]
    samples = [
        GAN(**tiny, memory_budget=budget).fit(data, labels).sample(5, label="a", seed=0)
        for data, budget in given
    ]
    for other in samples[1:]:
        np.testing.assert_array_equal(samples[0], other)


def test_a_mapped_array_is_looked_at_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexed, "PART_BYTES", 2**20)
    path = tmp_path / "a.npy"
    np.save(path, RNG.random((2_000, 3, 32, 32)).astype(np.float32))  # 24 MB
    tracemalloc.start()
    open_source(path, memory_budget=0.004)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**23


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.where(np.arange(900) == 700, np.nan, np.arange(900)), "the first .NaN. at row 700"),
        (np.full((50, 8, 8), 3, np.uint8), "one distinct value, 3"),
        (np.tile(np.arange(9.0), (99, 1)), "one distinct sample, 99 times"),
        (np.array(["a" * 20] * 99), "has type <U20: give numbers"),
        (RNG.normal(size=(99, 4)).astype(complex), "has type complex128: give numbers"),
        (np.array([{}] * 999), "holds Python objects"),
        (RNG.normal(size=(60, 24, 3)) * [1, 50, 900], "looks like windows of series"),
    ],
)
def test_mapped_arrays_that_cannot_be_learned_are_refused(
    tmp_path: Path, array: np.ndarray[Any, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexed, "PART_BYTES", 1_000)
    path = tmp_path / "a.npy"
    np.save(path, array)
    with pytest.raises(RequestError, match=message):
        open_source(path, memory_budget=1e-7)


def test_a_mapped_array_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(npy(ARRAYS["points"])[:-100])
    with pytest.raises(RequestError, match="it is cut off, or damaged"):
        open_source(path, memory_budget=SMALL)
