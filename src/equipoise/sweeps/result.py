"""The result of a sweep: its trials, the best setting, and how it did on fresh
seeds."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from equipoise.recipes import DEFAULT as DEFAULT_RECIPE
from equipoise.runs.config import DATA_SETTINGS
from equipoise.runs.settings import RunSettings
from equipoise.sweeps.comparison import Comparison, FreshRun
from equipoise.sweeps.config import SweepConfig
from equipoise.sweeps.storage import DEFAULT, Storage, host_of, owner
from equipoise.sweeps.trial import (
    BASELINE,
    CURVE,
    DIVERGED,
    REFUSED,
    RUN,
    SAMPLES,
    SECONDS,
    SEED,
    SETTING,
    VALIDATION,
    VALUES,
)
from equipoise.utils.option_names import option_of

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

MIN_FOR_IMPORTANCE = 10  # whole trials
End = Literal["complete", "pruned", "diverged", "refused", "running"]


@dataclass(frozen=True)
class Trial:
    """One trial of the search."""

    number: int
    end: End
    is_default: bool
    """Whether it is the recipe's default setting."""
    values: dict[str, Any]
    """The fields that were searched; empty for the default."""
    score: float
    """The metric on the validation split at its last evaluation; infinity if training
    diverged, NaN if there was none."""
    seconds: float
    samples: int
    curve: Sequence[tuple[float, float]]
    """The progress, 0 to 1, and the metric at each evaluation."""
    note: str = ""
    """Why the recipe refused the setting."""


@dataclass(frozen=True)
class SweepResult:
    """What a sweep has found so far."""

    folder: Path
    config: SweepConfig
    trials: tuple[Trial, ...]
    runs: tuple[FreshRun, ...]
    """The runs with fresh seeds."""

    @classmethod
    def read(cls, folder: Path, config: SweepConfig, storage: Storage) -> SweepResult:
        """What a sweep's storage holds."""
        study = storage.search()
        trials = tuple(
            _trial(trial)
            for trial in study.get_trials(deepcopy=False)
            if trial.state.name not in ("FAIL", "WAITING")
        )
        seeds = storage.seeds()
        fresh = [] if seeds is None else seeds.get_trials(deepcopy=False)
        runs = tuple(_fresh(trial) for trial in fresh if trial.state.name == "COMPLETE")
        return cls(folder, config, trials, runs)

    @cached_property
    def comparison(self) -> Comparison | None:
        """The best setting beside the default on fresh seeds; None before those
        runs."""
        return Comparison.of(self.runs)

    @property
    def best(self) -> Trial:
        """The trial with the best score; the default where no trial has one."""
        complete = [trial for trial in self.trials if trial.end in ("complete", "diverged")]
        ranked = sorted(complete, key=lambda trial: (trial.score, trial.number))
        return ranked[0] if ranked else self.default

    @property
    def default(self) -> Trial:
        """The trial of the recipe's default setting."""
        return next((trial for trial in self.trials if trial.is_default), self.trials[0])

    @property
    def is_better(self) -> bool:
        """Whether the best setting is better than the default on fresh seeds, by more
        than their spread explains."""
        compared = self.comparison
        return compared is not None and compared.verdict == "better"

    @property
    def settings(self) -> dict[str, Any]:
        """The recommended fields beside those that the user set: those of the best
        trial where it is better on fresh seeds, else none, which is the default."""
        return dict(self.best.values) if self.is_better else {}

    @property
    def run(self) -> Path | None:
        """The directory of a run with the recommended setting: of those with fresh
        seeds the one that was best on the validation split, on this machine."""
        if self.comparison is None:
            return None
        runs = self.comparison.best if self.is_better else self.comparison.default
        here = [run for run in runs if run.path is not None and run.path.is_dir()]
        return min(here, key=lambda run: run.validation).path if here else None

    def command(self, values: dict[str, Any]) -> str:
        """A setting as a command to type, or in Python for data that came in Python: of
        a training as long as a trial, with all that the sweep was given for it."""
        config, usual = self.config, RunSettings()
        of_run = {k: v for k, v in config.requested.run.items() if v != getattr(usual, k)}
        given = {**config.requested.recipe, **values, **config.length, **of_run}
        if not config.data_arguments:
            words = [repr(config.recipe), *(f"{k}={v!r}" for k, v in given.items())]
            return f"GAN({', '.join(words)})"
        words = ["equipoise", "train", config.data_arguments]
        words += [] if config.recipe == DEFAULT_RECIPE else ["--recipe", config.recipe]
        options = [_option(k, v) for k, v in given.items() if k not in DATA_SETTINGS]
        return " ".join([*words, *options])


def importances(study: optuna.Study) -> dict[str, float]:
    """How much of the differences between whole trials each field explains, the sum
    being 1; empty for too few trials."""
    import optuna

    whole = [
        trial
        for trial in study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
        if trial.value is not None and math.isfinite(trial.value)
    ]
    if len(whole) < MIN_FOR_IMPORTANCE or len({trial.value for trial in whole}) < 2:
        return {}
    copy = optuna.create_study()
    copy.add_trials(whole)
    return optuna.importance.get_param_importances(copy)


def _option(name: str, value: Any) -> str:
    flag = option_of(name)
    if isinstance(value, bool):
        return flag if value else f"--no-{flag.removeprefix('--')}"
    short = plain(value)
    is_rounded = isinstance(value, float) and float(short) != value
    return f"{flag} {shlex.quote(str(value) if is_rounded else short)}"


def plain(value: Any) -> str:
    """A field's value as it is typed."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _trial(trial: FrozenTrial) -> Trial:
    attributes = trial.user_attrs
    curve = tuple((step, value) for step, value in json.loads(attributes.get(CURVE, "[]")))
    ends: dict[str, End] = {"COMPLETE": "complete", "PRUNED": "pruned"}
    end = ends.get(trial.state.name, "running")
    if attributes.get(DIVERGED):
        end = "diverged"
    elif attributes.get(REFUSED):
        end = "refused"
    score = trial.value if trial.state.name == "COMPLETE" else None
    if score is None:
        score = curve[-1][1] if curve else math.nan
    return Trial(
        trial.number,
        end,
        bool(attributes.get(DEFAULT)),
        attributes.get(VALUES, {}),
        score,
        attributes.get(SECONDS, 0.0),
        attributes.get(SAMPLES, 0),
        curve,
        attributes.get(REFUSED, ""),
    )


def _fresh(trial: FrozenTrial) -> FreshRun:
    attributes = trial.user_attrs
    is_here = host_of(trial) == owner().rpartition(":")[0]
    path = attributes.get(RUN) if is_here else None
    return FreshRun(
        attributes[SETTING],
        attributes[SEED],
        math.inf if trial.value is None else trial.value,
        attributes.get(VALIDATION, math.inf),
        attributes.get(BASELINE, math.nan),
        None if path is None else Path(path),
    )
