"""Every category of every column is a condition."""

from __future__ import annotations

import pytest
import torch

from equipoise.transforms.category_conditions import CategoryConditions
from equipoise.transforms.mode_normalization import ModeNormalization

SIZES = (2, 0, 3)
RAW = torch.tensor([[0, 0.5, 2], [1, 0.1, 2], [1, 0.2, 0], [1, 0.9, 2]], dtype=torch.float64)


def fitted() -> tuple[torch.Tensor, CategoryConditions]:
    x, _ = ModeNormalization(SIZES).fit([RAW]).encode(RAW)
    return x, CategoryConditions(SIZES).fit([x[:1], x[1:]])


def test_a_column_is_asked_for_uniformly_and_a_category_at_its_frequency() -> None:
    _, conditions = fitted()
    expected = [1 / 4 / 2, 3 / 4 / 2, 1 / 4 / 2, 0, 3 / 4 / 2]
    assert conditions.weights[0].tolist() == pytest.approx(expected)
    n = 20_000
    drawn = conditions.classes(torch.zeros(n, dtype=torch.int64), torch.Generator().manual_seed(0))
    shares = torch.bincount(drawn, minlength=5) / n
    assert shares.tolist() == pytest.approx(expected, abs=4 * (0.25 / n) ** 0.5)
    assert shares[3] == 0


def test_a_row_is_given_a_category_that_it_has_unless_it_was_drawn_by_one() -> None:
    x, conditions = fitted()
    many = x.repeat(200, 1)
    same, found = conditions.encode(many, None, torch.Generator().manual_seed(0))
    assert same.tolist() == many.tolist()
    assert found is not None
    assert set(found[0::4].tolist()) == {0, 4}  # of the first row
    assert set(found[2::4].tolist()) == {1, 2}
    asked = torch.tensor([0, 4, 1, 1])
    assert conditions.encode(x, asked)[1] is asked


def test_its_classes_are_those_of_the_one_hot_vectors_in_order() -> None:
    x, conditions = fitted()
    assert conditions.count == 5
    assert x[:, conditions.places].tolist() == [
        [1, 0, 0, 0, 1],
        [0, 1, 0, 0, 1],
        [0, 1, 1, 0, 0],
        [0, 1, 0, 0, 1],
    ]
    assert conditions.labels(torch.tensor([4])).tolist() == [0]
