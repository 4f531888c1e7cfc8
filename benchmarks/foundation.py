"""The figures of the README: `equipoise train` as a user runs it, on N(4, 1.25) and on
MNIST, `balanced` beside `classic`.

    python -m benchmarks.foundation gaussian
        5 seeds of each recipe, whole commands
    python -m benchmarks.foundation mnist --minutes 10    one run of each recipe

The result goes to benchmarks/results. Run it on an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.results import record

TUTORIAL = [
    "--recipe",
    "classic",
    "--discriminator-sees",
    "batch-spread",
    "--latent",
    "uniform",
    "--samples",
    "1000000",
]  # 10,000 steps
GAUSSIAN_METRICS = ["wasserstein_1", "kolmogorov_smirnov", "mean", "standard_deviation"]
DIGIT_METRICS = ["digit_frechet_distance", "recognised_fraction", "smallest_class_frequency"]


def train(arguments: list[str], out: Path) -> tuple[dict[str, Any], float, float]:
    """Run `equipoise train` with `arguments`; its report, the seconds of the whole
    command and those of the training loop."""
    began = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "equipoise",
        "train",
        *arguments,
        "--evaluate",
        "full",
        "--out",
        str(out),
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    whole = time.monotonic() - began
    last = json.loads((out / "log.jsonl").read_text().splitlines()[-1])
    return json.loads((out / "report.json").read_text()), whole, last["seconds"]


def cells(report: dict[str, Any], names: list[str], what: str) -> list[str]:
    """`what` of each metric: its value or its baseline."""
    metrics = {metric["key"]: metric for metric in report["metrics"]}
    return [f"{metrics[name][what]:.4f}" for name in names]


def table(
    title: str, names: list[str], runs: list[tuple[str, list[str]]], keep: Path
) -> list[list[str]]:
    """Run each of `runs`, (label, arguments of train), into `keep`, and return the
    table."""
    rows = [[title, *names, "training, s", "whole command, s"]]
    report: dict[str, Any] = {}
    for number, (label, arguments) in enumerate(runs):
        report, whole, loop = train(arguments, keep / str(number))
        rows.append([label, *cells(report, names, "value"), f"{loop:.1f}", f"{whole:.1f}"])
        print(" | ".join(rows[-1]), flush=True)
    return [*rows, ["real samples (baseline)", *cells(report, names, "baseline"), "", ""]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", choices=["gaussian", "mnist"])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="a new folder to keep the runs in")
    options = parser.parse_args()
    keep = options.keep or Path(tempfile.mkdtemp())
    keep.mkdir(parents=True, exist_ok=True)
    if options.data == "gaussian":
        runs = [
            (f"balanced, seed {seed}", ["gaussian", "--seed", str(seed)])
            for seed in range(options.seeds)
        ]
        runs += [
            (
                f"classic as in the tutorials, seed {seed}",
                ["gaussian", *TUTORIAL, "--seed", str(seed)],
            )
            for seed in range(options.seeds)
        ]
        rows, threads = table("N(4, 1.25), 100,000 samples", GAUSSIAN_METRICS, runs, keep), 1
    else:
        minutes = ["--minutes", f"{options.minutes:g}"]
        runs = [(name, ["mnist", "--recipe", name, *minutes]) for name in ("balanced", "classic")]
        rows, threads = (
            table(f"MNIST, {options.minutes:g} minutes", DIGIT_METRICS, runs, keep),
            os.cpu_count() or 1,
        )
    length = ["--minutes", f"{options.minutes:g}"] if options.data == "mnist" else []
    command = shlex.join(["python", "-m", "benchmarks.foundation", options.data, *length])
    record(command, f"{threads} thread(s).", rows)


if __name__ == "__main__":
    main()
