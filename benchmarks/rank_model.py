"""A cost model of a training step of several processes, fitted on this machine.

    python -m benchmarks.rank_model

A step of a process that has b samples of the batch takes

    a calls + c flops(b) + d weights + messages (latency + slowness bytes)

Calls, flops and weights, in bytes, are what Equipoise counts of a step before it trains
(`training.workload`). There are two large messages a step, the gradients of D and of G,
and small ones. The first three constants are fitted to steps of one process of one
thread, at several widths and batch sizes; the last two to messages of two processes.
The model is compared with steps of two processes, which it is not fitted to.

For GPUs the same sum has the constants of `GPU`. They are assumptions: none of it was
measured.

The result goes to benchmarks/results. Run it on two otherwise idle cores.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import nnls

from benchmarks.ranks import DATA, WAYS, Measured, measure, variables
from benchmarks.results import record
from equipoise.runtime import processes
from equipoise.runtime.ranks import Ranks

ONE, TWO = WAYS[0], WAYS[2]
WIDTHS, BATCHES, SECONDS = (8, 16, 32), (8, 16, 32, 64), 4.0
DATA_OF_MODEL = ("mnist", "cifar")
NUMBERS, REPEATS = (1, 2**10, 2**14, 2**17, 2**19, 2**20), 50
GPUS = (8, 64, 1000)
A_NODE = 8  # GPUs that are connected directly


@dataclass(frozen=True)
class Constants:
    """Of the model, in seconds."""

    call: float
    flop: float
    weight: float
    """Per byte of the weights: optimisers, EMA."""
    latency: float
    """Per message."""
    byte: float
    """Per byte of a message."""

    def alone(self, of: Measured) -> float:
        """A step without what it tells others."""
        return self.call * of.calls + self.flop * of.flops + self.weight * of.weights


# bfloat16 at 40% of 1e15 a second, kernels started from Python, 3 TB/s of memory that
# an optimiser and the EMA pass 8 times. Within a node 300 GB/s, between nodes 40 GB/s
# for each GPU.
GPU = Constants(call=1e-5, flop=1 / 4e14, weight=8 / 3e12, latency=2e-5, byte=1 / 3e11)
BETWEEN_NODES = 1 / 4e10


def on_gpus(of: Measured, gpus: int) -> float:
    """Seconds of a step on so many GPUs, by the model: rings of all-reduces, each of
    which passes every byte twice, and a latency for each doubling of their number."""
    byte = GPU.byte if gpus <= A_NODE else BETWEEN_NODES
    rounds = math.ceil(math.log2(gpus))
    told = 2 * of.weights * (gpus - 1) / gpus * byte + 4 * rounds * GPU.latency
    return GPU.alone(of) + (told if gpus > 1 else 0.0)


def fitted(points: list[Measured], batches: list[int]) -> tuple[float, float, float]:
    """The constants of a process alone, by least squares of relative errors."""
    took = np.array([batch / of.rate for of, batch in zip(points, batches, strict=True)])
    terms = np.array([(of.calls, of.flops, of.weights) for of in points]) / took[:, None]
    found, _ = nnls(terms, np.ones(len(points)))
    return float(found[0]), float(found[1]), float(found[2])


def time_messages(through: str) -> list[float]:
    """Seconds of a mean over two processes, by `NUMBERS`; this is one of the two."""
    with processes.joined("cpu"):
        torch.set_num_threads(1)
        ranks = Ranks.current()
        with ranks.sharing_memory() if through == "memory" else nullcontext():
            return [_message(ranks, torch.zeros(n)) for n in NUMBERS]


def _message(ranks: Ranks, numbers: torch.Tensor) -> float:
    seconds = []
    for _ in range(REPEATS):
        ranks.any(False)
        started = time.perf_counter()
        ranks.mean_([numbers])
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def messages(through: str) -> list[float]:
    """Seconds of a mean over two new processes, by `NUMBERS`."""
    words = [sys.executable, "-m", "benchmarks.rank_model", "--through", through]
    with tempfile.TemporaryDirectory() as folder:
        started = [
            subprocess.Popen(
                words,
                env={**os.environ, **variables(rank, 2, Path(folder))},
                stdout=subprocess.PIPE,
                text=True,
            )
            for rank in range(2)
        ]
        answers = [process.communicate()[0] for process in started]
    found: list[float] = json.loads(answers[0])
    return found


def line(seconds: list[float]) -> tuple[float, float]:
    """Latency and seconds per byte."""
    sizes = 4 * np.array(NUMBERS, dtype=float)
    terms = np.stack([np.ones_like(sizes), sizes], 1) / np.array(seconds)[:, None]
    found, _ = nnls(terms, np.ones(len(sizes)))
    return float(found[0]), float(found[1])


def alone() -> list[tuple[str, int, int, Measured]]:
    """Steps of one process, by data, width and batch size."""
    return [
        (data, width, batch, measure(data, ONE, SECONDS, width=width, batch_size=batch))
        for data in DATA_OF_MODEL
        for width in WIDTHS
        for batch in BATCHES
    ]


def tables() -> list[list[str]]:
    """The constants; steps of two processes and the model's; the model on GPUs."""
    steps = alone()
    call, flop, weight = fitted([of for *_, of in steps], [batch for _, _, batch, _ in steps])
    sockets, memory = line(messages("sockets")), line(messages("memory"))
    here = Constants(call, flop, weight, *memory)
    errors = [abs(here.alone(of) * of.rate / batch - 1) for _, _, batch, of in steps]
    rows = [
        ["constant", "here", "GPU, assumed"],
        ["a torch operation", f"{1e6 * call:.2f} us", f"{1e6 * GPU.call:.0f} us"],
        ["1e9 additions and multiplications", f"{1e12 * flop:.1f} ms", f"{1e12 * GPU.flop:.4f} ms"],
        ["1 MB of weights", f"{1e9 * weight:.2f} ms", f"{1e9 * GPU.weight:.4f} ms"],
        ["a message: memory", *_told(memory), f"{1e6 * GPU.latency:.0f} us, {1e9 * GPU.byte:.4f}"],
        ["a message: sockets", *_told(sockets), f"between nodes: {1e9 * BETWEEN_NODES:.3f}"],
        [f"error at {len(steps)} steps of one process", f"{statistics.median(errors):.0%}", ""],
        ["two processes", "measured", "by the model"],
    ]
    for data, width, batch, of in steps:
        if width == 16 and batch in (16, 32):
            two = measure(data, TWO, SECONDS, width=width, batch_size=2 * batch)
            told = two.messages * here.latency + two.sent * here.byte
            rows.append(
                [
                    f"{DATA[data][0]}, {batch} samples each",
                    f"{2 * batch / two.rate * 1e3:.1f} ms, {two.rate * batch / of.rate / batch:.2f}"
                    " times one",
                    f"{1e3 * (here.alone(of) + told):.1f} ms",
                ]
            )
    rows.append(["GPUs, the model alone", "samples a second", "times one GPU"])
    for data, width, batch, of in steps:
        if width == 32 and batch == 64:
            for gpus in GPUS:
                rate = gpus * batch / on_gpus(of, gpus)
                ratio = rate / (batch / on_gpus(of, 1))
                label = f"{DATA[data][0]}, width {width}, {batch} each, {gpus} GPUs"
                rows.append([label, f"{rate:,.0f}", f"{ratio:,.1f}"])
    return rows


def _told(of: tuple[float, float]) -> list[str]:
    return [f"{1e6 * of[0]:.0f} us, {1e9 * of[1]:.2f} ms a MB"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--through", choices=("sockets", "memory"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.through:
        print(json.dumps(time_messages(given.through)))
    else:
        record("python -m benchmarks.rank_model", "random pixels, uncompiled", tables())


if __name__ == "__main__":
    main()
