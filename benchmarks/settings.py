"""How forgiving each method is on MNIST: the default and random settings, for the same
time each (Lucic et al. 2018, "Are GANs created equal?", for a laptop).

    python -m benchmarks.settings                     8 random settings, a minute each
    python -m benchmarks.settings --recipes dcgan wgan-gp --settings 20 --minutes 2
    python -m benchmarks.settings --confirm           also the best one with fresh seeds

Settings are drawn from the ranges that `equipoise sweep` searches. 10,000 samples are
judged by the digit classifier against the validation split; a training that diverged
counts as the worst. With --confirm the best random setting of each recipe and the
default are trained with seeds 100 to 102, and judged against test digits that nothing
was chosen on.

A result that is in --keep already is not made again: a benchmark that was stopped goes
on, and more settings add to those that are there. The table goes to benchmarks/results,
the picture to docs/images/settings.png, that of chosen recipes to --keep. Each training
has one thread; with --lanes 2 two go side by side, each on a core of its own. Needs the
extra [sweep].
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.digit_run import DigitRun, Split, baseline
from benchmarks.lanes import add_options, in_lanes
from benchmarks.results import Origin, merged, origin, record
from benchmarks.settings_chart import chart
from benchmarks.settings_draws import Settings, settings_of
from benchmarks.settings_spread import Outcome, Spread, confirmation_table, spread_table
from equipoise.recipes import catalogue

IMAGE = Path(__file__).parent.parent / "docs" / "images" / "settings.png"
# Those that learn images, without the one that needs a network trained on photographs.
RECIPES = tuple(
    name for name, kind in catalogue().items() if not kind.tables_only and name != "projected"
)
SETTINGS, MINUTES = 8, 1.0
SEARCH_SEED, FRESH_SEEDS = 0, (100, 101, 102)
Results = Mapping[str, dict[str, Any]]


@dataclass(frozen=True)
class Job:
    """One run, and the number of its setting: 0 for the default."""

    number: int
    run: DigitRun

    @property
    def name(self) -> str:
        run = self.run
        return f"{run.recipe}-{self.number}-{run.seed}-{run.minutes:g}min-{run.split}"


def search_jobs(drawn: Mapping[str, Sequence[Settings]], minutes: float) -> list[Job]:
    """Every setting of every recipe with the search's seed. The defaults come first,
    then the first random setting of each recipe, and so on."""
    most = max(map(len, drawn.values()))
    return [
        _job(recipe, number, settings[number], SEARCH_SEED, minutes, "validation")
        for number in range(most)
        for recipe, settings in drawn.items()
    ]


def fresh_jobs(
    drawn: Mapping[str, Sequence[Settings]], best: Mapping[str, int], minutes: float
) -> list[Job]:
    """The default and the best random setting of each recipe with fresh seeds."""
    return [
        _job(recipe, number, drawn[recipe][number], seed, minutes, "test")
        for recipe, chosen in best.items()
        for number in (0, chosen)
        for seed in FRESH_SEEDS
    ]


def _job(
    recipe: str, number: int, settings: Settings, seed: int, minutes: float, split: Split
) -> Job:
    return Job(number, DigitRun(recipe, settings, seed, minutes, split))


def measure(job: Job, keep: Path, pinned: list[str]) -> dict[str, Any]:
    """The result of a job and where it was measured, from `keep` if the very same run
    is there."""
    done, asked = keep / f"{job.name}.json", asdict(job.run)
    kept = json.loads(done.read_text()) if done.is_file() else {}
    if kept.get("run") != asked:
        command = [sys.executable, "-m", "benchmarks.digit_run", json.dumps(asked)]
        ended = subprocess.run([*pinned, *command], check=True, stdout=subprocess.PIPE)
        kept = {"run": asked, **json.loads(ended.stdout), **asdict(origin())}
        done.write_text(json.dumps(kept))
    print(job.name, kept.get("figures") or kept["failed"], flush=True)
    return dict(kept)


def spreads_of(jobs: Sequence[Job], results: Results) -> list[Spread]:
    """The outcomes of the search, by recipe."""
    outcomes: dict[str, list[Outcome]] = {}
    for job in jobs:
        outcomes.setdefault(job.run.recipe, []).append(Outcome.of(results[job.name]))
    return [Spread(recipe, default, random) for recipe, (default, *random) in outcomes.items()]


def confirmation(
    jobs: Sequence[Job], results: Results, drawn: Mapping[str, Sequence[Settings]]
) -> list[list[str]]:
    """The table of the runs with fresh seeds."""
    pairs: dict[str, tuple[list[Outcome], list[Outcome]]] = {}
    chosen: dict[str, tuple[int, Settings]] = {}
    for job in jobs:
        recipe = job.run.recipe
        pair = pairs.setdefault(recipe, ([], []))
        pair[job.number > 0].append(Outcome.of(results[job.name]))
        chosen[recipe] = job.number, drawn[recipe][job.number]  # the default's come first
    return confirmation_table(pairs, chosen)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=RECIPES, metavar="RECIPE")
    parser.add_argument("--settings", type=int, default=SETTINGS, help="random ones of each recipe")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of each training")
    parser.add_argument("--confirm", action="store_true", help="train the best with fresh seeds")
    add_options(parser, "benchmark-settings")
    options = parser.parse_args(arguments)
    if options.settings < 1:
        parser.error(f"--settings {options.settings}: must be at least 1")
    if not options.minutes > 0:
        parser.error(f"--minutes {options.minutes:g}: must be above 0")
    options.keep.mkdir(parents=True, exist_ok=True)
    drawn = {name: settings_of(name, options.settings, SEARCH_SEED) for name in options.recipes}
    jobs = search_jobs(drawn, options.minutes)
    results = measured_of(jobs, options)
    spreads, real = spreads_of(jobs, results), baseline()
    blocks: list[Any] = [spread_table(spreads, Outcome.of({"figures": real}))]
    if options.confirm:
        fresh = fresh_jobs(
            drawn, {spread.recipe: spread.best for spread in spreads}, options.minutes
        )
        confirmed = measured_of(fresh, options)
        results = {**results, **confirmed}
        blocks += ["With fresh seeds, against test digits:", confirmation(fresh, confirmed, drawn)]
    title = (
        f"{options.settings} random settings of each recipe on MNIST, {options.minutes:g} min each"
    )
    # The picture in the documents is of all recipes.
    image = IMAGE if tuple(options.recipes) == RECIPES else options.keep / IMAGE.name
    image.write_bytes(chart(spreads, Outcome.of({"figures": real}).frechet, title))
    record(
        command_of(options),
        protocol_of(options),
        *blocks,
        measured=merged(Origin(found["commit"], found["machine"]) for found in results.values()),
    )


def measured_of(jobs: Sequence[Job], options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The result of each job, by its name."""
    found = in_lanes(jobs, lambda job, pinned: measure(job, options.keep, pinned), options.lanes)
    return {job.name: result for job, result in zip(jobs, found, strict=True)}


def command_of(options: argparse.Namespace) -> str:
    """What to type to measure it again."""
    words = ["python", "-m", "benchmarks.settings"]
    if tuple(options.recipes) != RECIPES:
        words += ["--recipes", *options.recipes]
    if options.settings != SETTINGS:
        words += ["--settings", str(options.settings)]
    if options.minutes != MINUTES:
        words += ["--minutes", f"{options.minutes:g}"]
    words += ["--confirm"] if options.confirm else []
    words += ["--lanes", str(options.lanes)] if options.lanes > 1 else []
    return shlex.join(words)


def protocol_of(options: argparse.Namespace) -> str:
    """How it was measured, in words."""
    lanes = (
        f", {options.lanes} runs side by side, each on its own core" if options.lanes > 1 else ""
    )
    return (
        f"Random settings within the ranges of `equipoise sweep`, search seed {SEARCH_SEED}, "
        f"{options.minutes:g} minutes each, one thread a run{lanes}. 10,000 samples against the "
        "validation split, half of MNIST's test digits. Recognised: at 90%. Collapsed: a digit "
        "below 1%. The most forgiving recipe first: by the median."
    )


if __name__ == "__main__":
    main()
