"""What papers promise beside good samples, measured on MNIST.

    python -m benchmarks.promises critic
        wgan and wgan-gp: the critic's estimate falls as samples improve. Rank
        correlation with the Fréchet distance over the training: at least .9
    python -m benchmarks.promises infogan
        five seeds: c0 identifies .90 of the test digits without labels; what slant and
        width have to do with u0 and u1

Results go to benchmarks/results, pictures to docs/images/promises. A run that is in
--keep already is not made again. Run it on an otherwise idle machine; with --lanes 2
two runs go side by side, each with one thread on a core of its own.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import statistics
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import codes, critic
from benchmarks.codes import CONTINUOUS, SHAPES, Meaning
from benchmarks.critic import Followed
from benchmarks.lanes import add_options, in_lanes
from benchmarks.measuring import against
from benchmarks.results import Origin, merged, origin, record
from equipoise import GAN
from equipoise.report.charts import ESTIMATE

IMAGES = Path(__file__).parent.parent / "docs" / "images" / "promises"
CRITICS = ("wgan", "wgan-gp")
CORRELATION, ACCURACY = 0.9, 0.9  # goals
SEEDS = range(5)
MINUTES = 5.0


def run_name(recipe: str, minutes: float, seed: int) -> str:
    """The name of a run in the folder that keeps them."""
    return f"{recipe}-{minutes:g}min-{seed}"


def follow_critic(recipe: str, minutes: float, seed: int, out: Path) -> None:
    """Train a recipe with a critic, and write what was measured beside `out`."""
    settings = {"minutes": minutes, "seed": seed, "threads": 1, "evaluate": "none"}
    found = asdict(critic.follow(recipe, settings))
    write(found, out)


def train_infogan(recipe: str, minutes: float, seed: int, out: Path) -> None:
    """Train an InfoGAN in the folder `out`, and write what its codes mean beside it."""
    shutil.rmtree(out, ignore_errors=True)  # of a benchmark that was stopped
    settings: dict[str, Any] = {"minutes": minutes, "seed": seed, "threads": 1}
    gan = GAN(recipe, **settings, evaluate="none").fit("mnist", out=out)
    found = asdict(codes.meaning(gan))
    write(found, out)


def write(found: dict[str, Any], out: Path) -> None:
    """Write what was measured of a run beside its folder, and where."""
    text = json.dumps(found | {"origin": asdict(origin())})
    (out.parent / f"{out.name}.json").write_text(text)


ONE = {"critic": follow_critic, "infogan": train_infogan}


def measured(
    what: str, planned: list[tuple[str, int]], minutes: float, keep: Path, lanes: int
) -> list[dict[str, Any]]:
    """What was measured of each recipe and seed, `lanes` of them at a time, each in a
    process of its own."""

    def one(run: tuple[str, int], pinned: list[str]) -> dict[str, Any]:
        recipe, seed = run
        done = keep / f"{run_name(recipe, minutes, seed)}.json"
        if not done.is_file():
            arguments = [what, "--one", recipe, str(seed), "--minutes", f"{minutes:g}"]
            command = [*pinned, sys.executable, "-m", "benchmarks.promises", *arguments]
            subprocess.run([*command, "--keep", str(keep)], check=True)
        found: dict[str, Any] = json.loads(done.read_text())
        print(done.stem, "done", flush=True)
        return found

    return in_lanes(planned, one, lanes)


def critic_table(found: dict[str, Followed]) -> list[list[str]]:
    """A row for each recipe."""
    rows = [
        [
            "recipe",
            "moments",
            "rank correlation with the Fréchet distance of the generator that is trained",
            "goal",
            "without the first tenth, in which the critic learns",
            "of its EMA",
            "estimate, first and last",
            "Fréchet, first and last",
            "samples seen",
        ]
    ]
    for recipe, one in found.items():
        value = one.correlation(one.trained)
        rows.append(
            [
                recipe,
                str(len(one.trained)),
                f"{value:.3f}",
                against(value, CORRELATION, at_most=False),
                f"{one.correlation(one.trained, start=0.1):.3f}",
                f"{one.correlation(one.ema):.3f}",
                f"{one.estimates[0]:.3g}, {one.estimates[-1]:.3g}",
                f"{one.trained[0]:.3g}, {one.trained[-1]:.3g}",
                f"{one.samples_seen[-1]:,}",
            ]
        )
    return rows


def infogan_table(found: dict[int, Meaning]) -> list[list[str]]:
    """A row for each seed, and the median and the worst."""
    heads = [f"{name}, {kind}" for name in SHAPES for kind in ("digits drawn", "walks")]
    rows = [["infogan", "unsupervised accuracy of c0", "goal", *heads]]
    values = []
    for seed, one in found.items():
        shapes = _shapes(one)
        values.append([one.accuracy, *(value for _, value in shapes)])
        cells = [f"{value:.3f} ({code})" for code, value in shapes]
        rows.append([f"infogan, seed {seed}", f"{one.accuracy:.3f}", "", *cells])
    for label, of in (("median", statistics.median), ("worst", min)):
        accuracy, *rest = [of(column) for column in zip(*values, strict=True)]
        goal = against(accuracy, ACCURACY, at_most=False) if label == "median" else ""
        rows.append([label, f"{accuracy:.3f}", goal, *(f"{value:.3f}" for value in rest)])
    return rows


def _shapes(one: Meaning) -> list[tuple[str, float]]:
    """Of each shape its code and their correlation, of digits drawn and of walks."""
    return [
        codes.best_assignment(table)[name] for name in SHAPES for table in (one.drawn, one.walked)
    ]


def record_critic(found: list[dict[str, Any]], recipes: list[str], command: str) -> None:
    """Draw and record the critics."""
    measured_at = merged(Origin(**one.pop("origin")) for one in found)
    followed = {recipe: Followed(**one) for recipe, one in zip(recipes, found, strict=True)}
    for recipe, one in followed.items():
        critic.draw(IMAGES / f"critic-{recipe}.png", recipe, one)
    record(
        command,
        "MNIST, one thread a run, seed 0. The estimate is the log's "
        f"`{ESTIMATE}` through a median filter of {critic.FILTER} of its lines; the Fréchet "
        f"distance of the digit classifier's features is of {critic.SAMPLES:,} samples of a copy "
        "of the generator at the same moment. Spearman's rank correlation.",
        critic_table(followed),
        measured=measured_at,
    )


def record_infogan(
    found: list[dict[str, Any]], seeds: list[int], minutes: float, keep: Path, command: str
) -> None:
    """Draw the run with the median accuracy, and record all."""
    measured_at = merged(Origin(**one.pop("origin")) for one in found)
    meanings = {seed: Meaning(**one) for seed, one in zip(seeds, found, strict=True)}
    shown = sorted(seeds, key=lambda seed: meanings[seed].accuracy)[len(seeds) // 2]
    gan = GAN.load(keep / run_name("infogan", minutes, shown))
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name in ("c0", *CONTINUOUS):
        (IMAGES / f"infogan-{name}.png").write_bytes(codes.walk_picture(gan, name))
    record(
        command,
        "MNIST, one thread a run. Accuracy on 10,000 test digits with the best one-to-one "
        "assignment of c0's values to digits. Absolute rank correlations of slant and of width "
        "with u0 or u1, each with the one that fits: over digits drawn at random for each value "
        "of c0, and along walks of the code from -2 to 2 with all else fixed (the absolute value "
        "of the mean over 20 walks of each value of c0). The pictures are "
        f"of seed {shown}, the median by accuracy.",
        infogan_table(meanings),
        measured=measured_at,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=list(ONE))
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"of a run: {MINUTES:g}")
    parser.add_argument("--recipe", choices=CRITICS, help="of critic: this one alone")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="of infogan: 0 to N - 1")
    add_options(parser, "benchmark-promises")
    parser.add_argument("--one", nargs=2, metavar=("RECIPE", "SEED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.seeds < 1:
        parser.error(f"--seeds {options.seeds}: must be at least 1")
    options.keep.mkdir(parents=True, exist_ok=True)
    if options.one:
        recipe, seed = options.one[0], int(options.one[1])
        out = options.keep / run_name(recipe, options.minutes, seed)
        ONE[options.what](recipe, options.minutes, seed, out)
        return
    given = ["--minutes", f"{options.minutes:g}"] if options.minutes != MINUTES else []
    if options.what == "critic":
        recipes = [options.recipe] if options.recipe else list(CRITICS)
        planned = [(recipe, 0) for recipe in recipes]
        given += ["--recipe", options.recipe] if options.recipe else []
    else:
        planned = [("infogan", seed) for seed in range(options.seeds)]
        given += ["--seeds", str(options.seeds)] if options.seeds != len(SEEDS) else []
    given += ["--lanes", str(options.lanes)] if options.lanes > 1 else []
    command = shlex.join(["python", "-m", "benchmarks.promises", options.what, *given])
    found = measured(options.what, planned, options.minutes, options.keep, options.lanes)
    if options.what == "critic":
        record_critic(found, recipes, command)
    else:
        seeds = [seed for _, seed in planned]
        record_infogan(found, seeds, options.minutes, options.keep, command)


if __name__ == "__main__":
    main()
