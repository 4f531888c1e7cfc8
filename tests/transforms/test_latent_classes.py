"""Latent classes are found, and rows belong to the ones that made them."""

from __future__ import annotations

import numpy as np
import torch

from equipoise.transforms.latent_classes import LatentClasses, default_components
from equipoise.transforms.table_encoding import TableEncoding

SIZES = (4, 4, 0, 0)


def two_classes(n: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Raw rows of two classes, (n, 4), and their classes, (n,), the second in 30%."""
    rng = np.random.default_rng(seed)
    k = (rng.random(n) < 0.3).astype(int)
    codes = [np.where(k == 0, rng.integers(0, 2, n), rng.integers(2, 4, n)) for _ in range(2)]
    x = rng.normal(size=(2, n))
    numbers = [3.0 * k + x[0], 0.8 * x[0] + 0.6 * x[1]]
    return torch.from_numpy(np.stack([*codes, *numbers], 1).astype(float)), torch.from_numpy(k)


def fitted(raw: torch.Tensor, count: int, labels: int = 0) -> tuple[TableEncoding, LatentClasses]:
    encoding = TableEncoding(SIZES).fit([raw])
    mixture = LatentClasses.of(encoding, count, labels)
    return encoding, mixture.fit([encoding.encode(raw, None, torch.Generator())[0]], seed=0)


def test_two_classes_are_found_with_their_weights_and_distributions() -> None:
    raw, k = two_classes(4_000)
    encoding, mixture = fitted(raw, 2)
    x, _ = encoding.encode(raw, None, torch.Generator())
    found = mixture.posteriors(x).argmax(1)
    swapped = int((found == k).double().mean() < 0.5)
    assert (found == (k ^ swapped)).double().mean() > 0.999
    weights = mixture.weights[0][[swapped, 1 - swapped]]
    torch.testing.assert_close(weights, torch.bincount(k) / len(k), atol=0.002, rtol=0)
    shares = mixture.log_probabilities[swapped, :4].exp()
    torch.testing.assert_close(shares, torch.tensor([0.5, 0.5, 0, 0]), atol=0.03, rtol=0)


def test_posteriors_are_bayes_rule() -> None:
    raw, _ = two_classes(500)
    encoding, mixture = fitted(raw, 3)
    x, _ = encoding.encode(raw, None, torch.Generator().manual_seed(0))
    level = torch.special.ndtr(x[:, 8:].double())
    joint = mixture.weights[0].double().log().expand(len(x), -1).clone()
    start = 0
    for column, size in enumerate(mixture.values):
        logs = mixture.log_probabilities[:, start : start + size].double()
        if SIZES[column]:
            at = raw[:, column].long()
        else:
            ends = mixture.levels[column - 2, 1:-1].contiguous()
            at = torch.searchsorted(ends, level[:, column - 2].contiguous(), right=True)
        joint += logs[:, at].T
        start += size
    expected = joint.softmax(1).float()
    torch.testing.assert_close(mixture.posteriors(x), expected, atol=1e-4, rtol=1e-3)


def test_the_correlation_of_numbers_within_classes_is_fitted() -> None:
    raw, _ = two_classes(6_000)
    _, mixture = fitted(raw, 2)
    correlation = (mixture.factor @ mixture.factor.T)[0, 1]
    # 0.8 within each class; 4 standard errors, and what bins of some width take away.
    assert abs(float(correlation) - 0.8) < 4 * (1 - 0.8**2) / 6_000**0.5 + 0.03


def test_each_component_gives_distributions() -> None:
    raw, _ = two_classes(300)
    _, mixture = fitted(raw, 4)
    start = 0
    for size in mixture.values:
        sums = mixture.log_probabilities[:, start : start + size].exp().sum(1)
        torch.testing.assert_close(sums, torch.ones(4), atol=1e-4, rtol=0)
        start += size
    assert mixture.within[:, :, 0].eq(0).all()
    assert mixture.within[:, :, -1].eq(1).all()
    assert mixture.within.diff(dim=2).ge(0).all()


def test_one_component_has_the_shares_of_all_rows() -> None:
    raw, _ = two_classes(300)
    _, mixture = fitted(raw, 1)
    shares = torch.bincount(raw[:, 0].long(), minlength=4) / len(raw)
    torch.testing.assert_close(mixture.log_probabilities[0, :4].exp(), shares.float())


def test_components_grow_with_rows_up_to_a_limit() -> None:
    assert [default_components(rows) for rows in (1, 149, 300, 15_000, 10**7)] == [
        1,
        1,
        2,
        100,
        256,
    ]
