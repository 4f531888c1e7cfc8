"""Drawing from a generator: evaluation mode, statistics of an average, the same first
samples for every n."""

from __future__ import annotations

import math
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tests.helpers import chain_of
from torch import nn

from equipoise import GAN
from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.networks.dcgan import DCGenerator
from equipoise.networks.latents import Prior
from equipoise.networks.mlp import Dropout
from equipoise.recipes.dcgan import DCGAN
from equipoise.sampling import batching
from equipoise.sampling.draws import BLOCK
from equipoise.sampling.sampler import Sampler
from equipoise.transforms.clustering import Clustering
from equipoise.transforms.per_channel import ChannelClusters
from equipoise.transforms.whitening import ComponentWhitening

SHAPE = (1, 8, 8)
IMAGES = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)


def sampler_of(generator: nn.Module) -> Sampler:
    schema = Schema(SHAPE, "NHW", "uint8")
    return Sampler(
        generator,
        Prior(6),
        DCGAN(),
        schema,
        chain_of(schema),
        torch.device("cpu"),
    )


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


def test_dropout_is_off_and_batch_norm_uses_its_statistics_when_sampling(
    tiny: dict[str, Any],
) -> None:
    gan = GAN("classic", **tiny, dropout=0.5).fit(np.random.default_rng(0).normal(size=60))
    assert any(isinstance(layer, Dropout) for layer in gan._trained().sampler.generator.modules())
    assert np.array_equal(gan.sample(50, seed=1), gan.sample(50, seed=1))
    images = GAN("dcgan", **tiny).fit(IMAGES)
    assert np.array_equal(
        images.sample(1, seed=1), np.asarray(images.sample(50, seed=1))[:1]
    )  # a batch's own mean would differ


def test_recalibrated_statistics_are_those_of_the_averaged_weights_and_not_of_another_network() -> (
    None
):
    torch.manual_seed(0)
    generator = DCGenerator(6, SHAPE, 4)
    sampler = sampler_of(_Unconditional(generator))
    first = generator.layers[0]
    assert isinstance(first, nn.BatchNorm2d)
    first.running_mean.fill_(99.0)
    sampler.recalibrate_batchnorm(seed=0)
    z = Prior(6).sample(50_000, torch.Generator().manual_seed(1))
    projected = generator.project(z).reshape(len(z), *generator.grid).transpose(0, 1).flatten(1)
    assert torch.allclose(first.running_mean, projected.mean(1), atol=0.02)
    assert torch.allclose(first.running_var, projected.var(1), rtol=0.1)
    assert first.momentum == 0.1


@pytest.mark.parametrize(
    ("shape", "expected", "interim"),
    [
        ((2,), 32, 8),
        ((1, 28, 28), 32, 8),
        ((3, 32, 32), 32, 8),
        ((3, 64, 64), 8, 4),
        ((3, 256, 256), 4, 4),
    ],
)
def test_larger_images_and_a_training_that_goes_on_take_fewer_batches_to_recalibrate(
    shape: tuple[int, ...], expected: int, interim: int
) -> None:
    generator = DCGenerator(6, SHAPE, 4)
    sampler = sampler_of(_Unconditional(generator))
    sampler.schema = Schema(shape, None if len(shape) == 1 else "NCHW", "uint8")
    batches: list[int] = []
    generator.register_forward_hook(lambda _, z, __: batches.append(len(z[0])))
    sampler.recalibrate_batchnorm(seed=0)
    assert batches == [64] * expected
    sampler.recalibrate_batchnorm(seed=0, interim=True)
    assert batches == [64] * (expected + interim)


def test_recalibrating_twice_gives_the_same_bits() -> None:
    sampler = sampler_of(_Unconditional(DCGenerator(6, SHAPE, 4)))
    sampler.recalibrate_batchnorm(seed=3)
    before = [buffer.clone() for buffer in sampler.generator.buffers()]
    sampler.recalibrate_batchnorm(seed=3)
    assert all(torch.equal(a, b) for a, b in zip(before, sampler.generator.buffers(), strict=True))


def test_an_average_with_batch_norm_makes_images_with_the_contrast_of_the_data(
    tiny: dict[str, Any],
) -> None:
    halves = np.zeros((60, 8, 8), np.uint8)
    halves[:, :4] = 255
    halves[0, 0, 0] = 254
    # Without the dense layer, whose BatchNorm hides from D what a whole batch shares.
    settings = {**tiny, "samples": 16 * 200, "dense_units": 0}
    gan = GAN("dcgan", **settings, learning_rate=2e-3, ema_half_life=200).fit(halves)
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


@pytest.mark.parametrize("n", [0, 1, BLOCK // 4, BLOCK + 1])
def test_what_is_drawn_in_parts_is_what_is_made_of_all_latents_at_once(n: int) -> None:
    rng, given = np.random.default_rng(0), 2 * BLOCK
    settings: dict[str, Any] = {"samples": 32, "batch_size": 16, "width": 8, "threads": 1}
    sampler = (
        GAN("infogan", **settings, categorical_codes=3, continuous_codes=1)
        .fit(rng.normal(size=(60, 2)))
        ._trained()
        .sampler
    )
    codes = {"u0": np.linspace(-2, 2, given)[:n], "c0": np.arange(n) % 3}
    assert np.array_equal(
        np.asarray(sampler.sample(n, 5, codes=codes)),
        sampler.decode_latents(*sampler.latents(n, 5, codes=codes)),
    )


CLASSES: dict[str, Any] = {"classes": ("a", "b"), "class_counts": (1, 3)}
KINDS = {
    "clusters": (Schema((2,), "ND", "float64"), 3),
    "labels and clusters": (Schema((2,), "ND", "float64", **CLASSES), 3),
    "labels": (Schema(SHAPE, "NHW", "uint8", **CLASSES), 0),
    "clusters per channel": (Schema((2, 8, 8), "NCHW", "uint8"), 3),
}


def classes_of(kind: str, n: int) -> torch.Tensor:
    """The classes that a sampler draws for n samples, of labels 1 to 3."""
    schema, count = KINDS[kind]
    conditional = schema.classes is not None
    clustering: Clustering | None = None
    if count and schema.is_image:
        clustering = ChannelClusters(schema.shape, count)
    elif count:
        clustering = ComponentWhitening(schema.shape, count, 2 if conditional else 0)
    sampler = Sampler(
        Probe(),
        Prior(6),
        DCGAN(conditional=conditional),
        schema,
        chain_of(schema, clustering),
        torch.device("cpu"),
    )
    if clustering is not None and conditional:
        clustering.weights = torch.tensor([[0.05, 0.05, 0.15], [0.15, 0.0, 0.6]])
    found = sampler.latents(n, 7)[1]
    assert found is not None
    return found


@pytest.mark.parametrize("n", [0, 1, 2, BLOCK - 1, BLOCK, BLOCK + 1])
@pytest.mark.parametrize("kind", KINDS)
def test_the_first_labels_and_clusters_are_the_same_for_every_n(kind: str, n: int) -> None:
    assert torch.equal(classes_of(kind, n), classes_of(kind, 2 * BLOCK + 1)[:n])


def test_clusters_are_drawn_at_their_weights_in_the_label() -> None:
    drawn = classes_of("labels and clusters", 40_000)
    weights = torch.bincount(drawn, minlength=6) / len(drawn)
    assert weights.tolist() == pytest.approx([0.05, 0.05, 0.15, 0.15, 0.0, 0.6], abs=0.01)


def test_sampling_takes_no_more_memory_than_the_result_and_a_part() -> None:
    sampler, n = sampler_of(Probe()), 100_000
    tracemalloc.start()
    try:
        drawn = sampler.sample(n, 0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(drawn, np.ndarray)
    assert drawn.nbytes == 64 * n
    assert peak < drawn.nbytes + 4 * 64 * BLOCK * np.dtype(np.float64).itemsize


@pytest.mark.parametrize("kind", ["frame", "images", "labels"])
def test_batches_put_together_are_one_draw(kind: str, tiny: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=80), "b": rng.integers(0, 9, 80)})
    data: Any = {"frame": frame, "images": IMAGES, "labels": rng.normal(size=(80, 2))}[kind]
    gan = GAN(**tiny).fit(data, ["x"] * 30 + ["y"] * 50 if kind == "labels" else None)
    whole, batches = gan.sample(25, seed=3), list(gan.sample_batches(25, 10, seed=3))
    assert [len(batch) for batch in batches] == [10, 10, 5]
    if isinstance(whole, pd.DataFrame):
        pd.testing.assert_frame_equal(pd.concat(batches, ignore_index=True), whole)
    else:
        assert np.array_equal(
            np.concatenate([np.asarray(batch) for batch in batches]), np.asarray(whole)
        )
    assert list(gan.sample_batches(0, 10)) == []


def test_samples_that_memory_cannot_hold_are_refused_before_any_is_made(
    tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    gan = GAN(**tiny).fit(IMAGES)
    monkeypatch.setattr(batching, "available_memory", lambda: 2**30)
    message = (
        r"^n = 1000000000: these samples need 59\.6 GiB of memory, and 1\.0 GiB are "
        r"free: draw at most 16777216 at once"
    )
    with pytest.raises(RequestError, match=message):
        gan.sample(10**9)
    assert len(np.asarray(next(gan.sample_batches(10**9, 7)))) == 7
    for size in (0, -1):
        with pytest.raises(RequestError, match=r"^batch_size = .*: must be at least 1"):
            gan.sample_batches(9, size)


def test_a_loaded_generator_is_sampled_from_without_torchs_compiler_whose_import_takes_a_second(
    trained: Path,
) -> None:
    program = (
        f"import sys; from equipoise import GAN; GAN.load({str(trained)!r}).sample(3); "
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True)


@pytest.mark.parametrize(("rows", "expected"), [(65, [33, 32]), (64, [64]), (2048, [64] * 32)])
def test_an_encoder_is_recalibrated_on_equal_parts_none_of_which_is_a_single_image(
    rows: int, expected: list[int]
) -> None:
    sampler = sampler_of(_Unconditional(DCGenerator(6, SHAPE, 4)))
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(SHAPE), 3), nn.BatchNorm1d(3))
    sizes: list[int] = []
    encoder.register_forward_hook(lambda _, x, __: sizes.append(len(x[0])))
    sampler.encoder = encoder
    real = torch.randint(0, 256, (rows, *SHAPE), dtype=torch.uint8)
    sampler.recalibrate_batchnorm(seed=0, real=real)
    assert sizes == expected
