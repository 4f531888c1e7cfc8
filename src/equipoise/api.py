"""class GAN: what users hold. Settings in, data in, samples and a report out."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch

from equipoise.coerce import whole
from equipoise.data.evaluation import open_for_evaluation, samples_of
from equipoise.data.factory import distribution_of, limits_of
from equipoise.data.sources import Source, image_limits
from equipoise.errors import EquipoiseError, RequestError, warn
from equipoise.metrics.budget import FULL, QUICK, quiet
from equipoise.plotting import plots, sheets
from equipoise.recipes import DEFAULT, find
from equipoise.report import context, saving
from equipoise.report.report import Report, evaluate
from equipoise.runs.directory import RunDirectory
from equipoise.runs.serialization import DamagedFileError
from equipoise.runs.settings import RunSettings
from equipoise.runs.split_settings import split_settings
from equipoise.runs.trained import load_run
from equipoise.runtime.device import resolve_device
from equipoise.runtime.process import iterate_with_torch_settings, restores_torch_settings
from equipoise.sampling.sampler import Codes, Sampler
from equipoise.training import resume as resuming
from equipoise.training import start, warm_start
from equipoise.training.events import Callback
from equipoise.training.progress import ProgressBar
from equipoise.training.request import Request
from equipoise.training.trainer import Trainer
from equipoise.utils.atomic_io import write_atomic
from equipoise.utils.system import usable_cores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from equipoise.data.arrays import Labels
    from equipoise.data.schema import Schema, UserData
    from equipoise.report.page import Run


@restores_torch_settings
class GAN:
    """A generative adversarial network: `GAN().fit(x).sample(1000)`.

    `recipe` names a published method (`equipoise recipes` lists them); None is the
    default, "balanced". Further keywords are fields of the recipe, such as `batch_size`
    or `gamma`, and of the run: `samples`, `minutes`, `seed`, `device`, `threads`,
    `precision`, `compile`, `memory_budget`, `label_column`, `stop_when`, `evaluate`.

    Raises RequestError for a name that is not known, with the nearest one, and for a
    value that cannot be.
    """

    def __init__(self, recipe: str | None = None, **settings: Any) -> None:
        self.recipe = None if recipe is None else find(recipe)
        self._recipe_settings, self._run_settings = split_settings(
            self.recipe or find(DEFAULT), settings
        )
        RunSettings(**self._run_settings)
        self._sampler: Sampler | None = None
        self._trainer: Trainer | None = None
        self._source: Source | None = None
        self._directory: RunDirectory | None = None
        self._config: dict[str, Any] = {}
        self._report: Report | None = None
        self._warned_of_restart = False

    def fit(
        self,
        data: Any = None,
        labels: Labels | None = None,
        *,
        out: str | Path | None = None,
        resume: bool = False,
        init_from: str | Path | GAN | None = None,
        callbacks: Sequence[Callback] = (),
        progress: bool | None = None,
    ) -> Self:
        """Train on `data`, and return self.

        Args:
            data: An array or tensor, (N,), (N, D), (N, H, W), (N, C, H, W) or (N, H, W,
                C); a DataFrame of numbers, or a Series, which is one of one column; the
                path of a .npy, .npz, .csv or .parquet file or of a folder of images; a
                Dataset or an iterable of batches; a distribution, or the name of a
                built-in source. It may be left out of a run that is resumed, if that
                can open it again.
            labels: One a sample; they make the generator conditional.
            out: A directory in which everything is kept.
            resume: Go on with the run in `out`, to the length that this GAN was given,
                in all, or to its own.
            init_from: A run's directory, or a GAN, whose weights to start from. Data of
                the same kind is needed, and its scaling and modes are taken over;
                optimiser, schedule and samples seen begin anew, and the generator's
                average (EMA) goes on from where it was.
            progress: Show a progress bar; None shows one on a terminal and in a
                notebook.
            callbacks: Each is called with every event, see `training.events`: reports,
                metrics, images, saves, the end. An exception that one raises ends the
                training, after all is saved.

        Raises:
            RequestError: Data or settings are wrong.
            EquipoiseError: Training cannot be completed.
            InterruptedRunError: Ctrl-C, after the step under way: what was trained can
                be sampled from, and with `out` it is saved and can be resumed.
        """
        if (
            self._sampler is not None
            and not self._warned_of_restart
            and not resume
            and init_from is None
        ):
            self._warned_of_restart = True
            warm_start.warn_fit_restarts(self._directory)
        trainer = self.trainer(
            data, labels, out=out, resume=resume, init_from=init_from, to_disk=out is not None
        )
        for note in resuming.notes(trainer):
            warn(note)
        with ProgressBar(progress) as bar:
            self.train(trainer, [bar, *callbacks])
        return self

    def trainer(
        self,
        data: Any = None,
        labels: Labels | None = None,
        *,
        out: str | Path | None = None,
        resume: bool = False,
        init_from: str | Path | GAN | None = None,
        to_disk: bool = True,
        warn: Callable[[str], None] = warn,
    ) -> Trainer:
        """A trainer that has not taken its first step: what `fit` makes and then runs.

        Args:
            data: As for `fit`, and so are the others.
            to_disk: Keep a run directory: `out`, or the next free name under runs/.
            warn: Is told of what the user should know, a line each.

        Raises:
            RequestError: Data or settings are wrong. Nothing has been written then.
        """
        place = None if out is None else Path(out)
        settings = self._recipe_settings, self._run_settings
        request = Request(data, labels, self.recipe, *settings, place, to_disk, warn)
        weights = (
            warm_start.of(init_from._trainer, init_from._directory)
            if isinstance(init_from, GAN)
            else init_from
        )
        return start.prepare(request, resumes=resume, init_from=weights)

    def train(self, trainer: Trainer, callbacks: Sequence[Callback] = ()) -> None:
        """Run a trainer, whose generator this GAN's is from now on. Raises as `fit`."""
        self._trainer, self._sampler, self._source = trainer, trainer.sampler, trainer.source
        self._directory, self._config, self._report = trainer.directory, trainer.config(), None
        trainer.run(callbacks)

    def sample(
        self,
        n: int,
        *,
        label: Hashable | None = None,
        code: Codes | None = None,
        seed: int | None = None,
    ) -> UserData:
        """n new samples of the kind, shape, type and units of the training data.

        `label` asks for one class of a conditional generator; without it classes come
        at their training frequencies. `code` sets codes of a generator that has them
        (the recipe infogan), each to one value or to n: {"c0": 3, "u0": np.linspace(-2,
        2, n)}; the others are drawn. Without a seed every call differs.

        Raises:
            RequestError: For a label that was not trained on, or a code that there is
                not.
        """
        return self._trained().sample(*self._asked(n, label, seed, code))

    def sample_batches(
        self,
        n: int,
        batch_size: int,
        *,
        label: Hashable | None = None,
        code: Codes | None = None,
        seed: int | None = None,
    ) -> Iterator[UserData]:
        """What `sample` returns, `batch_size` samples at a time, for more than memory
        holds. Raises RequestError as `sample` does."""
        if (size := whole("batch_size", batch_size)) < 1:
            raise RequestError(f"batch_size = {size}: must be at least 1")
        return iterate_with_torch_settings(
            self._trained().batches(size, *self._asked(n, label, seed, code)), self._threads
        )

    def encode(self, data: Any) -> dict[str, NDArray[Any]]:
        """The codes that the recipe infogan reads in samples of the training data's
        kind: {"c0": (N,) whole numbers, "u0": (N,), ...}.

        Raises:
            RequestError: For a generator without codes, or for samples of another
                shape.
        """
        sampler = self._trained()
        samples = samples_of(data, sampler.schema.columns)
        sampler.check_kind(
            samples.shape[1:],
            image_limits(samples) if sampler.schema.is_image and len(samples) else None,
        )
        return sampler.encode(torch.from_numpy(samples))

    def draw_code(self, name: str, path: str | Path, *, seed: int | None = None) -> Path:
        """Write a PNG that shows what one code of the recipe infogan does, and return
        its path.

        Images: the code's values from left to right, at most 40, other latents fixed
        along a row. Points: samples coloured by its value.
        """
        sampler = self._trained()
        sampler.prior.check_code(name)
        plots.draw_code(Path(path), sampler, name, _seed(seed))
        return Path(path)

    def draw(
        self,
        path: str | Path,
        n: int | None = None,
        *,
        label: Hashable | None = None,
        code: Codes | None = None,
        seed: int | None = None,
    ) -> Path:
        """Write a PNG of n samples, and return its path: a histogram over the true
        density, a scatter, or a grid of images. Points of one `label` are drawn beside
        held-out samples of that label, where there are any. Of images with labels,
        where nothing else is asked for, it has a row for each of the first 20 labels.
        """
        sampler, path = self._trained(), Path(path)
        unasked = n is None and label is None and code is None
        n = whole(
            "n",
            n
            if n is not None
            else plots.DEFAULT_IMAGES
            if sampler.schema.is_image
            else plots.DEFAULT_POINTS,
        )
        if n < 1:
            raise RequestError(f"n = {n}: must be at least 1")
        if unasked and sheets.has_classes(sampler):
            write_atomic(
                path, sheets.by_class(sampler, limits_of(self._config["data"]), _seed(seed))
            )
            return path
        values, distribution = (
            sampler.values(*self._asked(n, label, seed, code)),
            distribution_of(self._config["data"]),
        )
        source = (
            self._source if self._source is not None or distribution is None else self._reopened()
        )
        context.draw(path, values, sampler, source, self._config, label)
        return path

    def evaluate(
        self,
        data: Any = None,
        labels: Labels | None = None,
        *,
        inception: bool = False,
        quick: bool = False,
        on_step: Callable[[str], None] | None = None,
    ) -> Report:
        """Figures beside their real-against-real floors, and a verdict: against the
        training data's held-out part, or against `data`.

        Of other data in memory, half is compared with the samples and half gives the
        floor. In a run directory the report is kept there. `inception` adds FID and KID
        by torch-fidelity, where it and its weights are there: for photographs. `quick`
        takes a fifth of the samples or so; `on_step` is told what is measured next, see
        `metrics.budget.STEPS`.

        Raises:
            RequestError: Where data is not of the generator's kind, or what `inception`
                needs is not there.
        """
        sampler = self._trained()
        if data is None:
            source = self._source or self._reopened()
        else:
            source = open_for_evaluation(
                data, labels, self._config["run"]["label_column"], sampler.schema.columns
            )
        sampler.check_kind(source.schema.shape, source.limits)
        run, log = (
            None if self._directory is None else self._directory.path,
            context.log_of(self._trainer, self._directory),
        )
        report = evaluate(
            sampler,
            source,
            log,
            self._config,
            run,
            inception,
            QUICK if quick else FULL,
            on_step or quiet,
        )
        if data is None:
            self._report = report
        if self._directory is not None and data is None:
            (on_step or quiet)("report page")
            saving.keep(report, self._directory, self.report_page)
        return report

    @property
    def report(self) -> Report:
        """The report of the training: as it was made, or is kept, else made now."""
        return self._kept_report() or self.evaluate()

    def _kept_report(self) -> Report | None:
        """The report as it was made, or is kept; None where there is none of this
        generator."""
        if self._report is None:
            self._report = saving.kept(self._directory, self._trained().samples_seen)
        return self._report

    def report_page(self, path: str | Path) -> Path:
        """Write the report as a page, one HTML file that needs no network, and return
        its path. In a run directory `evaluate` does."""
        from equipoise.report.page import page

        write_atomic(Path(path), page(self.page_data()).encode())
        return Path(path)

    def page_data(self) -> Run:
        """All that a page shows of this run, for `equipoise.report.page`."""
        report = self.report
        try:
            source = self._source or self._reopened()
        except EquipoiseError:  # it came in Python, has changed, or cannot be fetched now
            source = None
        method, log = (
            None if self._trainer is None else self._trainer.method,
            context.log_of(self._trainer, self._directory),
        )
        return context.told(
            self._trained(), source, report, log, self._config, self._directory, method
        )

    def save(self, path: str | Path) -> None:
        """Write a run directory that `load`, `equipoise sample` and `equipoise
        evaluate` read.

        Raises:
            RequestError: If `path` is taken.
        """
        sampler = self._trained()
        if self._directory is not None and self._directory.path.resolve() == Path(path).resolve():
            return
        report = None
        with suppress(DamagedFileError):  # a kept report that is not whole is none to copy
            report = self._kept_report()
        saving.save(
            Path(path),
            sampler,
            self._config,
            context.log_of(self._trainer, self._directory),
            self._trainer,
            report,
        )

    @classmethod
    def load(cls, path: str | Path, device: str = "auto") -> Self:
        """The GAN of a run directory.

        Raises:
            RequestError: If there is none, EquipoiseError if its files are damaged.
        """
        gan = cls()
        gan._directory, gan._config, gan._sampler = load_run(Path(path), resolve_device(device))
        requested = gan._config[
            "requested"
        ]  # by the user; what was derived from the data is derived again
        gan.recipe, gan._recipe_settings, gan._run_settings = (
            type(gan._sampler.recipe),
            dict(requested["recipe"]),
            dict(requested["run"]),
        )
        if device != "auto":
            gan._run_settings["device"] = device
        return gan

    @property
    def schema(self) -> Schema:
        """What one sample looks like."""
        return self._trained().schema

    @property
    def _threads(self) -> int | None:
        """The threads that it was trained on, where there are so many; None before."""
        return (
            min(max(self._config["machine"]["threads"], 1), usable_cores())
            if self._config
            else None
        )

    def _trained(self) -> Sampler:
        if self._sampler is None:
            raise RequestError("this GAN is not trained yet: call fit, or GAN.load")
        return self._sampler

    def _asked(
        self, n: int, label: Hashable | None, seed: int | None, code: Codes | None
    ) -> tuple[Any, ...]:
        """What was asked of `sample`, as the sampler takes it."""
        sampler, n = self._trained(), whole("n", n)
        if n < 0:
            raise RequestError(f"n = {n}: must be at least 0")
        return n, _seed(seed), None if label is None else sampler.position(label), code

    def _reopened(self) -> Source:
        self._source = context.reopened(self._config)
        return self._source


def _seed(given: int | None) -> int:
    """The seed of one draw: the one given, or another every time."""
    return secrets.randbits(31) if given is None else whole("seed", given)
