"""`balanced` as it is, and without one of its parts at a time: what each is worth.

    python -m benchmarks.ablations points      N(4, 1.25), three distributions known by draws, ring and grid, seeds 0 to 2
    python -m benchmarks.ablations images    MNIST without labels, 128,000 samples on one core, seeds 0 and 1

The table goes to benchmarks/RESULTS.md: of every figure the median over seeds, and
every seed's. Samples trained on are the same in every line, seconds are not, so nothing
depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import shlex
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.distributions import DISTRIBUTIONS, training_draws
from benchmarks.foundation import RESULTS
from benchmarks.measuring import markdown, record
from benchmarks.rows import EVALUATION_SEED, floor
from equipoise import GAN, losses, penalties
from equipoise.data.distributions import Gaussian, Grid, Ring
from equipoise.metrics.digit_frequencies import RECOGNISED
from equipoise.metrics.frechet import DIGIT_FRECHET
from equipoise.metrics.modes import mode_coverage
from equipoise.metrics.neighbours import COVERAGE
from equipoise.metrics.wasserstein import wasserstein_to_distribution
from equipoise.recipes.balanced import Balanced
from equipoise.recipes.base import register
from equipoise.recipes.method import Method
from equipoise.recipes.output import Probability
from equipoise.transforms.space import NetworkSpace

OF_DRAWS = ("exponential", "Laplace", "five narrow modes")
IMAGES = 128_000  # samples trained on
SEEDS = {"points": 3, "images": 2}
Figures = dict[str, float]


@register
@dataclass(frozen=True, kw_only=True)
class Unpaired(Balanced):
    """Goodfellow et al. 2014's loss, with the same penalties and everything else."""

    name = "balanced-unpaired"
    summary = "balanced with the original loss"

    def build(self, space: NetworkSpace) -> Method:
        return replace(
            super().build(space),
            discriminator_loss=losses.discriminator,
            generator_loss=lambda _, fake: losses.non_saturating_generator(fake),
            output=Probability(),
            pairs=False,
        )


@register
@dataclass(frozen=True, kw_only=True)
class OneSided(Balanced):
    """One of the two penalties, with twice the weight, so that their sum is as large."""

    name = "balanced-r1"
    summary = "balanced with R1 alone"
    kept = "r1"

    def build(self, space: NetworkSpace) -> Method:
        return replace(
            super().build(space),
            penalty=lambda seen: {
                self.kept: 2 * penalties.r1_and_r2(seen.logits, seen.x)[self.kept]
            },
        )


@register
@dataclass(frozen=True, kw_only=True)
class OtherSided(OneSided):
    """As `OneSided`, of generated samples."""

    name = "balanced-r2"
    summary = "balanced with R2 alone"
    kept = "r2"


VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "balanced": ("balanced", {}),
    "not taken apart into modes": ("balanced", {"clusters": 0}),
    "loss not paired": (Unpaired.name, {}),
    "R1 alone": (OneSided.name, {}),
    "R2 alone": (OtherSided.name, {}),
    "no penalty": ("balanced", {"gamma": 0.0}),
    "no average": ("balanced", {"ema_half_life": 0.0}),
    "step size stays": ("balanced", {"learning_rate_end": 1.0}),
    "with momentum, beta1 .9": ("balanced", {"beta1": 0.9}),
}


@dataclass(frozen=True)
class Trial:
    """What is trained on, by seed, and what is read off the trained generator."""

    data: Callable[[int], Any]
    metrics: Callable[[GAN], Figures]
    settings: dict[str, Any]


def on_a_line(name: str, gan: GAN) -> Figures:
    x = np.asarray(gan.sample(100_000, seed=EVALUATION_SEED), np.float64).ravel()
    if name == "gaussian":
        return {"W1": wasserstein_to_distribution(x, Gaussian().quantile)}
    return {
        "W1 / IQR above the floor": wasserstein_to_distribution(x, DISTRIBUTIONS[name].quantile)
        / DISTRIBUTIONS[name].quartiles_apart
        - floor(name)
    }


def on_modes(distribution: Ring | Grid, gan: GAN) -> Figures:
    found = mode_coverage(
        np.asarray(gan.sample(2500, seed=EVALUATION_SEED), np.float64), *distribution.modes()
    )
    return {"modes": found.covered, "within 3 sigma": found.within, "spread": found.spread}


def on_digits(gan: GAN) -> Figures:
    named = {"Fréchet": DIGIT_FRECHET, "recognised": RECOGNISED, "coverage": COVERAGE}
    return {name: gan.report[metric.key] for name, metric in named.items()}


def trials(what: str) -> dict[str, Trial]:
    if what == "images":
        return {"MNIST": Trial(lambda _: "mnist", on_digits, {"samples": IMAGES})}
    distributions = {
        name: Trial(partial(training_draws, name), partial(on_a_line, name), {})
        for name in OF_DRAWS
    }
    return {
        "N(4, 1.25)": Trial(lambda _: "gaussian", partial(on_a_line, "gaussian"), {}),
        **distributions,
        "ring": Trial(lambda _: "ring", partial(on_modes, Ring()), {}),
        "grid": Trial(lambda _: "grid", partial(on_modes, Grid()), {}),
    }


def cell(found: list[Figures]) -> str:
    """Of every figure the median over seeds, and all of them in their order."""
    if not found:
        return ""
    told = []
    for name in found[0]:
        values = [metrics[name] for metrics in found]
        told.append(
            f"{name} {median(values):.3g} ({', '.join(f'{value:.3g}' for value in values)})"
        )
    return "; ".join(told)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=SEEDS)
    what = parser.parse_args().what
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    rows = [["", *trials(what)]]
    for variant, (recipe, settings) in VARIANTS.items():
        cells = []
        for trial in trials(what).values():
            found = []
            for seed in range(SEEDS[what]):
                gan = GAN(recipe, seed=seed, threads=1, **settings, **trial.settings).fit(
                    trial.data(seed)
                )
                found.append(trial.metrics(gan))
            cells.append(cell(found))
            print(variant, cells[-1], flush=True)
        rows.append([variant, *cells])
    record(
        RESULTS,
        shlex.join(["python", "-m", "benchmarks.ablations", what]),
        "One thread.",
        markdown(rows),
    )


if __name__ == "__main__":
    main()
