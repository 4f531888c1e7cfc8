"""Walks, directions and inversion against closed forms and trusted libraries."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import kstest
from sklearn.decomposition import PCA
from tests.helpers import chain_of
from torch import nn

from equipoise.data.schema import Schema
from equipoise.networks.latents import Prior
from equipoise.networks.stylegan2 import StyleGenerator
from equipoise.recipes.classic import Classic
from equipoise.sampling.directions import moved, principal_directions
from equipoise.sampling.interpolation import HARMONICS, interpolate, loop, slerp
from equipoise.sampling.inversion import invert
from equipoise.sampling.latents import draw, styles_in, truncated_latents, values_of
from equipoise.sampling.sampler import Sampler
from equipoise.sampling.styles import mean_styles
from equipoise.sampling.truncation import truncated

RNG = np.random.default_rng(0)
Z, D = 5, 8


class Linear(nn.Module):
    """G(z) = A z + b."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layer = nn.Linear(inputs, outputs)
        nn.init.normal_(self.layer.weight)

    def forward(self, z: torch.Tensor, _: torch.Tensor | None = None) -> torch.Tensor:
        made: torch.Tensor = self.layer(z)
        return made


def linear_sampler(outputs: int = D, prior: Prior | None = None) -> Sampler:
    schema, prior = Schema((outputs,), "ND", "float64"), prior or Prior(Z)
    generator = Linear(prior.width, outputs)
    chain = chain_of(schema)
    return Sampler(generator, prior, Classic(), schema, chain, torch.device("cpu"))


def style_sampler(classes: int = 0) -> Sampler:
    generator = StyleGenerator(6, (1, 8, 8), 8, classes)
    for strength in (layer.strength for layer in generator.synthesis.convolutions):
        nn.init.constant_(strength, 0.3)  # type: ignore[arg-type]  # of a StyledConv
    schema = Schema((1, 8, 8), "NHW", "uint8")
    prior = Prior(generator.latent_width)
    return Sampler(generator, prior, Classic(), schema, chain_of(schema), torch.device("cpu"))


def test_spherical_interpolation_turns_evenly_and_its_norms_are_linear() -> None:
    a, b, t = RNG.normal(size=64), 3 * RNG.normal(size=64), np.linspace(0, 1, 9)
    walk = slerp(a, b, t)
    norms = np.linalg.norm(walk, axis=1)
    assert np.allclose(norms, (1 - t) * np.linalg.norm(a) + t * np.linalg.norm(b))
    units = walk / norms[:, None]
    angles = np.arccos((units[1:] * units[:-1]).sum(1))
    assert np.allclose(angles, angles[0])
    assert np.allclose(walk[[0, -1]], [a, b])


@pytest.mark.parametrize("b", [[2.0, 0.0], [-1.0, 0.0], [0.0, 0.0]], ids=["same", "opposite", "0"])
def test_vectors_that_span_no_plane_are_interpolated_linearly(b: list[float]) -> None:
    walk = slerp(np.array([1.0, 0.0]), np.array(b), np.array([0.0, 0.5, 1.0]))
    assert np.allclose(walk, [[1, 0], [(1 + b[0]) / 2, 0], b])


def test_uniform_latents_are_interpolated_linearly() -> None:
    sampler = linear_sampler(prior=Prior(Z, "uniform"))
    a, b = draw(sampler, 1, 0), draw(sampler, 1, 1)
    assert np.allclose(interpolate(sampler, a, b, 3).z[1], (a.z[0] + b.z[0]) / 2)


@pytest.mark.parametrize("kind", ["normal", "uniform"])
def test_every_moment_of_a_loop_has_the_distribution_of_latents(kind: str) -> None:
    sampler = linear_sampler(prior=Prior(Z, kind))  # type: ignore[arg-type]  # one of its kinds
    frames = [frame.z for frame in loop(sampler, 800, 24, seed=1)]
    expected = ("norm",) if kind == "normal" else ("uniform", (-1, 2))
    for z in (frames[0], frames[7]):
        assert kstest(z.ravel(), *expected).pvalue > 1e-5
    steps = [np.abs(b - a).max() for a, b in zip(frames, [*frames[1:], frames[0]], strict=True)]
    assert max(steps) < 2.5 * 2 * np.pi * HARMONICS / 24 * 3  # closed, without a jump


@pytest.mark.parametrize("outputs", [D, 64], ids=["exact", "random probes"])
def test_directions_of_a_linear_generator_are_its_right_singular_vectors(outputs: int) -> None:
    sampler = linear_sampler(outputs)
    weight = sampler.generator.layer.weight.detach().double().numpy()  # type: ignore[union-attr, operator]  # Linear
    _, singular, right = np.linalg.svd(weight, full_matrices=False)
    found = principal_directions(sampler, Z, seed=0)
    close = 1e-5 if outputs == D else 0.05
    cosines = np.abs((found.vectors * right).sum(1))
    assert np.allclose(found.explained, singular**2 / (singular**2).sum(), atol=close)
    assert (cosines > 1 - close).all()


def test_directions_of_a_linear_generator_are_pca_of_its_samples() -> None:
    sampler = linear_sampler()
    latents = draw(sampler, 20_000, 0)
    pca = PCA(2).fit(values_of(sampler, latents))
    found = principal_directions(sampler, 2, seed=0)
    assert np.allclose(found.explained, pca.explained_variance_ratio_, atol=0.02)
    ends = [values_of(sampler, moved(sampler, latents[:1], one, [0, 1])) for one in found]
    changes = [(end[1] - end[0]) / np.linalg.norm(end[1] - end[0]) for end in ends]
    assert (np.abs((np.array(changes) * pca.components_).sum(1)) > 0.98).all()


def test_directions_of_styles_are_pca_of_w() -> None:
    sampler = style_sampler()
    found = principal_directions(sampler, 3, seed=0)
    pca = PCA(3).fit(styles_in(sampler, draw(sampler, 10_000, 0)).double().numpy())
    assert found.space == "w"
    assert np.allclose(found.explained, pca.explained_variance_ratio_, atol=1e-6)
    assert np.allclose(found.stds, np.sqrt(pca.explained_variance_), rtol=1e-3)
    assert np.allclose(np.abs((found.vectors * pca.components_).sum(1)), 1, atol=1e-5)


def test_moving_by_one_standard_deviation_moves_a_normal_latent_by_1() -> None:
    sampler = linear_sampler()
    latents = draw(sampler, 2, 0)
    found = moved(sampler, latents, principal_directions(sampler, 1, seed=0)[0], [-1, 0, 1])
    assert np.allclose(found.z[1::3], latents.z)
    assert np.allclose(np.linalg.norm(found.z[2::3] - latents.z, axis=1), 1, atol=1e-5)


def test_inversion_of_a_linear_generator_recovers_the_latents() -> None:
    sampler = linear_sampler()
    latents = draw(sampler, 3, 7)
    found = invert(sampler, values_of(sampler, latents), None, steps=200, restarts=1, seed=0)
    assert np.allclose(found.latents.z, latents.z, atol=0.02)
    assert (found.relative < 0.01).all()
    assert str(found).startswith("found: ")


def test_samples_that_a_generator_cannot_make_are_said_not_to_be_found() -> None:
    sampler = linear_sampler(64)
    weight = sampler.generator.layer.weight.detach().double().numpy()  # type: ignore[union-attr, operator]  # Linear
    bias = sampler.generator.layer.bias.detach().double().numpy()  # type: ignore[union-attr, operator]  # Linear
    outside = np.linalg.svd(weight)[0][:, Z]  # orthogonal to all that is made
    far = (bias + 50 * outside)[None]
    found = invert(sampler, far, None, steps=100, restarts=1, seed=0)
    best = 50 / 64**0.5  # of all points that are made: that of the mean
    assert found.errors[0] == pytest.approx(best, rel=1e-3)
    assert "not found" in str(found)


def test_inversion_into_styles_finds_an_image_of_one_w() -> None:
    sampler = style_sampler()
    given = values_of(sampler, draw(sampler, 1, 3)).astype(np.uint8)
    found = invert(sampler, given, None, steps=60, restarts=2, seed=0)
    assert found.latents.w is not None
    assert found.errors[0] < found.nearest_errors[0]


def test_truncated_styles_go_to_the_mean_of_their_class_and_noise_stays() -> None:
    sampler = style_sampler(classes=2)
    means = mean_styles(sampler, sampler.generator)  # type: ignore[arg-type]  # a StyleGenerator
    latents = draw(sampler, 4, 0)
    y = np.array([0, 1, 0, 1])
    latents = type(latents)(latents.z, y)
    half = truncated_latents(sampler, latents, 0.5)
    expected = (styles_in(sampler, latents).numpy() + means.numpy()[y]) / 2
    assert half.w is not None
    assert np.allclose(half.w, expected, atol=1e-6)
    assert np.array_equal(half.z, latents.z)
    z, classes = latents.tensors
    assert np.allclose(
        truncated(sampler, 0.5).decode_latents(z, classes), values_of(sampler, half), atol=1
    )


def test_truncation_multiplies_latents_but_not_codes() -> None:
    sampler = linear_sampler(prior=Prior(3, "uniform", (2,), 1))
    latents = draw(sampler, 5, 0)
    half = truncated_latents(sampler, latents, 0.5)
    assert np.allclose(half.z[:, :3], latents.z[:, :3] / 2)
    assert np.array_equal(half.z[:, 3:], latents.z[:, 3:])
    z, _ = latents.tensors
    assert np.allclose(truncated(sampler, 0.5).decode_latents(z, None), values_of(sampler, half))
