"""Every recipe on the data that it fits, against a gate stated for it (Q8).

    python -m benchmarks.recipes            all of these tables:
    python -m benchmarks.recipes points
        N(4, 1.25), the ring of 8 and the grid of 25, seeds 0 to 2
    python -m benchmarks.recipes digits
        MNIST, seed 0, 5 minutes, labels for the recipes of classes
    python -m benchmarks.recipes labels
        MNIST with labels: cgan, acgan and balanced, 10 minutes
    python -m benchmarks.recipes ten-minutes
        MNIST, seed 0, 10 minutes, every recipe, against the goals in place of gates

--recipe names those that are trained, --seeds 0-2 other seeds. Each run is `equipoise
train` as a user types it. A run that is in --keep already is not made again: a
benchmark that was stopped goes on. Results go to benchmarks/results, grids of digits of
`digits` and `labels` to docs/images/recipes. Run it on an otherwise idle machine; with
--lanes 2 two runs go side by side, each with one thread on a core of its own, which the
table says.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gates import UNSUPERVISED_ACCURACY, failures
from benchmarks.lanes import add_options, in_lanes
from benchmarks.quality import parsed
from benchmarks.recipe_runs import MINUTES, Run, measure, runs
from benchmarks.results import Origin, merged, record
from equipoise import GAN
from equipoise.metrics.conditional import LABEL_ACCURACY
from equipoise.metrics.registry import family_of, label_of
from equipoise.plotting.grids import image_grid
from equipoise.recipes import catalogue
from equipoise.utils.system import usable_cores

IMAGES = Path(__file__).parent.parent / "docs" / "images" / "recipes"
ROWS = 8  # samples of each digit that are shown
DRAWN = {"digits": "", "labels": "-labels"}  # tables with pictures, and what ends their names
Result = dict[str, Any]
SHOWN = (
    "wasserstein_1",
    "kolmogorov_smirnov",
    "standard_deviation",
    "modes_covered",
    "within_3_sigma",
    "reverse_kl",
    "mode_spread",
    "sliced_wasserstein",
    "digit_frechet_distance",
    "recognised_fraction",
    "smallest_class_frequency",
    LABEL_ACCURACY.key,
    UNSUPERVISED_ACCURACY,
)
TIMES = ("samples seen", "training, s", "whole command, s")


def draw(out: Path, image: Path) -> None:
    """A grid of samples of a run on MNIST: drawn at random, or a column for each digit
    asked for, or for each value of InfoGAN's code."""
    recipe = json.loads((out / "config.json").read_text())["recipe"]
    if recipe["conditional"]:
        gan = GAN.load(out)
        columns = [np.asarray(gan.sample(ROWS, label=digit, seed=digit)) for digit in range(10)]
        image.write_bytes(
            image_grid(np.stack(columns, 1).reshape(-1, 1, 28, 28), None, images_per_row=10)
        )
    else:
        shutil.copy(out / ("code-c0.png" if recipe["name"] == "infogan" else "samples.png"), image)


def tables(results: Sequence[tuple[Run, Result]]) -> list[list[list[str]]]:
    """One table for each kind of data, with the baseline of the first run."""
    kinds = dict.fromkeys(run.data for run, _ in results)
    return [_table(data, [pair for pair in results if pair[0].data == data]) for data in kinds]


def _table(data: str, results: Sequence[tuple[Run, Result]]) -> list[list[str]]:
    baselines: dict[str, float] = {}
    for _, found in reversed(results):
        baselines |= found.get("baselines", {})
    ended = [found["metrics"] for _, found in results if "metrics" in found]
    keys = dict.fromkeys(key for of in ended for key in of)
    shown = [key for key in keys if family_of(key) in SHOWN]
    rows = [[data, *map(label_of, shown), *TIMES, "gate"]]
    for run, found in results:
        cells = [_cell(found.get("metrics", {}).get(key)) for key in shown]
        rows.append([run.label, *cells, *_times(found), verdict(run, found)])
    real = [_cell(baselines.get(key)) for key in shown]
    return [*rows, ["real samples (baseline)", *real, *[""] * 4]]


def _times(found: Result) -> list[str]:
    if "failed" in found:
        return [""] * len(TIMES)
    return [f"{found['seen']:,}", f"{found['loop']:.0f}", f"{found['whole']:.0f}"]


def verdict(run: Run, found: Result) -> str:
    """Whether a run passes its gate, else what fails and by how much."""
    failed = [found["failed"]] if "failed" in found else failures(run.gate, found["metrics"])
    if failed:
        return f"**failed**: {'; '.join(failed)}"
    return "passed" if run.gate else "no gate yet"


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="*", help=f"tables: {', '.join(MINUTES)}; all unless named")
    parser.add_argument("--recipe", nargs="+", metavar="NAME", help="these alone")
    parser.add_argument("--seeds", help="from-to, both included, instead of the table's own")
    add_options(parser, "benchmark-recipes")
    options = parser.parse_args()
    if unknown := set(options.what) - MINUTES.keys():
        parser.error(f"no table {', '.join(sorted(unknown))}: known are {', '.join(MINUTES)}")
    if unknown := set(options.recipe or ()) - catalogue().keys():
        parser.error(f"no recipe {', '.join(sorted(unknown))}: known are {', '.join(catalogue())}")
    options.keep.mkdir(parents=True, exist_ok=True)
    seeds = None if options.seeds is None else parsed(options.seeds)
    planned = {what: list(runs(what, options.recipe, seeds)) for what in options.what or MINUTES}
    found = train_all([run for of in planned.values() for run in of], options.keep, options.lanes)
    for what, of_table in planned.items():
        if of_table:  # only recipes of classes are in the table of labels
            report(what, [(run, found[run.name]) for run in of_table], options)


def report(what: str, results: Sequence[tuple[Run, Result]], options: argparse.Namespace) -> None:
    """Record a table, and draw the pictures that belong to it."""
    for run, found in results:
        if what in DRAWN and "metrics" in found:
            IMAGES.mkdir(parents=True, exist_ok=True)
            draw(options.keep / run.name, IMAGES / f"{run.recipe}{DRAWN[what]}.png")
    lanes = ["--lanes", str(options.lanes)] if options.lanes > 1 else []
    how = "One thread a run" if lanes or what == "points" else f"{usable_cores()} thread(s)"
    how += f", {options.lanes} runs side by side, each on its own core" if lanes else ""
    chosen = ["--recipe", *options.recipe] if options.recipe else []
    chosen += ["--seeds", options.seeds] if options.seeds else []
    command = shlex.join(["python", "-m", "benchmarks.recipes", what, *chosen, *lanes])
    measured = merged(Origin(found["commit"], found["machine"]) for _, found in results)
    record(command, f"{how}.", *tables(results), measured=measured)


def train_all(planned: Sequence[Run], keep: Path, lanes: int) -> dict[str, Result]:
    """Measure every run, `lanes` of them at a time; the results by the runs' names."""
    different = list({run.name: run for run in planned}.values())  # tables share some

    def one(run: Run, pinned: list[str]) -> Result:
        found = measure(run, keep, pinned)
        metrics = {key: round(value, 4) for key, value in found.get("metrics", {}).items()}
        print(run.name, metrics, verdict(run, found), flush=True)
        return found

    results = in_lanes(different, one, lanes)
    return {run.name: found for run, found in zip(different, results, strict=True)}


if __name__ == "__main__":
    main()
