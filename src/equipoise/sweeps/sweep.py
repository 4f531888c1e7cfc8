"""A sweep from its beginning, or from where it was stopped, to its result."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from equipoise.errors import RequestError
from equipoise.sweeps.config import SweepConfig
from equipoise.sweeps.page import write_page
from equipoise.sweeps.processes import run_workers
from equipoise.sweeps.result import SweepResult, importances
from equipoise.sweeps.settings import SweepSettings
from equipoise.sweeps.start import Asked, begin, check_workers, opened
from equipoise.sweeps.storage import (
    HIDDEN,
    Storage,
    host_of,
    owner,
    quiet,
    recover,
    require,
    url_of,
)
from equipoise.sweeps.trial import Runner
from equipoise.sweeps.work import Work
from equipoise.training.signals import InterruptedRunError

if TYPE_CHECKING:
    from equipoise.data.arrays import Labels

PAGE = "report.html"
LOCK = ".lock"
# What a sweep that is resumed may be given anew.
CHANGEABLE = ("minutes", "workers", "storage")
TELL_INTERVAL = 1.0  # seconds
OnProgress = Callable[["SweepResult"], object]
"""A function that is called with what a sweep has found so far."""


def sweep(
    data: Any = None,
    recipe: str | None = None,
    *,
    labels: Labels | None = None,
    search: Mapping[str, Any] | None = None,
    only: bool = False,
    trials: int | None = None,
    minutes: float | None = None,
    trial_samples: int | None = None,
    trial_minutes: float | None = None,
    seeds: int | None = None,
    workers: int | None = None,
    storage: str | None = None,
    name: str | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    on_progress: OnProgress | None = None,
    **settings: Any,
) -> SweepResult:
    """Search for the fields of a recipe that are best for `data`.

    The first trial is the recipe's default setting. Trials are compared by the primary
    metric on a validation split. At the end the best setting and the default are
    trained with the same fresh seeds and measured on a test split.

    Args:
        data: As for `GAN.fit`.
        recipe: Its name. Default: balanced.
        labels: One per sample.
        search: What is searched beside the recipe's own ranges, or instead of them, by
            field: a pair (the ends of a range), a list of values, or None for the
            field's own range.
        only: Search nothing but `search`.
        trials: Settings to try, the default among them: at least 2. Default: 40.
        minutes: Of the whole sweep. The length of a trial follows. Default: 60, or no
            limit where the length of a trial is given.
        trial_samples: Real samples to train each trial on.
        trial_minutes: Minutes to train each trial.
        seeds: Fresh seeds at the end, at least 2. Default: 5.
        workers: Processes of this machine. Default: as many as cores; 1 with a GPU, and
            for data and recipes that other processes do not have.
        storage: URL of a database that several machines share.
        name: The sweep's name there.
        out: The sweep's folder. Default: the next free name under sweeps/.
        resume: Go on with the sweep in `out`. Only `workers`, `minutes` and `storage`
            may be given then, and data that came in Python.
        on_progress: Is called now and then, and after each trial.
        **settings: Fields of the recipe and settings of the run that all trials have,
            such as `batch_size=64` or `seed=1`.

    Returns:
        The result, which is also in the folder, with the page report.html.

    Raises:
        RequestError: Data or settings are wrong. Nothing has been written then.
        InterruptedRunError: Ctrl-C or SIGTERM; the sweep can be resumed.
        EquipoiseError: The sweep could not be completed.
    """
    require()
    typed: dict[str, Any] = {
        "trials": trials,
        "minutes": minutes,
        "trial_samples": trial_samples,
        "trial_minutes": trial_minutes,
        "seeds": seeds,
        "workers": workers,
        "storage": storage,
        "name": name,
    }
    given = {key: value for key, value in typed.items() if value is not None}
    asked = Asked(data, labels, recipe, settings, dict(search or {}), only)
    with quiet():
        if not resume:
            return Sweep(*begin(asked, SweepSettings(**given), out), data, labels).run(on_progress)
        if out is None:
            raise RequestError("resume needs the sweep: give its folder as out")
        _check_resumable(asked, given)
        folder = Path(out)
        config = SweepConfig.read(folder).with_settings(given)
        check_workers(config)
        _check_data(config, asked)
        return Sweep(folder, config, data, labels).run(on_progress)


class Sweep:
    """A sweep in its folder.

    Args:
        folder: Where it is kept.
        config: What it searches.
        data: That came in Python; None for data with a name.
        labels: One per sample.

    Raises:
        RequestError: Its storage cannot be reached.
    """

    def __init__(
        self, folder: Path, config: SweepConfig, data: Any = None, labels: Labels | None = None
    ) -> None:
        self.folder: Path = folder
        self.config: SweepConfig = config
        self.data: Any | None = data if config.data is None else None
        self.labels: Labels | None = labels
        url = config.settings.storage
        if url is not None and HIDDEN in url:
            raise RequestError(
                f"storage = {url!r}: its password is not kept: give storage again, with it"
            )
        self.url: str = url or url_of(folder)
        self.storage: Storage = Storage(self.url, config.name)
        self._told = 0.0

    def run(self, on_progress: OnProgress | None = None) -> SweepResult:
        """Run it to its end, and write its page.

        Args:
            on_progress: Is called now and then with what was found so far.

        Raises:
            InterruptedRunError: A signal stopped it.
            EquipoiseError: It could not be completed.
        """
        with self._locked():
            alone = self.config.settings.storage is None
            self.storage.create(self.config.agreed_with_length(), self.config.known)
            search, seeds = self.storage.search(), self.storage.seeds()
            for study in (search, *([] if seeds is None else [seeds])):
                recover(study, alone=alone)
            if on_progress is not None:
                on_progress(self.result())
            try:
                self._work(lambda: self._tell(on_progress))
            except (InterruptedRunError, KeyboardInterrupt) as error:
                raise self._stopped(getattr(error, "signal", "SIGINT")) from None
            result = self.result()
            write_page(self.folder / PAGE, result, importances(search))
        if on_progress is not None:
            on_progress(result)
        return result

    def result(self) -> SweepResult:
        """What was found so far."""
        return SweepResult.read(self.folder, self.config, self.storage)

    def _work(self, tell: Callable[[], None]) -> None:
        """Run trials, in this process where one is enough and nobody else may see the
        storage's URL, which may have a password."""
        workers, deadline = self.config.settings.workers or 1, self._deadline()
        if workers > 1 or self.config.settings.storage is not None:
            run_workers(self.folder, self.url, workers, deadline, tell)
            return
        runner = Runner(self.config, self.folder, self.data, self.labels)
        Work(self.config, self.storage, runner, deadline=deadline, after_trial=tell).run()

    def _deadline(self) -> float | None:
        """The Unix time at which the sweep should be over, for which its earlier parts
        on this machine count."""
        limit = self.config.settings.limit
        if limit is None:
            return None
        host = owner().rpartition(":")[0]
        used = sum(
            trial.duration.total_seconds()
            for trial in self.storage.search().get_trials(deepcopy=False)
            if trial.duration is not None and host_of(trial) == host
        )
        return time.time() + limit * 60 - used / (self.config.settings.workers or 1)

    def _stopped(self, signal: str) -> InterruptedRunError:
        """The error of a sweep that a signal has stopped, which says how it goes on."""
        again = shlex.join(["equipoise", "sweep", "--resume", str(self.folder)])
        if self.config.data is None:
            again = f"sweep(data, out={str(self.folder)!r}, resume=True)"
        return InterruptedRunError(
            f"the sweep was stopped by {signal}. Resume with: {again}", signal
        )

    def _tell(self, on_progress: OnProgress | None) -> None:
        now = time.monotonic()
        if on_progress is not None and now - self._told >= TELL_INTERVAL:
            self._told = now
            on_progress(self.result())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """A context in which no other process of this machine runs this sweep."""
        lock = FileLock(self.folder / LOCK, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise RequestError(
                f"another process runs the sweep in {self.folder}: wait for its end"
            ) from None
        try:
            yield
        finally:
            lock.release()


def _check_resumable(asked: Asked, given: Mapping[str, Any]) -> None:
    """Check that a sweep that is resumed is not given other settings.

    Raises:
        RequestError: It is.
    """
    named = {
        "recipe": asked.recipe,
        "search": asked.search or None,
        "only": asked.only or None,
        **asked.settings,
        **{name: value for name, value in given.items() if name not in CHANGEABLE},
    }
    wrong = [name for name, value in named.items() if value is not None]
    if wrong:
        raise RequestError(
            f"{', '.join(wrong)} cannot change in a sweep that is resumed, only "
            f"{', '.join(CHANGEABLE)}: leave it out, or begin another sweep"
        )


def _check_data(config: SweepConfig, asked: Asked) -> None:
    """Check that the data of a sweep that is resumed is there and the same.

    Raises:
        RequestError: It is not.
    """
    if config.data is None and asked.data is None:
        raise RequestError("the sweep was begun on data in Python: pass the same again")
    settings = {**config.requested.recipe, **config.requested.run}
    data = config.opened(asked.data)
    trainer = opened(Asked(data, asked.labels, config.recipe, settings))
    if trainer.config.data.fingerprint != config.fingerprint:
        raise RequestError(f"{config.data_name} has changed since the sweep began: begin another")
