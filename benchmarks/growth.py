"""What a training costs as things grow: samples, pixels, batch and width, each size in
a process of its own.

    python -m benchmarks.speed growth              every size, and the exponents
    python -m benchmarks.growth samples 100000     one size, as JSON

An exponent of 1 is cost in proportion. The fit over all sizes is flattened by costs
that do not grow; the one between the two largest is the one that goals are set for.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.engine import Engine
from benchmarks.measuring import Table, against, markdown, run
from benchmarks.memory import MIB, resident
from equipoise import GAN

STEPS, BATCH = 200, 256
SIZES: dict[str, list[int]] = {
    "samples": [10**3, 10**4, 10**5, 10**6, 10**7],
    "pixels": [16, 28, 32, 64, 128],
    "batch": [16, 32, 64, 128, 256, 512],
    "width": [8, 16, 32, 64],
}
QUICK_SIZES: dict[str, list[int]] = {
    "samples": [10**3, 10**4, 10**5],
    "pixels": [16, 32],
    "batch": [16, 32],
    "width": [8, 16],
}
HEADS = {
    "samples": "points of two columns",
    "pixels": "images of n x n; exponents in the number of pixels",
    "batch": "images of 28 x 28, batch size",
    "width": "images of 28 x 28, width",
}
LINEAR, SQUARE = 1.1, 2.1  # with a tenth for what timing is worth
GOALS = {"samples": LINEAR, "pixels": LINEAR, "batch": LINEAR, "width": SQUARE}
IMAGES = 1024  # of noise: what they show costs nothing
TIMED_SECONDS, MIN_TIMED, MAX_TIMED = 4.0, 5, 200


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """p of the power distribution cost = a size^p that fits best: least squares of the
    logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def samples(n: int) -> dict[str, float]:
    """Points in memory: opening and scaling them, 200 steps of the loop with all that
    it measures on the way, and the closing report."""
    points = np.random.default_rng(0).standard_normal((n, 2), np.float32)
    gan = GAN(samples=STEPS * BATCH, threads=1, seed=0)
    gan.trainer(
        points[:1000], to_disk=False
    )  # what Python and torch import on the way is imported once
    began = time.perf_counter()
    training = gan.trainer(points, to_disk=False)
    opened = time.perf_counter()
    gan.train(training)
    trained = time.perf_counter()
    gan.evaluate()
    reported = time.perf_counter()
    return {
        "opening and scaling, s": opened - began,
        f"{STEPS} steps, s": trained - opened,
        "closing report, s": reported - trained,
        "largest resident set, MiB": resident("VmHWM") / MIB,
    }


def images(side: int = 28, **settings: int) -> dict[str, float]:
    """A step on images, (1, side, side), and the memory that it takes."""
    noise = np.random.default_rng(0).integers(0, 256, (IMAGES, side, side), np.uint8)
    engine = Engine(noise, **settings)
    run(engine.step, 2)
    times: list[float] = []
    while len(times) < MIN_TIMED or (sum(times) < TIMED_SECONDS and len(times) < MAX_TIMED):
        times.append(run(engine.step, 1)[0])
    return {
        "a step, s": statistics.median(times),
        "largest resident set, MiB": resident("VmHWM") / MIB,
    }


CASES: dict[str, Callable[[int], dict[str, float]]] = {
    "samples": samples,
    "pixels": images,
    "batch": lambda n: images(batch_size=n),
    "width": lambda n: images(width=n),
}


def measured(what: str, size: int) -> dict[str, float]:
    """The costs at one size, from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.growth", what, str(size)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    costs: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return costs


def of_one(what: str, sizes: list[int]) -> str:
    """The table of one thing that grows."""
    found = {size: measured(what, size) for size in sizes}
    names = list(found[sizes[0]])
    in_units = [size**2 if what == "pixels" else size for size in sizes]
    rows = [
        [HEADS[what], *names],
        *[[f"{size:,}", *[f"{found[size][name]:.3g}" for name in names]] for size in sizes],
    ]
    of_all, of_last, goals = ["exponent, all sizes"], ["exponent, the two largest"], ["goal"]
    for name in names:
        costs = [found[size][name] for size in sizes]
        of_all.append(f"{exponent(in_units, costs):.2f}")
        last = exponent(in_units[-2:], costs[-2:])
        of_last.append(f"{last:.2f}")
        goals.append(against(last, GOALS[what]))
    text = markdown([*rows, of_all, of_last, goals])
    print(text, flush=True)
    return text


def growth(quick: bool) -> Table:
    """A table for each thing that grows."""
    tables = [of_one(what, sizes) for what, sizes in (QUICK_SIZES if quick else SIZES).items()]
    how = (
        "1 thread, every size in a process of its own, the recipe's defaults but for what "
        "grows; steps on images are medians."
    )
    return Table(how, "\n\n".join(tables))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=CASES)
    parser.add_argument("size", type=int)
    options = parser.parse_args()
    print(json.dumps(CASES[options.what](options.size)))


if __name__ == "__main__":
    main()
