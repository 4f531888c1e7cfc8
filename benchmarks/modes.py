"""What `balanced` finds in data before it trains, and how good samples of that alone would be.

    python -m benchmarks.modes              N(4, 1.25), ring, grid, the twelve laws and MNIST, seeds 0 to 4

For points: how many components, and the figures of samples drawn from them with no network at all, which training has to better or keep.
For pictures: how many groups, and the share of pictures whose digit is the commonest of their group. For both how long it takes to find
them, on one thread. The table goes to benchmarks/RESULTS.md; run it on an otherwise idle machine.
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

from benchmarks.foundation import RESULTS
from benchmarks.laws import LAWS, training_draws
from benchmarks.measuring import markdown, record
from benchmarks.rows import SAMPLES_SEED, floor
from equipoise.data import mnist
from equipoise.data.distributions.univariate import Gaussian, Grid, Ring
from equipoise.data.factory import open_source
from equipoise.metrics.wasserstein import mode_coverage, wasserstein_to_law
from equipoise.transforms.clustering import Modes
from equipoise.transforms.fitting import find_modes
from equipoise.transforms.scaling import Scaling, fit_scaling

Array = NDArray[np.float64]
Figures = dict[str, float]
SAMPLES = {1: 100_000, 2: 2500}


def found_in(data: Any, seed: int) -> tuple[Modes | None, Scaling, float]:
    """The modes of data, its scaling, and the seconds that both took."""
    source = open_source(data, split_seed=seed)
    began = time.perf_counter()
    scaling = fit_scaling(source, "standard", seed)
    modes = find_modes(source, scaling, None, 0, seed)
    return modes, scaling, time.perf_counter() - began


def alone(data: Any, size: int, seed: int, figures: Callable[[Array], Figures]) -> tuple[int, Figures]:
    """How many components data of `size` columns has, and the figures of samples of them, (N, size), in its units."""
    modes, scaling, seconds = found_in(data, seed)
    generator = torch.Generator().manual_seed(SAMPLES_SEED)
    u = torch.randn(SAMPLES[size], size, generator=generator)
    if modes is not None:
        u = modes.place(u, modes.classes(torch.zeros(len(u), dtype=torch.int64), generator))
    return 1 if modes is None else modes.count, {**figures(scaling.decode(u)), "seconds": seconds}


def on_modes(law: Ring | Grid) -> Callable[[Array], Figures]:
    def figures(x: Array) -> Figures:
        found = mode_coverage(x, *law.modes())
        return {"modes": found.covered, "within 3 sigma": found.within, "reverse KL": found.reverse_kl, "spread": found.spread}

    return figures


def of_a_law(name: str) -> Callable[[Array], Figures]:
    def figures(x: Array) -> Figures:
        return {"W1 / IQR above the floor": wasserstein_to_law(x.ravel(), LAWS[name].quantile) / LAWS[name].quartiles_apart - floor(name)}

    return figures


def digits(seed: int) -> tuple[int, Figures]:
    """How many groups MNIST has, and the share of pictures of their group's commonest digit."""
    modes, scaling, seconds = found_in("mnist", seed)
    assert isinstance(modes, Modes)
    images, labels = mnist.load("test")
    groups = modes.assign(scaling.encode(torch.from_numpy(images[:, None].copy())), torch.Generator()).numpy()
    alike = sum(np.bincount(labels[groups == group]).max() for group in np.unique(groups)) / len(labels)
    return modes.count, {"digits alike": alike, "seconds": seconds}


def row(name: str, found: list[tuple[int, Figures]]) -> list[str]:
    """A line: of every figure the median, the lowest and the highest over seeds."""
    told = []
    for figure in found[0][1]:
        values = [figures[figure] for _, figures in found]
        told.append(f"{figure} {median(values):.4g} ({min(values):.4g} to {max(values):.4g})")
    return [name, ", ".join(str(count) for count, _ in found), "; ".join(told)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = range(parser.parse_args().seeds)
    torch.set_num_threads(1)
    points: list[tuple[str, Callable[[int], Any], int, Callable[[Array], Figures]]] = [
        ("N(4, 1.25)", lambda _: "gaussian", 1, lambda x: {"W1": wasserstein_to_law(x.ravel(), Gaussian().quantile)}),
        ("ring", lambda _: "ring", 2, on_modes(Ring())),
        ("grid", lambda _: "grid", 2, on_modes(Grid())),
    ]
    points += [(name, partial(training_draws, name), 1, of_a_law(name)) for name in LAWS]
    rows = [["data", "modes, seed by seed", "samples of them alone: median (lowest to highest)"]]
    for name, data, size, figures in points:
        rows.append(row(name, [alone(data(seed), size, seed, figures) for seed in seeds]))
    rows.append(row("MNIST", [digits(seed) for seed in seeds]))
    command = shlex.join(["python", "-m", "benchmarks.modes", "--seeds", str(len(seeds))])
    record(RESULTS, command, "No training: the modes alone. One thread.", markdown(rows))


if __name__ == "__main__":
    main()
