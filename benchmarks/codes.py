"""What the codes of an InfoGAN mean, which is what its paper promises for MNIST without
labels (Chen et al. 2016, section 7.2 and figure 2): c1 of ten values is the digit, c2
its rotation and c3 its width. Here they are c0, u0 and u1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.digit_shapes import slants, widths
from equipoise import GAN
from equipoise.data import mnist
from equipoise.metrics.digits import read_digits
from equipoise.metrics.labels import unsupervised_accuracy
from equipoise.plotting.grids import image_grid

Array = NDArray[np.float64]
VALUES = 10  # of the categorical code c0
CONTINUOUS = ("u0", "u1")
SHAPES: dict[str, Callable[[NDArray[np.uint8]], Array]] = {"slant": slants, "width": widths}
DRAWN = 400  # digits of each value of c0 that a correlation takes
WALKS = 20  # of each value of c0
REACH, STEPS = 2.0, 9  # the paper's walks: from -2 to 2, all else fixed
SEED = 0


@dataclass(frozen=True)
class Meaning:
    """What the codes of one training mean.

    Args:
        accuracy: Fraction of the test digits that c0 identifies.
        drawn: Absolute rank correlation of each continuous code (rows) with slant and
            width (columns) of digits drawn at random, mean over the values of c0.
        walked: The same along walks of the code from -2 to 2 with all else fixed: the
            absolute value of the mean over walks, so that a code which turns some
            digits left and others right has little; mean over the values of c0. (The
            absolute correlation of a single walk is near 1 for any smooth G.)
    """

    accuracy: float
    drawn: list[list[float]]
    walked: list[list[float]]


def meaning(gan: GAN) -> Meaning:
    """Measure a trained InfoGAN."""
    images, digits = mnist.load("test")
    accuracy = unsupervised_accuracy(gan.encode(images)["c0"], digits)
    return Meaning(accuracy, of_draws(gan).tolist(), of_walks(gan).tolist())


def of_draws(gan: GAN) -> Array:
    """Correlations over digits drawn at random, (code, shape)."""
    found = np.zeros((VALUES, len(CONTINUOUS), len(SHAPES)))
    generator = np.random.default_rng(SEED)
    for value in range(VALUES):
        codes = {name: generator.uniform(-1, 1, DRAWN) for name in CONTINUOUS}
        images = np.asarray(gan.sample(DRAWN, code={"c0": value, **codes}, seed=SEED + value))
        for column, shape in enumerate(SHAPES.values()):
            shapes = shape(images)
            found[value, :, column] = [
                abs(rank_correlation(codes[name], shapes)) for name in CONTINUOUS
            ]
    mean: Array = found.mean(0)
    return mean


def of_walks(gan: GAN) -> Array:
    """Correlations along walks, (code, shape)."""
    steps = np.linspace(-REACH, REACH, STEPS)
    found = np.zeros((len(CONTINUOUS), len(SHAPES)))
    for row, name in enumerate(CONTINUOUS):
        images = walks(gan, name, np.arange(VALUES).repeat(WALKS))
        for column, shape in enumerate(SHAPES.values()):
            along = [rank_correlation(steps, walk) for walk in shape(images).reshape(-1, STEPS)]
            found[row, column] = np.abs(np.reshape(along, (VALUES, WALKS)).mean(1)).mean()
    return found


def walks(gan: GAN, name: str, values: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Digits along walks of one continuous code, the other 0: (N * STEPS, H, W), a walk
    for each of the values of c0, (N,), each with noise of its own."""
    steps = np.linspace(-REACH, REACH, STEPS)
    latents = gan.latents(len(values), seed=SEED)[np.repeat(np.arange(len(values)), STEPS)]
    codes = {"c0": np.repeat(values, STEPS)} | dict.fromkeys(CONTINUOUS, 0.0)
    codes[name] = np.tile(steps, len(values))
    return np.asarray(gan.sample(latents=latents, code=codes))


def rank_correlation(x: Array, y: Array) -> float:
    """Spearman's, of x and y, (N,); 0 where y does not vary."""
    from scipy.stats import spearmanr

    return float(spearmanr(x, y).statistic) if np.ptp(y) > 0 else 0.0


def best_assignment(correlations: list[list[float]]) -> dict[str, tuple[str, float]]:
    """Which code is which shape, one each, with the greatest sum: the code and the
    correlation by the shape's name."""
    table = np.asarray(correlations)
    names = list(SHAPES)
    best = max(
        permutations(range(len(CONTINUOUS)), len(names)),
        key=lambda codes: sum(table[code, i] for i, code in enumerate(codes)),
    )
    return {
        name: (CONTINUOUS[code], float(table[code, i]))
        for i, (name, code) in enumerate(zip(names, best, strict=True))
    }


def values_by_digit(gan: GAN, n: int = 100) -> NDArray[np.int64]:
    """The values of c0 in the order of the digits that they are most often read as."""
    probabilities = [
        read_digits(torch.from_numpy(np.array(gan.sample(n, code={"c0": value}, seed=SEED))))[1]
        for value in range(VALUES)
    ]
    return np.array([int(p.argmax(1).mode().values) for p in probabilities]).argsort(kind="stable")


def walk_picture(gan: GAN, name: str) -> bytes:
    """A PNG of a code from left to right, of a continuous one from -2 to 2 with a row
    for each value of c0; of c0 its values, with rows that differ in all else."""
    values = values_by_digit(gan)
    if name == "c0":
        latents = gan.latents(VALUES, seed=SEED)[np.repeat(np.arange(VALUES), VALUES)]
        images = np.asarray(gan.sample(latents=latents, code={"c0": np.tile(values, VALUES)}))
    else:
        images = walks(gan, name, values)
    columns = VALUES if name == "c0" else STEPS
    return image_grid(images[:, None].astype(np.float64), None, images_per_row=columns)
