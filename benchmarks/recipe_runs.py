"""The trainings of the recipes' benchmark: which there are, and what each came to."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.gates import (
    GATES,
    LABELLED,
    TEN_MINUTES,
    TEN_MINUTES_LABELLED,
    UNSUPERVISED_ACCURACY,
    Gate,
)
from benchmarks.results import origin
from equipoise import GAN
from equipoise.data import mnist
from equipoise.metrics.conditional import LABEL_ACCURACY
from equipoise.metrics.digits import read_digits
from equipoise.metrics.labels import accuracy, unsupervised_accuracy
from equipoise.recipes import find

POINTS = ("gaussian", "ring", "grid")
ASKED = 1000  # samples of each digit that are asked for
FAILED, REFUSED = 1, 2  # exit statuses of `equipoise train`
Options = tuple[str, ...]
CONDITIONAL = ("--conditional", "True")
# Of each table the minutes of a training (None: the recipe's usual length) and the
# seeds.
MINUTES = {"points": None, "digits": 5.0, "labels": 10.0, "ten-minutes": 10.0}
SEEDS: Mapping[str, Sequence[int]] = {
    "points": range(3),
    "digits": [0],
    "labels": [0],
    "ten-minutes": [0],
}


@dataclass(frozen=True)
class Run:
    """One training, and the gate that it must pass."""

    recipe: str
    data: str
    seed: int
    minutes: float | None
    options: Options
    gate: Gate

    @property
    def name(self) -> str:
        length = [f"{self.minutes:g}min"] if self.minutes else []
        return "-".join(
            [self.data, self.recipe, str(self.seed), *length, *(["labels"] if self.options else [])]
        )

    @property
    def label(self) -> str:
        """What its row is called. Recipes that need labels have them unsaid."""
        chosen = ["with labels"] if self.options and not find(self.recipe).needs_labels else []
        return ", ".join([" ".join([self.recipe, *chosen]), f"seed {self.seed}"])

    def arguments(self) -> list[str]:
        """What is given to `equipoise train`, without where it is kept."""
        length = ["--minutes", f"{self.minutes:g}"] if self.minutes else []
        chosen = ["--recipe", self.recipe, "--seed", str(self.seed)]
        return [self.data, *chosen, *length, *self.options]


def fits(recipe: str, data: str) -> bool:
    """Whether a recipe can learn this data."""
    kind = find(recipe)
    refused = kind.tables_only or (kind.images_only and data in POINTS)
    return not refused and not (data == "gaussian" and kind.needs_labels)


def runs(
    what: str, only: Sequence[str] | None = None, seeds: Sequence[int] | None = None
) -> Iterator[Run]:
    """The runs of a table.

    Args:
        what: The table.
        only: These recipes alone, even those that have no gate yet.
        seeds: Other seeds than the table's own.
    """
    for recipe, data, options, gate in _gated(what, only):
        for seed in SEEDS[what] if seeds is None else seeds:
            yield Run(recipe, data, seed, MINUTES[what], options, gate)


def _gated(what: str, only: Sequence[str] | None) -> Iterator[tuple[str, str, Options, Gate]]:
    """The recipes of a table, each with its data, options and gate."""
    parts = _parts(what)
    elsewhere = {name for _, options, gates in parts if options for name in gates}
    for data, options, gates in parts:
        named = [] if options else [name for name in only or () if fits(name, data)]
        new: dict[str, Gate] = {name: {} for name in named if name not in gates.keys() | elsewhere}
        for recipe, gate in {**gates, **new}.items():
            if only is None or recipe in only:
                yield recipe, data, options, gate


def _parts(what: str) -> list[tuple[str, Options, Mapping[str, Gate]]]:
    """The parts of a table: data, options and the gates of recipes."""
    if what == "points":
        return [(data, (), GATES[data]) for data in POINTS]
    if what == "digits":
        return [("mnist", (), GATES["mnist"])]
    if what == "labels":
        return [("mnist", CONDITIONAL, LABELLED)]
    return [("mnist", (), TEN_MINUTES), ("mnist", CONDITIONAL, TEN_MINUTES_LABELLED)]


def measure(run: Run, keep: Path, pinned: list[str]) -> dict[str, Any]:
    """Train as `run` says, unless it has been, and return its figures, their baselines,
    and the seconds of training and of the command. A training that did not end well has
    `failed` instead, which says why."""
    done = keep / f"{run.name}.json"
    if not done.is_file():
        done.write_text(json.dumps(_trained(run, keep / run.name, pinned) | asdict(origin())))
    found: dict[str, Any] = json.loads(done.read_text())
    return found


def _trained(run: Run, out: Path, pinned: list[str]) -> dict[str, Any]:
    shutil.rmtree(out, ignore_errors=True)
    threads = ["--threads", "1"] if pinned else []
    kept = ["--evaluate", "full", "--out", str(out)]
    command = [*pinned, sys.executable, "-m", "equipoise", "train", *run.arguments()]
    began = time.monotonic()
    ended = subprocess.run(
        [*command, *threads, *kept],
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    whole = time.monotonic() - began
    if ended.returncode in (FAILED, REFUSED):
        return {"failed": ended.stderr.strip().splitlines()[-1]}
    ended.check_returncode()  # it was interrupted
    report = json.loads((out / "report.json").read_text())
    extra, extra_baselines = of_labels(out) if run.data == "mnist" else ({}, {})
    return {
        "metrics": {metric["key"]: metric["value"] for metric in report["metrics"]} | extra,
        "baselines": {metric["key"]: metric["baseline"] for metric in report["metrics"]}
        | extra_baselines,
        "seen": report["samples_seen"],
        "loop": json.loads((out / "log.jsonl").read_text().splitlines()[-1])["seconds"],
        "whole": whole,
    }


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


def read(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The digits that the shipped classifier reads."""
    found: NDArray[np.int64] = read_digits(torch.from_numpy(images.copy()))[1].argmax(1).numpy()
    return found
