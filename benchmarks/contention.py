"""What sharing the machine costs: steps a second on one thread and on two, alone and
beside busy processes.

    python -m benchmarks.contention              both networks; about five minutes
    python -m benchmarks.contention --busy 0 3   beside so many processes
    python -m benchmarks.contention --quick      shortens everything, to try it

With two threads every operation waits for the slower one. If another process has one of
the cores, that is the one that waits for a core. "passive" lets waiting threads sleep
(OMP_WAIT_POLICY=passive), which otherwise spin for a while. Each number is of a process
of its own, since the policy is read once. The result goes to benchmarks/results. Run it
on an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.measuring import spread
from benchmarks.results import record

BUSY = (0, 1, 3)
BLOCKS, SECONDS = 5, 3.0
QUICK_BLOCKS, QUICK_SECONDS = 2, 0.3
POLICIES = ((1, "default"), (2, "default"), (2, "passive"))
NETWORKS = {"tiny": "60 images of 16 x 16", "mnist": "MNIST"}
SPIN = "while True: pass"
# A process of its own: it prints the steps a second of each block.
MEASURE = """
import sys
import numpy as np
from benchmarks.engine import Engine
from benchmarks.measuring import run
name, threads, blocks, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
noise = np.random.default_rng(0).integers(0, 256, (60, 16, 16), np.uint8)
engine = Engine(noise if name == "tiny" else name, threads=threads)
times = max(round(seconds / run(engine.step, 5)[0]), 1)
print(*(1 / run(engine.step, times)[0] for _ in range(blocks)))
"""


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Run so many busy processes until the block ends."""
    started = [subprocess.Popen([sys.executable, "-S", "-c", SPIN]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def rates(name: str, threads: int, policy: str, quick: bool) -> list[float]:
    """Steps a second of each block."""
    blocks, seconds = (QUICK_BLOCKS, QUICK_SECONDS) if quick else (BLOCKS, SECONDS)
    known = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("OMP_", "GOMP_", "KMP_"))
    }
    environment = known | ({"OMP_WAIT_POLICY": policy} if policy != "default" else {})
    command = [sys.executable, "-c", MEASURE, name, str(threads), str(blocks), str(seconds)]
    printed = subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment
    ).stdout
    return [float(rate) for rate in printed.split()]


def table(counts: list[int], quick: bool) -> list[list[str]]:
    """A row for each network, number of threads and policy, a column for each number of
    busy processes."""
    rows = [
        [
            "networks",
            "threads",
            "waiting",
            *(f"{count} busy" if count else "idle" for count in counts),
        ]
    ]
    for name, label in NETWORKS.items():
        for threads, policy in POLICIES:
            row = [label, str(threads), policy if threads > 1 else ""]
            for count in counts:
                with busy(count):
                    row.append(spread(rates(name, threads, policy, quick), 1))
            print(" | ".join(row), flush=True)
            rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--busy",
        type=int,
        nargs="+",
        default=list(BUSY),
        help="processes that run beside it, one column each",
    )
    parser.add_argument(
        "--quick", action="store_true", help="shorten everything: to try it, not to quote it"
    )
    options = parser.parse_args()
    found = table(options.busy, options.quick)
    command = shlex.join(["python", "-m", "benchmarks.contention", *sys.argv[1:]])
    blocks, seconds = (QUICK_BLOCKS, QUICK_SECONDS) if options.quick else (BLOCKS, SECONDS)
    how = (
        f"Steps a second of the default recipe: medians of {blocks} blocks of {seconds:g} "
        "s, the lowest and the highest in brackets."
    )
    record(command, how, found)


if __name__ == "__main__":
    main()
