"""Drawing from a generator: evaluation mode, statistics of an average, the same first samples for every n."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from equipoise import GAN
from equipoise.data.scaling import Scaling
from equipoise.data.schema import Schema
from equipoise.networks.dcgan import DCGenerator
from equipoise.networks.latents import Prior
from equipoise.networks.mlp import Dropout
from equipoise.recipes.dcgan import DCGAN
from equipoise.training.sampler import Sampler

SHAPE = (1, 8, 8)
PICTURES = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)


def sampler_of(generator: nn.Module) -> Sampler:
    schema = Schema(SHAPE, "NHW", "uint8")
    return Sampler(generator, Prior(6), DCGAN(), schema, Scaling((127.5,), (127.5,), 0.0, 255.0), torch.device("cpu"))


class Probe(nn.Module):
    """Notes whether it runs in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.modes: list[bool] = []

    def forward(self, z: torch.Tensor, _: None) -> torch.Tensor:
        self.modes.append(self.training)
        return z.new_zeros(len(z), *SHAPE)


def test_sampling_runs_in_evaluation_mode_and_leaves_the_mode_as_it_was() -> None:
    for training in (True, False):
        probe = Probe().train(training)
        sampler_of(probe).values(5, seed=0)
        assert probe.modes == [False]
        assert probe.training is training


def test_dropout_is_off_and_batch_norm_uses_its_statistics_when_sampling(tiny: dict[str, Any]) -> None:
    gan = GAN("classic", **tiny, dropout=0.5).fit(np.random.default_rng(0).normal(size=60))
    assert gan._sampler is not None
    assert any(isinstance(layer, Dropout) for layer in gan._sampler.generator.modules())
    assert np.array_equal(gan.sample(50, seed=1), gan.sample(50, seed=1))
    pictures = GAN("dcgan", **tiny).fit(PICTURES)
    assert np.array_equal(pictures.sample(1, seed=1), np.asarray(pictures.sample(50, seed=1))[:1])  # a batch's own mean would differ


def test_settled_statistics_are_those_of_the_averaged_weights_and_not_of_another_network() -> None:
    torch.manual_seed(0)
    generator = DCGenerator(6, SHAPE, 4)
    sampler = sampler_of(_Unconditional(generator))
    first = generator.layers[0]
    assert isinstance(first, nn.BatchNorm2d)
    first.running_mean.fill_(99.0)
    sampler.settle(seed=0)
    z = Prior(6).sample(50_000, torch.Generator().manual_seed(1))
    projected = generator.project(z).reshape(len(z), *generator.grid).transpose(0, 1).flatten(1)
    assert torch.allclose(first.running_mean, projected.mean(1), atol=0.02)
    assert torch.allclose(first.running_var, projected.var(1), rtol=0.1)
    assert first.momentum == 0.1


def test_settling_twice_gives_the_same_bits() -> None:
    sampler = sampler_of(_Unconditional(DCGenerator(6, SHAPE, 4)))
    sampler.settle(seed=3)
    before = [buffer.clone() for buffer in sampler.generator.buffers()]
    sampler.settle(seed=3)
    assert all(torch.equal(a, b) for a, b in zip(before, sampler.generator.buffers(), strict=True))


def test_an_average_with_batch_norm_makes_pictures_with_the_contrast_of_the_data(tiny: dict[str, Any]) -> None:
    halves = np.zeros((60, 8, 8), np.uint8)
    halves[:, :4] = 255
    halves[0, 0, 0] = 254
    gan = GAN("dcgan", **{**tiny, "samples": 16 * 200}, learning_rate=2e-3, average_half_life=200).fit(halves)
    new = np.asarray(gan.sample(20, seed=0)).astype(float)
    assert new[:, :4].mean() > 200
    assert new[:, 4:].mean() < 55


class _Unconditional(nn.Module):
    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, z: torch.Tensor, _: None) -> torch.Tensor:
        made: torch.Tensor = self.body(z)
        return made
