"""What `balanced` finds in data before it trains, and how good samples of that alone
would be.

    python -m benchmarks.modes
        N(4, 1.25), ring, grid, the twelve distributions and MNIST, seeds 0 to 4

For points: how many components, and the figures of samples drawn from them with no
network at all, which training has to better or keep. For images: how many groups, and
the share of images whose digit is the commonest of their group. For both how long it
takes to find them, on one thread. The result goes to benchmarks/results; run it on
an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import shlex
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.distributions import DISTRIBUTIONS, training_draws
from benchmarks.results import record
from benchmarks.rows import EVALUATION_SEED, floor
from equipoise.data import mnist
from equipoise.data.distributions.univariate import Gaussian, Grid, Ring
from equipoise.data.factory import open_source
from equipoise.metrics.wasserstein import mode_coverage, wasserstein_to_distribution
from equipoise.transforms.clustering import Clustering
from equipoise.transforms.fitting import fit_clustering
from equipoise.transforms.scaling import Scaling, fit_scaling

Array = NDArray[np.float64]
Figures = dict[str, float]
SAMPLES = {1: 100_000, 2: 2500}


def found_in(data: Any, seed: int) -> tuple[Clustering | None, Scaling, float]:
    """The modes of data, its scaling, and the seconds that both took."""
    source = open_source(data, split_seed=seed)
    began = time.perf_counter()
    scaling = fit_scaling(source, "standard", seed)
    clustering = fit_clustering(source, scaling, None, 0, seed)
    return clustering, scaling, time.perf_counter() - began


def alone(
    data: Any, size: int, seed: int, metrics: Callable[[Array], Figures]
) -> tuple[int, Figures]:
    """How many components data of `size` columns has, and the figures of samples of
    them, (N, size), in its units."""
    clustering, scaling, seconds = found_in(data, seed)
    generator = torch.Generator().manual_seed(EVALUATION_SEED)
    u = torch.randn(SAMPLES[size], size, generator=generator)
    if clustering is not None:
        u = clustering.unwhiten(
            u, clustering.classes(torch.zeros(len(u), dtype=torch.int64), generator)
        )
    return 1 if clustering is None else clustering.count, {
        **metrics(scaling.decode(u)),
        "seconds": seconds,
    }


def on_modes(distribution: Ring | Grid) -> Callable[[Array], Figures]:
    def metrics(x: Array) -> Figures:
        found = mode_coverage(x, *distribution.modes())
        return {
            "modes": found.covered,
            "within 3 sigma": found.within,
            "reverse KL": found.reverse_kl,
            "spread": found.spread,
        }

    return metrics


def of_a_distribution(name: str) -> Callable[[Array], Figures]:
    def metrics(x: Array) -> Figures:
        return {
            "W1 / IQR above the floor": wasserstein_to_distribution(
                x.ravel(), DISTRIBUTIONS[name].quantile
            )
            / DISTRIBUTIONS[name].quartiles_apart
            - floor(name)
        }

    return metrics


def digits(seed: int) -> tuple[int, Figures]:
    """How many groups MNIST has, and the share of images of their group's commonest
    digit."""
    clustering, scaling, seconds = found_in("mnist", seed)
    assert isinstance(clustering, Clustering)
    images, labels = mnist.load("test")
    groups = clustering.assign(
        scaling.encode(torch.from_numpy(images[:, None].copy())), torch.Generator()
    ).numpy()
    alike = sum(np.bincount(labels[groups == group]).max() for group in np.unique(groups)) / len(
        labels
    )
    return clustering.count, {"digits alike": alike, "seconds": seconds}


def row(name: str, found: list[tuple[int, Figures]]) -> list[str]:
    """A line: of every figure the median, the lowest and the highest over seeds."""
    told = []
    for metric in found[0][1]:
        values = [metrics[metric] for _, metrics in found]
        told.append(f"{metric} {median(values):.4g} ({min(values):.4g} to {max(values):.4g})")
    return [name, ", ".join(str(count) for count, _ in found), "; ".join(told)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    seeds = range(parser.parse_args().seeds)
    torch.set_num_threads(1)
    points: list[tuple[str, Callable[[int], Any], int, Callable[[Array], Figures]]] = [
        (
            "N(4, 1.25)",
            lambda _: "gaussian",
            1,
            lambda x: {"W1": wasserstein_to_distribution(x.ravel(), Gaussian().quantile)},
        ),
        ("ring", lambda _: "ring", 2, on_modes(Ring())),
        ("grid", lambda _: "grid", 2, on_modes(Grid())),
    ]
    points += [
        (name, partial(training_draws, name), 1, of_a_distribution(name)) for name in DISTRIBUTIONS
    ]
    rows = [["data", "modes, seed by seed", "samples of them alone: median (lowest to highest)"]]
    for name, data, size, metrics in points:
        rows.append(row(name, [alone(data(seed), size, seed, metrics) for seed in seeds]))
    rows.append(row("MNIST", [digits(seed) for seed in seeds]))
    command = shlex.join(["python", "-m", "benchmarks.clustering", "--seeds", str(len(seeds))])
    record(command, "No training: the components alone. One thread.", rows)


if __name__ == "__main__":
    main()
