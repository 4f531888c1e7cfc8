"""The benchmark's gates: real samples pass all of them, generators that are untrained,
collapsed or deaf to labels none."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.gates import (
    GATES,
    LABELLED,
    TEN_MINUTES,
    TEN_MINUTES_LABELLED,
    UNSUPERVISED_ACCURACY,
    Gate,
    failures,
)
from benchmarks.recipe_runs import fits, read
from numpy.typing import NDArray
from tests.helpers import chain_of

from equipoise import GAN
from equipoise.data.distributions import Gaussian, Grid, Ring
from equipoise.data.factory import open_source
from equipoise.data.mnist import load
from equipoise.data.sources import Source
from equipoise.metrics.conditional import LABEL_ACCURACY
from equipoise.metrics.evaluate import suite_for
from equipoise.metrics.labels import accuracy
from equipoise.metrics.suites import MetricSuite
from equipoise.recipes import catalogue, find
from equipoise.recipes._building import build_method
from equipoise.sampling.sampler import Sampler

Array = NDArray[np.float64]
POINTS = {"gaussian": Gaussian(), "ring": Ring(), "grid": Grid()}
POINT_GATES = [(data, recipe) for data in POINTS for recipe in GATES[data]]


@cache
def source(data: str) -> Source:
    return open_source(data)


@cache
def suite(data: str) -> MetricSuite:
    """Of points with as many samples as the report takes, which bounds are of; of
    digits with the metrics that have bounds."""
    return suite_for(source(data), seed=0, quick=data == "mnist")


def draw(data: str, n: int) -> Array:
    return POINTS[data].sample(n, torch.Generator().manual_seed(5)).numpy()


def test_every_recipe_has_a_gate_for_every_kind_of_data_that_it_fits() -> None:
    for data, gates in GATES.items():
        fitting = {name for name in catalogue() if fits(name, data)}
        assert gates.keys() == fitting, data
    ten_minutes = TEN_MINUTES.keys() | TEN_MINUTES_LABELLED.keys()
    assert ten_minutes == {name for name in catalogue() if fits(name, "mnist")}


@cache
def real_points(data: str) -> dict[str, float]:
    return suite(data)(draw(data, suite(data).n))


@cache
def broken_points(data: str) -> dict[str, dict[str, float]]:
    n = suite(data).n
    real, rng = draw(data, n), np.random.default_rng(0)
    best_point = np.median(real, 0) if data == "gaussian" else real[0]
    std = real.std(0)
    two_values = real.mean(0) + std * rng.choice([-1.0, 1.0], real.shape)
    broken = {
        "one point": np.tile(best_point, (n, 1)),
        "the right mean and standard deviation, and nothing else": two_values,
        "no numbers": real * np.nan,
    }
    if data == "ring":
        uniform = real.mean(0) + std * 12**0.5 * (rng.random(real.shape) - 0.5)
        broken |= {"uniform": uniform, "one mode of eight is missing": real[real[:, 0] > -0.8][:n]}
    if data == "grid":
        broken |= {"ten modes of 25 are missing": real[real[:, 0] > -1]}
    return {what: suite(data)(x) for what, x in broken.items()}


@pytest.mark.parametrize(("data", "recipe"), POINT_GATES)
def test_real_points_pass(data: str, recipe: str) -> None:
    assert failures(GATES[data][recipe], real_points(data)) == []


@pytest.mark.parametrize(("data", "recipe"), POINT_GATES)
def test_points_that_are_collapsed_or_only_have_the_right_moments_fail(
    data: str, recipe: str
) -> None:
    passed = [
        what
        for what, metrics in broken_points(data).items()
        if not failures(GATES[data][recipe], metrics)
    ]
    assert passed == []


@pytest.mark.slow
@pytest.mark.parametrize(("data", "recipe"), POINT_GATES)
def test_an_untrained_generator_of_points_fails(data: str, recipe: str) -> None:
    gan = GAN(recipe, samples=1, threads=1, seed=0).fit(data)
    x = np.asarray(gan.sample(suite(data).n, seed=0)).reshape(suite(data).n, -1)
    assert failures(GATES[data][recipe], suite(data)(x))


DIGIT_GATES = [
    *GATES["mnist"].items(),
    *LABELLED.items(),
    *TEN_MINUTES.items(),
    *TEN_MINUTES_LABELLED.items(),
]


def digit_metrics(x: NDArray[np.uint8], asked: NDArray[Any]) -> dict[str, float]:
    """The metrics that the benchmark has of images; the accuracy of InfoGAN's code is
    taken to be 1, so that another metric must fail."""
    return {
        **suite("mnist")(x[:, None].astype(np.float64)),
        LABEL_ACCURACY.key: accuracy(read(x), asked),
        UNSUPERVISED_ACCURACY: 1.0,
    }


@cache
def real_digits() -> dict[str, float]:
    images, digits = load("train")
    return digit_metrics(images[:5000], digits[:5000])


@cache
def broken_digits() -> dict[str, dict[str, float]]:
    images, digits = (part[:5000] for part in load("train"))
    rng = np.random.default_rng(0)
    return {
        "one image": digit_metrics(np.tile(images[:1], (1000, 1, 1)), digits[:1000]),
        "a digit is missing": digit_metrics(images[digits != 4], digits[digits != 4]),
        "noise": digit_metrics(rng.integers(0, 256, (1000, 28, 28), np.uint8), digits[:1000]),
        "labels are ignored": {
            **real_digits(),
            LABEL_ACCURACY.key: accuracy(rng.permutation(digits), digits),
        },
    }


@pytest.mark.usefixtures("mnist_home")
@pytest.mark.parametrize(("recipe", "gate"), DIGIT_GATES)
def test_real_digits_pass_and_broken_ones_fail(recipe: str, gate: Gate) -> None:
    assert failures(gate, real_digits()) == [], recipe
    passed = [what for what, metrics in broken_digits().items() if not failures(gate, metrics)]
    assert passed == ([] if LABEL_ACCURACY.key in gate else ["labels are ignored"]), recipe


def untrained(recipe: str) -> NDArray[np.uint8]:
    """A thousand digits, a hundred of each where they can be asked for, by a generator
    that has not learned yet."""
    schema, kind, cpu = source("mnist").schema, find(recipe), torch.device("cpu")
    built = kind.for_data(schema, {"conditional": kind.needs_labels})
    built = replace(built, clusters=0)  # groups of images tell an untrained generator nothing
    method = build_method(built, schema, seed=0)
    sampler = Sampler(method.generator, method.prior, built, schema, chain_of(schema), cpu)
    sampler.recalibrate_batchnorm(0)
    z, y = sampler.latents(1000, 0)
    asked = torch.arange(10).repeat_interleave(100)
    return (
        sampler.decode_latents(z, None if y is None else asked).astype(np.uint8).reshape(-1, 28, 28)
    )


def test_a_failure_says_by_how_much() -> None:
    metrics = {"recognised_fraction": 0.75, "smallest_class_frequency": 0.07}
    assert failures(TEN_MINUTES["dcgan"], metrics) == [
        "recognised_fraction 0.75: must be from 0.8 to 1, off by 0.05"
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("mnist_home")
@pytest.mark.parametrize("recipe", sorted(GATES["mnist"]))
def test_an_untrained_generator_of_digits_fails(recipe: str) -> None:
    metrics = digit_metrics(untrained(recipe), np.arange(10).repeat(100))
    bounds = {
        name: bound for name, bound in GATES["mnist"][recipe].items() if name != LABEL_ACCURACY.key
    }
    assert failures(bounds, metrics)
