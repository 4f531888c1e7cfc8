import numpy as np
import torch
from scipy import stats

from equipoise.data.series.windows import Channel, Series
from equipoise.transforms.window_space import WindowSpace

FORM = Series(4, 2, (Channel("0"), Channel("1")), listed=True, length_counts=(3, 0, 1))
SPACE = WindowSpace.of(FORM)


def test_normal_noise_gives_lengths_as_often_as_they_are() -> None:
    scores = torch.randn(20_000, generator=torch.Generator().manual_seed(0))
    counts = torch.bincount(SPACE.lengths(scores), minlength=5)
    assert counts[3] == 0
    assert stats.binomtest(int(counts[2]), 20_000, 0.75).pvalue > 0.01


def test_scores_of_lengths_are_normal_and_lead_back() -> None:
    lengths = torch.tensor([2.0, 4.0, 2.0, 2.0]).repeat(5_000).double()
    scores = SPACE.scores(lengths, torch.Generator().manual_seed(0))
    torch.testing.assert_close(SPACE.lengths(scores).double(), lengths)
    assert stats.kstest(scores.numpy(), "norm").pvalue > 0.01
    middle = SPACE.scores(lengths[:2], None)
    np.testing.assert_allclose(middle, stats.norm.ppf([0.375, 0.875]))


def test_the_mask_ends_a_row_with_its_window() -> None:
    assert SPACE.mask(torch.tensor([2, 4])).tolist() == [[1] * 5 + [0] * 4, [1] * 9]
    assert SPACE.size == FORM.size == 9


def test_the_layout_is_that_of_the_form() -> None:
    rows = FORM.pack([np.arange(4.0).reshape(2, 2), np.arange(8.0).reshape(4, 2)])
    x = torch.from_numpy(rows)
    np.testing.assert_array_equal(SPACE.values(x), FORM.values(rows))
    np.testing.assert_array_equal(SPACE.present(x), FORM.present(rows))
