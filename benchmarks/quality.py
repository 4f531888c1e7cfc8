"""How good `balanced` gets, as a user runs it: rows Q1 to Q5, Q7 and Q9 of the
benchmarks, over seeds.

    python -m benchmarks.quality gaussian           Q1: N(4, 1.25), 20 seeds
    python -m benchmarks.quality distributions
        Q2: twelve distributions from 20,000 draws each, 10 seeds
    python -m benchmarks.quality ring               Q3: 8 modes, 20 seeds
    python -m benchmarks.quality grid               Q4: 25 modes, 20 seeds
    python -m benchmarks.quality mnist              Q5: 10 minutes, 5 seeds
    python -m benchmarks.quality immunity
        Q7: the grid under 40 random settings
    python -m benchmarks.quality stacked
        Q9: three digits as red, green and blue, 60 minutes, 1 seed

--seeds 100-119 runs other seeds. A run that is in --keep already is not repeated: a
benchmark that was stopped goes on. With --lanes 2 two runs go side by side, each with
one thread on a core of its own, which the table says. Results go to
benchmarks/results.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.lanes import add_options, in_lanes
from benchmarks.results import Origin, merged, origin, record
from benchmarks.rows import ROWS, Row, Run
from equipoise.metrics.registry import label_of


def measure(row: Row, run: Run, keep: Path, pinned: list[str]) -> dict[str, Any]:
    """Train as `run` says, unless it has been, and return its metrics with the seconds
    of the loop and of the whole command, and where it was trained. A training that did
    not end well has `failed` instead of metrics."""
    done = keep / f"{run.name}.json"
    if not done.is_file():
        out = keep / run.name
        shutil.rmtree(out, ignore_errors=True)
        threads = ["--threads", "1"] if pinned and not run.threads else []
        command = [
            *pinned,
            sys.executable,
            "-m",
            "equipoise",
            "train",
            *run.arguments(keep),
            *threads,
        ]
        command += ["--evaluate", "full", "--out", str(out)]
        began = time.monotonic()
        ended = subprocess.run(
            command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        whole = time.monotonic() - began
        if ended.returncode:
            result: dict[str, Any] = {"failed": ended.stderr.strip().splitlines()[-1]}
        else:
            loop = json.loads((out / "log.jsonl").read_text().splitlines()[-1])["seconds"]
            result = {"metrics": row.metrics(run, out), "loop": loop, "whole": whole}
        done.write_text(json.dumps({**result, **asdict(origin())}))
        shutil.rmtree(out / "checkpoints", ignore_errors=True)
    found: dict[str, Any] = json.loads(done.read_text())
    print(
        run.name,
        {name: round(value, 4) for name, value in found.get("metrics", {}).items()}
        or found["failed"],
        flush=True,
    )
    return found


def table(row: Row, runs: list[Run], results: list[dict[str, Any]]) -> list[list[str]]:
    """A line for each run, and the median, the lowest and the highest of all, at
    least one of which ended well."""
    good = [result for result in results if "metrics" in result]
    names = list(good[0]["metrics"])
    rows = [[row.title, *map(label_of, names), "training, s", "whole command, s"]]
    for run, result in zip(runs, results, strict=True):
        if "failed" in result:
            rows.append([run.label, f"failed: {result['failed']}", *[""] * (len(names) + 1)])
            continue
        cells = [f"{result['metrics'][name]:.4g}" for name in names]
        rows.append([run.label, *cells, f"{result['loop']:.1f}", f"{result['whole']:.1f}"])
    columns = [
        *([result["metrics"][name] for result in good] for name in names),
        *([r[what] for r in good] for what in ("loop", "whole")),
    ]
    for label, of in (("median", median), ("lowest", min), ("highest", max)):
        rows.append([label, *[f"{of(column):.4g}" for column in columns]])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("row", choices=ROWS)
    parser.add_argument("--seeds", help="from-to, both included, instead of the row's own")
    add_options(parser, "benchmark-quality")
    options = parser.parse_args()
    row = ROWS[options.row]
    seeds = range(row.seeds) if options.seeds is None else parsed(options.seeds)
    keep = options.keep / options.row
    keep.mkdir(parents=True, exist_ok=True)
    runs = [run for seed in seeds for run in row.runs(seed)]
    results = in_lanes(runs, lambda run, pinned: measure(row, run, keep, pinned), options.lanes)
    given = [
        *(["--seeds", options.seeds] if options.seeds else []),
        *(["--lanes", str(options.lanes)] if options.lanes > 1 else []),
    ]
    command = shlex.join(["python", "-m", "benchmarks.quality", options.row, *given])
    side = (
        f"{options.lanes} runs side by side, one thread each"
        if options.lanes > 1
        else f"{os.cpu_count()} cores for one run at a time"
    )
    measured = merged(Origin(result["commit"], result["machine"]) for result in results)
    if not any("metrics" in result for result in results):
        record(command, f"{side}.", "No run ended well.", measured=measured)
        return
    record(command, f"{side}.", table(row, runs, results), row.verdict(results), measured=measured)


def parsed(seeds: str) -> range:
    first, _, last = seeds.partition("-")
    return range(int(first), int(last or first) + 1)


if __name__ == "__main__":
    main()
