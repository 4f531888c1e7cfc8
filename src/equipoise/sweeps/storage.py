"""Optuna's storage of a sweep: a file of SQLite in its folder, or a database that
several machines share.

It holds two studies: the trials of the search, and the runs with fresh seeds.
"""

from __future__ import annotations

import os
import socket
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.errors import EquipoiseError, RequestError, clipped, first_line

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

INSTALL = "pip install 'equipoise[sweep]'"
FILE = "trials.db"
HIDDEN = "***"  # in place of a password
SEEDS_SUFFIX = "-seeds"
# User attributes of studies and trials.
CONFIG, OWNER, DEFAULT = "config", "owner", "default"
# Seconds between the signs of life of a trial, and after which it counts as dead.
HEARTBEAT, GRACE = 15, 120
# Seconds that a process waits for another that writes to the file.
SQLITE_TIMEOUT = 60
# Of the trials before the first that may be pruned, and of those before the search is
# guided by a model.
FIRST_TRIALS, RANDOM_TRIALS = 5, 10
# The first step at which a trial may be pruned, of `trial.PRUNING_STEPS`.
FIRST_STEP = 2


def require() -> None:
    """Check that Optuna is installed.

    Raises:
        RequestError: It is not.
    """
    if find_spec("optuna") is None:
        raise RequestError(f"a sweep needs Optuna: {INSTALL}")


@contextmanager
def quiet() -> Iterator[None]:
    """A context in which Optuna prints neither its log nor that heartbeats are
    experimental."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="optuna")
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def url_of(folder: Path) -> str:
    """The URL of the file in a sweep's folder."""
    return f"sqlite:///{(folder / FILE).resolve()}"


def without_password(url: str) -> str:
    """The URL as files may hold it."""
    from sqlalchemy.engine import make_url

    return make_url(url).render_as_string(hide_password=True)


class Storage:
    """The studies of one sweep.

    Args:
        url: Of the database.
        name: Of the sweep in it.

    Raises:
        RequestError: The database cannot be reached.
    """

    def __init__(self, url: str, name: str) -> None:
        import optuna

        self.name = name
        arguments = {"timeout": SQLITE_TIMEOUT} if url.startswith("sqlite:") else {}
        try:
            self._storage = optuna.storages.RDBStorage(
                url,
                engine_kwargs={"connect_args": arguments},
                heartbeat_interval=HEARTBEAT,
                grace_period=GRACE,
                heartbeat_stale_trial_callback=again,
            )
        except Exception as error:  # of the database's driver
            shown = clipped(_shown(url))
            raise RequestError(
                f"storage = {shown!r} cannot be used: {clipped(first_line(error), 200)}; give the "
                "URL of a database, such as sqlite:////path/trials.db or postgresql://HOST/DB"
            ) from None

    def create(self, config: dict[str, Any], default: dict[str, Any]) -> dict[str, Any] | None:
        """Create the study of the search, or complete one whose creation was cut short.
        Its first trial is the default setting.

        Args:
            config: What other processes must know of it.
            default: The default of each field whose search has it.

        Returns:
            The configuration of the sweep of this name that is there already; None if
            there was none.
        """
        import optuna

        try:
            study = optuna.create_study(storage=self._storage, study_name=self.name)
        except optuna.exceptions.DuplicatedStudyError:
            study = self.search()
            if isinstance(found := study.user_attrs.get(CONFIG), dict):
                return found
        if not study.get_trials(deepcopy=False):
            study.enqueue_trial(default, user_attrs={DEFAULT: True})
        study.set_user_attr(CONFIG, config)
        return None

    def search(self, seed: object = 0) -> optuna.Study:
        """The study of the search.

        Args:
            seed: What the random numbers of its sampler depend on.
        """
        import optuna

        hashed = zlib.crc32(repr(seed).encode())
        sampler = optuna.samplers.TPESampler(n_startup_trials=RANDOM_TRIALS, seed=hashed)
        pruner = optuna.pruners.MedianPruner(
            n_startup_trials=FIRST_TRIALS, n_warmup_steps=FIRST_STEP
        )
        try:
            return optuna.load_study(
                study_name=self.name, storage=self._storage, sampler=sampler, pruner=pruner
            )
        except KeyError:
            raise EquipoiseError(f"the storage has no sweep {self.name!r}") from None

    def seeds(self) -> optuna.Study | None:
        """The study of the runs with fresh seeds; None if it was not begun."""
        import optuna

        try:
            return optuna.load_study(study_name=self.name + SEEDS_SUFFIX, storage=self._storage)
        except KeyError:
            return None

    def create_seeds(self, best: int, runs: list[dict[str, Any]]) -> None:
        """Create the study of the runs with fresh seeds, unless it is there.

        Args:
            best: The number of the best trial of the search.
            runs: The user attributes of each run.
        """
        import optuna

        try:
            study = optuna.create_study(storage=self._storage, study_name=self.name + SEEDS_SUFFIX)
        except optuna.exceptions.DuplicatedStudyError:
            return
        for run in runs:
            study.enqueue_trial({}, user_attrs=run)
        study.set_user_attr("best", best)


def _shown(url: str) -> str:
    """A URL for a message, without its password where it is a URL."""
    from sqlalchemy.exc import ArgumentError

    try:
        return without_password(url)
    except ArgumentError:
        return url


def owner() -> str:
    """This process, among those of all machines."""
    return f"{socket.gethostname()}:{os.getpid()}"


def host_of(trial: FrozenTrial) -> str:
    """The machine that ran a trial; empty where it could not say so."""
    return str(trial.user_attrs.get(OWNER, "")).rpartition(":")[0]


def again(study: optuna.Study, trial: FrozenTrial) -> None:
    """Put a trial that has failed into the queue once more."""
    import optuna

    study.add_trial(
        optuna.create_trial(
            state=optuna.trial.TrialState.WAITING,
            params=trial.params,
            distributions=trial.distributions,
            user_attrs={name: value for name, value in trial.user_attrs.items() if name != OWNER},
        )
    )


def recover(study: optuna.Study, *, alone: bool = False) -> None:
    """Put trials whose processes are gone into the queue again, on whatever machine.

    Args:
        study: The study.
        alone: Whether no process begins a trial at the moment.
    """
    import optuna
    from optuna.trial import TrialState

    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        if _is_gone(trial, alone):
            study.tell(trial.number, state=TrialState.FAIL)
            again(study, trial)
    optuna.storages.fail_stale_trials(study)


def _is_gone(trial: FrozenTrial, alone: bool) -> bool:
    """Whether a trial that runs has no process: it was on this machine and is no more,
    or ended before it could say where it was."""
    host, _, process = str(trial.user_attrs.get(OWNER, "")).rpartition(":")
    if not host:
        began = trial.datetime_start
        return alone or (began is not None and (datetime.now() - began).total_seconds() > GRACE)
    return host == socket.gethostname() and not _is_alive(int(process))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
