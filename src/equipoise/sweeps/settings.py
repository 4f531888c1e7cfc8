"""The settings of a sweep: how many trials, how long, and where."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from equipoise.coerce import Ge, Gt, Interval, validate
from equipoise.errors import RequestError

MAX_TRIALS = 100_000
MAX_SEEDS = 1000
MAX_WORKERS = 1024
DEFAULT_TRIALS, DEFAULT_MINUTES, DEFAULT_SEEDS = 40, 60.0, 5
# Part of a sweep's minutes that is for training; the rest opens data and reports.
TRAINED_FRACTION = 0.9
MIN_TRIAL_SECONDS = 3.0
# Settings of a run that a sweep decides by itself, and what is given instead.
OWN_SETTINGS = {
    "samples": "of each trial they are trial_samples",
    "minutes": "of each trial they are trial_minutes",
    "validation": "a sweep always has a validation split",
    "stop_when": "every trial is trained to its end, unless it is pruned",
    "evaluate": "the runs with fresh seeds are reported on",
    "tracker": "trials are not kept as runs",
}


@dataclass(frozen=True, kw_only=True)
class SweepSettings:
    """How many trials, how long, and where."""

    trials: Annotated[int, Interval(2, MAX_TRIALS)] = DEFAULT_TRIALS
    """Settings to try, the recipe's default among them."""
    minutes: Annotated[float | None, Gt(0)] = None
    """Minutes of the whole sweep; the length of each trial follows. Default: 60, or no
    limit where the length of a trial is given."""
    trial_samples: Annotated[int | None, Ge(1)] = None
    """Real samples to train each trial on, instead of a length that follows."""
    trial_minutes: Annotated[float | None, Gt(0)] = None
    """Minutes to train each trial, instead of a length that follows."""
    seeds: Annotated[int, Interval(2, MAX_SEEDS)] = DEFAULT_SEEDS
    """Fresh seeds that the best setting and the default are trained with at the end."""
    workers: Annotated[int | None, Interval(1, MAX_WORKERS)] = None
    """Processes of this machine, of one thread each. Default: as many as cores, and 1
    with a GPU or for data in Python."""
    storage: str | None = None
    """URL of a database, such as postgresql://HOST/DB, which several machines share.
    Default: a file of SQLite in the sweep's folder."""
    name: str | None = None
    """The sweep's name in the storage. Default: DATA-RECIPE."""

    def __post_init__(self) -> None:
        validate(self, self._conflicts)

    def _conflicts(self) -> list[str]:
        if self.trial_samples is None or self.trial_minutes is None:
            return []
        both = f"trial_samples = {self.trial_samples} and trial_minutes = {self.trial_minutes}"
        return [f"{both}: give one of them"]

    @property
    def limit(self) -> float | None:
        """Minutes of the whole sweep; None for no limit."""
        given = self.trial_samples is not None or self.trial_minutes is not None
        return self.minutes or (None if given else DEFAULT_MINUTES)

    def length(self, workers: int) -> dict[str, float]:
        """The length of each trial as a setting of its run, for so many workers.

        Raises:
            RequestError: Too little time is left for each.
        """
        if self.trial_samples is not None:
            return {"samples": self.trial_samples}
        if self.trial_minutes is not None:
            return {"minutes": self.trial_minutes}
        minutes = self.minutes or DEFAULT_MINUTES
        rounds = math.ceil(self.trials / workers) + math.ceil(2 * self.seeds / workers)
        each = TRAINED_FRACTION * minutes / rounds
        if each * 60 < MIN_TRIAL_SECONDS:
            needed = MIN_TRIAL_SECONDS / 60 * rounds / TRAINED_FRACTION
            raise RequestError(
                f"minutes = {minutes:g}: {self.trials} trials and {2 * self.seeds} runs with fresh "
                f"seeds would have {each * 60:.1f} seconds each: give at least minutes = "
                f"{math.ceil(needed)}, or fewer trials"
            )
        return {"minutes": float(f"{each:.3g}")}
