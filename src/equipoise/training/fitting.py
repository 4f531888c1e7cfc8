"""Fitting: from settings and data to a finished run.

It pulls the loop's events and does what they call for: log, draw, measure, save.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise import __version__
from equipoise.data.sources import Source
from equipoise.diagnosis import Monitor
from equipoise.errors import EquipoiseError
from equipoise.metrics.evaluate import floors, suite_for
from equipoise.plotting import plots, sketches
from equipoise.recipes._building import build_method, fitted_recipe, recipe_from
from equipoise.recipes.base import Recipe
from equipoise.runs import checkpoint
from equipoise.runs.directory import RunDirectory
from equipoise.runs.generator import is_saved, save_generator
from equipoise.runs.provenance import environment
from equipoise.runs.settings import RunSettings
from equipoise.runs.writer import RunWriter
from equipoise.runtime.device import resolve_device
from equipoise.sampling.sampler import (
    EVALUATION_SEED,
    RECALIBRATION_BATCHES,
    RECALIBRATION_SIZE,
    Sampler,
)
from equipoise.training import speed
from equipoise.training.evaluation_schedule import Pace
from equipoise.training.loop import (
    SAVES,
    Clock,
    Control,
    Drawn,
    Evaluated,
    Event,
    Finished,
    Recovered,
    Report,
    SaveDue,
    train,
)
from equipoise.training.memory import predict
from equipoise.training.plan import Plan
from equipoise.training.state import State
from equipoise.transforms.chain import Chain
from equipoise.transforms.fitting import fit_chain
from equipoise.transforms.loading import EncodedLoader
from equipoise.utils.atomic_io import write_whole

BIG_SEED = 2**31
EARLY_STOPPED = "early_stopped"  # why a run with stop_when stopped


class Fit:
    """One training, from its first step or from a checkpoint to its end."""

    def __init__(
        self,
        source: Source,
        recipe: Recipe,
        run: RunSettings,
        directory: RunDirectory | None,
        warn: Callable[[str], None],
        transform: Chain | None = None,
    ) -> None:
        """`transform` is that of the training that this one continues; None fits one to
        the data."""
        self.source, self.run, self.warn = source, run, warn
        self.writer = None if directory is None else RunWriter(directory, warn)
        source.early_stopping = run.stop_when is not None
        self.described = source.describe()
        self.device = resolve_device(run.device)
        labels = recipe.labels(source.schema)
        transform = transform or fit_chain(
            source, recipe.scaling, recipe.clusters, labels, run.seed, recipe.per_channel_clusters
        )
        transform.to(self.device)
        # Numbers as a resumed run will read them.
        self.recipe = recipe_from({"name": recipe.name, **asdict(recipe)})
        recipe = fitted_recipe(self.recipe, transform)
        self.footprint = predict(source, recipe, transform, self.device)
        self.plan = Plan(recipe, run, source.schema, self.footprint.step)
        method = build_method(recipe, source.schema, run.seed)
        loader = source.loader(recipe.batch_size, transform.encode_once, self.device, run.seed)
        if transform.is_random:
            loader = EncodedLoader(loader, transform, run.seed, bool(recipe.conditional))
        self.state = State(method, recipe, loader, run.seed, self.device, transform)
        encoder = self.state.discriminator if method.prior.codes else None
        self.sampler = Sampler(
            self.state.ema,
            method.prior,
            self.recipe,
            source.schema,
            transform,
            self.device,
            encoder=encoder,
        )
        self.method = method
        self.speed = self._speed()
        self.speed.apply(self.state)
        self.quick_suite = suite_for(source, run.seed, quick=True)
        self.pace = Pace(
            method,
            self.quick_suite,
            source.schema.shape,
            recipe.batch_size,
            recipe.classes(source.schema) > 0,
        )
        self.watch = Monitor(lambda: floors(self.quick_suite, source, run.seed))
        self.requested: dict[str, dict[str, Any]] = {"recipe": {}, "run": {}}
        """What the user set, of the recipe and of the run."""
        self.init_from: dict[str, Any] | None = None
        """The run whose weights these started from, if any, as config.json has it."""
        self.resumed = False
        self.log: list[dict[str, Any]] = []
        self.best: checkpoint.Moment | None = None
        """The best that it was, where a figure decides when to stop."""
        self.last: checkpoint.Moment | None = None
        """How it ended, where it went back to the best."""
        self._recalibrated_at = -1
        self._happened: list[Event] = []  # since the last event, to be told after it

    @property
    def directory(self) -> RunDirectory | None:
        """Where everything is kept; None in memory."""
        return None if self.writer is None else self.writer.directory

    def keep_in(self, directory: RunDirectory) -> None:
        """Keep everything there, from its config on."""
        self.writer = RunWriter(directory, self.warn)
        directory.write_config(self.config())

    def config(self) -> dict[str, Any]:
        """Every setting, what it was run with and on."""
        return {
            "equipoise": __version__,
            "recipe": {"name": self.recipe.name, **asdict(self.recipe)},
            "run": asdict(self.run),
            "requested": self.requested,
            "init_from": self.init_from,
            "data": self.described,
            "transform": self.sampler.transform.config(),
            "held_out": {
                "seed": self.run.seed,
                "rule": "the source's test split, or a seeded tenth, at most 10,000",
                "validation": "a seeded half of it"
                if self.source.early_stopping
                else "none: nothing is chosen by it",
            },
            "notes": self.source.notes,
            "machine": {
                "device": str(self.device),
                **asdict(self.speed),
                "processor": platform.processor() or platform.machine(),
            },
            **environment(),
        }

    def restore_sampler(self) -> None:
        """After the state was restored: the sampler knows its moment, and is written if
        that was not done after the checkpoint."""
        self.sampler.samples_seen = self.state.samples_seen
        if (
            self.directory is not None
            and not self._has_stopped_early
            and not is_saved(self.sampler, self.directory.generator)
        ):
            self._recalibrate_batchnorm()
            save_generator(self.sampler, self.directory.generator)

    def events(self, control: Control) -> Iterator[Event]:
        """Train to the end, doing what each event calls for before passing it on."""
        if self.speed.compiled:
            self._compile()
        clock = Clock(self.state, self.plan.samples, self.run.minutes)
        for event in train(self.method, self.state, clock, control):
            self.sampler.samples_seen = self.state.samples_seen
            if not isinstance(event, Report | Recovered):
                self._recalibrate_batchnorm()
            self._take_in(event, clock.tick(), control)
            yield event
            while self._happened:
                yield self._happened.pop(0)

    def _speed(self) -> speed.Speed:
        """Threads, precision and compiling: those of the run that is resumed, else by
        choice, by rule or by a stopwatch."""
        machine = None if self.directory is None else self.directory.read_config()["machine"]
        if machine is not None and machine["device"] == str(self.device):
            return speed.as_before(machine, self.run)
        schema, plan = self.source.schema, self.plan
        chosen = speed.choose(
            self.method, self.run, schema.is_image, self.device, plan.seconds, plan.threads
        )
        if not self.run.tune_speed:
            return chosen
        return speed.tuned(
            self.method, self.state, speed.example(self.state, self.source.schema), chosen, self.run
        )

    def _compile(self) -> None:
        failed = speed.compile_step(
            self.method, self.state, speed.example(self.state, self.source.schema)
        )
        if failed:
            self.warn(f"the step could not be compiled ({failed}): going on without")

    def _recalibrate_batchnorm(self) -> None:
        """Before the generator is drawn from or saved: the statistics that an average
        or an encoder needs, once for one moment."""
        if self._recalibrated_at == self.sampler.samples_seen:
            return
        self._recalibrated_at = self.sampler.samples_seen
        encoder = self.sampler.encoder
        if self.state.ema is not self.state.generator or encoder is not None:
            real = (
                None
                if encoder is None
                else self.source.seen(RECALIBRATION_BATCHES * RECALIBRATION_SIZE, self.run.seed)
            )
            self.sampler.recalibrate_batchnorm(self.run.seed, real)

    def _take_in(self, event: Event, progress: float, control: Control) -> None:
        """Log, measure, warn, draw and save, as an event calls for."""
        if isinstance(event, Report):
            self._tell(**event.readings)
            self._warn_of(self.watch.at_report(event.readings))
        elif isinstance(event, Recovered):
            self._tell(recovered=event.what)
            self.warn(
                f"{event.what} was not finite after {event.samples_seen:,} samples: back to "
                "the last good weights, with half the step"
            )
        elif isinstance(event, SaveDue):
            self._save(self._evaluate(progress) if self._evaluation_due(progress) else None)
            if self.run.stop_when is not None and self.watch.early_stopped and progress < 1:
                control.stop(EARLY_STOPPED)
        elif isinstance(event, Finished):
            self._finish(event)
        elif self.writer is not None:  # an image is due
            path = self.writer.image(self.draw, checkpoint.name_of(self.state.samples_seen))
            if path is not None:
                self._happened.append(Drawn(self.state.samples_seen, path))

    def _evaluation_due(self, progress: float) -> bool:
        """Whether what is saved now is judged too: always when a figure decides when to
        stop, else as often as the pace allows."""
        if self.run.stop_when is not None or self.state.horizon is None:
            return self.run.stop_when is not None
        last = max((line["samples_seen"] for line in self.log if "metrics" in line), default=0)
        return self.pace.due(progress, last, self.state.horizon, SAVES)

    def _evaluate(self, progress: float) -> float:
        """Figures of the generator as it is, for the log and the watch; returns the
        headline."""
        metrics = self.quick_suite(self.sampler.values(self.quick_suite.n, EVALUATION_SEED))
        if not any("floors" in line for line in self.log):
            self._tell(floors=self.watch.floors, evaluated_samples=self.quick_suite.n)
        self._tell(metrics=metrics)
        self._happened.append(Evaluated(self.state.samples_seen, metrics, self.watch.floors))
        self._warn_of(self.watch.at_metrics(metrics, progress))
        return next(iter(metrics.values()))

    def _save(self, headline: float | None) -> None:
        """Keep the state, and remember it if it was judged and is the best so far."""
        best = math.inf if self.state.best is None else self.state.best["metric"]
        if headline is not None and headline < best:  # which NaN is not
            self.state.best = {
                "checkpoint": checkpoint.name_of(self.state.samples_seen),
                "metric": headline,
            }
            if self.run.stop_when is not None:
                self.best = self._moment()
        if self.writer is not None:
            self.writer.save(
                partial(checkpoint.save, self.state), self.sampler, self.config(), self.log
            )

    def _finish(self, event: Finished) -> None:
        if self.writer is not None and self.writer.failed:  # once more, before it is too late
            self._save(None)
        if event.diverged:
            self._tell(diverged=event.reason)
        if self.state.best is not None and (
            event.reason == EARLY_STOPPED or self._has_stopped_early
        ):
            self._go_back_to_best()
        if event.reason == EARLY_STOPPED:
            self._tell(early_stopped=self.sampler.samples_seen)
        if self.writer is not None:
            for code in self.sampler.prior.codes:
                path = self.writer.directory.path / f"code-{code}.png"
                self.writer.attempt(
                    partial(plots.draw_code, path, self.sampler, code, self.run.seed + BIG_SEED)
                )
            if self.writer.has_vanished():  # since the last save
                write = self.save if self.last is not None else partial(checkpoint.save, self.state)
                self.writer.save(write, self.sampler, self.config(), self.log)

    def _go_back_to_best(self) -> None:
        """Make the generator that is kept the best that there was."""
        try:
            best = self._best()
        except EquipoiseError as error:  # damaged, or memory is short
            return self.warn(f"{error}; keeping the last generator instead of the best")
        assert best is not None, "a run that early_stopped has been measured"
        assert self.state.best is not None, "and so it knows its best"
        self.last = self._moment()
        self.state.restore_weights(best[0])
        self.sampler.samples_seen = int(self.state.best["checkpoint"])
        self._recalibrated_at = -1
        self._recalibrate_batchnorm()
        if self.writer is not None:
            self.writer.attempt(
                partial(save_generator, self.sampler, self.writer.directory.generator)
            )

    @property
    def _has_stopped_early(self) -> bool:
        """Whether it has early_stopped, and nothing has been trained since: the
        generator that is kept is the best."""
        return bool(self.log) and EARLY_STOPPED in self.log[-1] and self.state.best is not None

    def _moment(self) -> checkpoint.Moment:
        return {
            name: tensor.clone() for name, tensor in self.state.tensors().items()
        }, self.state.scalars()

    def _best(self) -> checkpoint.Moment | None:
        """The best that it was; None where that was not kept. Raises EquipoiseError
        where its checkpoint is not whole, or cannot be read now."""
        if (
            self.best is None and self.state.best is not None and self.directory is not None
        ):  # it was before the run was resumed
            return checkpoint.load(
                checkpoint.path_of(self.directory.checkpoints, self.state.best["checkpoint"])
            )
        return self.best

    def save(self, folder: Path) -> None:
        """Write its checkpoints anew, the end and the best; without the best, the end
        knows of none."""
        try:
            best = self._best()
        except EquipoiseError:
            best = None
        tensors, scalars = self.last or self._moment()
        if best is None or self.state.best is None:
            scalars = {**scalars, "best": None}
        else:
            checkpoint.write(*best, checkpoint.path_of(folder, self.state.best["checkpoint"]))
        checkpoint.write(
            tensors,
            scalars,
            checkpoint.path_of(folder, checkpoint.name_of(self.state.samples_seen)),
        )

    def _tell(self, **line: Any) -> None:
        """Log a line of this moment."""
        self.log.append(
            {
                "samples_seen": self.state.samples_seen,
                "seconds": round(self.state.seconds, 3),
                **line,
            }
        )
        if self.writer is not None:
            self.writer.log(self.log[-1])

    def _warn_of(self, trouble: str) -> None:
        if trouble:
            self._tell(trouble=trouble)
            self.warn(f"after {self.state.samples_seen:,} samples: {trouble}")

    def draw(self, path: Path) -> None:
        """An image of what the generator makes of the fixed latents."""
        n = plots.DEFAULT_IMAGES if self.source.schema.is_image else plots.MAX_POINTS
        values = self.sampler.values(n, self.run.seed + BIG_SEED)
        title = f"{self.source.name}, {self.recipe.name}, {self.state.samples_seen:,} samples seen"
        write_whole(
            path,
            sketches.sketch(
                values,
                self.source.schema,
                self.source.limits,
                self.source.distribution,
                self._beside,
                title,
            ),
        )

    @cached_property
    def _beside(self) -> NDArray[np.float64] | None:
        """Real points that are drawn beside the generated ones."""
        return (
            None
            if self.source.schema.is_image
            else self.source.held_out(plots.MAX_POINTS, self.run.seed).double().numpy()
        )
