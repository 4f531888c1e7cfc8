"""Noise on whole numbers and levels on the way in, rounding on the way out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from equipoise import GAN
from equipoise.data.schema import Schema
from equipoise.training.loop import SaveDue
from equipoise.transforms.dequantization import Dequantization

POINTS = Schema((1,), "N", "float64")
LEVELS = replace(POINTS, levels=((0.0, 1.0, 3.0),))


def decoded(schema: Schema, values: list[float]) -> NDArray[np.float64]:
    x = torch.tensor(values, dtype=torch.float64)[:, None]
    found: NDArray[np.float64] = Dequantization(schema).decode(x)[:, 0].numpy()
    return found


def encoded(schema: Schema, value: float, n: int = 20_000) -> torch.Tensor:
    x = torch.full((n, 1), value, dtype=torch.float64)
    return Dequantization(schema).encode(x, None, torch.Generator().manual_seed(0))[0]


@pytest.mark.parametrize(
    ("schema", "value", "half"),
    [
        (replace(POINTS, dtype="int64"), 5.0, 0.5),
        (replace(POINTS, dtype="bool"), 1.0, 0.5),
        (LEVELS, 0.0, 0.5),
        (LEVELS, 1.0, 0.5),
        (LEVELS, 3.0, 1.0),
        (POINTS, 5.0, 0.0),
        (replace(POINTS, levels=((7.0,),)), 7.0, 0.0),
        (replace(POINTS, levels=((-1e308, 1e308),)), 0.0, 1e308),
    ],
)
def test_noise_is_uniform_and_as_wide_as_the_step(
    schema: Schema, value: float, half: float
) -> None:
    x = encoded(schema, value)
    assert x.isfinite().all()
    if half and value:
        assert float(x.mean()) == pytest.approx(value, abs=0.03 * half)
        assert float((x - value).abs().max()) == pytest.approx(half, rel=1e-3)
        assert float(x.std()) == pytest.approx(half / 3**0.5, rel=0.02)
    if half < 1e300:
        assert (Dequantization(schema).decode(x) == value).all()
    assert (len(x.unique()) > 1) == (half > 0)


def test_without_a_generator_there_is_no_noise() -> None:
    x = torch.arange(5.0)[:, None]
    assert torch.equal(Dequantization(LEVELS).encode(x)[0], x)


def test_images_are_rounded_and_get_no_noise() -> None:
    link = Dequantization(Schema((1, 2, 2), "NHW", "uint8"))
    assert not link.is_random
    x = torch.tensor([[-0.7, 0.5], [1.5, 255.6]], dtype=torch.float64)[None, None]
    assert link.decode(x).flatten().tolist() == [0.0, 0.0, 2.0, 255.0]


def test_each_value_becomes_the_nearest_level_and_what_is_no_number_stays_so() -> None:
    values = [-9.0, 0.0, 0.4, 0.6, 2.1, 99.0, np.nan, np.inf]
    expected = [0, 0, 0, 1, 3, 3, np.nan, np.inf]
    np.testing.assert_array_equal(decoded(LEVELS, values), expected)
    wide = replace(POINTS, levels=((-1e308, 1e308),))
    np.testing.assert_array_equal(decoded(wide, [-1e308, 0.0, 1e308]), [-1e308, -1e308, 1e308])
    np.testing.assert_array_equal(decoded(replace(POINTS, levels=((1.0,),)), [-3.0, 3.0]), [1, 1])


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "uint64", "float32"])
def test_values_are_those_that_the_type_holds(dtype: str) -> None:
    found = decoded(replace(POINTS, dtype=dtype), [-1e300, -3.5, -0.5, 0.3, 0.7, 1.5, 1e300])
    np.testing.assert_array_equal(found, found.astype(dtype).astype(np.float64))
    assert np.isnan(decoded(replace(POINTS, dtype=dtype), [np.nan]))


def test_columns_of_several_types_are_each_as_their_own() -> None:
    schema = Schema(
        (3,), "ND", "float64", column_dtypes=("int8", "float64", "float32"),
        levels=(None, (0.25, 4.0), None),
    )  # fmt: skip
    found = Dequantization(schema).decode(torch.full((1, 3), 200.1, dtype=torch.float64))
    assert found.tolist() == [[127.0, 4.0, float(np.float32(200.1))]]


@pytest.mark.parametrize("clusters", [0, 2])
def test_networks_see_no_atoms_in_whole_numbers(clusters: int, tiny: dict[str, Any]) -> None:
    data = np.random.default_rng(0).poisson(3, (400, 2))
    training = GAN(**tiny, clusters=clusters).trainer(data, to_disk=False)
    x = torch.cat([training.state.loader.next()[0] for _ in range(30)])
    assert len(x.flatten().unique()) > 0.999 * x.numel()
    made = GAN(**tiny, clusters=clusters).fit(data).sample(300, seed=0)
    assert made.dtype == data.dtype
    assert made.min() >= 0  # the nearest of the levels that were seen


def test_a_training_on_whole_numbers_resumes_to_the_bit(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    data = np.random.default_rng(0).integers(0, 9, (400, 2))
    settings = {**tiny, "samples": 16 * 100}

    def stop(event: object) -> None:
        if isinstance(event, SaveDue):
            raise KeyboardInterrupt

    GAN(**settings).fit(data, out=tmp_path / "straight")
    with pytest.raises(KeyboardInterrupt):
        GAN(**settings).fit(data, out=tmp_path / "broken", on_event=stop)
    GAN(**settings).fit(data, out=tmp_path / "broken", resume=True)
    straight, broken = (
        (tmp_path / name / "generator.safetensors").read_bytes() for name in ("straight", "broken")
    )
    assert straight == broken
