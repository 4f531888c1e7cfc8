"""How fast several processes train: samples a second, and what they tell each other.

    python -m benchmarks.ranks
        balanced on MNIST and on colour images of CIFAR-10's size, at the same batch:
        one process of one thread, one of two threads, two of one thread, in turns
    python -m benchmarks.ranks --quick
        a few steps of each, to try it; nothing is recorded

A step is the loop's: agreement to stop, both networks' gradients, the clock. It is not
compiled. Communication is timed on rank 0, with the waiting for the other.
`benchmarks.rank_model` explains the figures.

Results go to benchmarks/results. Run it on two otherwise idle cores.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import torch
from torch import Tensor

from benchmarks.results import record
from equipoise import GAN
from equipoise.runtime import launch, processes
from equipoise.runtime.ranks import Ranks
from equipoise.training.step import adversarial_step

ROUNDS, SECONDS, WARM_STEPS, QUICK_STEPS = 3, 12.0, 3, 2
GOAL, GOAL_AT_BATCH = 1.8, 1.6  # times one process of one thread
IMAGES = 2_000  # of random pixels: a step takes as long on them as on pictures


class Way(NamedTuple):
    """A number of processes, and the threads of each."""

    processes: int
    threads: int

    @property
    def label(self) -> str:
        several = self.processes > 1
        return f"{self.processes} process{'es' if several else ''}, {self.threads} thread" + (
            "s" if self.threads > 1 else ""
        )


WAYS = (Way(1, 1), Way(1, 2), Way(2, 1))
DATA: dict[str, tuple[str, tuple[int, ...], dict[str, Any]]] = {
    "mnist": ("MNIST's size", (28, 28), {}),
    "mnist x 2": ("MNIST's size, twice the batch", (28, 28), {"batch_size": 64}),
    "cifar": ("CIFAR-10's size", (32, 32, 3), {"photo_features": False}),
}


class Measured(NamedTuple):
    """One process's steps."""

    rate: float
    """Samples a second, of all processes together."""
    waited: float
    """Seconds of communication a step."""
    sent: float
    """Bytes that a process tells the others in a step."""
    messages: float
    """Messages a step."""
    calls: float
    """Torch operations of a step, as they are counted before training."""
    flops: float
    """Additions and multiplications of a step, of this process."""
    weights: int
    """Bytes of both networks' weights."""


@dataclass
class Counts:
    """What a process tells the others."""

    seconds: float = 0.0
    bytes: float = 0.0
    messages: int = 0


@contextmanager
def counting() -> Iterator[Counts]:
    """A context that counts what ranks tell each other."""
    counts = Counts()

    def counted(function: Callable[[Ranks, Tensor], Tensor]) -> Callable[[Ranks, Tensor], Tensor]:
        def call(ranks: Ranks, flat: Tensor) -> Tensor:
            started = time.perf_counter()
            result = function(ranks, flat)
            counts.seconds += time.perf_counter() - started
            counts.bytes += flat.nbytes
            counts.messages += 1
            return result

        return call

    with (
        mock.patch.object(Ranks, "_all", counted(Ranks._all)),
        mock.patch.object(Ranks, "_sum", counted(Ranks._sum)),
    ):
        yield counts


def worker(data: str, threads: int, seconds: float, fields: dict[str, Any]) -> Measured:
    """Time steps in this process, and those that it was started with.

    Args:
        data: Of `DATA`.
        threads: Of this process.
        seconds: To measure for; 0 for a few steps.
        fields: Of the recipe, beside those of the data.
    """
    _, shape, given = DATA[data]
    pixels = np.random.default_rng(0).integers(0, 256, (IMAGES, *shape), dtype=np.uint8)
    settings: dict[str, Any] = {"clusters": 0, "compile": "off", **given, **fields}
    with processes.joined("cpu"):
        trainer = GAN(threads=threads, device="cpu", **settings).trainer(
            pixels, to_disk=False, warn=lambda _: None
        )
        state, ranks = trainer.state, trainer.ranks

        def steps(count: int) -> float:
            started = time.perf_counter()
            for _ in range(count):
                ranks.any(False)
                rates = state.method.schedule(0.0, state.samples_seen)
                state.apply(rates)
                adversarial_step(state, rates)
                state.samples_seen += state.samples_per_step
                ranks.agree(0.0)
            return time.perf_counter() - started

        with trainer.speed.torch_settings(), torch.enable_grad(), ranks.sharing_memory():
            warm = steps(WARM_STEPS) / WARM_STEPS
            count = int(ranks.agree(max(seconds / warm, QUICK_STEPS)))
            with counting() as counts:
                took = steps(count)
        told = counts.seconds / count, counts.bytes / count, counts.messages / count
        load = trainer.workload
        of_step = load.step_calls, load.step_flops, load.weights
        return Measured(count * state.samples_per_step / took, *told, *of_step)


def measure(data: str, way: Way, seconds: float, **fields: Any) -> Measured:
    """Time steps in new processes, with these fields of the recipe."""
    words = ["-m", "benchmarks.ranks", "--worker", data, "--threads", str(way.threads)]
    words += ["--fields", json.dumps(fields)]
    with tempfile.TemporaryDirectory() as folder:
        started = [
            subprocess.Popen(
                [sys.executable, *words, "--seconds", str(seconds)],
                env={**os.environ, **variables(rank, way.processes, Path(folder))},
                stdout=subprocess.PIPE,
                text=True,
            )
            for rank in range(way.processes)
        ]
        answers = [process.communicate()[0] for process in started]
    if any(process.returncode for process in started):
        raise SystemExit(f"{data}, {way.label}: a process failed")
    return Measured(*json.loads(answers[0]))


def variables(rank: int, size: int, folder: Path) -> dict[str, str]:
    """Those that make a process a rank; none for one alone."""
    if size == 1:
        return {}
    return {
        launch.RANK: str(rank),
        launch.WORLD_SIZE: str(size),
        launch.MEETING: str(folder / "meeting"),
        "GLOO_SOCKET_IFNAME": "lo",
    }


def table(rounds: int, seconds: float) -> list[list[str]]:
    """The rows of all data and ways, measured in turns."""
    rows = [["", "", "samples a second", "times one", "communication a step", ""]]
    for data, (label, _, _) in DATA.items():
        found: dict[Way, list[Measured]] = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way in WAYS:
                found[way].append(measure(data, way, seconds))
        one = [measured.rate for measured in found[WAYS[0]]]
        for way, measured in found.items():
            rates = [each.rate for each in measured]
            ratios = [rate / alone for rate, alone in zip(rates, one, strict=True)]
            waited = 1000 * statistics.median(each.waited for each in measured)
            sent = statistics.median(each.sent for each in measured)
            rows.append(
                [
                    label,
                    way.label,
                    f"{statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})",
                    f"{statistics.median(ratios):.2f}",
                    f"{waited:.1f} ms" if way.processes > 1 else "",
                    f"{sent / 1e6:.2f} MB" if way.processes > 1 else "",
                ]
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--worker", choices=DATA, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help=argparse.SUPPRESS)
    parser.add_argument("--fields", type=json.loads, default={}, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        print(json.dumps(worker(given.worker, given.threads, given.seconds, given.fields)))
    elif given.quick:
        for row in table(1, 0.0):
            print("  ".join(row))
    else:
        record(
            "python -m benchmarks.ranks",
            f"median of {ROUNDS} rounds of {SECONDS:g} s, in turns; random pixels; goal: two "
            f"processes at {GOAL} times one, {GOAL_AT_BATCH} at the same batch",
            table(ROUNDS, SECONDS),
        )


if __name__ == "__main__":
    main()
