"""class GAN: what users hold. Settings in, data in, samples and a report out."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch

from equipoise import ending, fitting, plots, starting
from equipoise.choices import split_settings
from equipoise.data.memory import usable_cores
from equipoise.data.opening import law_of, open_again, open_source
from equipoise.data.others import open_to_judge, samples_of
from equipoise.data.sources import Source, picture_limits
from equipoise.errors import EquipoiseError, EquipoiseWarning, RequestError, printable
from equipoise.kinds import whole
from equipoise.recipes import DEFAULT, find
from equipoise.report import Report, evaluate
from equipoise.telling import draw_beside, told
from equipoise.training.device import check_trainable, resolve_device
from equipoise.training.files import DamagedFileError, write_whole
from equipoise.training.loop import Event
from equipoise.training.process import each_at_work, leaves_process_as_it_was
from equipoise.training.rundir import RunDirectory
from equipoise.training.sampler import Codes, Sampler
from equipoise.training.settings import RunSettings, resumed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from equipoise.data.formats import Labels
    from equipoise.data.schema import Schema, UserData
    from equipoise.page import Run


@leaves_process_as_it_was
class GAN:
    """A generative adversarial network: `GAN().fit(x).sample(1000)`.

    `recipe` names a published method (`equipoise recipes` lists them); None is the default, "balanced". Further keywords are fields of the
    recipe, such as `batch_size` or `gamma`, and of the run: `samples`, `minutes`, `seed`, `device`, `threads`, `precision`,
    `compile`, `tune_speed`, `memory_budget`, `label_column`, `stop_when`.

    Raises RequestError for a name that is not known, with the nearest one, and for a value that cannot be.
    """

    def __init__(self, recipe: str | None = None, **settings: Any) -> None:
        self.recipe = None if recipe is None else find(recipe)
        self._choices, self._run_choices = split_settings(self.recipe or find(DEFAULT), settings)
        RunSettings(**self._run_choices)
        self._sampler: Sampler | None = None
        self._fit: fitting.Fit | None = None
        self._source: Source | None = None
        self._directory: RunDirectory | None = None
        self._config: dict[str, Any] = {}
        self._report: Report | None = None

    def fit(
        self,
        data: Any,
        labels: Labels | None = None,
        *,
        out: str | Path | None = None,
        resume: bool = False,
        on_event: Callable[[Event], None] | None = None,
    ) -> Self:
        """Train on `data`, and return self.

        `data` is an array or tensor, (N,), (N, D), (N, H, W), (N, C, H, W) or (N, H, W, C); a DataFrame of numbers, or a Series, which is
        one of one column; the path of a .npy, .npz, .csv or .parquet file or of a folder of pictures; a Dataset or an iterable of batches;
        a law, or the name of a built-in source. `labels`, one a sample, make the generator conditional. With `out` everything is kept in
        that directory, and `resume=True` goes on with the run there. `on_event` is told of every report, picture and save.

        Raises RequestError where data or settings are wrong, EquipoiseError where training cannot be completed. Ctrl-C raises
        InterruptedRunError after the step under way: what was trained can be sampled from, and with `out` it is saved and can be resumed.
        """
        training = self.prepare(data, labels, out=out, resume=resume, to_disk=out is not None)
        for note in training.source.notes:
            warnings.warn(printable(note), stacklevel=3)
        self.run(training, on_event or (lambda _: None))
        return self

    def prepare(
        self,
        data: Any,
        labels: Labels | None = None,
        *,
        out: str | Path | None = None,
        resume: bool = False,
        to_disk: bool = True,
        warn: Callable[[str], None] = warnings.warn,
    ) -> fitting.Fit:
        """What `fit` does before the first step: open the data, check it against the settings, make or open the run directory."""
        check_trainable()
        place, run = None if out is None else Path(out), RunSettings(**self._run_choices)
        if place is not None and resume:
            recorded = RunDirectory.existing(place).read_config()
            run = resumed(recorded["run"], self._run_choices)
            if isinstance(data, str) and data == recorded["data"]["name"]:
                data = law_of(recorded["data"]) or data
        elif place is not None:
            RunDirectory.refuse_taken(place)
        source = open_source(data, labels, label_column=run.label_column, memory_budget=run.memory_budget, split_seed=run.seed)
        return starting.prepare(source, self.recipe, self._choices, self._run_choices, out=place, to_disk=to_disk, resume=resume, warn=warn)

    def run(self, training: fitting.Fit, on_event: Callable[[Event], None]) -> None:
        """Train what `prepare` prepared."""
        self._fit, self._sampler, self._source = training, training.sampler, training.source
        self._directory, self._config, self._report = training.directory, training.config(), None
        ending.train_to_end(training, on_event)

    def sample(self, n: int, *, label: Hashable | None = None, code: Codes | None = None, seed: int | None = None) -> UserData:
        """n new samples of the kind, shape, type and units of the training data.

        `label` asks for one class of a conditional generator; without it classes come at their training frequencies. `code` sets codes of
        a generator that has them (the recipe infogan), each to one value or to n: {"c0": 3, "u0": np.linspace(-2, 2, n)}; the others are
        drawn. Without a seed every call differs. Raises RequestError for a label that was not trained on, or a code that there is not.
        """
        return self._trained().sample(*self._asked(n, label, seed, code))

    def sample_batches(
        self, n: int, batch_size: int, *, label: Hashable | None = None, code: Codes | None = None, seed: int | None = None
    ) -> Iterator[UserData]:
        """What `sample` returns, `batch_size` samples at a time, for more than memory holds.

        Raises RequestError as `sample` does.
        """
        if (size := whole("batch_size", batch_size)) < 1:
            raise RequestError(f"batch_size = {size}: must be at least 1")
        return each_at_work(self._trained().batches(size, *self._asked(n, label, seed, code)), self._threads)

    def encode(self, data: Any) -> dict[str, NDArray[Any]]:
        """The codes that the recipe infogan reads in samples of the training data's kind: {"c0": (N,) whole numbers, "u0": (N,), ...}.

        Raises RequestError for a generator without codes, or for samples of another shape.
        """
        sampler = self._trained()
        samples = samples_of(data, sampler.schema.columns)
        sampler.check_kind(samples.shape[1:], picture_limits(samples) if sampler.schema.is_picture and len(samples) else None)
        return sampler.encode(torch.from_numpy(samples))

    def draw_code(self, name: str, path: str | Path, *, seed: int | None = None) -> Path:
        """Write a PNG that shows what one code of the recipe infogan does, and return its path.

        Pictures: the code's values from left to right, at most 40, other latents fixed along a row. Points: samples coloured by its value.
        """
        sampler = self._trained()
        sampler.prior.known(name)
        plots.draw_code(Path(path), sampler, name, _seed(seed))
        return Path(path)

    def draw(
        self, path: str | Path, n: int | None = None, *, label: Hashable | None = None, code: Codes | None = None, seed: int | None = None
    ) -> Path:
        """Write a PNG of n samples, and return its path: a histogram over the true density, a scatter, or a grid of pictures. Points of
        one `label` are drawn beside held-out samples of that label, where there are any."""
        sampler, path = self._trained(), Path(path)
        n = whole("n", n if n is not None else plots.DEFAULT_PICTURES if sampler.schema.is_picture else plots.DEFAULT_POINTS)
        if n < 1:
            raise RequestError(f"n = {n}: must be at least 1")
        values, described = sampler.values(*self._asked(n, label, seed, code)), self._config["data"]
        source = self._source if self._source is not None or law_of(described) is None else self._reopened()
        draw_beside(path, sampler, values, described, source, label)
        return path

    def evaluate(self, data: Any = None, labels: Labels | None = None, *, inception: bool = False) -> Report:
        """Figures beside their real-against-real floors, and a verdict: against the training data's held-out part, or against `data`.

        Of other data in memory, half is compared with the samples and half gives the floor. In a run directory the report
        is kept there. `inception` adds FID and KID by torch-fidelity, where it and its weights are there: for photographs.

        Raises RequestError where data is not of the generator's kind, or what `inception` needs is not there.
        """
        sampler = self._trained()
        if data is None:
            source = self._source or self._reopened()
        else:
            source = open_to_judge(data, labels, self._config["run"]["label_column"], sampler.schema.columns)
        sampler.check_kind(source.schema.shape, source.limits)
        run = None if self._directory is None else self._directory.path
        report = evaluate(sampler, source, self._log(), self._config, run, inception)
        if data is None:
            self._report = report
        if self._directory is not None and data is None:
            try:
                report.save(self._directory.report)
                self.report_page(self._directory.page)
            except EquipoiseError as error:  # of a run that may only be read
                warnings.warn(f"{error}; the report is not kept", EquipoiseWarning, stacklevel=3)
        return report

    @property
    def report(self) -> Report:
        """The report of the training: as it was made, or is kept, else made now."""
        return self._kept_report() or self.evaluate()

    def _kept_report(self) -> Report | None:
        """The report as it was made, or is kept; None where there is none of this generator."""
        kept = None if self._directory is None or not self._directory.report.is_file() else Report.read(self._directory.report)
        if self._report is None and kept is not None and kept.samples_seen == self._trained().samples_seen:
            self._report = kept
        return self._report

    def report_page(self, path: str | Path) -> Path:
        """Write the report as a page, one HTML file that needs no network, and return its path. In a run directory `evaluate` does."""
        from equipoise.page import page

        write_whole(Path(path), page(self.told()).encode())
        return Path(path)

    def told(self) -> Run:
        """All that a page shows of this run, for `equipoise.page`."""
        report = self.report
        try:
            source = self._source or self._reopened()
        except EquipoiseError:  # data that was handed over in Python, or is no longer what it was, or cannot be fetched now
            source = None
        method = None if self._fit is None else self._fit.method
        return told(self._trained(), source, report, self._log(), self._config, self._directory, method)

    def _log(self) -> list[dict[str, Any]]:
        if self._fit is not None:
            return self._fit.log
        if self._directory is None:
            return []
        return self._directory.read_log(lambda damage: warnings.warn(damage, EquipoiseWarning, stacklevel=2))

    def save(self, path: str | Path) -> None:
        """Write a run directory that `load`, `equipoise sample` and `equipoise evaluate` read. Raises RequestError if `path` is taken."""
        sampler = self._trained()
        if self._directory is not None and self._directory.path.resolve() == Path(path).resolve():
            return
        directory = RunDirectory.create(Path(path), "run")
        try:
            directory.write_config(self._config)
            sampler.save(directory.generator)
            if self._fit is not None:
                self._fit.save(directory.checkpoints)
            directory.write_log(self._log())
            with suppress(DamagedFileError):  # a kept report that is not whole is none to copy
                if (report := self._kept_report()) is not None:
                    report.save(directory.report)
        finally:
            directory.unlock()

    @classmethod
    def load(cls, path: str | Path, device: str = "auto") -> Self:
        """The GAN of a run directory. Raises RequestError if there is none, EquipoiseError if its files are damaged."""
        directory = RunDirectory.existing(Path(path))
        if not directory.generator.is_file():
            raise EquipoiseError(f"{path} has no generator yet: training was stopped before its first save; resume it")
        gan = cls()
        gan._directory, gan._config = directory, directory.read_config()
        gan._sampler = Sampler.load(directory.generator, resolve_device(device))
        gan.recipe = type(gan._sampler.recipe)
        gan._choices = {field.name: getattr(gan._sampler.recipe, field.name) for field in fields(gan._sampler.recipe)}
        if not gan._choices["conditional"]:  # off without labels is no choice: those that are handed to `fit` are learned
            del gan._choices["conditional"]
        return gan

    @property
    def schema(self) -> Schema:
        """What one sample looks like."""
        return self._trained().schema

    @property
    def _threads(self) -> int | None:
        """The threads that it was trained on, where there are so many; None before."""
        return min(max(self._config["machine"]["threads"], 1), usable_cores()) if self._config else None

    def _trained(self) -> Sampler:
        if self._sampler is None:
            raise RequestError("this GAN is not trained yet: call fit, or GAN.load")
        return self._sampler

    def _asked(self, n: int, label: Hashable | None, seed: int | None, code: Codes | None) -> tuple[Any, ...]:
        """What was asked of `sample`, as the sampler takes it."""
        sampler, n = self._trained(), whole("n", n)
        if n < 0:
            raise RequestError(f"n = {n}: must be at least 0")
        return n, _seed(seed), None if label is None else sampler.position(label), code

    def _reopened(self) -> Source:
        run = self._config["run"]
        self._source = open_again(
            self._config["data"], label_column=run["label_column"], memory_budget=run["memory_budget"], split_seed=run["seed"]
        )
        return self._source


def _seed(given: int | None) -> int:
    """The seed of one draw: the one given, or another every time."""
    return secrets.randbits(31) if given is None else whole("seed", given)
