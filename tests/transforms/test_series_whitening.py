import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.covariance import ledoit_wolf

from equipoise.data.schema import Schema
from equipoise.data.series.windows import Channel, Series
from equipoise.errors import RequestError
from equipoise.transforms.series_whitening import SeriesWhitening, shrunk
from equipoise.transforms.window_space import WindowSpace

PHI, STEPS = 0.8, 12


def ar(n: int, seed: int = 0) -> torch.Tensor:
    """Windows of a first-order autoregression of unit variance, (n, T)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, STEPS))
    for step in range(1, STEPS):
        x[:, step] = PHI * x[:, step - 1] + np.sqrt(1 - PHI**2) * x[:, step]
    return torch.from_numpy(x).float()


def cut(n: int, seed: int = 0) -> tuple[SeriesWhitening, torch.Tensor]:
    """Such windows of 4 to 12 steps, as scaled rows, and an unfitted whitening."""
    lengths = np.random.default_rng(seed).integers(4, STEPS + 1, n)
    counts = Series.counts_of([4, STEPS, *lengths.tolist()])
    form = Series(STEPS, 4, (Channel("0"),), listed=True, length_counts=counts)
    scores = WindowSpace.of(form).scores(
        torch.from_numpy(lengths).double(), torch.Generator().manual_seed(seed)
    )
    x = ar(n, seed) * (torch.arange(STEPS) < torch.from_numpy(lengths)[:, None])
    return SeriesWhitening(form, 1), torch.cat([scores[:, None].float(), x], 1)


def test_whitened_windows_are_the_innovations_of_their_process() -> None:
    x = ar(5_000)
    whitening = SeriesWhitening(Series(STEPS, STEPS, (Channel("0"),)), 1).fit([x])
    u, _ = whitening.encode(x)
    innovations = (x[:, 1:] - PHI * x[:, :-1]) / np.sqrt(1 - PHI**2)
    assert np.corrcoef(u[:, 1:].ravel(), innovations.ravel())[0, 1] > 0.99
    torch.testing.assert_close(torch.cov(u.T), torch.eye(STEPS), rtol=0, atol=0.08)


def test_the_process_is_found_though_windows_end_early() -> None:
    whitening, x = cut(8_000)
    whitening.fit([x])
    covariance = (whitening.factors[0] @ whitening.factors[0].T)[1:, 1:]
    lags = torch.arange(STEPS)
    expected = PHI ** (lags[:, None] - lags).abs().float()
    torch.testing.assert_close(covariance, expected, rtol=0, atol=0.1)


def test_what_is_after_the_end_is_zero_and_changes_nothing_before_it() -> None:
    whitening, x = cut(2_000)
    whitening.fit([x])
    u, y = whitening.encode(x)
    absent = whitening.windows.mask(whitening.windows.lengths(x[:, 0])) == 0
    assert (u[absent] == 0).all()
    noisy = torch.where(absent, torch.randn(u.shape), u)
    made = whitening.decode(noisy, y)
    torch.testing.assert_close(made[~absent], x[~absent], rtol=0, atol=1e-4)


def test_the_density_is_that_of_the_steps_before_the_end() -> None:
    whitening, x = cut(500)
    whitening.fit([x])
    mean = whitening.centres[0].double().numpy()
    factor = whitening.factors[0].double().numpy()
    for row, found in zip(x[:20].double().numpy(), whitening.log_joint(x)[:20, 0], strict=True):
        size = 1 + int(whitening.windows.lengths(torch.tensor(row[:1]))[0])
        known = stats.multivariate_normal(mean[:size], (factor @ factor.T)[:size, :size])
        assert float(found) == pytest.approx(known.logpdf(row[:size]), abs=1e-2)


def test_the_covariance_of_few_windows_is_shrunk_as_scikit_learn_does() -> None:
    x = ar(30).double()
    centred = x - x.mean(0)
    covariance = centred.T @ centred / len(x)
    found = shrunk(torch.linalg.cholesky(covariance), centred)
    expected, share = ledoit_wolf(x.numpy())
    assert share > 0.01
    np.testing.assert_allclose((found @ found.T).numpy(), expected, atol=1e-8)


def test_steps_that_no_fitted_window_has_are_standard_normal() -> None:
    whitening, x = cut(2_000)
    longest = whitening.windows.lengths(x[:, 0]) > STEPS - 2
    whitening.fit([x[~longest]])
    factor = whitening.factors[0]
    covariance = (factor @ factor.T)[-2:, -2:]
    torch.testing.assert_close(covariance, torch.eye(2), rtol=0, atol=0.2)
    assert whitening.encode(x)[0].isfinite().all()


def test_only_a_schema_of_series_has_such_a_whitening() -> None:
    with pytest.raises(RequestError, match="of other data"):
        SeriesWhitening.from_config(
            Schema((3,), "ND", "float64"), (3,), {"components": 1, "labels": 1}
        )
