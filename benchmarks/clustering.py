"""The clusters that `balanced` fits before it trains, and how good samples of the
mixture alone are.

    python -m benchmarks.clustering           points and MNIST, seeds 0 to 4

For points: the number of components, and the metrics of samples of the mixture,
without a network, which training has to better or keep. For images: the number of
clusters, and the fraction of images whose digit is the most common of their cluster.
For both the seconds of the fit, on one thread. The table goes to benchmarks/results;
run it on an otherwise idle machine.
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
from benchmarks.rows import EVALUATION_SEED, baseline
from equipoise.data import mnist
from equipoise.data.distributions import Gaussian, Grid, Ring
from equipoise.data.factory import open_source
from equipoise.metrics.modes import mode_coverage
from equipoise.metrics.wasserstein import wasserstein_to_distribution
from equipoise.transforms.chain import Chain
from equipoise.transforms.fitting import fit_chain

Array = NDArray[np.float64]
Metrics = dict[str, float]
SAMPLES = {1: 100_000, 2: 2500}


def fitted(data: Any, seed: int) -> tuple[Chain, float]:
    """The transforms of data, and the seconds of the fit."""
    source = open_source(data, split_seed=seed)
    began = time.perf_counter()
    transform = fit_chain(source, "standard", None, 0, seed)
    return transform, time.perf_counter() - began


def count_in(transform: Chain) -> int:
    return 1 if transform.clustering is None else transform.clustering.count


def alone(
    data: Any, size: int, seed: int, metrics: Callable[[Array], Metrics]
) -> tuple[int, Metrics]:
    """The number of components of data of `size` columns, and the metrics of samples of
    the mixture, (N, size), in its units."""
    transform, seconds = fitted(data, seed)
    generator = torch.Generator().manual_seed(EVALUATION_SEED)
    u = torch.randn(SAMPLES[size], size, generator=generator)
    y = transform.classes(torch.zeros(len(u), dtype=torch.int64), generator)
    samples = transform.decode(u, y).numpy()
    return count_in(transform), {**metrics(samples), "seconds": seconds}


def on_modes(distribution: Ring | Grid) -> Callable[[Array], Metrics]:
    def metrics(x: Array) -> Metrics:
        found = mode_coverage(x, *distribution.modes())
        return {
            "modes": found.covered,
            "within 3 sigma": found.within,
            "reverse KL": found.reverse_kl,
            "spread": found.spread,
        }

    return metrics


def of_a_distribution(name: str) -> Callable[[Array], Metrics]:
    def metrics(x: Array) -> Metrics:
        return {
            "W1 / IQR above the baseline": wasserstein_to_distribution(
                x.ravel(), DISTRIBUTIONS[name].quantile
            )
            / DISTRIBUTIONS[name].quartiles_apart
            - baseline(name)
        }

    return metrics


def digits(seed: int) -> tuple[int, Metrics]:
    """The number of clusters of MNIST, and the fraction of images that show the most
    common digit of their cluster."""
    transform, seconds = fitted("mnist", seed)
    images, labels = mnist.load("test")
    assigned = transform.encode(torch.from_numpy(images[:, None].copy()))[1]
    assert assigned is not None, "MNIST has clusters"
    groups = assigned.numpy()
    common = sum(np.bincount(labels[groups == group]).max() for group in np.unique(groups))
    return count_in(transform), {"purity": common / len(labels), "seconds": seconds}


def row(name: str, found: list[tuple[int, Metrics]]) -> list[str]:
    """A line: of every metric the median, the lowest and the highest over seeds."""
    cells = []
    for metric in found[0][1]:
        values = [metrics[metric] for _, metrics in found]
        cells.append(f"{metric} {median(values):.4g} ({min(values):.4g} to {max(values):.4g})")
    return [name, ", ".join(str(count) for count, _ in found), "; ".join(cells)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    seeds = range(parser.parse_args().seeds)
    torch.set_num_threads(1)
    points: list[tuple[str, Callable[[int], Any], int, Callable[[Array], Metrics]]] = [
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
    rows = [["data", "clusters, by seed", "mixture alone: median (lowest to highest)"]]
    for name, data, size, metrics in points:
        rows.append(row(name, [alone(data(seed), size, seed, metrics) for seed in seeds]))
    rows.append(row("MNIST", [digits(seed) for seed in seeds]))
    command = shlex.join(["python", "-m", "benchmarks.clustering", "--seeds", str(len(seeds))])
    record(command, "No training: the mixture alone. One thread.", rows)


if __name__ == "__main__":
    main()
