"""Scores are normal, and come back as the values that they were made of."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats

from equipoise.transforms.table_encoding import BINS, Bins, TableEncoding

N = 4_000


def column(kind: str) -> NDArray[np.float64]:
    rng = np.random.default_rng(0)
    return {
        "normal": rng.normal(5, 2, N),
        "heavy tails": rng.standard_cauchy(N),
        "half of them 0": np.where(rng.random(N) < 0.5, 0.0, rng.lognormal(8, 2, N)),
        "few whole numbers": rng.poisson(3, N).astype(float),
        "round numbers": rng.choice([*[40.0] * 8, *range(1, 99)], N),
        "capped": np.minimum(rng.normal(80, 20, N).round(), 100),
        "most at the last of few values": np.minimum(rng.integers(0, 90, N), 72).astype(float),
        "constant": np.full(N, 7.0),
    }[kind]


KINDS = (
    "normal",
    "heavy tails",
    "half of them 0",
    "few whole numbers",
    "round numbers",
    "capped",
    "most at the last of few values",
)


def fitted(x: NDArray[np.float64]) -> TableEncoding:
    return TableEncoding((0,)).fit([torch.from_numpy(x[:, None])])


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_standard_normal(kind: str) -> None:
    x = column(kind)
    scores, _ = fitted(x).encode(torch.from_numpy(x[:, None]), None, torch.Generator())
    # 1.95 / sqrt(N): the Kolmogorov-Smirnov distance that one draw in 1,000 exceeds.
    assert stats.kstest(scores[:, 0].numpy(), "norm").statistic < 1.95 / np.sqrt(N)


@pytest.mark.parametrize("kind", [*KINDS, "constant"])
def test_decoding_returns_what_was_encoded(kind: str) -> None:
    x = column(kind)
    encoding, raw = fitted(x), torch.from_numpy(x[:, None])
    back = encoding.decode(encoding.encode(raw, None, torch.Generator())[0])[:, 0].numpy()
    # Scores are float32: within a bin they tell so many values apart.
    bins = Bins(x)
    width = (bins.high - bins.low)[np.searchsorted(bins.low, x, side="right") - 1]
    np.testing.assert_array_less(np.abs(back - x), 1e-3 * width + 1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_normal_scores_decode_to_the_distribution_of_the_column(kind: str) -> None:
    x = column(kind)
    z = torch.randn(N, 1, generator=torch.Generator().manual_seed(1))
    made = fitted(x).decode(z)[:, 0].numpy()
    assert stats.ks_2samp(made, x).statistic < 1.95 * np.sqrt(2 / N)
    assert made.min() >= x.min()
    assert made.max() <= x.max()


def test_a_value_that_many_rows_share_is_made_exactly() -> None:
    x = column("half of them 0")
    made = fitted(x).decode(torch.randn(N, 1, generator=torch.Generator().manual_seed(2)))
    share = float((made == 0).double().mean())
    assert abs(share - 0.5) < 4 * 0.5 / np.sqrt(N) + abs((x == 0).mean() - 0.5)


@pytest.mark.parametrize("rows", [1, 2, 9, 10, 100, 5_000])
def test_bins_are_few_and_cover_all_values(rows: int) -> None:
    x = np.random.default_rng(rows).normal(size=rows)
    bins = Bins(x)
    assert len(bins) <= BINS
    assert (bins.low[0], bins.high[-1]) == (x.min(), x.max())
    assert bins.levels[0] == 0
    assert bins.levels[-1] == pytest.approx(1)
    assert (np.diff(bins.levels) > 0).all()
    assert (bins.low <= bins.high).all()


def test_few_rows_of_a_continuous_column_are_not_learned_one_by_one() -> None:
    x = np.random.default_rng(0).normal(size=100)
    made = fitted(x).decode(torch.randn(1_000, 1, generator=torch.Generator().manual_seed(3)))
    assert np.isin(made.numpy(), x).mean() < 0.05


def test_categories_are_one_hot_and_the_largest_entry_comes_back() -> None:
    encoding = TableEncoding((3, 0, 2)).fit([torch.tensor([[0, 1.5, 1], [2, 2.5, 0]])])
    raw = torch.tensor([[2.0, 2.5, 0.0], [0.0, 1.5, 1.0]])
    encoded, _ = encoding.encode(raw)
    assert encoded[:, :3].tolist() == [[0, 0, 1], [1, 0, 0]]
    assert encoded[:, 4:].tolist() == [[1, 0], [0, 1]]
    soft = encoded + 0.3 * torch.rand(encoded.shape, generator=torch.Generator().manual_seed(0))
    assert encoding.decode(soft)[:, [0, 2]].tolist() == raw[:, [0, 2]].tolist()
