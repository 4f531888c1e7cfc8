"""How fast, and at what cost: rows P1 to P6 of the benchmarks.

    python -m benchmarks.speed step
        P1, P2: a step of the engine against two loops of our own around the same
        networks
    python -m benchmarks.speed peak
        P3: the arithmetic of a step against the machine's matrix products
    python -m benchmarks.speed quality
        P4: time to the quality that the classic tutorials end with
    python -m benchmarks.speed start
        P5: until --help has answered, and until the first training step
    python -m benchmarks.speed memory     P6: the largest resident set of a run on MNIST
    python -m benchmarks.speed all        all of these, which is what no word means too

Results go to benchmarks/results. Run it on an otherwise idle machine.
--quick shortens everything, to try it.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
from collections.abc import Callable
from typing import NamedTuple

import torch

from benchmarks import processes, race
from benchmarks.baselines import Minimal, Typical
from benchmarks.engine import Engine
from benchmarks.flops import flops_of, product, product_flops
from benchmarks.measuring import (
    Measurement,
    Step,
    Timed,
    against,
    in_turns,
    ratios,
    spread,
)
from benchmarks.results import record
from equipoise.utils.system import usable_cores


class Case(NamedTuple):
    """An engine to measure: what it is called, the data, the type of its products, and
    whether its step is compiled."""

    label: str
    data: str
    precision: str
    compiled: bool = False

    def engine(self) -> Engine:
        return Engine(self.data, precision=self.precision)


CASES = [
    Case("N(4, 1.25), MLPs", "gaussian", "float32"),
    Case("N(4, 1.25), MLPs, compiled", "gaussian", "float32", True),
    Case("ring of 8, MLPs", "ring", "float32"),
    Case("ring of 8, MLPs, compiled", "ring", "float32", True),
    Case("MNIST, convolutional", "mnist", "float32"),
    Case("MNIST, bfloat16", "mnist", "bfloat16"),
    Case("MNIST, bfloat16, compiled", "mnist", "bfloat16", True),
]
BLOCKS, BLOCK_SECONDS = 9, 1.0
QUICK_BLOCKS, QUICK_SECONDS = 3, 0.1
MINIMAL_GOAL = 1.05
TYPICAL_GOALS = {"gaussian": 1.5, "ring": 1.5, "mnist": 1.3}
PEAK_GOAL = 0.5
STEP_HEADS = [
    "networks",
    "threads",
    "engine, ms a step",
    "minimal, ms",
    "typical, ms",
    "P1: engine / minimal",
    "of processor time",
    "goal",
]
STEP_HEADS += ["engine, samples a second and core", "P2: typical / engine", "goal"]
PEAK_HEADS = [
    "networks",
    "threads",
    "MFLOP a step",
    "of the minimal loop",
    "ms a step",
    "type",
    "GFLOP/s",
    "peak, GFLOP/s",
    "P3: fraction",
    "goal",
]


def thread_counts() -> list[int]:
    """One, and all cores."""
    return sorted({1, usable_cores()})


def step(quick: bool) -> Measurement:
    """P1 and P2."""
    blocks, seconds = (QUICK_BLOCKS, QUICK_SECONDS) if quick else (BLOCKS, BLOCK_SECONDS)
    rows = [STEP_HEADS]
    for case in CASES:
        engine = case.engine()
        loops: dict[str, Step] = {
            "engine": engine.step,
            "minimal": Minimal(engine).step,
            "typical": Typical(engine).step,
        }
        if case.compiled:
            engine.compile()
        for threads in thread_counts():
            torch.set_num_threads(threads)
            timed = in_turns(loops, blocks, seconds)
            of_minimal = ratios(timed["engine"].wall, timed["minimal"].wall)
            of_processor = ratios(timed["engine"].cpu, timed["minimal"].cpu)
            of_typical = ratios(timed["typical"].wall, timed["engine"].wall)
            rate = engine.recipe.batch_size / statistics.median(timed["engine"].wall) / threads
            row = [case.label, str(threads), *[milliseconds(timed[name]) for name in loops]]
            row += [
                spread(of_minimal, 3),
                spread(of_processor, 3),
                against(statistics.median(of_minimal), MINIMAL_GOAL),
            ]
            row += [
                f"{rate:,.0f}",
                spread(of_typical),
                against(statistics.median(of_typical), TYPICAL_GOALS[case.data], at_most=False),
            ]
            rows.append(row)
            print(" | ".join(row), flush=True)
    how = (
        f"{measured(blocks, seconds)} Ratios are between neighbouring blocks. Minimal takes "
        "the engine's type of products, not compiled; "
        "typical is float32."
    )
    return Measurement(how, rows)


def peak(quick: bool) -> Measurement:
    """P3. The peak is the best of all blocks, the step's time the median."""
    blocks, seconds = (QUICK_BLOCKS, QUICK_SECONDS) if quick else (BLOCKS, BLOCK_SECONDS)
    rows = [PEAK_HEADS]
    for case in CASES:
        engine = case.engine()
        counted, minimal = flops_of(engine.step), flops_of(Minimal(engine).step)
        if case.compiled:
            engine.compile()
        dtype = min(
            counted, key=lambda kind: torch.finfo(kind).bits
        )  # of several the narrowest, whose peak is the highest
        for threads in thread_counts():
            torch.set_num_threads(threads)
            timed = in_turns({"step": engine.step, "product": product(dtype)}, blocks, seconds)
            total, best = sum(counted.values()), product_flops() / min(timed["product"].wall)
            done = total / statistics.median(timed["step"].wall)
            row = [
                case.label,
                str(threads),
                f"{total / 1e6:,.1f}",
                f"{sum(minimal.values()) / 1e6:,.1f}",
                milliseconds(timed["step"]),
            ]
            row += [
                str(dtype).removeprefix("torch."),
                f"{done / 1e9:.1f}",
                f"{best / 1e9:.1f}",
                f"{done / best:.2f}",
            ]
            row.append(
                against(done / best, PEAK_GOAL, at_most=False) if case.data == "mnist" else ""
            )
            rows.append(row)
            print(" | ".join(row), flush=True)
    how = (
        f"{measured(blocks, seconds)} Steps and products of two square matrices in turns; the "
        "best block of products is the peak. Products "
        "and convolutions are counted, in both directions and in the penalties' second derivatives."
    )
    return Measurement(how, rows)


def milliseconds(timed: Timed) -> str:
    """Of a step, on the wall."""
    return spread([1e3 * seconds for seconds in timed.wall])


def measured(blocks: int, seconds: float) -> str:
    """How, for the table."""
    return (
        f"Threads as the table says, one process. Medians of {blocks} blocks of {seconds:g} "
        "s, taken in turns, the lowest and the highest "
        "in brackets."
    )


MODES: dict[str, Callable[[bool], Measurement]] = {
    "step": step,
    "peak": peak,
    "quality": race.quality,
    "start": processes.start,
    "memory": processes.memory,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="*", help=f"{', '.join(MODES)}, or all")
    parser.add_argument(
        "--quick", action="store_true", help="shorten everything: to try it, not to quote it"
    )
    options = parser.parse_args()
    if unknown := set(options.what) - MODES.keys() - {"all"}:
        parser.error(
            f"no benchmark {', '.join(sorted(unknown))}: known are {', '.join(MODES)} and all"
        )
    chosen = list(MODES) if not options.what or "all" in options.what else options.what
    for what in chosen:
        table = MODES[what](options.quick)
        command = shlex.join(
            ["python", "-m", "benchmarks.speed", what, *(["--quick"] if options.quick else [])]
        )
        record(command, table.how, table.rows)


if __name__ == "__main__":
    main()
