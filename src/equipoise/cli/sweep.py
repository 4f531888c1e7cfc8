"""`equipoise sweep`: search for better settings, and say how much of the gain is
luck."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from equipoise.cli.output import echo
from equipoise.errors import clipped
from equipoise.utils.formatting import number, spoken

if TYPE_CHECKING:
    from equipoise.sweeps.result import SweepResult, Trial

MAX_VALUES = 200  # letters of a trial's line


def sweep(arguments: Sequence[str]) -> None:
    """equipoise sweep DATA ..., or equipoise sweep --resume DIR ..."""
    from equipoise.cli.sweep_options import parse_sweep

    request = parse_sweep(arguments)

    from equipoise.sweeps.sweep import sweep as run

    _print_result(run(request.data, request.recipe, **request.arguments, on_progress=_Progress()))


class _Progress:
    """Prints what is searched, and a line for each trial and run that has ended."""

    def __init__(self) -> None:
        self.shown: set[int] | None = None
        self.runs = 0
        self.best = float("inf")

    def __call__(self, result: SweepResult) -> None:
        ended = [trial for trial in result.trials if trial.end != "running"]
        if self.shown is None:
            _print_header(result, done=len(ended))
            self.shown = {trial.number for trial in ended}
            self.best = min((trial.score for trial in ended), default=self.best)
            self.runs = len(result.runs)
        for trial in ended:
            if trial.number not in self.shown:
                self.shown.add(trial.number)
                echo(self._line(trial, result))
        for run in result.runs[self.runs :]:
            echo(f"{run.setting} setting, seed {run.seed}: {number(run.test)} on test data")
        self.runs = len(result.runs)
        sys.stdout.flush()

    def _line(self, trial: Trial, result: SweepResult) -> str:
        from equipoise.sweeps.result import plain

        values = " ".join(f"{name}={plain(value)}" for name, value in trial.values.items())
        what = "the default" if trial.is_default else clipped(values, MAX_VALUES)
        end = f"{number(trial.score):>9}"
        if trial.end == "pruned" and trial.curve:
            end = f"pruned at {trial.curve[-1][0]:.0%}"
        elif trial.end != "complete":
            end = trial.end
        best = ""
        if trial.end == "complete" and trial.score < self.best:
            self.best, best = trial.score, " best so far"
        of = result.config.settings.trials
        done = f"[{len(self.shown or ())}/{of}] trial {trial.number}:"
        return f"{done:17} {end:<14}{best:12} {what}{_note(trial)}"


def _note(trial: Trial) -> str:
    return f" ({trial.note})" if trial.note else ""


def _print_header(result: SweepResult, done: int) -> None:
    from equipoise.metrics.registry import label_of

    config, settings = result.config, result.config.settings
    length = (
        f"{config.length['samples']:,} samples"
        if "samples" in config.length
        else spoken(config.length["minutes"] * 60)
    )
    workers = settings.workers or 1
    echo(f"{config.data_name}, {config.recipe}: {label_of(config.metric)} on the validation split")
    echo(
        f"{settings.trials} trials of {length}, then {settings.seeds} fresh seeds of the best "
        f"setting and of the default, in {workers} process{'es' if workers > 1 else ''}; kept in "
        f"{result.folder}"
    )
    for dimension in config.space:
        echo(f"  {dimension.name}: {dimension} (default {config.default[dimension.name]})")
    if done:
        echo(f"{done} of them are done already")


def _print_result(result: SweepResult) -> None:
    from equipoise.sweeps.summary import counts, headline, sentences

    echo(f"\n{headline(result)}. {counts(result)}.\n")
    for sentence in sentences(result):
        echo(sentence)
    setting = "The best setting" if result.is_better else "The default"
    echo(f"\n{setting}:\n  {result.command(result.settings)}")
    if not result.is_better and not result.best.is_default:
        echo(f"The best setting of the search:\n  {result.command(result.best.values)}")
    if result.run is not None:
        run = shlex.quote(str(result.run))
        echo(f"A run of it: {run}    Samples: equipoise sample {run} -n 1000")
    echo(f"Page: {result.folder}/report.html")
