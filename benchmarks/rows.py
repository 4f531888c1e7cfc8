"""What each row of the quality benchmarks trains, reads off the trained generator and
asks for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.distributions import DISTRIBUTIONS, DRAWS, training_draws
from equipoise import GAN
from equipoise.data import mnist
from equipoise.data.distributions import Gaussian, Grid, Ring
from equipoise.data.schema import Schema
from equipoise.metrics.digit_frequencies import DIGIT_FREQUENCY, RECOGNISED
from equipoise.metrics.digits import read_digits
from equipoise.metrics.frechet import DIGIT_FRECHET
from equipoise.metrics.kolmogorov_smirnov import kolmogorov_smirnov_to_distribution
from equipoise.metrics.modes import mode_coverage
from equipoise.metrics.neighbours import COVERAGE
from equipoise.metrics.registry import family_of
from equipoise.metrics.wasserstein import wasserstein_to_distribution
from equipoise.recipes.balanced import Balanced

Figures = dict[str, float]
Results = Sequence[dict[str, Any]]
EVALUATION_SEED = 7
BASELINE_DRAWS = 20


@dataclass(frozen=True)
class Run:
    """One training: what is given to `equipoise train`.

    `make` writes the data into a folder and returns its path.
    """

    name: str
    label: str
    data: str
    options: tuple[str, ...] = ()
    make: Callable[[Path], Path] | None = None
    threads: int = 0

    def arguments(self, keep: Path) -> list[str]:
        return [self.data if self.make is None else str(self.make(keep)), *self.options]


@dataclass(frozen=True)
class Row:
    """A row: its runs for a seed, what is measured of one, and what is asked of all."""

    title: str
    seeds: int
    runs: Callable[[int], Iterator[Run]]
    metrics: Callable[[Run, Path], Figures]
    verdict: Callable[[Results], str]


def drawn(out: Path, n: int) -> NDArray[np.float64]:
    return np.asarray(GAN.load(out).sample(n, seed=EVALUATION_SEED), np.float64)


def of(results: Results, name: str) -> list[float]:
    return [result["metrics"][name] for result in results if "metrics" in result]


def told(*goals: tuple[str, float, str, bool]) -> str:
    """Goals in words: what, the value, the goal, and whether it is met."""
    return " ".join(
        f"{what}: {value:.4g}, goal {goal}: {'met' if met else '**missed**'}."
        for what, value, goal, met in goals
    )


def seconds(
    results: Results, loop: float, whole: float | None = None
) -> list[tuple[str, float, str, bool]]:
    longest = max(result["loop"] for result in results if "metrics" in result)
    found = [("longest training, s", longest, f"≤ {loop:g}", longest <= loop)]
    if whole is not None:
        command = max(result["whole"] for result in results if "metrics" in result)
        found.append(("longest command, s", command, f"≤ {whole:g}", command <= whole))
    return found


def named(data: str) -> Callable[[int], Iterator[Run]]:
    def runs(seed: int) -> Iterator[Run]:
        yield Run(f"{data}-{seed}", f"seed {seed}", data, ("--seed", str(seed)))

    return runs


# Q1


def gaussian_figures(_: Run, out: Path) -> Figures:
    distribution, x = Gaussian(), drawn(out, 100_000).ravel()
    return {
        "Wasserstein-1": wasserstein_to_distribution(x, distribution.quantile),
        "Kolmogorov-Smirnov": kolmogorov_smirnov_to_distribution(x, distribution.cdf),
    }


def gaussian_verdict(results: Results) -> str:
    w, ks = of(results, "Wasserstein-1"), of(results, "Kolmogorov-Smirnov")
    return told(
        ("median Wasserstein-1", median(w), "≤ .015", median(w) <= 0.015),
        ("worst", max(w), "≤ .03", max(w) <= 0.03),
        ("median Kolmogorov-Smirnov", median(ks), "≤ .008", median(ks) <= 0.008),
        *seconds(results, 5, 15),
    )


# Q2


def distribution_runs(seed: int) -> Iterator[Run]:
    for number, name in enumerate(DISTRIBUTIONS):

        def make(keep: Path, number: int = number, name: str = name) -> Path:
            path = keep / f"{number}-{seed}.npy"
            np.save(path, training_draws(name, seed))
            return path

        yield Run(f"{number}-{seed}", f"{name}, seed {seed}", name, ("--seed", str(seed)), make)


@cache
def baseline(name: str) -> float:
    """Wasserstein-1 over the distance of the quartiles that 20,000 draws have on
    average."""
    distribution = DISTRIBUTIONS[name]
    return (
        float(
            np.mean(
                [
                    wasserstein_to_distribution(
                        distribution.draw(DRAWS, 10**6 + i), distribution.quantile
                    )
                    for i in range(BASELINE_DRAWS)
                ]
            )
        )
        / distribution.quartiles_apart
    )


def distribution_figures(run: Run, out: Path) -> Figures:
    distribution, x = DISTRIBUTIONS[run.data], drawn(out, 100_000).ravel()
    off = (
        wasserstein_to_distribution(x, distribution.quantile) / distribution.quartiles_apart
        if np.isfinite(x).all()
        else float("inf")
    )
    return {
        "W1 / IQR": off,
        "baseline of 20,000 draws": baseline(run.data),
        "above it": off - baseline(run.data),
    }


def distribution_verdict(results: Results) -> str:
    above = of(results, "above it")
    good, whole = sum(value <= 0.03 for value in above), len(results)
    finite = sum(np.isfinite(of(results, "W1 / IQR")))
    return told(
        ("runs that are finite", finite, f"{whole}", finite == whole),
        (
            "runs at most .03 above the baseline",
            good,
            f"≥ {118 / 120:.1%} of {whole}",
            good >= 118 / 120 * whole,
        ),
        *seconds(results, float("inf"), 40)[1:],
    )


# Q3, Q4, Q7


def mode_figures(distribution: Ring | Grid) -> Callable[[Run, Path], Figures]:
    def metrics(_: Run, out: Path) -> Figures:
        found = mode_coverage(drawn(out, 2500), *distribution.modes())
        return {
            "modes covered": found.covered,
            "within 3 sigma": found.within,
            "reverse KL": found.reverse_kl,
            "spread inside modes": found.spread,
        }

    return metrics


def mode_verdict(
    modes: int, within: float, kl: float, middle: bool, longest: float
) -> Callable[[Results], str]:
    def verdict(results: Results) -> str:
        covered, inside = of(results, "modes covered"), of(results, "within 3 sigma")
        divergence, spread = of(results, "reverse KL"), of(results, "spread inside modes")
        all_of_them = sum(value == modes for value in covered)
        off = median(divergence) if middle else max(divergence)
        right = sum(0.8 <= value <= 1.2 for value in spread)
        return told(
            (
                f"runs with {modes} modes",
                all_of_them,
                str(len(results)),
                all_of_them == len(results),
            ),
            ("least fraction within 3 sigma", min(inside), f"≥ {within}", min(inside) >= within),
            ("median reverse KL" if middle else "worst reverse KL", off, f"≤ {kl}", off <= kl),
            ("runs with a spread of .8 to 1.2", right, str(len(results)), right == len(results)),
            *seconds(results, longest),
        )

    return verdict


def immunity_runs(seed: int) -> Iterator[Run]:
    """The settings of number `seed`, drawn from their ranges: factors on what is the
    default for points of two columns."""
    rng = np.random.default_rng(seed)
    usual = Balanced.for_data(Schema(shape=(2,), layout="ND", dtype="float64"), {})
    settings = {
        "learning_rate": f"{10 ** rng.uniform(-4, -2):.3g}",
        "batch_size": f"{round(2 ** rng.uniform(5, 9))}",
        "width": f"{round(usual.width * 2 ** rng.uniform(-1, 1))}",
        "beta1": f"{rng.uniform(0, 0.9):.3g}",
        "gamma": f"{usual.gamma * 10 ** rng.uniform(-1, 1):.3g}",
        "discriminator_steps": f"{rng.integers(1, 4)}",
    }
    options = [
        part for name, value in settings.items() for part in (f"--{name.replace('_', '-')}", value)
    ]
    label = ", ".join(f"{name} {value}" for name, value in settings.items())
    yield Run(f"immunity-{seed}", label, "grid", ("--seed", str(seed), "--minutes", "1", *options))


def immunity_verdict(results: Results) -> str:
    ended, whole = [r for r in results if "metrics" in r], len(results)
    right = sum(value == 25 for value in of(results, "modes covered"))
    return told(
        ("runs that ended well", len(ended), str(whole), len(ended) == whole),
        ("runs with 25 modes", right, f"≥ {36 / 40:.0%} of {whole}", right >= 36 / 40 * whole),
    )


# Q5


def digit_runs(seed: int) -> Iterator[Run]:
    yield Run(
        f"mnist-{seed}",
        f"seed {seed}",
        "mnist",
        ("--seed", str(seed), "--minutes", "10"),
        threads=2,
    )


def digit_figures(_: Run, out: Path) -> Figures:
    told_of = {
        metric["key"]: metric for metric in json.loads((out / "report.json").read_text())["metrics"]
    }
    shares = [
        metric["value"] for key, metric in told_of.items() if family_of(key) == DIGIT_FREQUENCY.key
    ]
    found = {
        "Fréchet": told_of[DIGIT_FRECHET.key]["value"],
        "times the baseline": told_of[DIGIT_FRECHET.key]["value"]
        / told_of[DIGIT_FRECHET.key]["baseline"],
    }
    found |= {name: told_of[name]["value"] for name in (COVERAGE.key, RECOGNISED.key)}
    return found | {"rarest digit": min(shares), "commonest digit": max(shares)}


def digit_verdict(results: Results) -> str:
    times, covered = of(results, "times the baseline"), of(results, COVERAGE.key)
    rarest, commonest = of(results, "rarest digit"), of(results, "commonest digit")
    return told(
        ("worst Fréchet over the baseline's", max(times), "≤ 4", max(times) <= 4),
        ("least coverage", min(covered), "≥ .80", min(covered) >= 0.8),
        ("rarest digit", min(rarest), "≥ .08", min(rarest) >= 0.08),
        ("commonest digit", max(commonest), "≤ .12", max(commonest) <= 0.12),
    )


# Q9


def stacked_runs(seed: int) -> Iterator[Run]:
    def make(keep: Path) -> Path:
        path = keep / "stacked.npy"
        images = mnist.load("train")[0]
        rng = np.random.default_rng(0)
        np.save(path, np.stack([images[rng.permutation(len(images))] for _ in range(3)], -1))
        return path

    yield Run(
        f"stacked-{seed}",
        f"seed {seed}",
        "stacked",
        ("--seed", str(seed), "--minutes", "60"),
        make,
        threads=2,
    )


def stacked_figures(_: Run, out: Path) -> Figures:
    """Which of the 1,000 triples of digits 26,000 samples show, and the divergence of
    their shares from even ones."""
    samples = np.asarray(GAN.load(out).sample(26_000, seed=EVALUATION_SEED))
    digits = [
        read_digits(torch.from_numpy(np.ascontiguousarray(samples[..., c])))[1].argmax(1).numpy()
        for c in range(3)
    ]
    counts = np.bincount(digits[0] * 100 + digits[1] * 10 + digits[2], minlength=1000)
    shares = counts / counts.sum()
    return {
        "modes": int((counts > 0).sum()),
        "KL": float((shares[shares > 0] * np.log(shares[shares > 0] * 1000)).sum()),
    }


def stacked_verdict(results: Results) -> str:
    modes, off = of(results, "modes"), of(results, "KL")
    return told(
        ("fewest modes", min(modes), "1000", min(modes) == 1000),
        ("worst KL", max(off), "≤ .10", max(off) <= 0.1),
    )


ROWS: dict[str, Row] = {
    "gaussian": Row(
        "N(4, 1.25), 100,000 samples", 20, named("gaussian"), gaussian_figures, gaussian_verdict
    ),
    "distributions": Row(
        "from 20,000 draws, 100,000 samples",
        10,
        distribution_runs,
        distribution_figures,
        distribution_verdict,
    ),
    "ring": Row(
        "ring of 8, 2,500 samples",
        20,
        named("ring"),
        mode_figures(Ring()),
        mode_verdict(8, 0.97, 0.005, False, 60),
    ),
    "grid": Row(
        "grid of 25, 2,500 samples",
        20,
        named("grid"),
        mode_figures(Grid()),
        mode_verdict(25, 0.95, 0.01, True, 120),
    ),
    "mnist": Row("MNIST, 10 minutes, 10,000 samples", 5, digit_runs, digit_figures, digit_verdict),
    "immunity": Row(
        "the grid of 25, settings", 40, immunity_runs, mode_figures(Grid()), immunity_verdict
    ),
    "stacked": Row(
        "three digits, 26,000 samples", 1, stacked_runs, stacked_figures, stacked_verdict
    ),
}
