"""A trained generator with all that is known of its training: what a GAN holds once it
is trained or loaded."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equipoise import __version__
from equipoise.coerce import whole
from equipoise.data.evaluation import one_or_many, open_for_evaluation, samples_of
from equipoise.data.factory import open_again, open_source
from equipoise.data.images.given import images_at
from equipoise.data.limits import image_limits
from equipoise.data.sources import Source
from equipoise.errors import EquipoiseError, RequestError, warn
from equipoise.metrics.budget import FULL, QUICK
from equipoise.plotting import plots, sheets
from equipoise.report import context, sample_files, saving
from equipoise.report.charts import data_uri
from equipoise.report.context import PageContext
from equipoise.report.notebook import Card
from equipoise.report.page import page
from equipoise.report.report import Report, evaluate
from equipoise.runs.config import RunConfig
from equipoise.runs.directory import RunDirectory
from equipoise.runs.generator import sampler_files, sampler_of
from equipoise.runs.serialization import DamagedFileError
from equipoise.runs.trained import load_run
from equipoise.runtime.device import resolve_device
from equipoise.sampling.conditions import Conditions, Where
from equipoise.sampling.draws import Codes
from equipoise.sampling.export.exporting import Exported, export
from equipoise.sampling.latents import latents_of, truncated_latents
from equipoise.sampling.latents import samples_of as samples_of_latents
from equipoise.sampling.sampler import EVALUATION_SEED, Asked, Sampler
from equipoise.sampling.truncation import truncated
from equipoise.training import warm_start
from equipoise.training.trainer import Trainer
from equipoise.training.warm_start import Weights
from equipoise.utils.atomic_io import write_atomic
from equipoise.utils.system import usable_cores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from equipoise.data.arrays import Labels
    from equipoise.data.schema import UserData

SHOWN = 64  # samples that must be finite before a notebook draws some


@dataclass
class TrainedRun:
    """A training of this process, or a run directory that was loaded."""

    sampler: Sampler
    config: RunConfig
    directory: RunDirectory | None
    """Where it is kept; None in memory."""
    trainer: Trainer | None = None
    """None for a run that was loaded."""
    source: Source | None = None
    """The training data; None until it is opened again."""
    report: Report | None = None
    """On the training data; None until it is made or read."""
    kept_log: list[dict[str, Any]] = field(default_factory=list)
    """The lines of the log of a run that has neither trainer nor directory."""

    @classmethod
    def of(cls, trainer: Trainer) -> TrainedRun:
        """The run of a trainer, which may still be training."""
        return cls(trainer.sampler, trainer.config, trainer.directory, trainer, trainer.source)

    @classmethod
    def load(cls, path: Path, device: torch.device) -> TrainedRun:
        """The run in a directory. Raises as `load_run`."""
        directory, config, sampler = load_run(path, device)
        return cls(sampler, config, directory)

    @classmethod
    def read_only(cls, path: Path, device: torch.device) -> TrainedRun:
        """As `load`, of a directory that nothing is written to: one that came with the
        package, or is in the cache of another program. Raises as `load_run`."""
        directory, config, sampler = load_run(path, device)
        report = saving.read_report(directory, sampler.samples_seen)
        return cls(sampler, config, None, report=report, kept_log=directory.read_log(warn))

    def __getstate__(self) -> dict[str, Any]:
        """What pickling and copying keep: the generator, configuration, report and log;
        neither the training data nor what a training needs to go on."""
        report = None
        with suppress(EquipoiseError):
            report = self.kept_report()
        return {
            "files": sampler_files(self.sampler),
            "config": self.config,
            "report": report,
            "log": list(self.log),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(  # type: ignore[misc]  # of this very class
            sampler_of(state["files"], resolve_device("auto")),
            state["config"],
            None,
            report=state["report"],
            kept_log=state["log"],
        )

    @property
    def log(self) -> list[dict[str, Any]]:
        """The lines of log.jsonl."""
        if self.trainer is not None:
            return self.trainer.log
        return self.kept_log if self.directory is None else self.directory.read_log(warn)

    @property
    def threads(self) -> int:
        """The threads that it was trained on, where there are so many."""
        return min(self.config.machine.threads, usable_cores())

    def training_data(self) -> Source:
        """The data that it was trained on, opened again where need be.

        Raises:
            RequestError: It came in Python, has changed, or cannot be read.
        """
        if self.source is None:
            settings = self.config.settings
            self.source = open_again(
                self.config.data,
                label_column=settings.label_column,
                memory_budget=settings.memory_budget,
                split_seed=settings.seed_of_split,
                images=settings.images,
                roles=settings.roles,
            )
            self.source.has_validation = settings.has_validation
        return self.source

    def sampling_arguments(
        self, n: int, label: Hashable | None, seed: int | None, code: Codes | None
    ) -> tuple[int, int, int | None, Codes | None]:
        """The arguments of `Sampler.sample`: n, a seed, the label's position, codes.

        Raises:
            RequestError: For a negative n, or a label that was not trained on.
        """
        if (n := whole("n", n)) < 0:
            raise RequestError(f"n = {n}: must be at least 0")
        position = None if label is None else self.sampler.position(label)
        return n, seed_of_draw(seed), position, code

    def sample_latents(
        self,
        latents: Any,
        label: Hashable | None,
        seed: int | None,
        code: Codes | None,
        truncation: float | None,
    ) -> UserData:
        """A sample of each of the given latents. Raises as `GAN.sample`."""
        sampler = self.sampler
        position = None if label is None else sampler.position(label)
        given = seed_of_draw(0 if seed is None else seed)
        found = latents_of(sampler, latents, given, position, code)
        if seed is not None:
            found = replace(found, seed=given)
        return samples_of_latents(sampler, truncated_latents(sampler, found, truncation))

    def weights(self) -> Weights:
        """The weights to start another training from: as they are now, or those in the
        run's directory; without one the generator's alone.

        Raises:
            EquipoiseError: Files of the run are damaged or missing.
        """
        if self.trainer is not None:
            return warm_start.weights_of(self.trainer)
        if self.directory is None:
            return warm_start.weights_of_sampler(self.sampler, self.config)
        return warm_start.read(self.directory.path, self.config)

    def encode(self, data: Any) -> dict[str, NDArray[Any]]:
        """The codes that the encoder reads in samples. Raises as `GAN.encode`."""
        return self.sampler.encode(torch.from_numpy(self.samples_like_own(data)))

    def samples_like_own(self, data: Any, *, generated: bool = False) -> NDArray[Any]:
        """Samples of the training data's kind, (n, *shape).

        Args:
            data: An array, a tensor, a table, or one sample; or the path of a file, an
                image or a folder of images.
            generated: Whether they may be samples of this generator, whose range can be
                a part of the data's.

        Raises:
            RequestError: They are of another kind.
        """
        sampler = self.sampler
        if sampler.schema.is_image and isinstance(data, str | Path):
            images = images_at(Path(data), self.config.data.schema, self.config.settings.images)
            samples = samples_of(data, sampler.schema) if images is None else images
        else:
            samples = samples_of(one_or_many(data, sampler.schema), sampler.schema)
        has_limits = sampler.schema.is_image and len(samples) > 0 and not generated
        sampler.check_kind(samples.shape[1:], image_limits(samples) if has_limits else None)
        return samples

    def open_data(self, data: Any, labels: Labels | None) -> Source:
        """Data of the training's kind, split as the training's was."""
        settings = self.config.settings
        source = open_source(
            data,
            labels,
            label_column=settings.label_column,
            memory_budget=settings.memory_budget,
            split_seed=settings.seed_of_split,
            images=settings.images,
            table=self.sampler.schema.table,
            roles=settings.roles,
        )
        self.sampler.check_kind(source.schema.shape, source.limits)
        return source

    def evaluate(
        self,
        data: Any,
        labels: Labels | None,
        *,
        inception: bool,
        target: str | None,
        quick: bool,
        on_step: Callable[[str], None],
    ) -> Report:
        """The report on the generator. That on the training data is kept, with its
        page.

        Args:
            data: To compare samples with; None for the training data.
            labels: Of `data`.
            inception: Whether to add FID and KID.
            target: A column of a table, to add how well models predict it.
            quick: Whether to take fewer samples.
            on_step: Called with what is measured next.
        """
        sampler, own = self.sampler, data is None
        if own:
            source = self.training_data()
        else:
            settings, schema = self.config.settings, sampler.schema
            source = open_for_evaluation(
                data, labels, settings.label_column, schema, settings.images
            )
        sampler.check_kind(source.schema.shape, source.limits)
        path = None if self.directory is None else self.directory.path
        budget = QUICK if quick else FULL
        report = evaluate(
            sampler, source, self.log, self.config, path, inception, target, budget, on_step
        )
        if own:
            self.report = report
            if self.trainer is not None:
                _track(self.trainer, report)
            if self.directory is not None:
                on_step("report page")
                saving.save_report(
                    report, self.directory, lambda file: self.write_page(file, report)
                )
        return report

    def card(self, title: str) -> Card:
        """What a notebook shows: samples, and the report where there is one.

        Args:
            title: Stands above.
        """
        report, picture = None, ""
        with suppress(EquipoiseError):  # its file is damaged
            report = self.kept_report()
        with suppress(EquipoiseError):  # no sample meets the constraints
            if np.isfinite(self.sampler.values(SHOWN, EVALUATION_SEED)).all():
                picture = data_uri(self.picture(seed=EVALUATION_SEED))
        if report is not None:
            return report.card(title, picture)
        about = (
            f"Trained on {self.sampler.samples_seen:,} samples of {self.config.data.label}",
            "Not measured yet: call evaluate()",
        )
        return Card(title, about, picture)

    def kept_report(self) -> Report | None:
        """The report as it was made, or is kept; None where there is none of this
        generator."""
        if self.report is None:
            self.report = saving.read_report(self.directory, self.sampler.samples_seen)
        return self.report

    def page_context(self, report: Report) -> PageContext:
        """All that a page shows of this run."""
        try:
            source = self.training_data()
        except EquipoiseError:  # it came in Python, has changed, or cannot be fetched now
            source = None
        state = None if self.trainer is None else self.trainer.state
        return context.page_context(
            self.sampler, source, report, self.log, self.config, self.directory, state
        )

    def write_page(self, path: Path, report: Report) -> None:
        """Write the report's page."""
        write_atomic(path, page(self.page_context(report)).encode())

    def export(self, path: Path, int8: bool) -> Exported:
        """Write the generator for other programs, with the verdict on it where there is
        one."""
        report = self.kept_report()
        verdict = None
        if report is not None:
            verdict = {"name": report.verdict.name, "sentence": report.verdict.sentence}
        return export(
            self.sampler,
            path,
            library=__version__,
            verdict=verdict,
            int8=int8,
            training_data=self.training_data,
            seed=self.config.settings.seed,
        )

    def picture(
        self,
        n: int | None = None,
        label: Hashable | None = None,
        code: Codes | None = None,
        seed: int | None = None,
        *,
        truncation: float | None = None,
        with_real: bool = True,
    ) -> bytes:
        """A PNG of n samples; of images with labels, where nothing is asked for, a row
        of each of the first labels.

        Args:
            truncation: As for `GAN.sample`.
            with_real: Whether real samples may be drawn beside.
        """
        sampler, data = truncated(self.sampler, truncation), self.config.data
        if n is None and label is None and not code and sheets.has_classes(sampler):
            return sheets.by_class(sampler, data.limits, seed_of_draw(seed))
        if n is None:
            n = plots.DEFAULT_IMAGES if sampler.schema.is_image else plots.DEFAULT_POINTS
        if (n := whole("n", n)) < 1:
            raise RequestError(f"n = {n}: must be at least 1")
        values = sampler.values(*self.sampling_arguments(n, label, seed, code))
        source = self.source if data.distribution is None else self.training_data()
        real = source if with_real or data.distribution is not None else None
        return context.picture(values, sampler, real, self.config, label)

    def write_samples(
        self,
        path: Path,
        n: int,
        label: Hashable | None,
        code: Codes | None,
        seed: int | None,
        conditions: Conditions | None,
        where: Where | None,
        shard_size: int | None,
        truncation: float | None,
    ) -> None:
        """Write n samples into files. Raises as `GAN.write_samples`.

        Args:
            conditions: What `where` asks for.
            shard_size: Samples of each file; None for as many as there usually are.
            truncation: From 0 to 1; None for none.
        """
        asked = Asked(*self.sampling_arguments(n, label, seed, code), conditions)
        open_fields = {"seed": seed is None, "shard_size": shard_size is None}
        request = sample_files.WriteRequest(
            path,
            asked,
            where,
            shard_size,
            {name for name, of in open_fields.items() if of},
            truncation,
        )
        sample_files.write(self.sampler, self.config.data, request)

    def draw_code(self, path: Path, name: str, seed: int | None) -> None:
        """Write a PNG that shows what one code does. Raises as `Prior.known`."""
        self.sampler.prior.check_code(name)
        plots.draw_code(path, self.sampler, name, seed_of_draw(seed))

    def save(self, path: Path) -> None:
        """Write a run directory, unless it is that of this run.

        Raises:
            RequestError: If `path` is taken.
        """
        if self.directory is not None and self.directory.path.resolve() == path.resolve():
            return
        report = None
        with suppress(DamagedFileError):  # a kept report that is not whole is none to copy
            report = self.kept_report()
        saving.save_run(path, self.sampler, self.config, self.log, self.trainer, report)


def _track(trainer: Trainer, report: Report) -> None:
    """Tell the trackers of a training of its report."""
    values = {metric.key: metric.value for metric in report.metrics}
    baselines = {metric.key: metric.baseline for metric in report.metrics}
    trainer.track_report(values, baselines, report.verdict.name, str(report))


def seed_of_draw(given: int | None) -> int:
    """The seed of one draw: the one given, or another every time."""
    return secrets.randbits(31) if given is None else whole("seed", given)
