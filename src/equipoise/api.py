"""The Python API: class GAN, which trains, samples, evaluates, saves and loads."""

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

    Args:
        recipe: The name of a published method; `equipoise recipes` lists them. None:
            "balanced", or the recipe of the run that `fit` resumes or starts from.
        **settings: Fields of the recipe, such as `batch_size`, `learning_rate` or
            `gamma`, and of the run: `samples` or `minutes`, `seed`, `device`,
            `threads`, `precision`, `compile`, `memory_budget`, `label_column`,
            `stop_when`, `evaluate`, `tracker`. See `runs.settings.RunSettings` for
            their units and defaults. A field that is left out has the recipe's default
            for the data.

    Raises:
        RequestError: A name is unknown, or a value is of the wrong type or out of
            bounds. The message lists all mistakes.
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
        """Train on `data`.

        Args:
            data: An array or tensor of points, (N,) or (N, D), or of images, (N, H, W),
                (N, C, H, W) or (N, H, W, C). A DataFrame or Series of numbers. The path
                of a file of a type that `equipoise datasets` lists, or of a folder of
                images. A torch Dataset or an iterable of batches. A distribution, or
                the name of a built-in source. None only with `resume`, if the run can
                open its data again.
            labels: N labels, which make the generator conditional. None: those in the
                data's files or `label_column`, if any.
            out: The run directory to write: checkpoints, log, images, generator. None:
                nothing is written.
            resume: Resume the run in `out`. `samples` or `minutes` of this GAN are the
                new total length; by default the run's own.
            init_from: A GAN or a run directory for a warm start. The data must be of
                the same kind. Weights, EMA, scaling and clusters are reused;
                optimisers, schedule and samples seen start anew.
            callbacks: Functions that are called with every event, see
                `training.events`. An exception that one raises ends the training, after
                saving.
            progress: Whether to show a progress bar on stderr. None: on a terminal or
                in a notebook.

        Returns:
            This GAN, trained.

        Raises:
            RequestError: Data or settings are wrong. Nothing was written.
            EquipoiseError: Training could not be completed.
            InterruptedRunError: Ctrl-C or SIGTERM, after the current step. The GAN can
                be sampled from. With `out` it is saved, and can be resumed.
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
        """Construct the trainer that `fit` runs, before its first step.

        Args:
            data: As for `fit`.
            labels: As for `fit`.
            out: As for `fit`.
            resume: As for `fit`.
            init_from: As for `fit`.
            to_disk: Whether to write a run directory: `out`, or else the next free name
                under runs/.
            warn: Called with each warning, one line. Default: an EquipoiseWarning.

        Raises:
            RequestError: Data or settings are wrong. Nothing was written.
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
        """Run a trainer; this GAN then has its generator.

        Args:
            trainer: As from `trainer`.
            callbacks: As for `fit`.

        Raises:
            EquipoiseError: As for `fit`.
        """
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
        """Draw n samples.

        Args:
            n: Number of samples, at least 0.
            label: The class to draw, for a conditional generator. None: classes at
                their training frequencies.
            code: Values of codes, for the recipe infogan: one value or n values by
                name, such as {"c0": 3, "u0": np.linspace(-2, 2, n)}. Other codes are
                drawn at random.
            seed: Equal seeds give equal samples, and the first ones are the same for
                every n. None: other samples at each call.

        Returns:
            Samples of the container, shape, dtype and units of the training data.

        Raises:
            RequestError: The GAN is not trained, the label or code is unknown, or
                memory cannot hold the samples.
        """
        return self._trained().sample(*self._sampler_arguments(n, label, seed, code))

    def sample_batches(
        self,
        n: int,
        batch_size: int,
        *,
        label: Hashable | None = None,
        code: Codes | None = None,
        seed: int | None = None,
    ) -> Iterator[UserData]:
        """Draw n samples in batches, for more than memory can hold.

        Args:
            n: As for `sample`.
            batch_size: Samples in a batch; the last batch has the rest.
            label: As for `sample`.
            code: As for `sample`.
            seed: As for `sample`. The samples are those that `sample` returns.

        Returns:
            An iterator over batches, each as from `sample`.

        Raises:
            RequestError: As for `sample`.
        """
        if (size := whole("batch_size", batch_size)) < 1:
            raise RequestError(f"batch_size = {size}: must be at least 1")
        batches = self._trained().batches(size, *self._sampler_arguments(n, label, seed, code))
        return iterate_with_torch_settings(batches, self._threads)

    def encode(self, data: Any) -> dict[str, NDArray[Any]]:
        """Predict the codes of samples, with a generator of the recipe infogan.

        Args:
            data: N samples of the training data's kind, as for `fit`.

        Returns:
            By name: categorical codes c0, ... as whole numbers, (N,); continuous codes
            u0, ... as floats, (N,).

        Raises:
            RequestError: The generator has no codes, or the samples have another shape.
        """
        sampler = self._trained()
        samples = samples_of(data, sampler.schema.columns)
        sampler.check_kind(
            samples.shape[1:],
            image_limits(samples) if sampler.schema.is_image and len(samples) else None,
        )
        return sampler.encode(torch.from_numpy(samples))

    def draw_code(self, name: str, path: str | Path, *, seed: int | None = None) -> Path:
        """Write a PNG that shows the effect of one code of the recipe infogan.

        Images: the code's values from left to right, at most 40, with all other latents
        fixed along a row. Points: samples coloured by the code's value.

        Args:
            name: The code: c0, ..., or u0, ...
            path: The file to write.
            seed: As for `sample`.

        Returns:
            `path`.

        Raises:
            RequestError: The generator has no such code.
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
        """Write a PNG of samples: a histogram, a scatter plot or a grid of images.

        Points are drawn with held-out samples, and of a known distribution with its
        density. Images of a conditional generator have a row for each of the first 20
        labels, if `n`, `label` and `code` are None.

        Args:
            path: The file to write.
            n: Number of samples. None: 10,000 points or 64 images.
            label: As for `sample`.
            code: As for `sample`.
            seed: As for `sample`.

        Returns:
            `path`.

        Raises:
            RequestError: As for `sample`.
        """
        sampler, path = self._trained(), Path(path)
        is_default = n is None and label is None and code is None
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
        if is_default and sheets.has_classes(sampler):
            write_atomic(
                path, sheets.by_class(sampler, limits_of(self._config["data"]), _seed(seed))
            )
            return path
        values, distribution = (
            sampler.values(*self._sampler_arguments(n, label, seed, code)),
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
        """Compute metrics with their real-versus-real baselines, and a verdict.

        A report on the held-out data of a run directory is also written there.

        Args:
            data: Data to compare with, as for `fit`: half of it is compared with
                generated samples, the other half gives the baselines. None: the
                held-out part of the training data.
            labels: Labels of `data`, if any.
            inception: Whether to add FID and KID on Inception features, for
                photographs. Needs torch-fidelity and its weights.
            quick: Whether to use about a fifth of the samples.
            on_step: Called with the name of each step before it, one of
                `metrics.budget.STEPS`.

        Returns:
            The report.

        Raises:
            RequestError: Data is of another kind than the generator's, or
                torch-fidelity is missing.
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
        """The report on the held-out data: the last one, the one in the run directory,
        or else computed now."""
        return self._kept_report() or self.evaluate()

    def _kept_report(self) -> Report | None:
        """The last report, or the one in the run directory; None if there is none of
        this generator."""
        if self._report is None:
            self._report = saving.kept(self._directory, self._trained().samples_seen)
        return self._report

    def report_page(self, path: str | Path) -> Path:
        """Write the report as one HTML file that loads nothing from the network.

        `evaluate` writes it for a run directory.

        Args:
            path: The file to write.

        Returns:
            `path`.
        """
        from equipoise.report.page import page

        write_atomic(Path(path), page(self.page_data()).encode())
        return Path(path)

    def page_data(self) -> Run:
        """The content of the report's page, for `equipoise.report.page`."""
        report = self.report
        try:
            source = self._source or self._reopened()
        except EquipoiseError:  # passed in Python, changed, or not available now
            source = None
        method, log = (
            None if self._trainer is None else self._trainer.method,
            context.log_of(self._trainer, self._directory),
        )
        return context.told(
            self._trained(), source, report, log, self._config, self._directory, method
        )

    def save(self, path: str | Path) -> None:
        """Write a run directory, for `load`, `equipoise sample` and `equipoise
        evaluate`.

        Args:
            path: The directory; must be empty or not exist. Does nothing if this is the
                GAN's own run directory.

        Raises:
            RequestError: The path exists.
        """
        sampler = self._trained()
        if self._directory is not None and self._directory.path.resolve() == Path(path).resolve():
            return
        report = None
        with suppress(DamagedFileError):  # a damaged report is not copied
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
        """Load the GAN of a run directory.

        Args:
            path: The directory.
            device: Where to sample: "cpu", "cuda", or "auto" for a CUDA GPU if there is
                one.

        Raises:
            RequestError: The path is not a run directory.
            EquipoiseError: Its files are damaged, or it has no generator yet.
        """
        gan = cls()
        gan._directory, gan._config, gan._sampler = load_run(Path(path), resolve_device(device))
        # The user's settings only. Those that depend on the data are derived again.
        requested = gan._config["requested"]
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
        """Shape, dtype, columns and classes of a sample."""
        return self._trained().schema

    @property
    def _threads(self) -> int | None:
        """The number of threads of the training, at most the usable cores; None before
        training."""
        return (
            min(max(self._config["machine"]["threads"], 1), usable_cores())
            if self._config
            else None
        )

    def _trained(self) -> Sampler:
        if self._sampler is None:
            raise RequestError("this GAN is not trained yet: call fit, or GAN.load")
        return self._sampler

    def _sampler_arguments(
        self, n: int, label: Hashable | None, seed: int | None, code: Codes | None
    ) -> tuple[Any, ...]:
        """The arguments of `sample` as the sampler takes them."""
        sampler, n = self._trained(), whole("n", n)
        if n < 0:
            raise RequestError(f"n = {n}: must be at least 0")
        return n, _seed(seed), None if label is None else sampler.position(label), code

    def _reopened(self) -> Source:
        self._source = context.reopened(self._config)
        return self._source


def _seed(given: int | None) -> int:
    """The given seed, or a random one."""
    return secrets.randbits(31) if given is None else whole("seed", given)
