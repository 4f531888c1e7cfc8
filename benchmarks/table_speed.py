"""Speed and memory of tables, against rows and columns, and beside CTGAN's.

    python -m benchmarks.table_speed ctgan      rows a second on Adult, in turns
    python -m benchmarks.table_speed rows       1,000 to 10,000,000 rows of 15 columns
    python -m benchmarks.table_speed columns    10,000 rows of 5 to 500 columns

Each size is a process of its own with one thread: opening a Parquet file, fitting the
mixture, steps of the default recipe, and drawing rows. Half of the columns are numbers,
half categories, each bound to the one before. Memory is the peak of the resident set,
with what is mapped from disk. `ctgan` needs `pip install ctgan`.

The result goes to benchmarks/results.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measuring import against
from benchmarks.results import record
from benchmarks.tables import adult, split

if TYPE_CHECKING:
    import pandas as pd

ROWS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
COLUMNS = (5, 15, 50, 150, 500)
FEW_ROWS, FEW_COLUMNS = 10_000, 15
PART = 500_000  # rows that are written at once
STEPS, DRAWN = 30, 100_000
CATEGORIES = 8
EPOCHS = 3  # of CTGAN
GOAL = 10.0  # times CTGAN's rows a second
GIB = 2**30


def chained(rows: int, columns: int, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of numbers and categories in turns, each bound to the column before."""
    import pandas as pd

    names = np.array([f"k{i}" for i in range(CATEGORIES)])
    frame, before = {}, rng.normal(size=rows)
    for column in range(columns):
        before = 0.7 * before + 0.7 * rng.normal(size=rows)
        if column % 2:
            codes = np.digitize(before, np.linspace(-1.5, 1.5, CATEGORIES - 1))
            frame[f"c{column}"] = names[codes]
        else:
            frame[f"c{column}"] = before.round(3)
    return pd.DataFrame(frame)


def write(path: Path, rows: int, columns: int) -> None:
    """A folder of Parquet files."""
    path.mkdir()
    rng = np.random.default_rng(0)
    for part, start in enumerate(range(0, rows, PART)):
        frame = chained(min(PART, rows - start), columns, rng)
        frame.to_parquet(path / f"{part:03}.parquet")


def measure(path: Path) -> dict[str, float]:
    """Seconds and memory of one table, in this process."""
    from equipoise import GAN
    from equipoise.training.step import adversarial_step

    def seconds(work: Callable[[], Any]) -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    gan, trainers = GAN(threads=1, samples=1_000_000, evaluate="none"), []
    opening = seconds(lambda: trainers.append(gan.trainer(str(path), to_disk=False)))
    state = trainers[0].state
    rates = state.method.schedule(0.0, 0)
    for _ in range(3):
        adversarial_step(state, rates)
    steps = seconds(lambda: [adversarial_step(state, rates) for _ in range(STEPS)])
    sampler = trainers[0].sampler
    drawing = seconds(lambda: sampler.sample(DRAWN, seed=0))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "opening": opening,
        "trained": STEPS * state.samples_per_step / steps,
        "drawn": DRAWN / drawing,
        "peak": peak / GIB,
    }


def sizes(which: str) -> list[list[str]]:
    """A row for each size."""
    cases = (
        [(rows, FEW_COLUMNS) for rows in ROWS]
        if which == "rows"
        else [(FEW_ROWS, columns) for columns in COLUMNS]
    )
    heads = ["rows", "columns", "opening and fit, s", "trained rows/s", "drawn rows/s"]
    table = [[*heads, "peak memory, GiB"]]
    for rows, columns in cases:
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
            path = Path(folder) / "table"
            write(path, rows, columns)
            command = [sys.executable, "-m", "benchmarks.table_speed", "--one", str(path)]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found = json.loads(told.splitlines()[-1])
        cells = [f"{found['opening']:.1f}", f"{found['trained']:,.0f}", f"{found['drawn']:,.0f}"]
        table.append([f"{rows:,}", f"{columns:,}", *cells, f"{found['peak']:.2f}"])
        print(" | ".join(table[-1]), flush=True)
    return table


def beside_ctgan() -> list[list[str]]:
    """Rows a second of both, on Adult."""
    import torch
    from ctgan import CTGAN

    torch.set_num_threads(1)
    train, _ = split(adult())
    discrete = [name for name in train if train[name].dtype.kind not in "if"]
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        train.to_parquet(Path(folder) / "adult.parquet")
        ours = measure(Path(folder) / "adult.parquet")
    fits = []
    for epochs in (1, 1 + EPOCHS):  # the difference leaves its preparation out
        model = CTGAN(epochs=epochs)
        began = time.perf_counter()
        model.fit(train, discrete)
        fits.append(time.perf_counter() - began)
    trained = EPOCHS * len(train) / (fits[1] - fits[0])
    began = time.perf_counter()
    model.sample(DRAWN)
    drawn = DRAWN / (time.perf_counter() - began)
    table = [["rows a second", "equipoise", "CTGAN", "ratio", "goal"]]
    for name, own, theirs in (
        ("training", ours["trained"], trained),
        ("sampling", ours["drawn"], drawn),
    ):
        goal = against(own / theirs, GOAL, at_most=False)
        table.append([name, f"{own:,.0f}", f"{theirs:,.0f}", f"{own / theirs:.1f}", goal])
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("which", nargs="?", choices=("ctgan", "rows", "columns"))
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return
    if options.which is None:
        parser.error("which: ctgan, rows or columns")
    rows = beside_ctgan() if options.which == "ctgan" else sizes(options.which)
    record(f"python -m benchmarks.table_speed {options.which}", "One thread.", rows)


if __name__ == "__main__":
    main()
