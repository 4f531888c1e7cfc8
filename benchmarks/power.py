"""Size and power of the verdict: exact samplers, and samplers with a planted fault.

    python -m benchmarks.power points
        50 draws of each sampler at each size of data
    python -m benchmarks.power images --lanes 2
    python -m benchmarks.power photos --held-out 100 1000 --draws 20

Nothing is trained. For each draw a data set is made, a tenth of it is held out, and the
verdict judges samples of a sampler that is exact or has one known fault:

    exact           new draws of the data's own distribution
    lost mode       the same without one of eight components, or without one class
    10%, 30% narrow the same, moved towards the mean by that much
    shifted column  one column moved by half a standard deviation; images by a pixel
    blurred         images with each pixel the mean of 3 x 3
    copies          draws of the training samples
    collapse        one training sample, with a little noise

Points are eight overlapping normal components in four columns. Images are MNIST's,
judged by what any images are judged by, since the digit classifier has seen them all.
Photos are CIFAR-10's, judged by EfficientNet's features.

A sampler that is exact should not be called sick, and one with a fault should not be
called converged and sure. What cannot be decided should be called undecided.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from benchmarks import cifar
from benchmarks.results import origin, record
from equipoise.data import mnist
from equipoise.data.arrays import from_array
from equipoise.data.sources import RowsSource
from equipoise.diagnosis import HEALTHY, Evidence, diagnose
from equipoise.metrics.evaluate import evaluate_samples
from equipoise.metrics.result import MetricResult

HELD_OUT = (30, 100, 300, 1_000, 10_000)
DRAWS = 50
POOL = 30_000  # images that exact samplers draw from, of which none is in the data
COMPONENTS, COLUMNS = 8, 4
CLASSES = 10
Sample = NDArray[Any]
Draw = Callable[[int], Sample]


def points(rng: np.random.Generator, held_out: int) -> tuple[RowsSource, Draw, Draw]:
    """A data set, its exact sampler, and one without a component."""
    centres = np.random.default_rng(8).normal(0, 2, (COMPONENTS, COLUMNS))
    mixing = np.random.default_rng(9).normal(0, 0.5, (COMPONENTS, COLUMNS, COLUMNS)) + np.eye(
        COLUMNS
    )

    def draw(n: int, components: int) -> Sample:
        k = rng.integers(components, size=n)
        noise = rng.normal(size=(n, COLUMNS))
        return np.asarray(centres[k] + np.einsum("nij,nj->ni", mixing[k], noise))

    rows, test = draw(9 * held_out, COMPONENTS), draw(held_out, COMPONENTS)
    source = RowsSource("columns", from_array(rows, None, "columns"), 0, (test, None))
    return source, lambda n: draw(n, COMPONENTS), lambda n: draw(n, COMPONENTS - 1)


@cache
def digits() -> tuple[Sample, Sample]:
    """MNIST, (N, 1, 28, 28), and the classes."""
    parts = [mnist.load(part) for part in ("train", "test")]
    x, y = (np.concatenate(of_parts) for of_parts in zip(*parts, strict=True))
    return x[:, None], y


@cache
def cifar_photos() -> tuple[Sample, Sample]:
    """CIFAR-10, (N, 3, 32, 32), and the classes."""
    parts = [cifar.images(part) for part in ("train", "test")]
    x, y = (np.concatenate(of_parts) for of_parts in zip(*parts, strict=True))
    return x, y


def images(rng: np.random.Generator, held_out: int) -> tuple[RowsSource, Draw, Draw]:
    """As `points`; the components are digits."""
    return of_classes(digits(), rng, held_out)


def photos(rng: np.random.Generator, held_out: int) -> tuple[RowsSource, Draw, Draw]:
    """As `points`; the components are CIFAR-10's classes."""
    return of_classes(cifar_photos(), rng, held_out)


def of_classes(
    labelled: tuple[Sample, Sample], rng: np.random.Generator, held_out: int
) -> tuple[RowsSource, Draw, Draw]:
    """As `points`, from images, (N, C, H, W), of ten classes, (N,)."""
    x, y = labelled
    order = rng.permutation(len(x))
    pool, data = order[:POOL], order[POOL:]
    train, test = data[held_out : min(10 * held_out, len(data))], data[:held_out]
    rows = from_array(x[train], None, "images")
    source = RowsSource("images", rows, 0, (from_array(x[test], None, "images").values, None))

    def draw(n: int, classes: int) -> Sample:
        return np.asarray(x[rng.choice(pool[y[pool] < classes], n)].astype(np.float64))

    return source, lambda n: draw(n, CLASSES), lambda n: draw(n, CLASSES - 1)


def towards_mean(draw: Draw, factor: float) -> Draw:
    def narrow(n: int) -> Sample:
        x = draw(n)
        return np.asarray(x.mean(0) + factor * (x - x.mean(0)))

    return narrow


def shifted(draw: Draw) -> Draw:
    def shift(n: int) -> Sample:
        x = draw(n)
        if x.ndim > 2:
            return np.roll(x, 1, -1)
        return np.asarray(x + np.eye(x.shape[1])[0] * 0.5 * x.std(0))

    return shift


def blurred(draw: Draw) -> Draw:
    def blur(n: int) -> Sample:
        x = draw(n)
        return uniform_filter(x, (1, 1, 3, 3)) if x.ndim > 2 else x

    return blur


def rounded(draw: Draw, source: RowsSource) -> Draw:
    """As the data's type holds it."""
    whole = source.schema.dtype == "uint8"
    return lambda n: draw(n).round().clip(0, 255) if whole else draw(n)


class Data(NamedTuple):
    """What samplers draw from."""

    source: RowsSource
    exact: Draw
    without_a_mode: Draw
    rng: np.random.Generator


SAMPLERS: dict[str, Callable[[Data], Draw]] = {
    "exact": lambda data: data.exact,
    "lost mode": lambda data: data.without_a_mode,
    "10% narrow": lambda data: towards_mean(data.exact, 0.9),
    "30% narrow": lambda data: towards_mean(data.exact, 0.7),
    "shifted column": lambda data: shifted(data.exact),
    "blurred": lambda data: blurred(data.exact),
    "copies": lambda data: copies(data.source, data.rng),
    "collapse": lambda data: collapsed(data.source, data.rng),
}
KINDS = {"points": points, "images": images, "photos": photos}


def copies(source: RowsSource, rng: np.random.Generator) -> Draw:
    rows = source.seen(1_000_000, 0).double().numpy()
    return lambda n: rows[rng.integers(len(rows), size=n)]


def collapsed(source: RowsSource, rng: np.random.Generator) -> Draw:
    one = source.seen(1_000_000, 0)[:1].double().numpy()
    width = 0.01 * source.seen(1_000_000, 0).double().std().item()
    return lambda n: one + width * rng.normal(size=(n, *one.shape[1:]))


Case = tuple[str, str, int, int]
"""Kind of data, sampler, held-out samples, seed."""


def measured(case: Case) -> dict[str, Any]:
    """What the verdict on one draw is made of."""
    torch.set_num_threads(1)
    kind, sampler, held_out, seed = case
    rng = np.random.default_rng([seed, held_out, *map(ord, sampler)])
    source, exact, lost = KINDS[kind](rng, held_out)
    draw = rounded(SAMPLERS[sampler](Data(source, exact, lost, rng)), source)
    metrics = evaluate_samples(source, lambda n: (draw(n), None), seed, None)
    return {
        "metrics": [asdict(metric) for metric in metrics],
        "held_out": len(source.held_out(1_000, seed)),
        "commit": origin().commit,
    }


def verdict_of(kept: dict[str, Any]) -> tuple[str, str]:
    """Its name and how sure it is."""
    found = diagnose(
        Evidence(
            metrics=[MetricResult(**metric) for metric in kept["metrics"]],
            log=(),
            held_out=kept["held_out"],
            samples_seen=1_000_000,
            usual_samples=1_000_000,
            recipe="balanced",
            latent_dim=64,
            class_frequencies=(),
            data="",
            run=None,
        )
    )
    return found.name, found.sure


def table(found: dict[Case, tuple[str, str]]) -> list[list[str]]:
    """A row for each sampler and size: how often each verdict was given."""
    heads = ["sampler", "held out", "converged, sure", "likely", "undecided", "close", "sick"]
    rows = [[*heads, "names"]]
    for sampler, held_out in product(SAMPLERS, HELD_OUT):
        given = [v for (_, s, n, _), v in found.items() if (s, n) == (sampler, held_out)]
        if not given:
            continue
        names = Counter(name for name, _ in given)
        sure = sum(v == ("converged", "sure") for v in given)
        sick = sum(name not in HEALTHY and name != "undecided" for name, _ in given)
        counts = [sure, names["converged"] - sure, names["undecided"], names["close"], sick]
        percent = [f"{count / len(given):.0%}" if count else "" for count in counts]
        told = ", ".join(f"{name} {count}" for name, count in names.most_common())
        rows.append([sampler, f"{held_out:,}", *percent, told])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--lanes", type=int, default=1, help="processes, each with one thread")
    parser.add_argument("--held-out", type=int, nargs="*", default=HELD_OUT)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--samplers", nargs="*", help="these alone")
    parser.add_argument("--keep", type=Path, default=Path("runs/benchmark-power.jsonl"))
    parser.add_argument("--dry", action="store_true", help="print the table and write nothing")
    options = parser.parse_args()
    samplers = options.samplers or [
        name for name in SAMPLERS if options.kind != "points" or name != "blurred"
    ]
    seeds = range(options.first_seed, options.first_seed + options.draws)
    planned = [
        (options.kind, sampler, held_out, seed)
        for sampler, held_out, seed in product(samplers, options.held_out, seeds)
    ]
    found: dict[Case, dict[str, Any]] = {}
    options.keep.parent.mkdir(parents=True, exist_ok=True)
    if options.keep.is_file():
        for line in options.keep.read_text().splitlines():
            case, kept = json.loads(line)
            found[tuple(case)] = kept
    missing = [case for case in planned if case not in found]
    with ProcessPoolExecutor(options.lanes) as pool, options.keep.open("a") as file:
        for case, kept in zip(missing, pool.map(measured, missing), strict=True):
            found[case] = kept
            file.write(json.dumps([case, kept]) + "\n")
            file.flush()
    rows = table({case: verdict_of(found[case]) for case in planned})
    if options.dry:
        print(*(" | ".join(row) for row in rows), sep="\n")
        return
    commits = ", ".join(sorted({found[case]["commit"] for case in planned}))
    record(
        f"python -m benchmarks.power {options.kind} --lanes {options.lanes}",
        f"{options.draws} draws from seed {options.first_seed}, one thread each. Metrics "
        f"measured at {commits}, verdicts by the commit above.",
        rows,
    )


if __name__ == "__main__":
    main()
