"""Fitting: from settings and data to a finished run. It pulls the loop's events and does what they call for: log, draw, measure, save."""

from __future__ import annotations

import os
import platform
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from equipoise import __version__, plots
from equipoise.data.sources import Source
from equipoise.errors import EquipoiseError, RequestError
from equipoise.metrics.judges import judge_for
from equipoise.recipes import DEFAULT, find
from equipoise.recipes.base import Recipe
from equipoise.report import SAMPLES_SEED
from equipoise.training import checkpoint
from equipoise.training.loop import Clock, Control, Event, Finished, PictureDue, Report, SaveDue, train
from equipoise.training.rundir import RunDirectory, differences
from equipoise.training.sampler import SETTLING_BATCHES, SETTLING_SIZE, Sampler, recipe_from
from equipoise.training.settings import CHANGEABLE, RunSettings, resumed
from equipoise.training.state import State, build_method

BIG_SEED = 2**31


class InterruptedRunError(EquipoiseError):
    """Training was stopped by a signal, after saving; `status` is what a shell expects."""

    def __init__(self, message: str, signal: signal.Signals) -> None:
        super().__init__(message)
        self.signal = signal
        self.status = 128 + signal


class Fit:
    """One training, from its first step or from a checkpoint to its end."""

    def __init__(
        self, source: Source, recipe: Recipe, run: RunSettings, directory: RunDirectory | None, warn: Callable[[str], None]
    ) -> None:
        self.source, self.recipe, self.run, self.directory, self.warn = source, recipe, run, directory, warn
        rows = source.training_rows
        if rows is not None and rows < recipe.batch_size:
            raise RequestError(
                f"{source.name} has {rows} samples to train on, the held-out tenth aside, and batch_size is {recipe.batch_size}: "
                f"give more data, or a batch_size of at most {rows}"
            )
        self.device = resolve_device(run.device)
        self.threads = run.threads or (usable_cores() if source.schema.is_picture else 1)
        torch.set_num_threads(self.threads)
        scaling = source.scaling(recipe.scaling, run.seed)
        method = build_method(recipe, source.schema, run.seed)
        self.state = State(method, recipe, source.feed(recipe.batch_size, scaling, self.device, run.seed), run.seed, self.device)
        encoder = self.state.discriminator if method.prior.codes else None
        self.sampler = Sampler(self.state.average, method.prior, recipe, source.schema, scaling, self.device, encoder=encoder)
        self.method = method
        self.quick_judge = judge_for(source, run.seed, quick=True)

    def config(self) -> dict[str, Any]:
        """Every setting, what it was run with and on."""
        return {
            "equipoise": __version__,
            "recipe": {"name": self.recipe.name, **asdict(self.recipe)},
            "run": asdict(self.run),
            "data": self.source.describe(),
            "scaling": self.sampler.scaling.to_dict(),
            "held_out": {"seed": self.run.seed, "rule": "the source's test split, or a seeded tenth, at most 10,000"},
            "notes": self.source.notes,
            "machine": {"device": str(self.device), "threads": self.threads, "processor": platform.processor() or platform.machine()},
            "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
            "command": sys.argv,
        }

    def resume(self) -> None:
        """Go back to the newest whole checkpoint of the directory; to the start if it was stopped before its first."""
        assert self.directory is not None, "only a directory can be resumed"
        recorded = self.directory.read_config()
        self.directory.write_config({**self.config(), "data": recorded["data"]})
        if not checkpoint.checkpoints(self.directory.checkpoints):
            self.warn(f"{self.directory.path} has no checkpoint yet: starting from the beginning")
            self.directory.cut_log(-1)
            return
        tensors, scalars = checkpoint.load_newest(self.directory.checkpoints, self.warn)
        try:
            self.state.restore(tensors, scalars)
        except (KeyError, RuntimeError, ValueError) as error:
            raise EquipoiseError(f"{self.directory.path} cannot be resumed: its checkpoint does not fit its config ({error})") from None
        self.directory.cut_log(self.state.samples_seen)
        self.sampler.samples_seen = self.state.samples_seen

    def events(self, control: Control) -> Iterator[Event]:
        """Train to the end, doing what each event calls for before passing it on."""
        run = self.run
        samples = run.samples or (None if run.minutes else self.recipe.default_samples(self.source.schema))
        clock = Clock(self.state, samples, run.minutes)
        for event in train(self.method, self.state, clock, control):
            self.sampler.samples_seen = self.state.samples_seen
            if not isinstance(event, Report):
                self._settle()
            if self.directory is not None:
                self._write(event, self.directory)
            yield event

    def _settle(self) -> None:
        """Before the generator is drawn from or saved: the statistics that an average or an encoder needs."""
        encoder = self.sampler.encoder
        if self.state.average is not self.state.generator or encoder is not None:
            real = None if encoder is None else self.source.seen(SETTLING_BATCHES * SETTLING_SIZE, self.run.seed)
            self.sampler.settle(self.run.seed, real)

    def _write(self, event: Event, directory: RunDirectory) -> None:
        if isinstance(event, Report):
            directory.log({"samples_seen": event.samples_seen, "seconds": round(event.seconds, 3), **event.readings})
        elif isinstance(event, PictureDue):
            self.draw(directory.pictures / f"{checkpoint.name_of(self.state.samples_seen)}.png")
        elif isinstance(event, SaveDue):
            figures = self.quick_judge(self.sampler.values(self.quick_judge.n, SAMPLES_SEED))
            directory.log({"samples_seen": self.state.samples_seen, "seconds": round(self.state.seconds, 3), "metrics": figures})
            headline = next(iter(figures.values()))
            if self.state.best is None or headline < self.state.best["figure"]:
                self.state.best = {"checkpoint": checkpoint.name_of(self.state.samples_seen), "figure": headline}
            checkpoint.save(self.state, directory.checkpoints)
            self.sampler.save(directory.generator)
        else:
            for code in self.sampler.prior.codes:
                plots.draw_code(directory.path / f"code-{code}.png", self.sampler, code, self.run.seed + BIG_SEED)

    def draw(self, path: Path) -> None:
        """A picture of what the generator makes of the fixed latents."""
        n = plots.DEFAULT_PICTURES if self.source.schema.is_picture else plots.DEFAULT_POINTS
        values = self.sampler.values(n, self.run.seed + BIG_SEED)
        real = None if self.source.schema.is_picture else self.source.held_out(n, self.run.seed).double().numpy()
        title = f"{self.source.name}, {self.recipe.name}, {self.state.samples_seen:,} samples seen"
        plots.draw(path, values, self.source.schema, self.source.limits, self.source.law, real, title)


def prepare(
    source: Source,
    recipe: type[Recipe] | None,
    choices: dict[str, Any],
    run_choices: dict[str, Any],
    *,
    out: Path | None,
    to_disk: bool,
    resume: bool,
    warn: Callable[[str], None],
) -> Fit:
    """A fit ready to train. `choices` and `run_choices` are what the user set of the recipe and of the run.

    Raises RequestError where they do not fit the data, or the run that is resumed, naming the fields that differ; nothing has been
    written then.
    """
    if resume:
        if out is None:
            raise RequestError("resume needs out: the directory of the run to go on with")
        directory = RunDirectory.existing(out)
        training = Fit(source, *_recorded(directory, source, recipe, choices, run_choices), directory, warn)
        training.resume()
        return training
    recipe = recipe or find(DEFAULT)
    if choices.get("conditional") is None:
        labelled = source.labels_given or (recipe.needs_labels and source.schema.classes is not None)
        choices = {**choices, "conditional": labelled and recipe.takes_labels}
        if labelled and not recipe.takes_labels:
            source.notes.append(f"the labels are not used: {recipe.name} learns without")
    training = Fit(source, recipe.for_data(source.schema, choices), RunSettings(**run_choices), None, warn)
    if to_disk:
        training.directory = RunDirectory.create(out, f"{source.name}-{training.recipe.name}")
        training.directory.write_config(training.config())
    return training


def train_to_end(training: Fit, on_event: Callable[[Event], None]) -> None:
    """Train, telling `on_event` of everything. Raises InterruptedRunError after SIGINT or SIGTERM, when all is saved."""
    control = Control()
    with _signals_stop(control):
        for event in training.events(control):
            on_event(event)
    if control.stop_reason is None and isinstance(event, Finished) and event.reason != "done":
        training.warn(f"{event.reason}; training ended after {training.state.samples_seen:,} samples")
    elif isinstance(event, Finished) and event.reason != "done":
        where = f"; saved in {training.directory.path}" if training.directory is not None else ""
        message = f"stopped by {event.reason} after {training.state.samples_seen:,} samples{where}"
        raise InterruptedRunError(message, signal.Signals[event.reason])


def usable_cores() -> int:
    """The cores that this process may run on, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def resolve_device(name: str) -> torch.device:
    """The device of this name; "auto" is a GPU if there is one. Raises RequestError for one that is not there."""
    if name.split(":", maxsplit=1)[0] not in ("auto", "cpu", "cuda", "mps"):
        raise RequestError(f"device = {name!r}: must be auto, cpu, cuda or mps")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise RequestError(f"device = {name!r} is not to be had here: give cpu or auto") from None
    return device


def _recorded(
    directory: RunDirectory, source: Source, recipe: type[Recipe] | None, choices: dict[str, Any], run_choices: dict[str, Any]
) -> tuple[Recipe, RunSettings]:
    """The recipe and settings of the run in `directory`, with those that may change as given now."""
    config = directory.read_config()
    stored, run = config["recipe"], config["run"]
    differ = differences(stored, {"name": recipe.name} if recipe is not None else {}, ())
    differ = [text.replace("name:", "recipe:") for text in differ] or differences(stored, choices, ())
    differ += differences(run, run_choices, CHANGEABLE)
    data = source.describe()
    differ += differences(config["data"].get("law", {}), data.get("law", {}), ())
    if not differ and source.repeats and config["data"]["fingerprint"] != source.fingerprint:
        differ = [f"data: {config['data']['name']} is not, or no longer, what it was"]
    if differ:
        raise RequestError(
            f"{directory.path} was trained with other settings ({'; '.join(differ)}): leave them out to resume, or train anew"
        )
    return recipe_from(stored), resumed(run, run_choices)


@contextmanager
def _signals_stop(control: Control) -> Iterator[None]:
    """While training, SIGINT and SIGTERM ask for a stop; a second one acts as it always does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, _: object) -> None:
        control.stop(signal.Signals(number).name)
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
