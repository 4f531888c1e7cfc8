"""The split into rows that are trained on and rows that are held out."""

from __future__ import annotations

import pytest
import torch

from equipoise.data.split import FetchedPart, Split, TensorPart, split_indices
from equipoise.errors import RequestError

ROWS = torch.arange(40.0).reshape(20, 2)
LABELS = torch.arange(20) % 3


@pytest.mark.parametrize(
    ("n", "out"), [(2, 1), (9, 1), (10, 1), (1000, 100), (99_999, 9_999), (300_000, 10_000)]
)
def test_the_split_is_a_tenth_at_least_one_and_at_most_ten_thousand(n: int, out: int) -> None:
    kept, held = split_indices(n, 0)
    assert len(held) == out
    assert torch.equal(torch.cat([kept, held]).sort().values, torch.arange(n))
    assert not torch.equal(held, split_indices(n, 1)[1]) or n < 100


def test_one_sample_cannot_be_split() -> None:
    with pytest.raises(RequestError, match="one sample: give at least one batch"):
        split_indices(1, 0)


def parts() -> list[TensorPart | FetchedPart]:
    """The rows 5 to 14, in memory and fetched."""
    indices = torch.arange(5, 15)
    return [
        TensorPart(ROWS[indices], LABELS[indices]),
        FetchedPart(ROWS.__getitem__, indices, LABELS[indices], max_drawn=10),
    ]


@pytest.mark.parametrize("n", [0, 3, 10, 99])
def test_rows_in_memory_and_fetched_ones_have_equal_draws(n: int) -> None:
    in_memory, fetched = parts()
    assert torch.equal(in_memory.draw(n, 7), fetched.draw(n, 7))
    for one, other in zip(
        in_memory.draw_labelled(n, 7) or (), fetched.draw_labelled(n, 7) or (), strict=True
    ):
        assert torch.equal(one, other)
    assert len(in_memory.draw(n, 7)) == min(n, 10)


def test_labels_stay_with_their_rows() -> None:
    for part in parts():
        rows, labels = part.draw_labelled(4, 1) or (ROWS, LABELS)
        assert torch.equal(LABELS[(rows[:, 0] / 2).long()], labels)
    assert TensorPart(ROWS).draw_labelled(4, 1) is None


def test_a_fetched_part_gives_no_more_rows_than_memory_should_hold() -> None:
    part = FetchedPart(ROWS.__getitem__, torch.arange(20), None, max_drawn=6)
    assert len(part.draw(20, 0)) == 6


def test_validation_and_test_share_no_row_where_they_are_separate() -> None:
    split = Split(TensorPart(ROWS[:9]), TensorPart(ROWS[9:]))
    validation, test = (split.positions(validation=v, separate=True) for v in (True, False))
    assert sorted([*validation.tolist(), *test.tolist()]) == list(range(11))
    assert len(validation) == 5
    for v in (True, False):
        assert split.positions(validation=v, separate=False).tolist() == list(range(11))
