"""class GAN: what users hold. Settings in, data in, samples and a report out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from equipoise import pretrained
from equipoise.coerce import whole
from equipoise.dataset import GeneratedDataset
from equipoise.errors import RequestError, warn
from equipoise.hub.model import HubModel
from equipoise.metrics.budget import quiet
from equipoise.recipes import DEFAULT, find
from equipoise.report.latent_tools import LatentTools
from equipoise.report.notebook import Card
from equipoise.report.report import Report
from equipoise.report.trained_run import TrainedRun
from equipoise.runs.config import Requested, RunConfig
from equipoise.runtime.device import resolve_device
from equipoise.runtime.process import (
    iterate_with_torch_settings,
    restores_torch_settings,
    torch_settings,
)
from equipoise.sampling.conditions import Conditions, Where
from equipoise.sampling.draws import Codes
from equipoise.sampling.sampler import Asked
from equipoise.sampling.truncation import checked_truncation, truncated
from equipoise.training import resume as resuming
from equipoise.training import start, warm_start
from equipoise.training.events import Callback
from equipoise.training.progress import ProgressBar
from equipoise.training.request import Request
from equipoise.training.trainer import Trainer
from equipoise.utils.atomic_io import write_atomic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from equipoise.data.arrays import Labels
    from equipoise.data.schema import Schema, UserData
    from equipoise.report.context import PageContext


@restores_torch_settings
class GAN(HubModel, LatentTools):
    """A generative adversarial network: `GAN().fit(x).sample(1000)`.

    `recipe` names a published method (`equipoise recipes` lists them); None is the
    default, "balanced". Further keywords are fields of the recipe, such as `batch_size`
    or `gamma`, and of the run: `samples`, `minutes`, `seed`, `split_seed`, `device`,
    `threads`, `precision`, `compile`, `memory_budget`, `label_column`, `columns`,
    `constraints`, `stop_when`, `validation`, `evaluate`, `tracker`; of tables of series
    `series`, `time`; of images and windows `layout`; of images `alpha`, `size`, `crop`,
    `fit`.

    Raises RequestError for a name that is not known, with the nearest one, and for a
    value that cannot be.
    """

    def __init__(self, recipe: str | None = None, **settings: Any) -> None:
        self._set(recipe, settings)
        self._run: TrainedRun | None = None
        self._warned_of_restart = False

    def fit(
        self,
        data: Any = None,
        labels: Labels | None = None,
        *,
        constraints: Sequence[str] | None = None,
        out: str | Path | None = None,
        resume: bool = False,
        init_from: str | Path | GAN | None = None,
        callbacks: Sequence[Callback] = (),
        progress: bool | None = None,
    ) -> Self:
        """Train on `data`, and return self.

        Args:
            data: An array or tensor, (N,), (N, D), (N, H, W), (N, C, H, W) or (N, H, W,
                C); windows of series, (N, T, C) or a list of (T, C); a DataFrame, or a
                Series, which is one of one column; the path of a file of any format in
                docs/files.md, or of a folder of images or of the parts of a table; a
                Dataset or an iterable of batches; a distribution, or the name of a
                built-in source. It may be left out of a run that is resumed, if that
                can open it again.
            labels: One a sample; they make the generator conditional.
            constraints: What holds in every row of a table, and will in every sample:
                "start <= end", "total = price * quantity", "combinations(plan,
                country)"; the setting `constraints` says the same. See docs/tables.md.
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
        run, goes_on = self._run, resume or init_from is not None
        if run is not None and not goes_on and not self._warned_of_restart:
            self._warned_of_restart = True
            warm_start.warn_of_beginning_anew(run.directory)
        trainer = self.trainer(
            data,
            labels,
            constraints=constraints,
            out=out,
            resume=resume,
            init_from=init_from,
            to_disk=out is not None,
        )
        for note in resuming.notes(trainer):
            trainer.warn(note)
        with ProgressBar(progress if trainer.ranks.is_main else False) as bar:
            try:
                self.train(trainer, [bar, *callbacks])
            finally:
                trainer.close_trackers()
        return self

    def trainer(
        self,
        data: Any = None,
        labels: Labels | None = None,
        *,
        constraints: Sequence[str] | None = None,
        out: str | Path | None = None,
        resume: bool = False,
        init_from: str | Path | GAN | None = None,
        to_disk: bool = True,
        warn: Callable[[str], None] = warn,
        recorded: RunConfig | None = None,
    ) -> Trainer:
        """A trainer that has not taken its first step: what `fit` makes and then runs.

        Args:
            data: As for `fit`, and so are the others.
            to_disk: Keep a run directory: `out`, or the next free name under runs/.
            warn: Is told of what the user should know, a line each.
            recorded: The configuration of the run that is resumed or started from,
                where it has been read already.

        Raises:
            RequestError: Data or settings are wrong. Nothing has been written then.
        """
        place, settings = None if out is None else Path(out), self._settings
        if constraints is not None:
            more = Requested.of(self._recipe_type or find(DEFAULT), {"constraints": constraints})
            own = settings.run.get("constraints") or ()
            more.run["constraints"] = (*own, *(more.run["constraints"] or ()))
            settings = settings.updated(more)
        request = Request(data, labels, self._recipe_type, settings, place, to_disk, warn, recorded)
        if isinstance(init_from, GAN):
            if init_from._run is None:
                raise RequestError(
                    "init_from is a GAN that is not trained yet: call fit, or GAN.load"
                )
            weights = init_from._run.weights()
            return start.prepare(request, resumes=resume, init_from=weights)
        return start.prepare(request, resumes=resume, init_from=init_from)

    def train(self, trainer: Trainer, callbacks: Sequence[Callback] = ()) -> None:
        """Run a trainer, whose generator this GAN's is from now on. Raises as `fit`.

        Trackers stay open for the report: `evaluate` closes them, or
        `trainer.close_trackers`.
        """
        self._run = TrainedRun.of(trainer)
        trainer.run(callbacks)

    def sample(
        self,
        n: int | None = None,
        *,
        label: Hashable | None = None,
        code: Codes | None = None,
        where: Where | None = None,
        seed: int | None = None,
        truncation: float | None = None,
        latents: Any = None,
    ) -> UserData:
        """n new samples of the kind, shape, type and units of the training data.

        `label` asks for one class of a conditional generator; without it classes come
        at their training frequencies. `code` sets codes of a generator that has them
        (the recipe infogan), each to one value or to n: {"c0": 3, "u0": np.linspace(-2,
        2, n)}; the others are drawn. Without a seed every call differs.

        `where` asks for rows of a table that meet conditions on any columns: {"plan":
        "pro", "age": (60, 70), "city": ["A", "B"], "fax": None}, which are a value, a
        pair of the least and the greatest (None for any), several values, or a blank.
        All rows that are returned meet them, and they are distributed as the
        generator's rows that do. How many were drawn for them is `attrs["drawn"]` of
        the result: a condition on the column of labels costs nothing, and of others the
        rows that do not meet them are thrown away. So are, always, rows that break a
        constraint which the table was trained with.

        `truncation` draws samples nearer to the mean, more alike and often better: from
        1, which changes nothing, to 0, the mean sample (of its class). Latents are
        multiplied by it; the styles of stylegan2 go towards their mean. See
        `sampling.truncation`.

        `latents` asks for one sample of each of these, in place of n new ones: what
        `latents` returns, or an array, (N, Z), whose classes are drawn, or are `label`.
        Rows of a table then need not meet its constraints.

        Raises:
            RequestError: For a label that was not trained on, a code that there is not,
                conditions that cannot be met, or hardly ever are, or latents of another
                generator.
        """
        run = self._trained()
        if latents is not None:
            if n is not None or where is not None:
                given = "n" if n is not None else "where"
                raise RequestError(f"{given} and latents: give one of them")
            return run.sample_latents(latents, label, seed, code, truncation)
        if n is None:
            raise RequestError("sample needs n, the number of samples, or latents")
        arguments = run.sampling_arguments(n, label, seed, code)
        sampler = truncated(run.sampler, truncation)
        return sampler.sample(*arguments, self._conditions(where, label))

    def sample_batches(
        self,
        n: int,
        batch_size: int,
        *,
        label: Hashable | None = None,
        code: Codes | None = None,
        where: Where | None = None,
        seed: int | None = None,
        truncation: float | None = None,
    ) -> Iterator[UserData]:
        """What `sample` returns, `batch_size` samples at a time, for more than memory
        holds. Raises RequestError as `sample` does."""
        if (size := whole("batch_size", batch_size)) < 1:
            raise RequestError(f"batch_size = {size}: must be at least 1")
        run = self._trained()
        arguments = run.sampling_arguments(n, label, seed, code)
        sampler = truncated(run.sampler, truncation)
        batches = sampler.batches(size, *arguments, self._conditions(where, label))
        return iterate_with_torch_settings(batches, run.threads)

    def _conditions(self, where: Where | None, label: Hashable | None) -> Conditions | None:
        """Conditions on samples, checked."""
        if where is None:
            return None
        conditions = Conditions.of(self.schema, where)
        if conditions.labels is not None and not self._trained().sampler.recipe.conditional:
            raise RequestError(
                "where: the column of labels was not learned: train with conditional, or leave "
                "it out"
            )
        if label is not None and conditions.labels is not None:
            raise RequestError(f"label = {label!r} and where ask for labels: give one of them")
        return conditions

    def write_samples(
        self,
        path: str | Path,
        n: int,
        *,
        label: Hashable | None = None,
        code: Codes | None = None,
        where: Where | None = None,
        seed: int | None = None,
        shard_size: int | None = None,
        truncation: float | None = None,
    ) -> Path:
        """Write n samples into files, drawn as they are written, so that there may be
        more than memory holds, and return the path.

        Images become a file each, of the size and format of the training data: in a
        folder, a .zip, or a .tar for WebDataset. A generator with labels puts them into
        a folder for each class, or in a .tar the class beside each, unless `label` asks
        for one.

        All other samples, and images with `shard_size` or more than 100,000 of them,
        become shards in the folder `path`: files of `shard_size` samples each, .parquet
        or .tar. After an interruption the same call goes on with the shards that are
        missing. In a process group all ranks must call it; each makes its part. The
        samples are the same in any case: those that `sample` returns, but for `where`
        and constraints, where each block of rows is drawn on its own. See
        docs/scaling.md.

        Raises:
            RequestError: As `sample`, and if the path is taken, or holds shards of
                other samples.
            EquipoiseError: If it cannot be written.
            InterruptedRunError: Ctrl-C, for shards. Those that are whole stay.
        """
        conditions = self._conditions(where, label)
        run = self._trained()
        psi = None if truncation is None else checked_truncation(truncation)
        run.write_samples(Path(path), n, label, code, seed, conditions, where, shard_size, psi)
        return Path(path)

    def encode(self, data: Any) -> dict[str, NDArray[Any]]:
        """The codes that the recipe infogan reads in samples of the training data's
        kind: {"c0": (N,) whole numbers, "u0": (N,), ...}.

        Raises:
            RequestError: For a generator without codes, or for samples of another
                shape.
        """
        return self._trained().encode(data)

    def draw_code(self, name: str, path: str | Path, *, seed: int | None = None) -> Path:
        """Write a PNG that shows what one code of the recipe infogan does, and return
        its path.

        Images: the code's values from left to right, at most 40, other latents fixed
        along a row. Points: samples coloured by its value.
        """
        self._trained().draw_code(Path(path), name, seed)
        return Path(path)

    def draw(
        self,
        path: str | Path,
        n: int | None = None,
        *,
        label: Hashable | None = None,
        code: Codes | None = None,
        seed: int | None = None,
        truncation: float | None = None,
    ) -> Path:
        """Write a PNG of n samples, and return its path: a histogram over the true
        density, a scatter, or a grid of images. Points of one `label` are drawn beside
        held-out samples of that label, where there are any. Of images with labels,
        where nothing else is asked for, it has a row for each of the first 20 labels.
        """
        content = self._trained().picture(n, label, code, seed, truncation=truncation)
        write_atomic(Path(path), content)
        return Path(path)

    def evaluate(
        self,
        data: Any = None,
        labels: Labels | None = None,
        *,
        inception: bool = False,
        target: str | None = None,
        quick: bool = False,
        on_step: Callable[[str], None] | None = None,
    ) -> Report:
        """Metrics beside their real-against-real baselines, and a verdict: against the
        training data's held-out part, or against `data`.

        Of other data in memory, half is compared with the samples and half gives the
        baseline. In a run directory the report is kept there. `inception` adds FID and
        KID by torch-fidelity, where it and its weights are there: for photographs.
        `target` names a column of a table: the report then says how well it is
        predicted on real rows by a model trained on generated ones.
        `quick` takes a fifth of the samples or so; `on_step` is told what is measured
        next, see `metrics.budget.STEPS`.

        Raises:
            RequestError: Where data is not of the generator's kind, or what `inception`
                needs is not there.
        """
        return self._trained().evaluate(
            data,
            labels,
            inception=inception,
            target=target,
            quick=quick,
            on_step=on_step or quiet,
        )

    @property
    def report(self) -> Report:
        """The report of the training: as it was made, or is kept, else made now."""
        return self._trained().kept_report() or self.evaluate()

    def report_page(self, path: str | Path) -> Path:
        """Write the report as a page, one HTML file that needs no network, and return
        its path. In a run directory `evaluate` does."""
        self._trained().write_page(Path(path), self.report)
        return Path(path)

    def page_context(self) -> PageContext:
        """All that the report page of this run is made from."""
        return self._trained().page_context(self.report)

    def export(self, to: str | Path, *, int8: bool = False) -> Path:
        """Write the generator for other programs, and return the path.

        `g.onnx` is for onnxruntime, `g.pt2` for torch without Equipoise, `g.html` a
        page that samples in a browser, offline. Latents, and what else `sample` draws,
        go in; samples in the data's units come out, as `sample` makes them. Beside an
        .onnx file lies `g_sampler.py`, which draws samples by NumPy and onnxruntime
        alone. What is exported is checked against `sample` first. See docs/export.md.

        `int8` stores weights in a quarter of the bytes, unless that would move samples
        by more than a twentieth of their standard deviation, or the primary metric out
        of its interval: then they stay float32. A warning says what it costs.

        Raises:
            RequestError: For another ending, or without the extra `export`.
            EquipoiseError: If the file would make other samples, or cannot be written.
        """
        made = self._trained().export(Path(to), int8)
        if made.note:
            warn(made.note)
        return Path(to)

    def save(self, path: str | Path) -> None:
        """Write a run directory that `load`, `equipoise sample` and `equipoise
        evaluate` read.

        Raises:
            RequestError: If `path` is taken.
        """
        self._trained().save(Path(path))

    @classmethod
    def load(cls, path: str | Path, device: str = "auto") -> Self:
        """The GAN of a run directory, or "pretrained:NAME", see `pretrained`.

        Raises:
            RequestError: If there is none, EquipoiseError if its files are damaged.
        """
        gan, name = cls(), pretrained.name_in(path)
        on = resolve_device(device)
        if name is None:
            gan._take(TrainedRun.load(Path(path), on), device)
        else:
            gan._take(TrainedRun.read_only(pretrained.directory(name), on), device)
        return gan

    @classmethod
    def pretrained(cls, name: str, device: str = "auto") -> Self:
        """A GAN that comes with Equipoise, trained: "mnist" makes handwritten digits,
        and takes the labels 0 to 9.

        Raises:
            RequestError: There is none of this name; the message has those there are.
        """
        return cls.load(f"{pretrained.PREFIX}{name}", device)

    def dataset(
        self, n: int, *, label: Hashable | None = None, seed: int | None = None
    ) -> GeneratedDataset:
        """n samples as a map-style Dataset for PyTorch's DataLoader, drawn as they are
        asked for: sample i is that of `sample(n, seed=seed)`. With labels an item is
        (x, y). Without a seed another is taken for each dataset.

        Raises:
            RequestError: As `sample`, and for windows of a table of series.
        """
        run = self._trained()
        return GeneratedDataset(run.sampler, Asked(*run.sampling_arguments(n, label, seed, None)))

    @property
    def schema(self) -> Schema:
        """What one sample looks like."""
        return self._trained().sampler.schema

    def _repr_html_(self) -> str:
        if self._run is None:
            return Card(repr(self), ("Not trained yet: call fit(data)",)).html()
        with torch_settings(self._threads):
            return self._run.card(repr(self)).html()
