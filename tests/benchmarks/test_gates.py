"""The benchmark's gates: real samples pass all of them, generators that are untrained, collapsed or deaf to labels none."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.gates import AGREEMENT, GATES, LABELLED, UNSUPERVISED, Gate, failures
from benchmarks.recipes import read
from numpy.typing import NDArray

from equipoise import GAN
from equipoise.data.laws import Gaussian, Ring
from equipoise.data.mnist import load
from equipoise.data.opening import open_source
from equipoise.metrics.examination import judge_for
from equipoise.metrics.judges import Judge
from equipoise.metrics.labels import agreement
from equipoise.recipes import catalogue

Array = NDArray[np.float64]
POINTS = {"gaussian": Gaussian(), "ring": Ring()}
POINT_GATES = [(data, recipe) for data in POINTS for recipe in GATES[data]]


@cache
def judge(data: str) -> Judge:
    return judge_for(open_source(data), seed=0)


def draw(data: str, n: int) -> Array:
    return POINTS[data].sample(n, torch.Generator().manual_seed(5)).numpy()


def test_every_recipe_has_a_gate_for_every_kind_of_data_that_it_fits() -> None:
    needs_labels = {name for name, recipe in catalogue().items() if recipe.needs_labels}
    assert GATES["gaussian"].keys() == catalogue().keys() - needs_labels - {"dcgan"}
    assert GATES["ring"].keys() == catalogue().keys() - {"dcgan"}
    assert GATES["mnist"].keys() == catalogue().keys()


@pytest.mark.parametrize(("data", "recipe"), POINT_GATES)
def test_real_points_pass(data: str, recipe: str) -> None:
    assert failures(GATES[data][recipe], judge(data)(draw(data, judge(data).n))) == []


@pytest.mark.parametrize(("data", "recipe"), POINT_GATES)
def test_an_untrained_generator_of_points_fails(data: str, recipe: str) -> None:
    gan = GAN(recipe, samples=1, threads=1, seed=0).fit(data)
    assert failures(GATES[data][recipe], judge(data)(np.asarray(gan.sample(judge(data).n, seed=0)).reshape(judge(data).n, -1)))


@pytest.mark.parametrize(("data", "recipe"), POINT_GATES)
def test_points_that_are_collapsed_or_only_have_the_right_moments_fail(data: str, recipe: str) -> None:
    n = judge(data).n
    real = draw(data, n)
    best_point = np.tile(np.median(real, 0), (n, 1)) if data == "gaussian" else np.tile(real[:1], (n, 1))
    rng = np.random.default_rng(0)
    two_values = real.mean(0) + real.std(0) * rng.choice([-1.0, 1.0], real.shape)  # the right mean and deviation, and nothing else
    uniform = real.mean(0) + real.std(0) * 12**0.5 * (rng.random(real.shape) - 0.5)
    broken = [best_point, two_values, real * np.nan]
    if data == "ring":
        broken += [uniform, real[real[:, 0] > -0.8][:n]]  # one mode of eight is missing
    for x in broken:
        assert failures(GATES[data][recipe], judge(data)(x)), x[:3]


DIGIT_GATES = [*GATES["mnist"].items(), *LABELLED.items()]


def digit_figures(x: NDArray[np.uint8], asked: NDArray[Any]) -> dict[str, float]:
    """The figures that the benchmark has of pictures; InfoGAN's code is taken to find every digit, so that another figure must fail."""
    return {**judge("mnist")(x[:, None].astype(np.float64)), AGREEMENT: agreement(read(x), asked), UNSUPERVISED: 1.0}


@cache
def real_digits() -> dict[str, float]:
    images, digits = load("train")
    return digit_figures(images[:5000], digits[:5000])


@cache
def broken_digits() -> dict[str, dict[str, float]]:
    images, digits = (part[:5000] for part in load("train"))
    rng = np.random.default_rng(0)
    return {
        "one picture": digit_figures(np.tile(images[:1], (1000, 1, 1)), digits[:1000]),
        "a digit is missing": digit_figures(images[digits != 4], digits[digits != 4]),
        "noise": digit_figures(rng.integers(0, 256, (1000, 28, 28), np.uint8), digits[:1000]),
        "labels are ignored": digit_figures(images, rng.permutation(digits)),
    }


@pytest.mark.usefixtures("mnist_home")
@pytest.mark.parametrize(("recipe", "gate"), DIGIT_GATES)
def test_real_digits_pass_and_broken_ones_fail(recipe: str, gate: Gate) -> None:
    assert failures(gate, real_digits()) == [], recipe
    passed = [what for what, figures in broken_digits().items() if not failures(gate, figures)]
    assert passed == ([] if AGREEMENT in gate else ["labels are ignored"]), recipe


@pytest.mark.usefixtures("mnist_home")
@pytest.mark.parametrize("recipe", sorted(GATES["mnist"]))
def test_an_untrained_generator_of_digits_fails(recipe: str) -> None:
    gan = GAN(recipe, samples=1, seed=0, threads=1).fit("mnist")
    asked = np.arange(10).repeat(100)
    figures = digit_figures(np.asarray(gan.sample(1000, seed=0)), asked)
    assert failures({name: bound for name, bound in GATES["mnist"][recipe].items() if name != AGREEMENT}, figures)
