"""Q6: seconds of training until nine tenths of samples are digits without doubt, and
every digit has its share.

    python -m benchmarks.speedrun                          balanced, seeds 0 to 4
    python -m benchmarks.speedrun --recipe dcgan --most 600

From MNIST as it is, labels unused, the step not compiled. Of 10,000 samples at least
90% must be recognised at a confidence of .9, and each digit's share must be .07 to .13.
Measuring stands outside the clock. The result goes to benchmarks/results. Run it on an
otherwise idle machine.
"""

from __future__ import annotations

import argparse
import math
import shlex
import time

import numpy as np
import torch

from benchmarks.engine import Engine
from benchmarks.measuring import against
from benchmarks.results import record
from equipoise.metrics.digits import read_digits
from equipoise.recipes import DEFAULT
from equipoise.utils.system import usable_cores

SAMPLES, CONFIDENT, SHARES = 10_000, 0.9, (0.07, 0.13)
RECOGNISED, GOAL = 0.9, 120.0
FINER = 1.1  # the next measurement comes when the training has taken this much longer
STEPS, FIRST = (
    10,
    20.0,
)  # steps between two looks at the clock, and seconds until the first measurement


def metrics(engine: Engine) -> tuple[float, float, float]:
    """The share that is recognised, and the least and the greatest share of a digit."""
    made = engine.fit.sampler.values(SAMPLES, 1).astype(np.uint8)
    probabilities = read_digits(torch.from_numpy(made[:, 0]))[1]
    shares = torch.bincount(probabilities.argmax(1), minlength=10) / SAMPLES
    return (
        float((probabilities.max(1).values >= CONFIDENT).float().mean()),
        float(shares.min()),
        float(shares.max()),
    )


def run(recipe: str, seed: int, threads: int, most: float) -> list[str]:
    """A row: seconds until all is reached, or infinitely many, with the samples seen
    and the figures then."""
    engine, seconds, due = Engine("mnist", seed=seed, threads=threads, recipe=recipe), 0.0, FIRST
    while True:
        began = time.perf_counter()
        for _ in range(STEPS):
            engine.step()
        seconds += time.perf_counter() - began
        if seconds < due:
            continue
        engine.fit.sampler.recalibrate_batchnorm(seed)
        recognised, least, greatest = metrics(engine)
        reached = recognised >= RECOGNISED and least >= SHARES[0] and greatest <= SHARES[1]
        if reached or seconds >= most:
            took = seconds if reached else math.inf
            told = [f"{recognised:.3f}", f"{least:.3f}", f"{greatest:.3f}"]
            return [
                f"{recipe}, seed {seed}",
                f"{took:.1f}",
                f"{engine.state.samples_seen:,}",
                *told,
                against(took, GOAL, " s"),
            ]
        due = seconds * FINER


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", default=DEFAULT)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--most", type=float, default=300.0, help="seconds after which a run is given up"
    )
    options = parser.parse_args()
    threads = usable_cores()
    rows = [
        [
            "run",
            "until reached, s",
            "samples seen",
            "recognised",
            "rarest digit",
            "commonest digit",
            "goal",
        ]
    ]
    for seed in range(options.seeds):
        rows.append(run(options.recipe, seed, threads, options.most))
        print(" | ".join(rows[-1]), flush=True)
    given = ["--recipe", options.recipe, "--seeds", str(options.seeds)]
    command = shlex.join(["python", "-m", "benchmarks.speedrun", *given])
    record(
        command,
        f"{threads} threads, seconds of training alone, not compiled.",
        rows,
    )


if __name__ == "__main__":
    main()
