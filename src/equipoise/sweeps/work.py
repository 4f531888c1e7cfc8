"""The work of one process of a sweep: trials of the search until there are enough, then
runs with fresh seeds.

Each process takes the next trial from the storage, those of other machines too.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from equipoise.sweeps.config import SweepConfig
from equipoise.sweeps.storage import DEFAULT, Storage, again, owner, recover
from equipoise.sweeps.trial import BEST, SEED, SETTING, VALUES, Runner, SurplusError
from equipoise.training.signals import InterruptedRunError

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

POLL = 0.5  # seconds between two looks at what other processes do
Objective = Callable[["optuna.Trial"], float]


@dataclass(frozen=True)
class Work:
    """What a process does for a sweep.

    Args:
        config: Of the sweep.
        storage: Its studies.
        runner: Trains.
        number: Of this process among those of this machine, which the search's random
            numbers depend on.
        workers: Processes of this machine.
        deadline: The Unix time at which the sweep should be over; None for no limit.
        after_trial: Called after each trial.
    """

    config: SweepConfig
    storage: Storage
    runner: Runner
    number: int = 0
    workers: int = 1
    deadline: float | None = None
    after_trial: Callable[[], None] = lambda: None

    def run(self) -> None:
        """Work until the sweep is done.

        Raises:
            InterruptedRunError: A signal stopped the trial under way, which will be run
                again.
        """
        study = self.storage.search(self._sampler_seed())
        self._until_done(study, self.runner.search, self._wants_more)
        best = best_of(study)
        self.storage.create_seeds(best.number, fresh_runs(self.config, best))
        seeds = self.storage.seeds()
        assert seeds is not None, "it was created"
        self._until_done(seeds, self.runner.fresh, lambda _: False)

    def _sampler_seed(self) -> object:
        """What the search's random numbers depend on: they are others in each process,
        and in a sweep that is resumed."""
        begun = len(self.storage.search().get_trials(deepcopy=False))
        machine = "" if self.config.settings.storage is None else owner()
        return self.config.seed, machine, self.number, begun

    def _until_done(
        self, study: optuna.Study, objective: Objective, wants_more: Callable[[Any], bool]
    ) -> None:
        """Run what is in the queue, and more while that is wanted, until no process
        runs anything."""
        from optuna.trial import TrialState

        while True:
            trials = study.get_trials(deepcopy=False)
            waiting = any(trial.state == TrialState.WAITING for trial in trials)
            if waiting or wants_more(trials):
                self._run_one(study, objective)
                self.after_trial()
            elif any(trial.state == TrialState.RUNNING for trial in trials):
                time.sleep(POLL)
                recover(study)
            else:
                return

    def _run_one(self, study: optuna.Study, objective: Objective) -> None:
        begun: list[int] = []

        def noted(trial: optuna.Trial) -> float:
            begun.append(trial.number)
            return objective(trial)

        try:
            study.optimize(noted, n_trials=1, catch=(SurplusError,))
        except (InterruptedRunError, KeyboardInterrupt):
            for number in begun:
                again(study, study.trials[number])
            raise

    def _wants_more(self, trials: list[FrozenTrial]) -> bool:
        """Whether another trial of the search is to begin: there are too few, and time
        is left for it and for the runs with fresh seeds."""
        from optuna.trial import TrialState

        counted = [trial for trial in trials if trial.state != TrialState.FAIL]
        if len(counted) >= self.config.settings.trials:
            return False
        if self.deadline is None or not counted:
            return True
        each = self._seconds_of_a_run(counted)
        rounds = 1 + math.ceil(2 * self.config.settings.seeds / self.workers)
        return time.time() + each * rounds <= self.deadline

    def _seconds_of_a_run(self, trials: list[FrozenTrial]) -> float:
        """How long a whole run takes; 0 while that is not known."""
        if "minutes" in self.config.length:
            return self.config.length["minutes"] * 60
        whole = [
            trial.duration.total_seconds()
            for trial in trials
            if trial.state.name == "COMPLETE" and trial.duration is not None
        ]
        return sum(whole) / len(whole) if whole else 0.0


def best_of(study: optuna.Study) -> FrozenTrial:
    """The trial with the best metric; the default where no trial has one."""
    from optuna.trial import TrialState

    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    ranked = sorted(complete, key=lambda trial: (trial.value, trial.number))
    return ranked[0] if ranked else study.trials[0]


def fresh_runs(config: SweepConfig, best: FrozenTrial) -> list[dict[str, Any]]:
    """The user attributes of the runs with fresh seeds: of the default and, where it is
    another, of the best setting."""
    settings: dict[str, Any] = {DEFAULT: {}}
    if not best.user_attrs.get(DEFAULT):
        settings[BEST] = best.user_attrs[VALUES]
    return [
        {SETTING: name, VALUES: values, SEED: config.seed + 1 + number}
        for number in range(config.settings.seeds)
        for name, values in settings.items()
    ]
