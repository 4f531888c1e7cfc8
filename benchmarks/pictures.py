"""Colour images in minutes: the default recipe beside others, with no option.

    python -m benchmarks.pictures cifar     CIFAR-10 without labels, 30 minutes
    python -m benchmarks.pictures labels    CIFAR-10, conditional, 30 minutes
    python -m benchmarks.pictures shapes    flat shapes, 10 minutes
    python -m benchmarks.pictures icons     1,000 icons of 64 x 64 with transparency
    python -m benchmarks.pictures cifar --recipes balanced dcgan --minutes 10
    python -m benchmarks.pictures labels --recipes "balanced --conditional True"

Each run is `equipoise train FOLDER` as a user types it. 10,000 samples are judged from
outside: on CIFAR-10 by a classifier that no recipe was trained on (`benchmarks.cifar`)
against the 10,000 test images, on flat shapes by a rule (`benchmarks.flat_shapes`), on
icons by the run's own report. A run that is in --keep already is not made again. The
result goes to benchmarks/results, grids of samples to docs/images/pictures.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import cifar, flat_shapes
from benchmarks.icons import draw_icons
from benchmarks.lanes import add_options, in_lanes
from benchmarks.results import Origin, merged, origin, record
from equipoise import GAN
from equipoise.metrics.frechet import frechet_distance
from equipoise.metrics.neighbours import coverage
from equipoise.utils.system import usable_cores

IMAGES = Path(__file__).parent.parent / "docs" / "images" / "pictures"
SAMPLES, SHOWN = 10_000, 64
Pixels = NDArray[np.uint8]
Figures = dict[str, float]


@dataclass(frozen=True)
class Task:
    """A set of images, for how long, and what judges the samples.

    `write` makes the folder to train on. `judge` gets the finished run, `real` the
    number of samples: the same figures of real images.
    """

    minutes: float
    write: Callable[[Path], None]
    judge: Callable[[Path], Figures]
    real: Callable[[int], Figures]
    recipes: tuple[tuple[str, ...], ...]


def write_cifar(folder: Path) -> None:
    """The training images, as files in class folders."""
    cifar.extract("train", folder)


def write_shapes(folder: Path) -> None:
    """20,000 flat shapes as PNG files."""
    write_files(folder, flat_shapes.draw(20_000, seed=0)[0])


def write_icons(folder: Path) -> None:
    """1,000 icons as PNG files with transparency."""
    write_files(folder, draw_icons(1_000, seed=0))


def write_files(folder: Path, images: Pixels) -> None:
    """Write images, (N, H, W, C), as PNG files."""
    folder.mkdir(parents=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number:05d}.png")


def channels_first(images: object) -> Pixels:
    """(N, H, W, C) to (N, C, H, W)."""
    return np.ascontiguousarray(np.asarray(images, np.uint8).transpose(0, 3, 1, 2))


def judge_cifar(run: Path) -> Figures:
    """The Fréchet distance and the neighbours of the classifier's features."""
    return against_test(channels_first(GAN.load(run).sample(SAMPLES, seed=1)))


def judge_labels(run: Path) -> Figures:
    """As `judge_cifar`, and how often the classifier sees the class asked for."""
    gan, count = GAN.load(run), SAMPLES // 10
    images = [
        channels_first(gan.sample(count, label=name, seed=i)) for i, name in enumerate(cifar.NAMES)
    ]
    seen = cifar.read_images(np.concatenate(images))[1]
    agreed = float((seen == np.arange(10).repeat(count)).mean())
    return against_test(np.concatenate(images)) | {"as asked": agreed}


def against_test(images: Pixels) -> Figures:
    """Images, (N, 3, 32, 32), against CIFAR-10's test images."""
    features, real = (cifar.read_images(x)[0] for x in (images, cifar.images("test")[0]))
    found = coverage(real, features)
    return {
        "Fréchet": frechet_distance(features, real),
        "precision": found.precision,
        "recall": found.recall,
        "coverage": found.coverage,
    }


def real_cifar(count: int) -> Figures:
    rows = np.random.default_rng(0).permutation(50_000)[:count]
    return against_test(cifar.images("train")[0][rows])


def real_labels(count: int) -> Figures:
    pixels, classes = cifar.images("test")
    agreed = float((cifar.read_images(pixels)[1] == classes).mean())
    return real_cifar(count) | {"as asked": agreed}


def judge_shapes(run: Path) -> Figures:
    """The fractions with one well-formed shape, and with each kind."""
    return of_shapes(np.asarray(GAN.load(run).sample(SAMPLES, seed=1)))


def of_shapes(images: Pixels) -> Figures:
    found = [flat_shapes.shape_in(image) for image in images]
    return {
        "well-formed": sum(kind is not None for kind in found) / len(found),
        **{kind: found.count(kind) / len(found) for kind in flat_shapes.KINDS},
    }


def real_shapes(count: int) -> Figures:
    return of_shapes(flat_shapes.draw(count, seed=1)[0])


def judge_report(run: Path) -> Figures:
    """Figures of the run's own report."""
    report = json.loads((run / "report.json").read_text())
    values = {metric["key"]: metric["value"] for metric in report["metrics"]}
    return {
        name: values[name]
        for name in ("copied_fraction", "coverage", "precision")
        if name in values
    }


# The same method with the habits of a widely used public implementation: no EMA, a
# constant learning rate, twice the channels.
PUBLIC = ("--ema-half-life", "0", "--learning-rate-end", "1", "--width", "64")
COLOUR = (
    ("balanced",),
    ("projected",),
    ("dcgan",),
    ("sngan",),
    ("wgan-gp",),
    ("dcgan", *PUBLIC),
    ("wgan-gp", *PUBLIC),
)
TASKS = {
    "cifar": Task(30, write_cifar, judge_cifar, real_cifar, COLOUR),
    "labels": Task(
        30,
        write_cifar,
        judge_labels,
        real_labels,
        (("balanced", "--conditional", "True"), ("cgan", "--conditional", "True")),
    ),
    "shapes": Task(10, write_shapes, judge_shapes, real_shapes, (("balanced",), ("dcgan",))),
    "icons": Task(30, write_icons, judge_report, lambda _: {}, (("balanced",), ("dcgan",))),
}


@dataclass(frozen=True)
class Run:
    """One training: the recipe with its options, on a task's images."""

    task: str
    recipe: tuple[str, ...]
    minutes: float
    seed: int

    @property
    def name(self) -> str:
        recipe = "-".join(word.lstrip("-") for word in self.recipe)
        return f"{self.task}-{recipe}-{self.minutes:g}min-{self.seed}"


def measure(run: Run, keep: Path, pinned: list[str]) -> dict[str, Any]:
    """Train as `run` says, unless it has been, and return its figures, the samples seen
    and the seconds of training."""
    out, done, data = keep / run.name, keep / f"{run.name}.json", keep / f"{run.task}-images"
    if not done.is_file():
        shutil.rmtree(out, ignore_errors=True)
        threads = ["--threads", "1"] if pinned else []
        command = [sys.executable, "-m", "equipoise", "train", str(data), "--recipe", *run.recipe]
        command += ["--minutes", f"{run.minutes:g}", "--seed", str(run.seed), *threads]
        began = time.monotonic()
        subprocess.run(
            [*pinned, *command, "--out", str(out)], check=True, stdout=subprocess.DEVNULL
        )
        lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
        found = {
            "figures": TASKS[run.task].judge(out),
            "seen": lines[-1]["samples_seen"],
            "loop": lines[-1]["seconds"],
            "whole": time.monotonic() - began,
        }
        done.write_text(json.dumps(found | asdict(origin())))
    result: dict[str, Any] = json.loads(done.read_text())
    return result


def table(results: list[tuple[Run, dict[str, Any]]], real: Figures) -> list[list[str]]:
    """A row for each run, and the same figures of real images."""
    names = list(results[0][1]["figures"])
    rows = [[results[0][0].task, *names, "samples seen", "training, s"]]
    for run, found in results:
        cells = [f"{found['figures'][name]:.3f}" for name in names]
        label = f"{' '.join(run.recipe)}, seed {run.seed}"
        rows.append([label, *cells, f"{found['seen']:,}", f"{found['loop']:.0f}"])
    if real:
        rows.append(["real images", *(f"{real[name]:.3f}" for name in names), "", ""])
    return rows


def draw(run: Run, keep: Path) -> None:
    """A grid of the run's samples, for the eye."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    GAN.load(keep / run.name).draw(IMAGES / f"{run.name}.png", seed=0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=TASKS)
    parser.add_argument(
        "--recipes", nargs="*", default=[], help="these alone, each with its options"
    )
    parser.add_argument("--minutes", type=float, help="of each training")
    parser.add_argument("--seeds", type=int, default=1, help="of each recipe")
    add_options(parser, "benchmark-pictures")
    options = parser.parse_args()
    task = TASKS[options.task]
    named = [tuple(shlex.split(recipe)) for recipe in options.recipes]
    minutes = options.minutes or task.minutes
    planned = [
        Run(options.task, recipe, minutes, seed)
        for recipe in named or task.recipes
        for seed in range(options.seeds)
    ]
    data = options.keep / f"{options.task}-images"
    if not data.is_dir():
        part = data.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        task.write(part)
        part.rename(data)
    found = in_lanes(planned, lambda run, pinned: measure(run, options.keep, pinned), options.lanes)
    for run in planned:
        draw(run, options.keep)
    how = (
        f"{options.lanes} runs side by side, one thread each"
        if options.lanes > 1
        else f"{usable_cores()} core(s) a run"
    )
    words = ["--recipes", *options.recipes] if options.recipes else []
    words += ["--minutes", f"{minutes:g}"] if options.minutes else []
    words += ["--seeds", str(options.seeds)] if options.seeds > 1 else []
    words += ["--lanes", str(options.lanes)] if options.lanes > 1 else []
    command = shlex.join(["python", "-m", "benchmarks.pictures", options.task, *words])
    measured = merged(Origin(result["commit"], result["machine"]) for result in found)
    rows = table(list(zip(planned, found, strict=True)), task.real(SAMPLES))
    record(command, f"{how}; {SAMPLES:,} samples.", rows, measured=measured)


if __name__ == "__main__":
    main()
