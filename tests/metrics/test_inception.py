"""FID and KID are torch-fidelity's, and a clear message says what is missing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from equipoise import GAN
from equipoise.errors import RequestError
from equipoise.metrics.inception import WEIGHTS, Images, inception_metrics

RNG = np.random.default_rng(0)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    """A torch-fidelity that keeps what it was called with and answers with the
    difference of means, and weights that are there."""
    calls: list[dict[str, Any]] = []

    def calculate_metrics(**settings: Any) -> dict[str, float]:
        calls.append(settings)
        first, second = (
            torch.stack([settings[name][i] for i in range(len(settings[name]))]).double()
            for name in ("input1", "input2")
        )
        distance = float((first.mean() - second.mean()).abs())
        return {
            "frechet_inception_distance": distance,
            "kernel_inception_distance_mean": distance / 100,
        }

    module = ModuleType("torch_fidelity")
    module.calculate_metrics = calculate_metrics  # a module that stands for the library
    monkeypatch.setitem(sys.modules, "torch_fidelity", module)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / WEIGHTS).touch()
    return calls


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_images_are_handed_over_as_eight_bits_of_three_channels(channels: int) -> None:
    values = RNG.uniform(-1, 1, (5, channels, 6, 7))
    handed = Images(values, (-1.0, 1.0))[2]
    assert handed.dtype == torch.uint8
    assert handed.shape == (3, 6, 7)
    last = values[2, 2 if channels >= 3 else 0]
    assert np.array_equal(handed[2].numpy(), ((last + 1) / 2 * 255).round().astype(np.uint8))


def test_the_values_are_the_librarys_and_the_baselines_those_of_fresh_real_images(
    library: list[dict[str, Any]],
) -> None:
    made, real, fresh = (np.full((20, 1, 4, 4), level) for level in (40.0, 10.0, 12.0))
    metrics = inception_metrics(made, real, fresh, (0.0, 255.0))
    assert [(metric.value, metric.baseline) for metric in metrics] == [(30.0, 2.0), (0.3, 0.02)]
    assert all(call["kid_subset_size"] == 20 for call in library)
    assert all(call["feature_extractor_weights_path"].endswith(WEIGHTS) for call in library)


def test_evaluate_adds_them_where_they_are_asked_for(
    library: list[dict[str, Any]], tiny: dict[str, Any]
) -> None:
    gan = GAN(**tiny).fit(RNG.integers(0, 255, (60, 12, 12), dtype=np.uint8))
    assert gan.evaluate(inception=True)["inception_fid"] >= 0
    assert len(library) == 2
    with pytest.raises(KeyError):
        gan.evaluate()["inception_fid"]


def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, library: list[dict[str, Any]]
) -> None:
    x = RNG.uniform(0, 255, (4, 1, 4, 4))
    (tmp_path / "checkpoints" / WEIGHTS).unlink()
    with pytest.raises(RequestError, match=f"put {WEIGHTS} into"):
        inception_metrics(x, x, x, (0.0, 255.0))
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    with pytest.raises(RequestError, match=r"pip install 'equipoise\[inception\]'"):
        inception_metrics(x, x, x, (0.0, 255.0))
    assert library == []


def test_points_have_no_inception(
    tiny: dict[str, Any], tmp_path: Path, command: Callable[..., Any]
) -> None:
    GAN(**tiny).fit("gaussian", out=tmp_path / "run")
    assert command("evaluate", str(tmp_path / "run"), "--inception").err == (
        "equipoise: inception is for images, this data has points: leave it out\n"
    )
