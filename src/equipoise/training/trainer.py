"""The trainer: from a source and a recipe to a trained generator.

It holds what a training is made of and runs the loop. What is done beside the steps is
done by callbacks, see `training.callbacks`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch

from equipoise.data.sources import Source
from equipoise.diagnosis import Monitor
from equipoise.errors import EquipoiseError, RequestError
from equipoise.metrics.evaluate import baselines, suite_for
from equipoise.recipes import DEFAULT
from equipoise.recipes._building import (
    build_method,
    fitted_recipe,
    recipe_from,
    recipe_to_dict,
    start_from_fit,
)
from equipoise.recipes._contract import check_contract
from equipoise.recipes.base import Recipe
from equipoise.recipes.method import Method
from equipoise.runs import checkpoint
from equipoise.runs.config import InitFrom, Machine, Requested, RunConfig
from equipoise.runs.directory import RunDirectory
from equipoise.runs.generator import save_generator
from equipoise.runs.settings import RunSettings
from equipoise.runs.trackers import registry
from equipoise.runs.trackers.base import Status, Tracker
from equipoise.runs.writer import RunWriter
from equipoise.runtime.device import resolve_device
from equipoise.runtime.device_costs import DeviceCosts, costs_of
from equipoise.runtime.ranks import SINGLE, Ranks
from equipoise.sampling.sampler import RECALIBRATION_BATCHES, RECALIBRATION_SIZE, Sampler
from equipoise.training import speed
from equipoise.training.callbacks import (
    EARLY_STOPPED,
    USER_EXCEPTION,
    Best,
    Checkpoints,
    EarlyStopping,
    Evaluator,
    RunLog,
    SampleImages,
    TroubleMonitor,
    UserCallbacks,
    moment_of,
)
from equipoise.training.evaluation_schedule import EvaluationSchedule
from equipoise.training.events import Callback, Control, Event, Finished, ImageDue, SaveDue
from equipoise.training.guard import DivergedError
from equipoise.training.loop import Clock, train
from equipoise.training.memory import check_memory, check_networks_fit
from equipoise.training.plan import Plan
from equipoise.training.sharing import shared_transform
from equipoise.training.signals import InterruptedRunError, signals_stop
from equipoise.training.state import State
from equipoise.training.tracking import Tracking, tracked_config
from equipoise.training.workload import Workload, count_workload
from equipoise.transforms.chain import Chain
from equipoise.transforms.fitting import fit_chain
from equipoise.transforms.loading import encoded
from equipoise.transforms.space import NetworkSpace


class Trainer:
    """One training, from its first step or from a checkpoint to its end.

    Args:
        source: The data.
        recipe: With the defaults for this data and the user's choices.
        settings: Of the run.
        warn: Is told of what the user should know, a line each.
        requested: The settings that the user gave.
        transform: Another training's, which this one goes on in; None fits one to the
            data.
        init_from: The training whose weights this one starts from.
        directory: The run's, where it is resumed.
        recorded: The run's configuration, where it is resumed.
        ranks: The processes that train together. Only rank 0 writes, evaluates and
            tells.

    Raises:
        RequestError: Settings do not fit the data, or memory does not suffice.
    """

    def __init__(
        self,
        source: Source,
        recipe: Recipe,
        settings: RunSettings,
        warn: Callable[[str], None],
        *,
        requested: Requested,
        transform: Chain | None = None,
        init_from: InitFrom | None = None,
        directory: RunDirectory | None = None,
        recorded: RunConfig | None = None,
        ranks: Ranks = SINGLE,
    ) -> None:
        self.source: Source = source
        self.settings: RunSettings = settings
        self.ranks: Ranks = ranks
        self.warn: Callable[[str], None] = warn if ranks.is_main else lambda _: None
        self.writer: RunWriter = RunWriter(directory if ranks.is_main else None, self.warn)
        source.has_validation = settings.has_validation
        self.device: torch.device = resolve_device(settings.device)
        self._build(recipe, transform)
        self._set_speed(None if recorded is None else recorded.machine)
        self.resumed: bool = recorded is not None
        self.config: RunConfig = RunConfig(
            requested=requested,
            recipe=self.recipe,
            settings=settings,
            data=source.describe() if recorded is None else recorded.data,
            transform=tuple(self.sampler.transform.config()),
            notes=tuple(source.notes),
            machine=Machine(str(self.device), **asdict(self.speed), processes=ranks.size),
            init_from=init_from if recorded is None else recorded.init_from,
        )
        """What config.json holds."""
        self.control: Control = Control()
        self.keeps_best: bool = False
        """Whether the run was resumed when it had ended with early stopping on, so that
        the generator in its directory is the best."""
        self._is_training: bool = False
        self.tracking: Tracking | None = None
        """The trackers of the run, open while it trains and until its report is made;
        None where the settings ask for none."""
        self._made: dict[str, Tracker] = {}  # that have not started
        # Samples seen when BatchNorm statistics were recomputed, and whether interim.
        self._recalibrated_at: tuple[int, bool] = (-1, True)
        self._last: checkpoint.Moment | None = None  # where it went back to the best
        self._assemble()

    def _build(self, recipe: Recipe, transform: Chain | None) -> None:
        """The transform, the networks and their state, and the sampler."""
        source, settings, device, ranks = self.source, self.settings, self.device, self.ranks
        if transform is None:
            with ranks.failing_together():
                own = self._fitted_transform(recipe) if ranks.is_main else None
            transform = shared_transform(ranks, own, source)
        transform.to(device)
        # Numbers as a resumed run will read them.
        self.recipe: Recipe = recipe_from(recipe_to_dict(recipe))
        # A run that is resumed may need a package that is gone.
        self.recipe.check(NetworkSpace.of(source.schema))
        fitted = fitted_recipe(self.recipe, transform)
        with ranks.failing_together():  # memory may be short on one machine alone
            check_networks_fit(fitted, source.schema, device)
            method = build_method(fitted, source.schema, settings.seed)
            start_from_fit(method, transform)
            self._check(method, fitted, transform)
        batch_size, seed = fitted.batch_size // ranks.size, settings.seed
        loader = encoded(
            source.loader(batch_size, transform.encode_once, device, seed),
            transform,
            seed,
            bool(fitted.conditional),
        )
        self.state: State = State(method, fitted, loader, seed, device, transform, ranks)
        self.sampler: Sampler = Sampler(
            self.state.ema,
            method.prior,
            self.recipe,
            source.schema,
            transform,
            device,
            encoder=self.state.discriminator if method.prior.codes else None,
        )

    def _fitted_transform(self, recipe: Recipe) -> Chain:
        """The transforms, fitted to the data."""
        source, settings = self.source, self.settings
        return fit_chain(
            source,
            recipe.scaling,
            recipe.clusters,
            recipe.labels(NetworkSpace.of(source.schema)),
            settings.seed,
            bool(recipe.per_channel_clusters),
            recipe.table_kind,
        )

    def _check(self, method: Method, recipe: Recipe, transform: Chain) -> None:
        """Check that memory suffices and that the recipe's functions return what they
        should, and plan the training."""
        schema, device = self.source.schema, self.device
        sizes = transform.shape, recipe.batch_size
        labelled = recipe.classes(NetworkSpace.of(schema)) > 0
        self.workload: Workload = count_workload(method, *sizes, labelled)
        self.costs: DeviceCosts = costs_of(device)
        check_memory(self.source, recipe, transform, device, self.workload, self.ranks.size)
        check_contract(method, recipe.name, *sizes, labelled)
        self.plan: Plan = Plan(
            recipe, self.settings, schema, self.workload, self.costs, self.ranks.size
        )

    def _set_speed(self, recorded: Machine | None) -> None:
        """Threads, precision and compiling: those of the run that is resumed, else by
        choice or by rule."""
        settings, plan = self.settings, self.plan
        if recorded is not None and recorded.device == str(self.device):
            self.speed: speed.Speed = speed.recorded_speed(recorded, settings)
        else:
            is_image, seconds, threads = self.source.schema.is_image, plan.seconds, plan.threads
            self.speed = speed.choose(
                self.state.method, settings, is_image, self.device, seconds, threads
            )
        self.speed = self.ranks.share(self.speed)
        self.speed.apply(self.state)

    def _assemble(self) -> None:
        """The callbacks, in the order in which they see events."""
        source, state, sampler, writer = self.source, self.state, self.sampler, self.writer
        seed, stops = self.settings.seed, self.settings.stop_when is not None
        suite = suite_for(source, seed, quick=True)
        schedule = EvaluationSchedule(self.workload, suite, self.costs)
        self.monitor: Monitor = Monitor(
            lambda: baselines(suite, source, seed), self.recipe.ends_level
        )
        self.run_log: RunLog = RunLog(state, writer)
        self.evaluator: Evaluator = Evaluator(
            suite, sampler, state, self.plan, schedule, self.monitor, self.run_log, self.emit
        )
        self.best: Best = Best(state, writer, keep=stops)
        self.checkpoints: Checkpoints = Checkpoints(
            state, sampler, writer, self.run_log, self.config
        )
        self.callbacks: list[Callback] = [
            self.run_log,
            self.evaluator,
            TroubleMonitor(self.monitor, state, self.warn, self.emit),
            self.best,
            self.checkpoints,
            EarlyStopping(
                stops,
                self.monitor,
                self.evaluator,
                self.control,
                self._restore_best,
                sampler,
                self.run_log,
                self.emit,
            ),
            SampleImages(source, sampler, writer, seed, self.emit),
        ]

    @property
    def directory(self) -> RunDirectory | None:
        """Where everything is kept; None in memory."""
        return self.writer.directory

    @property
    def log(self) -> list[dict[str, Any]]:
        """The lines of log.jsonl."""
        return self.run_log.lines

    @property
    def stopped_early(self) -> bool:
        """Whether early stopping ended the run, and nothing has changed since."""
        return self.run_log.stopped_early

    def keep_in(self, directory: RunDirectory) -> None:
        """Keep everything there, from its config on.

        Raises:
            RequestError: A tracker lacks something here. Nothing is written then.
        """
        self._made = self._make_trackers(directory)
        self.writer.directory = directory
        directory.write_config(self.config)
        if self.source.left_out:
            left_out = self.source.left_out
            self.writer.attempt(lambda: directory.write_left_out(left_out))

    def emit(self, event: Event) -> None:
        """Call every callback with an event."""
        for callback in self.callbacks:
            callback(event)

    @torch.enable_grad()  # whatever the caller has set; once a training, not at every step
    def run(self, callbacks: Sequence[Callback] = ()) -> None:
        """Train to the end. The directory is unlocked after.

        Trackers stay open for `track_report`, unless training was stopped or failed:
        whoever calls this closes them with `close_trackers`.

        Args:
            callbacks: The user's, which see every event.

        Raises:
            InterruptedRunError: After SIGINT or SIGTERM, when all is saved.
            DivergedError: Training could not go on.
            EquipoiseError: The end could not be saved.
            Exception: Whatever a callback raises, when all is saved, with a note that
                says where.
        """
        try:
            self._run(callbacks)
        except DivergedError:  # which has a report
            raise
        except BaseException as error:
            self.close_trackers("stopped" if isinstance(error, InterruptedRunError) else "failed")
            raise

    def _run(self, callbacks: Sequence[Callback]) -> None:
        with ExitStack() as stack:
            if self.directory is not None:
                stack.callback(self.directory.unlock)
            self.tracking = self._open_trackers()
            trackers = [] if self.tracking is None else [self.tracking]
            users = UserCallbacks([*trackers, *callbacks], self.control)
            self.callbacks.append(users)
            stack.callback(self.callbacks.remove, users)
            began = self.state.samples_seen
            if self._is_over:
                self.control.stop(EARLY_STOPPED if not self.stopped_early else "done")
            with (
                signals_stop(self.control, self.ranks),
                self.speed.torch_settings(),
                self.ranks.sharing_memory(),
                self._in_progress(),
            ):
                end = self._train()
        if users.raised is not None:
            users.raised.add_note(self._resume_hint())
            raise users.raised
        self._report_end(end, began)

    @contextmanager
    def _in_progress(self) -> Iterator[None]:
        """A context in which a report is none for the trackers: they stay open."""
        self._is_training = True
        try:
            yield
        finally:
            self._is_training = False

    def _make_trackers(self, directory: RunDirectory) -> dict[str, Tracker]:
        """The trackers that the settings ask for, by name, on rank 0."""
        name = self.settings.tracker
        if name is None or not self.ranks.is_main:
            return {}
        return registry.make(name, directory.path)

    def _open_trackers(self) -> Tracking | None:
        """Start the trackers; None without any."""
        if self.directory is None:
            if self.settings.tracker is not None and self.ranks.is_main:
                given = f"tracker = {self.settings.tracker!r}"
                raise RequestError(f"{given} needs a run directory: give fit an out")
            return None
        made, self._made = self._made or self._make_trackers(self.directory), {}
        seen, config = self.state.samples_seen, tracked_config(self.config)
        return Tracking(made, seen, config, self.warn) if made else None

    def track_report(
        self, metrics: Mapping[str, float], baselines: Mapping[str, float], verdict: str, text: str
    ) -> None:
        """Tell the trackers of the report, and close them. The arguments are those of
        `Tracking.report`. A report in the midst of the training is none of theirs."""
        if self.tracking is None or self._is_training:
            return
        if not self.tracking.is_open:
            self.tracking = self._open_trackers()
        if self.tracking is not None:
            self.tracking.report(self.state.samples_seen, metrics, baselines, verdict, text)
        self.close_trackers()

    def close_trackers(self, status: Status | None = None) -> None:
        """Close the trackers, if there are any and they are open."""
        if self.tracking is not None:
            self.tracking.close(status)

    @property
    def _is_over(self) -> bool:
        """Whether early stopping has ended the run that is resumed, or would have where
        it was killed."""
        stops = self.resumed and self.settings.stop_when is not None
        return self.stopped_early or (stops and self.monitor.early_stopped)

    def _train(self) -> Finished:
        if self.speed.compiled:
            example = speed.example(self.state, self.source.schema)
            if failed := speed.compile_step(self.state, example):
                self.warn(f"the step could not be compiled ({failed}): training without")
        clock = Clock(self.state, self.plan.samples, self.settings.minutes)
        for event in train(self.state, clock, self.control):
            self.sampler.samples_seen = self.state.samples_seen
            self._recalibrate_for(event)
            self.evaluator.progress = clock.progress
            self.emit(event)
        assert isinstance(event, Finished), "a training ends with its end"
        self._share_generator()
        if self.writer.is_missing():  # since the last save
            went_back = self._last is not None
            self.checkpoints.save(self.save if went_back else partial(checkpoint.save, self.state))
        return event

    def _share_generator(self) -> None:
        """Give all ranks the generator that rank 0 keeps, which may be the best."""
        ranks, generator = self.ranks, self.state.ema
        ranks.broadcast_([*generator.parameters(), *generator.buffers()])
        self.sampler.samples_seen = int(ranks.agree(self.sampler.samples_seen))

    def _recalibrate_for(self, event: Event) -> None:
        """Recompute the statistics for an event that saves or draws, once for one
        moment. What is reported at the end is what was saved there."""
        seen, done = self.sampler.samples_seen, self._recalibrated_at
        match event:
            case ImageDue() | SaveDue(last=False) if done[0] != seen:
                self.recalibrate_batchnorm(interim=True)
            case SaveDue(last=True) if done != (seen, False):
                self.recalibrate_batchnorm()
            case Finished() if done[0] != seen:
                self.recalibrate_batchnorm()

    def recalibrate_batchnorm(self, interim: bool = False) -> None:
        """Recompute the statistics that the EMA or an encoder needs, before samples are
        drawn or the generator is saved.

        Args:
            interim: As for `Sampler.recalibrate_batchnorm`.
        """
        self._recalibrated_at = (self.sampler.samples_seen, interim)
        real, seed = None, self.settings.seed
        if self.sampler.encoder is not None:
            real = self.source.seen(RECALIBRATION_BATCHES * RECALIBRATION_SIZE, seed)
        elif self.state.ema is self.state.generator:
            return
        self.sampler.recalibrate_batchnorm(seed, real, interim)

    def _restore_best(self) -> None:
        """Make the generator that is kept the best that there was."""
        self._last, lost = moment_of(self.state), ""
        try:
            best = self.best.moment()
        except EquipoiseError as error:  # damaged, or memory is short
            best, lost = None, f"{error}; the generator is the last one, not the best"
        if best is not None and self.state.best is not None:
            self.state.restore_weights(best[0])
            self.sampler.samples_seen = int(self.state.best["checkpoint"])
            self.recalibrate_batchnorm()
        elif self.keeps_best and self.writer.restore(self.sampler):
            return  # what is kept is the best, whose checkpoint alone is gone
        elif lost:
            self.warn(lost)
        if self.directory is not None:
            self.writer.attempt(partial(save_generator, self.sampler, self.directory.generator))

    def save(self, folder: Path) -> None:
        """Write its checkpoints anew, the end and the best; without the best, the end
        knows of none."""
        try:
            best = self.best.moment()
        except EquipoiseError:
            best = None
        tensors, scalars = self._last or moment_of(self.state)
        if best is None or self.state.best is None:
            scalars = {**scalars, "best": None}
        else:
            checkpoint.write(*best, checkpoint.path_of(folder, self.state.best["checkpoint"]))
        name = checkpoint.name_of(self.state.samples_seen)
        checkpoint.write(tensors, scalars, checkpoint.path_of(folder, name))

    def _report_end(self, end: Finished, began: int) -> None:
        """Say how the training ended, where that is not as it was meant to.

        Args:
            end: The end.
            began: Samples seen before.
        """
        seen = f"{self.state.samples_seen:,} samples"
        best = f"the generator is the best, of {self.sampler.samples_seen:,} samples"
        went_back = self.sampler.samples_seen < self.state.samples_seen
        where = None if self.directory is None else self.directory.path
        if self.writer.failed:
            raise EquipoiseError(f"{self.writer.failed}; the end of this training is not saved")
        if end.diverged:
            kept = "" if where is None else f"; the last good weights are in {where}"
            raise DivergedError(
                f"{end.reason}{kept}; try a lower learning rate, or the recipe {DEFAULT!r}"
            )
        if end.reason == EARLY_STOPPED:
            self.warn(f"the metric no longer improves: stopped after {seen}; {best}")
        elif self.control.stop_reason is None and end.reason != "done":
            kept = f"; {best}" if went_back else ""
            self.warn(f"{end.reason}; training ended after {seen}{kept}")
        elif end.reason == USER_EXCEPTION:
            raise EquipoiseError(f"rank 0: {end.reason} stopped training after {seen}")
        elif end.reason != "done":
            saved = "" if where is None else f"; saved in {where}"
            raise InterruptedRunError(f"stopped by {end.reason} after {seen}{saved}", end.reason)
        elif went_back and self.state.samples_seen > began:
            self.warn(f"training ended after {seen}; {best}")

    def _resume_hint(self) -> str:
        """What is left of a training that a callback's exception ended, and how it goes
        on."""
        seen = f"training stopped after {self.state.samples_seen:,} samples"
        if self.directory is None:
            again = "trained further with fit(data, init_from=gan)"
            return f"{seen}; the GAN can be sampled from, and {again}"
        if self.writer.failed:
            return f"{seen}; not everything is saved: {self.writer.failed}"
        path = self.directory.path
        return f"{seen}; saved in {path}: resume with fit(data, out={str(path)!r}, resume=True)"
