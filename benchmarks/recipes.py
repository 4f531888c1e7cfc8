"""Every recipe on the data that it fits, against a gate stated for it (Q8).

    python -m benchmarks.recipes            all three tables:
    python -m benchmarks.recipes points     N(4, 1.25) and the ring of 8, seeds 0 to 2
    python -m benchmarks.recipes digits
        MNIST, seed 0, 5 minutes, labels for the recipes of classes
    python -m benchmarks.recipes labels
        MNIST with labels: cgan, acgan and balanced, 10 minutes

Each run is `equipoise train` as a user types it. A run that is in --keep already is not
made again: a benchmark that was stopped goes on. Results go to benchmarks/results,
grids of digits to docs/images/recipes. Run it on an otherwise idle machine; with
--lanes 2 two runs go side by side, each with one thread on a core of its own, which the
table says.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.gates import GATES, LABELLED, UNSUPERVISED_ACCURACY, Gate, failures
from benchmarks.lanes import add_options, in_lanes
from benchmarks.results import Origin, merged, origin, record
from equipoise import GAN
from equipoise.data import mnist
from equipoise.metrics.conditional import LABEL_ACCURACY
from equipoise.metrics.digits import read_digits
from equipoise.metrics.labels import accuracy, unsupervised_accuracy
from equipoise.metrics.registry import family_of, label_of
from equipoise.plotting.grids import image_grid
from equipoise.recipes import catalogue
from equipoise.utils.system import usable_cores

IMAGES = Path(__file__).parent.parent / "docs" / "images" / "recipes"
ASKED, ROWS = 1000, 8  # samples of each digit that are asked for, and how many of them are shown
SEEDS = range(3)
MINUTES = {"points": None, "digits": 5.0, "labels": 10.0}


@dataclass(frozen=True)
class Run:
    """One training, and the gate that it must pass."""

    recipe: str
    data: str
    seed: int
    minutes: float | None
    options: tuple[str, ...]
    gate: Gate

    @property
    def name(self) -> str:
        length = [f"{self.minutes:g}min"] if self.minutes else []
        return "-".join(
            [self.data, self.recipe, str(self.seed), *length, *(["labels"] if self.options else [])]
        )


def runs(what: str, only: str | None = None) -> Iterator[Run]:
    """The runs of a table, of one recipe alone if `only` names it: even of one that has
    no gate yet."""
    if what == "labels":
        for recipe, gate in LABELLED.items():
            if only in (None, recipe):
                yield Run(recipe, "mnist", 0, MINUTES[what], ("--conditional", "True"), gate)
        return
    for data in ("gaussian", "ring") if what == "points" else ("mnist",):
        gates = GATES[data] if only is None else {only: GATES[data].get(only, {})}
        for recipe, gate in gates.items():
            for seed in SEEDS if what == "points" else (0,):
                yield Run(recipe, data, seed, MINUTES[what], (), gate)


def measure(run: Run, keep: Path, pinned: list[str]) -> dict[str, Any]:
    """Train as `run` says, unless it has been, and return its figures, their baselines,
    and the seconds of training and of the command."""
    out = keep / run.name
    done = keep / f"{run.name}.json"
    if not done.is_file():
        shutil.rmtree(out, ignore_errors=True)
        length = ["--minutes", f"{run.minutes:g}"] if run.minutes else []
        threads = ["--threads", "1"] if pinned else []
        arguments = [
            "train",
            run.data,
            "--recipe",
            run.recipe,
            "--seed",
            str(run.seed),
            *length,
            *run.options,
            *threads,
        ]
        arguments += ["--evaluate", "full", "--out", str(out)]
        began = time.monotonic()
        subprocess.run(
            [*pinned, sys.executable, "-m", "equipoise", *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        whole = time.monotonic() - began
        report = json.loads((out / "report.json").read_text())
        metrics = {metric["key"]: metric["value"] for metric in report["metrics"]}
        baselines = {metric["key"]: metric["baseline"] for metric in report["metrics"]}
        extra, extra_baselines = of_labels(out) if run.data == "mnist" else ({}, {})
        loop = json.loads((out / "log.jsonl").read_text().splitlines()[-1])["seconds"]
        result = {
            "metrics": metrics | extra,
            "baselines": baselines | extra_baselines,
            "seen": report["samples_seen"],
            "loop": loop,
            "whole": whole,
        }
        done.write_text(json.dumps(result | asdict(origin())))
    found: dict[str, Any] = json.loads(done.read_text())
    return found


def of_labels(out: Path) -> tuple[dict[str, float], dict[str, float]]:
    """How often the digit classifier agrees with the label asked for, or InfoGAN's code
    with the digit; and the same of real digits."""
    gan = GAN.load(out)
    recipe = json.loads((out / "config.json").read_text())["recipe"]
    images, digits = mnist.load("test")
    if recipe["name"] == "infogan":
        return {UNSUPERVISED_ACCURACY: unsupervised_accuracy(gan.encode(images)["c0"], digits)}, {
            UNSUPERVISED_ACCURACY: 1.0
        }
    if not recipe["conditional"]:
        return {}, {}
    asked = np.arange(10).repeat(ASKED)
    made = np.concatenate(
        [np.asarray(gan.sample(ASKED, label=digit, seed=digit)) for digit in range(10)]
    )
    return {LABEL_ACCURACY.key: accuracy(read(made), asked)}, {
        LABEL_ACCURACY.key: accuracy(read(images), digits)
    }


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


def read(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The digits that the shipped classifier reads."""
    found: NDArray[np.int64] = read_digits(torch.from_numpy(images.copy()))[1].argmax(1).numpy()
    return found


def tables(results: list[tuple[Run, dict[str, Any]]]) -> list[list[list[str]]]:
    """One table for each kind of data, with the baseline of the first run, and what
    fails."""
    blocks = []
    for data in dict.fromkeys(run.data for run, _ in results):
        of_data = [(run, found) for run, found in results if run.data == data]
        names = list(
            dict.fromkeys(
                name
                for _, found in of_data
                for name in found["metrics"]
                if family_of(name) in SHOWN
            )
        )
        baselines = {
            name: baseline
            for _, found in reversed(of_data)
            for name, baseline in found["baselines"].items()
        }
        heads = [
            data,
            *map(label_of, names),
            "samples seen",
            "training, s",
            "whole command, s",
            "gate",
        ]
        rows = [heads]
        for run, found in of_data:
            failed = "; ".join(failures(run.gate, found["metrics"]))
            times = [f"{found['seen']:,}", f"{found['loop']:.0f}", f"{found['whole']:.0f}"]
            cells = [_cell(found["metrics"].get(name)) for name in names]
            rows.append(
                [
                    f"{run.recipe}, seed {run.seed}",
                    *cells,
                    *times,
                    f"**failed**: {failed}" if failed else "passed" if run.gate else "no gate yet",
                ]
            )
        rows.append(
            [
                "real samples (baseline)",
                *[_cell(baselines.get(name)) for name in names],
                "",
                "",
                "",
                "",
            ]
        )
        blocks.append(rows)
    return blocks


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


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="*", help=f"tables: {', '.join(MINUTES)}; all unless named")
    parser.add_argument("--recipe", help="this one alone")
    add_options(parser, "benchmark-recipes")
    options = parser.parse_args()
    if unknown := set(options.what) - MINUTES.keys():
        parser.error(f"no table {', '.join(sorted(unknown))}: known are {', '.join(MINUTES)}")
    options.keep.mkdir(parents=True, exist_ok=True)
    if options.recipe not in (None, *catalogue()):
        parser.error(f"no recipe {options.recipe}: known are {', '.join(catalogue())}")
    planned = {what: list(runs(what, options.recipe)) for what in options.what or MINUTES}
    found = train_all(
        [run for of_table in planned.values() for run in of_table], options.keep, options.lanes
    )
    for what, of_table in planned.items():
        if not of_table:  # only recipes of classes are in the table of labels
            continue
        results = [(run, found[run.name]) for run in of_table]
        if what != "points":
            IMAGES.mkdir(parents=True, exist_ok=True)
            for run in of_table:
                draw(
                    options.keep / run.name,
                    IMAGES / f"{run.recipe}{'-labels' if what == 'labels' else ''}.png",
                )
        lanes = ["--lanes", str(options.lanes)] if options.lanes > 1 else []
        how = "One thread a run" if lanes or what == "points" else f"{usable_cores()} thread(s)"
        how += f", {options.lanes} runs side by side, each on its own core" if lanes else ""
        chosen = ["--recipe", options.recipe] if options.recipe else []
        command = shlex.join(["python", "-m", "benchmarks.recipes", what, *chosen, *lanes])
        measured = merged(Origin(result["commit"], result["machine"]) for _, result in results)
        record(command, f"{how}.", *tables(results), measured=measured)


def train_all(planned: list[Run], keep: Path, lanes: int) -> dict[str, dict[str, Any]]:
    """Measure every run, `lanes` of them at a time; the results by the runs' names."""

    def one(run: Run, pinned: list[str]) -> dict[str, Any]:
        found = measure(run, keep, pinned)
        metrics = {name: round(value, 4) for name, value in found["metrics"].items()}
        print(run.name, metrics, failures(run.gate, found["metrics"]), flush=True)
        return found

    return {
        run.name: result for run, result in zip(planned, in_lanes(planned, one, lanes), strict=True)
    }


if __name__ == "__main__":
    main()
