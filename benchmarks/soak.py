"""A long training takes no more at its end than at its beginning: memory, open files,
log and disk over 200,000 steps of N(4, 1.25).

    python -m benchmarks.soak

Slopes are fitted to the last three quarters. Linux only, where a process can read what
it holds. The result goes to benchmarks/results.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.memory import resident
from benchmarks.results import record
from equipoise import GAN
from equipoise.training.events import Event, Report

STEPS = 200_000
READINGS = (
    "resident set, KiB",
    "open files",
    "log, KiB",
    "checkpoints, KiB",
    "whole directory, KiB",
)


def sizes(*paths: Path) -> float:
    """KiB of all files below."""
    return (
        sum(
            inside.stat().st_size
            for path in paths
            for inside in [path, *path.rglob("*")]
            if inside.is_file()
        )
        / 1024
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=STEPS)
    steps = parser.parse_args().steps
    readings: list[tuple[float, ...]] = []
    with TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        gan = GAN(threads=1)
        batch = gan.trainer("gaussian", to_disk=False).recipe.batch_size

        def read(event: Event) -> None:
            if isinstance(event, Report):
                held = resident("VmRSS") / 1024, len(os.listdir("/proc/self/fd"))
                readings.append(
                    (
                        event.samples_seen / batch,
                        *held,
                        sizes(out / "log.jsonl"),
                        sizes(out / "checkpoints"),
                        sizes(out),
                    )
                )

        GAN(threads=1, samples=steps * batch).fit("gaussian", out=out, callbacks=[read])
    table = np.array(readings)
    late = table[len(table) // 4 :]
    rows = [["", "first reading", "after a quarter", "last", "highest", "slope, per 1,000 steps"]]
    for number, name in enumerate(READINGS, 1):
        slope = 1000 * np.polyfit(late[:, 0], late[:, number], 1)[0]
        column = table[:, number]
        rows.append(
            [
                name,
                *(
                    f"{value:,.0f}"
                    for value in (column[0], late[0, number], column[-1], column.max())
                ),
                f"{slope:+.3f}",
            ]
        )
    record(
        shlex.join(["python", "-m", "benchmarks.soak", *sys.argv[1:]]),
        f"{steps:,} steps of batch {batch}, 1 thread.",
        rows,
    )


if __name__ == "__main__":
    main()
