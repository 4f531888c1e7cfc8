from __future__ import annotations

import numpy as np
import pytest
import torch

from equipoise.data import ScalingKind
from equipoise.data.images.sums import sums_of
from equipoise.data.limits import image_limits
from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.transforms.scaling import Scaling, same_kind

KINDS: tuple[ScalingKind, ...] = ("standard", "unit")


def fitted(raw: torch.Tensor, kind: ScalingKind, limits: tuple[float, float] | None) -> Scaling:
    return Scaling(tuple(raw.shape[1:]), kind, limits).fit([raw])


def draws(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def test_standard_scaling_gives_each_column_zero_mean_and_unit_variance() -> None:
    raw = torch.from_numpy(draws(500, 3) * [1e-3, 1.0, 1e6] + [5.0, 0.0, -3e7])
    scaled = fitted(raw, "standard", None).scaled(raw).double()
    torch.testing.assert_close(
        scaled.mean(0), torch.zeros(3, dtype=torch.float64), atol=1e-5, rtol=0
    )
    torch.testing.assert_close(
        scaled.std(0, correction=0), torch.ones(3, dtype=torch.float64), atol=1e-5, rtol=0
    )


def test_unit_scaling_puts_each_column_onto_minus_one_to_one() -> None:
    raw = torch.from_numpy(draws(500, 2) * [3.0, 0.01])
    scaled = fitted(raw, "unit", None).scaled(raw)
    np.testing.assert_allclose(scaled.amin(0), -1, atol=1e-6)
    np.testing.assert_allclose(scaled.amax(0), 1, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("scale", "shift"), [(1e-6, 0.0), (1.0, 1e6), (1e6, -1e3), (1e12, 1e12), (1.0, 1.7e9)]
)
def test_points_come_back_to_float32_accuracy_whatever_their_units(
    kind: ScalingKind, scale: float, shift: float
) -> None:
    raw = torch.from_numpy(draws(200, 2) * scale + shift)
    scaling = fitted(raw, kind, None)
    spread = float((raw - raw.mean(0)).abs().max())
    np.testing.assert_allclose(
        scaling.decode(scaling.scaled(raw)), raw.numpy(), atol=1e-6 * spread, rtol=1e-15
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_grey_level_comes_back(kind: ScalingKind, dtype: type) -> None:
    levels = np.arange(np.iinfo(dtype).max + 1).astype(dtype)[:: 1 if dtype == np.uint8 else 17]
    raw = torch.from_numpy(levels.reshape(-1, 1, 1, 1))
    scaling = fitted(raw, kind, image_limits(levels))
    np.testing.assert_array_equal(scaling.decode(scaling.scaled(raw)).round().reshape(-1), levels)


def test_unit_scaling_of_bytes_is_the_usual_one() -> None:
    raw = torch.tensor([0, 127, 255], dtype=torch.uint8).reshape(3, 1, 1, 1)
    scaled = fitted(raw, "unit", (0.0, 255.0)).scaled(raw).reshape(-1)
    torch.testing.assert_close(scaled, torch.tensor([-1.0, 127 / 127.5 - 1, 1.0]))


def test_images_share_one_scale_so_that_grey_stays_grey() -> None:
    raw = torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (50, 3, 4, 4)).astype(np.uint8)
    )
    raw[:, 1] = raw[:, 0]
    scaled = fitted(raw, "standard", (0.0, 255.0)).scaled(raw)
    assert torch.equal(scaled[:, 1], scaled[:, 0])


def test_images_come_back_inside_their_limits_and_points_are_not_bounded() -> None:
    far = torch.full((1, 1, 1, 1), 1000.0)
    images, points = Scaling((1, 1, 1), limits=(0.0, 255.0)), Scaling((1,))
    assert images.decode(far).item() == 255.0
    assert images.decode(-far).item() == 0.0
    assert points.decode(far[..., 0, 0]).item() == 1000.0


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_that_never_varies_comes_back_as_its_value(kind: ScalingKind) -> None:
    raw = torch.from_numpy(np.stack([draws(50), np.full(50, 0.1)], 1))
    scaling = fitted(raw, kind, None)
    assert torch.isfinite(scaling.scaled(raw)).all()
    np.testing.assert_array_equal(scaling.decode(torch.randn(9, 2))[:, 1], 0.1)


def test_bytes_that_never_vary_are_scaled_to_zero() -> None:
    raw = torch.full((5, 1, 2, 2), 9, dtype=torch.uint8)
    scaling = fitted(raw, "standard", (0.0, 255.0))
    assert not scaling.scaled(raw).any()
    np.testing.assert_array_equal(scaling.decode(scaling.scaled(raw)), 9.0)


def test_the_scaled_values_are_float32() -> None:
    raw = torch.arange(12, dtype=torch.int64).reshape(6, 2)
    assert fitted(raw, "standard", None).scaled(raw).dtype == torch.float32


def test_a_scaling_comes_back_from_its_config_and_its_tensors() -> None:
    scaling = fitted(torch.from_numpy(draws(50, 3)), "standard", None)
    again = Scaling.from_config(Schema((3,), "ND", "float64"), (3,), scaling.config())
    again.load_state_dict(scaling.state_dict())
    assert torch.equal(again.shift, scaling.shift)
    assert torch.equal(again.scale, scaling.scale)


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_scaling_that_is_not_finite_is_refused(broken: float) -> None:
    scaling = Scaling((2,))
    scaling.shift[1] = broken
    with pytest.raises(RequestError, match="its scaling cannot be"):
        scaling.check()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_fitting_in_parts_is_fitting_the_whole(kind: ScalingKind, dtype: type) -> None:
    images = (np.random.default_rng(0).random((50, 3, 6, 5)) * 200).astype(dtype)
    points = draws(200, 3) * [1e-3, 1.0, 1e6] + [5.0, 0.0, -3e7]
    points[:, 1] = 0.1
    for raw, limits in ((images, image_limits(images)), (points, None)):
        values = raw.astype(np.float64).reshape(-1, 1) if limits else raw
        parts = torch.split(torch.from_numpy(raw), 7)
        scaling = Scaling(raw.shape[1:], kind, limits).fit(parts)
        if kind == "standard":
            expected = values.mean(0), values.std(0)
        else:
            low, high = limits or (values.min(0), values.max(0))
            expected = (
                np.atleast_1d((np.add(low, high)) / 2),
                np.atleast_1d(np.subtract(high, low) / 2),
            )
        expected[1][values.min(0) == values.max(0)] = 0
        np.testing.assert_allclose(scaling.shift, expected[0], rtol=1e-12)
        np.testing.assert_allclose(scaling.scale, expected[1], rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_scaling_of_sums_is_that_of_the_images(kind: ScalingKind) -> None:
    raw = np.random.default_rng(0).integers(0, 65536, (40, 1, 6, 5)).astype(np.uint16)
    found = Scaling((1, 6, 5), kind, (0.0, 65535.0)).fit_sums(sums_of(raw))
    expected = fitted(torch.from_numpy(raw.astype(np.int32)), kind, (0.0, 65535.0))
    torch.testing.assert_close(found.shift, expected.shift)
    torch.testing.assert_close(found.scale, expected.scale)


@pytest.mark.parametrize(
    ("made", "given", "alike"),
    [
        ((0, 255), (0, 255), True),
        ((0, 255), (0, 1), False),
        ((0, 1), (-1, 1), False),
        ((-1, 1), (0, 1), True),
        ((-59.8, 262.9), (-41.0, 230.5), True),
        ((0.05, 254.9), (0.9, 253.1), True),
        ((0.05, 254.9), (0, 1), False),
        ((3, 3), (3, 3), True),
    ],
)
def test_observed_ranges_need_not_be_the_same(
    made: tuple[float, float], given: tuple[float, float], alike: bool
) -> None:
    assert same_kind(made, given) is alike
