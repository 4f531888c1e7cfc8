"""Callbacks: the log, evaluation, checkpoints, early stopping and images.

Each callback is called with every event. The trainer's own are called in the order of
this file, the user's after them. An event that a callback emits goes to all callbacks
before the current event goes to the next one. So metrics are in the log before the
checkpoint of the same step is saved.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data.sources import Source
from equipoise.diagnosis import Monitor
from equipoise.metrics.suites import MetricSuite
from equipoise.plotting import plots
from equipoise.runs import checkpoint
from equipoise.runs.config import RunConfig
from equipoise.runs.writer import RunWriter
from equipoise.sampling.sampler import EVALUATION_SEED, Sampler
from equipoise.training.evaluation_schedule import EvaluationSchedule
from equipoise.training.events import (
    Baselines,
    Callback,
    Control,
    Drawn,
    EarlyStopped,
    Evaluated,
    Event,
    Finished,
    ImageDue,
    Recovered,
    Report,
    SaveDue,
    Trouble,
)
from equipoise.training.loop import SAVES_PER_RUN
from equipoise.training.plan import Plan
from equipoise.training.state import State

# Added to the run's seed for the latents of its images.
IMAGE_SEED = 2**31
# Reasons of `Finished`.
EARLY_STOPPED = "early_stopped"
USER_EXCEPTION = "an exception in a callback"


class RunLog:
    """The lines of log.jsonl, in memory and in the run directory."""

    def __init__(self, state: State, writer: RunWriter) -> None:
        self.state: State = state
        self.writer: RunWriter = writer
        self.lines: list[dict[str, Any]] = []

    def __call__(self, event: Event) -> None:
        line = line_of(event)
        if line:
            self.append(**line)

    def append(self, **line: Any) -> None:
        """Append a line with the state's samples seen and seconds."""
        seconds = round(self.state.seconds, 3)
        self.lines.append({"samples_seen": self.state.samples_seen, "seconds": seconds, **line})
        self.writer.log(self.lines[-1])

    @property
    def stopped_early(self) -> bool:
        """Whether the metric no longer improved when the run ended, and it was not
        resumed since."""
        return bool(self.lines) and EARLY_STOPPED in self.lines[-1]


def line_of(event: Event) -> dict[str, Any]:
    """The entries of an event in log.jsonl; empty for one that is not logged."""
    match event:
        case Report():
            return dict(event.readings)
        case Recovered():
            return {"recovered": event.what}
        case Baselines():
            baselines = {"baselines": dict(event.metrics), "evaluated_samples": event.samples}
            return {**baselines, **event.terms}
        case Evaluated():
            return {"metrics": dict(event.metrics)}
        case Trouble():
            return {"trouble": event.text}
        case EarlyStopped():
            return {EARLY_STOPPED: event.samples_seen}
        case Finished(diverged=True):
            return {"diverged": event.reason}
    return {}


class Evaluator:
    """Evaluates the generator on a few thousand samples before the state is saved: each
    time with early stopping, else by the schedule."""

    def __init__(
        self,
        suite: MetricSuite,
        sampler: Sampler,
        state: State,
        plan: Plan,
        schedule: EvaluationSchedule,
        monitor: Monitor,
        log: RunLog,
        emit: Callback,
    ) -> None:
        self.suite: MetricSuite = suite
        self.sampler: Sampler = sampler
        self.state: State = state
        self.plan: Plan = plan
        self.schedule: EvaluationSchedule = schedule
        self.monitor: Monitor = monitor
        self.log: RunLog = log
        self.emit: Callback = emit
        self.progress: float = 0.0
        """Fraction of the training that is done; set by the trainer."""

    def __call__(self, event: Event) -> None:
        if not isinstance(event, SaveDue) or not self._due():
            return
        seen = self.state.samples_seen
        metrics = self.suite(self.sampler.measured_values(self.suite.n, EVALUATION_SEED))
        if not any("baselines" in line for line in self.log.lines):
            self.emit(self.baselines())
        self.emit(Evaluated(seen, metrics, self.monitor.baselines, self.progress))

    def baselines(self) -> Baselines:
        """The metrics of real samples, with the terms of the training."""
        seen, terms = self.state.samples_seen, self.plan.terms
        return Baselines(seen, self.monitor.baselines, self.suite.n, terms)

    def _due(self) -> bool:
        stops, horizon = self.plan.run.stop_when is not None, self.state.horizon
        if stops or horizon is None:
            return stops
        lines = (line["samples_seen"] for line in self.log.lines if "metrics" in line)
        return self.schedule.due(self.progress, max(lines, default=0), horizon, SAVES_PER_RUN)


class TroubleMonitor:
    """Warns of problems while they occur."""

    def __init__(
        self, monitor: Monitor, state: State, warn: Callable[[str], None], emit: Callback
    ) -> None:
        self.monitor: Monitor = monitor
        self.state: State = state
        self.warn = warn
        self.emit: Callback = emit

    def __call__(self, event: Event) -> None:
        text = ""
        if isinstance(event, Report):
            text = self.monitor.at_report(event.readings)
        elif isinstance(event, Evaluated):
            text = self.monitor.at_metrics(event.metrics, event.progress)
        elif isinstance(event, Recovered):
            self.warn(
                f"{event.what} was not finite after {event.samples_seen:,} samples: rolled "
                "back to the last good weights, with half the learning rate"
            )
        if text:
            self.emit(Trouble(self.state.samples_seen, text))
            self.warn(f"after {self.state.samples_seen:,} samples: {text}")


class Best:
    """Records the generator with the best primary metric. Its checkpoint is not
    removed; with early stopping it is also held in memory."""

    def __init__(self, state: State, writer: RunWriter, keep: bool) -> None:
        self.state: State = state
        self.writer: RunWriter = writer
        self.keep: bool = keep
        self._moment: checkpoint.Moment | None = None

    def __call__(self, event: Event) -> None:
        if not isinstance(event, Evaluated):
            return
        best = math.inf if self.state.best is None else self.state.best["metric"]
        primary = next(iter(event.metrics.values()))
        if primary < best:  # NaN is not
            name = checkpoint.name_of(self.state.samples_seen)
            self.state.best = {"checkpoint": name, "metric": primary}
            if self.keep:
                self._moment = moment_of(self.state)

    def moment(self) -> checkpoint.Moment | None:
        """The state with the best metric; None if it was not saved.

        Raises:
            EquipoiseError: Its checkpoint is damaged, or cannot be read at the moment.
        """
        directory = self.writer.directory
        if self._moment is None and self.state.best is not None and directory is not None:
            path = checkpoint.path_of(directory.checkpoints, self.state.best["checkpoint"])
            return checkpoint.load(path)  # from before the run was resumed
        return self._moment


class Checkpoints:
    """Saves the state and the generator. A failed save is repeated with the next one,
    and at the end."""

    def __init__(
        self,
        state: State,
        sampler: Sampler,
        writer: RunWriter,
        log: RunLog,
        config: RunConfig,
    ) -> None:
        self.state: State = state
        self.sampler: Sampler = sampler
        self.writer: RunWriter = writer
        self.log: RunLog = log
        self.config: RunConfig = config

    def __call__(self, event: Event) -> None:
        again = isinstance(event, Finished) and self.writer.failed
        if isinstance(event, SaveDue) or again:
            self.save(partial(checkpoint.save, self.state))

    def save(self, write_checkpoint: Callable[[Path], object]) -> None:
        """Save the run.

        Args:
            write_checkpoint: Writes the state to the folder that it is given.
        """
        self.writer.save(write_checkpoint, self.sampler, self.config, self.log.lines)


class EarlyStopping:
    """Ends a training whose primary metric no longer improves, or has reached its
    baseline, and restores the best generator (Prechelt 1998). The best is restored too
    where the training reaches its length or the data ends.

    The metrics come from the validation split, the report's from the test split.
    """

    def __init__(
        self,
        enabled: bool,
        monitor: Monitor,
        evaluator: Evaluator,
        control: Control,
        restore_best: Callable[[], None],
        sampler: Sampler,
        log: RunLog,
        emit: Callback,
    ) -> None:
        self.enabled: bool = enabled
        self.monitor: Monitor = monitor
        self.evaluator: Evaluator = evaluator
        self.control: Control = control
        self.restore_best = restore_best
        self.sampler: Sampler = sampler
        self.log: RunLog = log
        self.emit: Callback = emit

    def __call__(self, event: Event) -> None:
        if isinstance(event, SaveDue):
            if self.enabled and self.monitor.early_stopped and self.evaluator.progress < 1:
                self.control.stop(EARLY_STOPPED)
        elif isinstance(event, Finished):
            stopped, was_stopped = event.reason == EARLY_STOPPED, self.log.stopped_early
            by_itself = event.reason == "done" or self.control.stop_reason is None
            whole = self.enabled and by_itself and not event.diverged
            if stopped or was_stopped or whole:
                self.restore_best()
            # Patience may end with the training.
            if stopped or (whole and not was_stopped and self.monitor.early_stopped):
                self.emit(EarlyStopped(self.sampler.samples_seen))


class SampleImages:
    """Draws samples of fixed latents during the training and, at the end, the effect of
    each code of an InfoGAN."""

    def __init__(
        self, source: Source, sampler: Sampler, writer: RunWriter, seed: int, emit: Callback
    ) -> None:
        self.source: Source = source
        self.sampler: Sampler = sampler
        self.writer: RunWriter = writer
        self.seed: int = seed + IMAGE_SEED
        self.emit: Callback = emit

    def __call__(self, event: Event) -> None:
        directory = self.writer.directory
        if directory is None:
            return
        if isinstance(event, ImageDue):
            seen = self.sampler.samples_seen
            path = self.writer.image(self.draw, checkpoint.name_of(seen))
            if path is not None:
                self.emit(Drawn(seen, path))
        elif isinstance(event, Finished):
            for code in self.sampler.prior.codes:
                path = directory.path / f"code-{code}.png"
                self.writer.attempt(partial(plots.draw_code, path, self.sampler, code, self.seed))

    def draw(self, path: Path) -> None:
        """Write an image of samples of the fixed latents."""
        source, sampler = self.source, self.sampler
        n = plots.DEFAULT_IMAGES if source.schema.is_image else plots.MAX_POINTS
        title = f"{source.name}, {sampler.recipe.name}, {sampler.samples_seen:,} samples seen"
        values = sampler.values(n, self.seed, constrained=False)
        plots.draw(
            path,
            values,
            source.schema,
            source.limits,
            source.distribution,
            self._real,
            title,
            in_training=True,
        )
        if plots.is_plane(source.schema):
            plots.write_points(path.with_suffix(".npy"), values)  # for films

    @cached_property
    def _real(self) -> NDArray[np.float64] | None:
        """Held-out points to draw with the generated ones; None for images."""
        if self.source.schema.is_image:
            return None
        return self.source.held_out(plots.MAX_POINTS, self.seed - IMAGE_SEED).double().numpy()


class UserCallbacks:
    """Calls the user's callbacks. An exception ends the training, after saving."""

    def __init__(self, callbacks: Sequence[Callback], control: Control) -> None:
        self.callbacks: Sequence[Callback] = callbacks
        self.control: Control = control
        self.raised: Exception | SystemExit | None = None

    def __call__(self, event: Event) -> None:
        if self.raised is not None:
            return
        try:
            for callback in self.callbacks:
                callback(event)
        except (Exception, SystemExit) as error:  # the trainer raises it again, after saving
            self.raised = error
            self.control.stop(USER_EXCEPTION)


def moment_of(state: State) -> checkpoint.Moment:
    """A copy of the current state."""
    return {name: tensor.clone() for name, tensor in state.tensors().items()}, state.scalars()
