"""Rows are drawn by category, rare ones more often than they are."""

from __future__ import annotations

import math

import pytest
import torch

from equipoise.data.training_by_sampling import CategorySampler, TrainingBySampling

CODES = torch.tensor([[0, 2]] * 6 + [[1, 0]] * 3 + [[1, 2]])
SIZES = (2, 4)


def rows(n: int = 50) -> torch.Tensor:
    """A number that counts the rows, between two columns of categories, (n, 3)."""
    count = torch.arange(float(n), dtype=torch.float64)
    return torch.stack([count % 2, count, (count == 7).double()], 1)


def test_a_category_is_as_probable_as_the_logarithm_of_its_rows() -> None:
    sampler = CategorySampler(CODES, SIZES)
    # 6 and 4 rows of the first column; 3, 0, 7 and 0 of the second
    first = [math.log(7), math.log(5)]
    second = [math.log(4), 0, math.log(8), 0]
    expected = [p / sum(first) / 2 for p in first] + [p / sum(second) / 2 for p in second]
    assert sampler.probabilities.tolist() == pytest.approx(expected)
    n = 40_000
    _, asked = sampler.draw(n, torch.Generator().manual_seed(0))
    shares = torch.bincount(asked, minlength=6) / n
    assert shares.tolist() == pytest.approx(expected, abs=4 * (0.25 / n) ** 0.5)


def test_each_row_has_what_it_was_asked_by_and_all_that_have_it_are_as_probable() -> None:
    found, asked = CategorySampler(CODES, SIZES).draw(40_000, torch.Generator().manual_seed(0))
    column, code = (asked >= 2).long(), torch.where(asked >= 2, asked - 2, asked)
    assert torch.equal(CODES[found].gather(1, column[:, None])[:, 0], code)
    of_last = found[asked == 4]  # code 2 of the second column: rows 0 to 5, and 9
    shares = torch.bincount(of_last, minlength=10) / len(of_last)
    error = 4 * (1 / 7 / len(of_last)) ** 0.5
    assert shares.tolist() == pytest.approx([1 / 7] * 6 + [0] * 3 + [1 / 7], abs=error)


def test_a_restored_loader_goes_on_with_the_same_bits() -> None:
    loader = TrainingBySampling(rows(), (2, 0, 2), 3, 16)
    for _ in range(5):  # into the second epoch of three batches
        loader.next()
    position = loader.position()
    assert position == {"epoch": 1, "cursor": 32}
    again = TrainingBySampling(rows(), (2, 0, 2), 3, 16)
    again.restore(position)
    for _ in range(4):
        (x, y), (u, v) = loader.next(), again.next()
        assert y is not None
        assert v is not None
        assert torch.equal(x, u)
        assert torch.equal(y, v)
    with pytest.raises(ValueError, match="cursor = 64: must be at most 48"):
        again.restore({"epoch": 0, "cursor": 64})


def test_processes_draw_rows_of_their_own() -> None:
    loaders = [TrainingBySampling(rows(), (2, 0, 2), 3, 16) for _ in range(2)]
    for rank, loader in enumerate(loaders):
        loader.split(rank, 2)
    first, second = (loader.next()[0] for loader in loaders)
    assert not torch.equal(first, second)
    assert loaders[0].length == 16


def test_a_batch_larger_than_the_table_is_filled() -> None:
    x, y = TrainingBySampling(rows(5), (2, 0, 2), 0, 64).next()
    assert len(x) == 64
    assert y is not None
    assert len(y) == 64
