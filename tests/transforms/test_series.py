from typing import Any

import numpy as np
import pytest
import torch

from equipoise.data.arrays import from_windows
from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.transforms.series import SeriesScaling

RNG = np.random.default_rng(0)


def windows(lengths: list[int] | None = None) -> list[np.ndarray[Any, Any]]:
    """Two channels: cents about 1,000 and a small positive number."""
    return [
        np.column_stack([RNG.normal(1000, 50, length).round(2), RNG.exponential(1e-3, length)])
        for length in lengths or [6] * 200
    ]


def fitted(given: list[np.ndarray[Any, Any]]) -> tuple[SeriesScaling, torch.Tensor, Schema]:
    rows = from_windows(given, None, "x", listed=True)
    assert rows.schema.series is not None
    raw = torch.from_numpy(rows.values)
    scaling = SeriesScaling(rows.schema.series, rows.schema.dtype)
    return scaling.fit([raw[:50], raw[50:]]), raw, rows.schema


def test_every_channel_has_a_scale_of_its_own() -> None:
    given = windows()
    scaling, raw, _ = fitted(given)
    joined = np.concatenate(given)
    np.testing.assert_allclose(scaling.shift, joined.mean(0))
    np.testing.assert_allclose(scaling.scale, joined.std(0))
    scaled = scaling.encode(raw)[0].reshape(-1, 2)
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(0, correction=0), 1, atol=1e-5)


def test_what_is_after_the_end_does_not_count_and_is_zero_both_ways() -> None:
    given = windows(RNG.integers(2, 7, 200).tolist())
    scaling, raw, schema = fitted(given)
    np.testing.assert_allclose(scaling.shift, np.concatenate(given).mean(0))
    x, _ = scaling.encode(raw, None, torch.Generator().manual_seed(0))
    assert schema.series is not None
    absent = ~schema.series.present(raw.numpy())
    assert (scaling.windows.values(x)[absent] == 0).all()
    noisy = torch.where(x == 0, 9.0, x)  # whatever a network makes there
    torch.testing.assert_close(scaling.decode(noisy), scaling.decode(x))


@pytest.mark.parametrize("lengths", [None, RNG.integers(2, 7, 200).tolist()])
def test_encoded_windows_come_back_with_their_lengths_and_decimals(
    lengths: list[int] | None,
) -> None:
    scaling, raw, _ = fitted(windows(lengths))
    for generator in (None, torch.Generator().manual_seed(0)):
        x, _ = scaling.encode(raw, None, generator)
        torch.testing.assert_close(scaling.decode(x), raw, rtol=0, atol=1e-4)
    cents = [scaling.windows.values(part)[:, :, 0] for part in (scaling.decode(x), raw)]
    assert torch.equal(*cents)


def test_samples_stay_within_the_bounds_of_their_channel() -> None:
    scaling, raw, schema = fitted(windows())
    assert schema.series is not None
    made = scaling.windows.values(scaling.decode(torch.full((1, raw.shape[1]), -9.0)))[0]
    assert made[:, 0].tolist() == [schema.series.channels[0].low] * 6
    assert (made[:, 1] >= 0).all()


def test_a_channel_that_never_varies_comes_back_as_its_value() -> None:
    given = [np.column_stack([np.full(4, 0.1), RNG.normal(size=4)]) for _ in range(99)]
    scaling, raw, _ = fitted(given)
    made = scaling.decode(torch.randn(9, raw.shape[1]))
    assert (scaling.windows.values(made)[:, :, 0] == 0.1).all()


def test_only_a_schema_of_series_has_such_a_scaling() -> None:
    scaling, _, schema = fitted(windows())
    made = SeriesScaling.from_config(schema, schema.shape, scaling.config())
    made.load_state_dict(scaling.state_dict())
    made.check()
    with pytest.raises(RequestError, match="of other data"):
        SeriesScaling.from_config(Schema((12,), "ND", "float64"), (12,), scaling.config())
    made.scale = torch.full_like(made.scale, torch.nan)
    with pytest.raises(RequestError, match="cannot be"):
        made.check()
