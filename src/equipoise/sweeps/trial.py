"""One trial of the search, and one run with a fresh seed."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.api import GAN
from equipoise.errors import RequestError, first_line
from equipoise.sweeps.config import SweepConfig
from equipoise.sweeps.storage import DEFAULT, OWNER, owner
from equipoise.training.events import Evaluated, Event
from equipoise.training.guard import DivergedError
from equipoise.training.trainer import Trainer

if TYPE_CHECKING:
    import optuna

# Moments of a trial at which it may be pruned: fractions of it, which all are evaluated
# at, however often.
PRUNING_STEPS = 5
# User attributes of trials.
VALUES, CURVE, SECONDS, SAMPLES = "values", "curve", "seconds", "samples"
REFUSED, DIVERGED, RUN, VALIDATION = "refused", "diverged", "run", "validation"
BASELINE, SETTING, SEED = "baseline", "setting", "seed"
BEST = "best"


class SurplusError(Exception):
    """Another process was quicker, and this trial is one too many."""


class Watch:
    """A callback that records the metric, and ends a trial that is worse than the
    median of the others.

    Args:
        trial: The trial; None for a run that is not pruned.
    """

    def __init__(self, trial: optuna.Trial | None = None) -> None:
        self.trial = trial
        self.curve: list[tuple[float, float]] = []
        """The progress, 0 to 1, and the metric at each evaluation."""
        self._step = 0

    def __call__(self, event: Event) -> None:
        import optuna

        if not isinstance(event, Evaluated):
            return
        value = next(iter(event.metrics.values()))
        self.curve.append((round(event.progress, 4), value if math.isfinite(value) else math.inf))
        step = int(event.progress * PRUNING_STEPS + 1e-6)
        if self.trial is None or not self._step < step < PRUNING_STEPS:
            return
        self._step = step
        self.trial.report(self.curve[-1][1], step)
        if self.trial.should_prune():
            raise optuna.TrialPruned

    @property
    def last(self) -> float:
        """The metric at the last evaluation: that of the generator that is kept."""
        return self.curve[-1][1] if self.curve else math.inf


class Runner:
    """Runs trials on one data set.

    Args:
        config: Of the sweep.
        folder: The sweep's, for runs with fresh seeds.
        data: As for `GAN.fit`, where it came in Python.
        labels: One per sample.
        threads: Of a trial, unless the user has set them; None for the default.
    """

    def __init__(
        self,
        config: SweepConfig,
        folder: Path,
        data: Any = None,
        labels: Any = None,
        threads: int | None = None,
    ) -> None:
        self.config: SweepConfig = config
        self.folder: Path = folder
        self.labels: Any = labels
        self.data: Any = config.opened(data)
        self.machine: dict[str, int] = {} if threads is None else {"threads": threads}

    def search(self, trial: optuna.Trial) -> float:
        """Train with the setting of one trial of the search.

        Returns:
            The metric on the validation split; infinity if training diverged.

        Raises:
            TrialPruned: The trial is worse than others, or the recipe refuses the
                setting, or memory does not suffice.
            SurplusError: There are enough trials.
        """
        import optuna

        self._claim(trial)
        if self._before(trial) >= self.config.settings.trials:
            raise SurplusError
        values = self._values(trial)
        trial.set_user_attr(VALUES, values)
        watch, began = Watch(trial), time.monotonic()
        try:
            self._train(self._gan(values, self.config.seed), watch, trial)
        except DivergedError:
            trial.set_user_attr(DIVERGED, True)
            return math.inf
        except (RequestError, MemoryError, RuntimeError) as error:
            if not _is_refusal(error):
                raise
            trial.set_user_attr(REFUSED, first_line(error))
            raise optuna.TrialPruned from None
        finally:
            trial.set_user_attr(SECONDS, round(time.monotonic() - began, 2))
            trial.set_user_attr(CURVE, json.dumps(watch.curve))
        if not math.isfinite(watch.last):
            trial.set_user_attr(DIVERGED, True)
        return watch.last

    def fresh(self, trial: optuna.Trial) -> float:
        """Train a setting with a fresh seed, and keep the run with its report.

        Returns:
            The metric on the test split; infinity if training diverged.

        Raises:
            SurplusError: There are enough runs.
        """
        self._claim(trial)
        attributes = trial.user_attrs
        if SETTING not in attributes:
            raise SurplusError
        values, seed = attributes[VALUES], attributes[SEED]
        out = self.folder / "runs" / f"{attributes[SETTING]}-{seed}"
        gan, watch = self._gan(values, seed), Watch()
        try:
            trainer = self._train(gan, watch, trial, out)
        except DivergedError:
            trial.set_user_attr(DIVERGED, True)
            return math.inf
        report = gan.evaluate(quick=trainer.plan.evaluation == "quick")
        primary = report.metrics[0]
        gan.draw(out / "samples.png", seed=0)
        trial.set_user_attr(RUN, str(out))
        trial.set_user_attr(VALIDATION, _last(trainer.log))
        trial.set_user_attr(BASELINE, primary.baseline)
        return primary.value if math.isfinite(primary.value) else math.inf

    def _claim(self, trial: optuna.Trial) -> None:
        """Record which process runs a trial."""
        trial.set_user_attr(OWNER, owner())

    def _before(self, trial: optuna.Trial) -> int:
        """Trials with a lower number that count."""
        from optuna.trial import TrialState

        return sum(
            other.number < trial.number and other.state != TrialState.FAIL
            for other in trial.study.get_trials(deepcopy=False)
        )

    def _values(self, trial: optuna.Trial) -> dict[str, Any]:
        """The values of the fields that are searched; none for the default setting,
        whose own the search is told of."""
        if not trial.user_attrs.get(DEFAULT):
            return {dimension.name: dimension.suggest(trial) for dimension in self.config.space}
        for dimension in self.config.space:
            if dimension.name in self.config.known:
                dimension.suggest(trial)
        return {}

    def _gan(self, values: Mapping[str, Any], seed: int) -> GAN:
        requested, config = self.config.requested, self.config
        run = {**self.machine, **requested.run, **config.length}
        run |= {"seed": seed, "split_seed": _split_seed(config), "validation": True}
        return GAN(config.recipe, **requested.recipe, **values, **run)

    def _train(
        self, gan: GAN, watch: Watch, trial: optuna.Trial, out: Path | None = None
    ) -> Trainer:
        """Train to the end, in memory or in a directory, where it may have begun."""
        resume = out is not None and (out / "config.json").is_file()
        trainer = gan.trainer(
            self.data,
            self.labels,
            out=out,
            resume=resume,
            to_disk=out is not None,
            warn=_ignore,
        )
        try:
            gan.train(trainer, [watch])
        finally:
            trial.set_user_attr(SAMPLES, trainer.state.samples_seen)
        return trainer


def _split_seed(config: SweepConfig) -> int:
    given = config.requested.run.get("split_seed")
    return config.seed if given is None else int(given)


def _ignore(_: str) -> None:
    """What a single run would warn of is in its report."""


def _last(log: list[dict[str, Any]]) -> float:
    """The primary metric at the last evaluation of a log."""
    metrics = [line["metrics"] for line in log if "metrics" in line]
    return float(next(iter(metrics[-1].values()))) if metrics else math.inf


def _is_refusal(error: Exception) -> bool:
    """Whether a setting cannot be trained, because the recipe or memory does not allow
    it."""
    return isinstance(error, RequestError | MemoryError) or "memory" in str(error).lower()
