"""The report on a run: its figures beside their floors and the verdict, to print and to
keep as report.json."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.coerce import as_json, checked, instance
from equipoise.data.sources import Source
from equipoise.diagnosis import Evidence, Verdict, diagnose
from equipoise.errors import RequestError, first_line, nearest
from equipoise.metrics.budget import FULL, Budget, quiet
from equipoise.metrics.evaluate import examine
from equipoise.metrics.result import DETAILS, FINITE, MetricResult, meaning
from equipoise.report.formatting import BASELINE, GENERATED, INTERVAL, KEY, SIGNS, interval
from equipoise.runs.command_line import typed
from equipoise.runs.serialization import FORMAT, DamagedFileError, read_json, write_json
from equipoise.sampling.sampler import EVALUATION_SEED, Sampler
from equipoise.transforms.space import NetworkSpace
from equipoise.utils.formatting import dated, for_terminal, now, number, spoken

TRIED = 1_000  # samples that must be finite before any are judged
LEAST = 1_000  # held-out samples that are counted
MAX_IMAGES = 10_000  # that Inception is shown of each kind


@dataclass(frozen=True)
class Report:
    """What `evaluate` returns.

    `metrics` come with their protocol; the first is the headline.
    """

    data: str
    recipe: str
    samples_seen: int
    metrics: tuple[MetricResult, ...]
    verdict: Verdict
    training_seconds: float | None = field(default=None, compare=False)
    """How long the training took; None where nobody knows."""
    date: str = field(default_factory=now, compare=False)
    """When it was made, in the form of ISO 8601."""

    def __getitem__(self, name: str) -> float:
        """The value of the metric of this name.

        Raises:
            KeyError: There is none; the message has the nearest name.
        """
        for metric in self.metrics:
            if metric.name == name:
                return metric.value
        known = [metric.name for metric in self.metrics]
        raise KeyError(f"no metric {name!r}: {nearest(str(name), known)}")

    def __contains__(self, name: object) -> bool:
        return any(metric.name == name for metric in self.metrics)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON has it: a figure that is not a finite number is null."""
        return {"format": FORMAT, **as_json(asdict(self))}

    @property
    def shown(self) -> list[MetricResult]:
        """The figures for a table: all but those that would crowd it."""
        return [metric for metric in self.metrics if not metric.name.startswith(DETAILS)]

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Name, value, interval and floor of the figures for a table."""
        return [(f.name, number(f.value), interval(f), number(f.floor)) for f in self.shown]

    def __str__(self) -> str:
        heads = ("", GENERATED, INTERVAL, BASELINE)
        signs = (SIGNS[metric.better] for metric in self.shown)
        rows = [
            (f"{sign} {name}", *cells)
            for sign, (name, *cells) in zip(signs, self.rows(), strict=True)
        ]
        wide = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        lines = [
            f"{name:{wide[0]}}  {value:>{wide[1]}}  {off:{wide[2]}}  {floor:>{wide[3]}}"
            for name, value, off, floor in (heads, *rows)
        ]
        about = f"({self.metrics[0].protocol})", f"{self.data}, {self.recipe}, {self.told}"
        return for_terminal("\n".join([*lines, KEY, *about, "", *self.said()]))

    def explained(self) -> str:
        """What each metric of the table measures, a line each."""
        wide = max(len(metric.name) for metric in self.shown)
        lines = (f"{f.name:{wide}}  {SIGNS[f.better]} {meaning(f.name)}" for f in self.shown)
        return for_terminal("\n".join(lines))

    @property
    def told(self) -> str:
        """How long was trained, and when this was made."""
        took = "" if self.training_seconds is None else f" in {spoken(self.training_seconds)}"
        return f"trained on {self.samples_seen:,} samples{took}; {dated(self.date)}"

    def said(self) -> list[str]:
        """The verdict in lines."""
        verdict = self.verdict
        sure = "" if verdict.sure == "sure" else " (likely, not certain)"
        return [
            f"{verdict.name.capitalize()}{sure}. {verdict.sentence}",
            verdict.advice,
            *([f"  {verdict.command}"] if verdict.command else []),
        ]

    def save(self, path: Path) -> None:
        write_json(path, self.to_dict())

    @classmethod
    def read(cls, path: Path) -> Report:
        """The report that `save` wrote.

        Raises:
            DamagedFileError: If the file is not one.
        """
        stored = read_json(path)
        try:
            metrics = tuple(
                instance(MetricResult, _with_nan(metric)) for metric in stored["metrics"]
            )
            if not metrics:
                raise RequestError("it has no figures")
            data, recipe = (checked(name, stored[name], str) for name in ("data", "recipe"))
            seen = checked("samples_seen", stored["samples_seen"], int)
            seconds = checked("training_seconds", stored["training_seconds"], float | None)
            date = checked("date", stored["date"], str)
            dated(date)
            return cls(
                data, recipe, seen, metrics, instance(Verdict, stored["verdict"]), seconds, date
            )
        except (RequestError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise DamagedFileError(f"{path} is not a report: {first_line(error)}") from None


def _with_nan(metric: Any) -> Any:
    """A figure from JSON, where a value or a floor that is null was not finite."""
    if not isinstance(metric, dict):
        return metric
    lost = {name: math.nan for name in ("value", "floor") if metric.get(name, 0) is None}
    return {**metric, **lost}


def evaluate(
    sampler: Sampler,
    source: Source,
    log: Sequence[Mapping[str, Any]],
    config: Mapping[str, Any],
    run: Path | None,
    inception: bool = False,
    budget: Budget = FULL,
    on_step: Callable[[str], None] = quiet,
) -> Report:
    """Judge what the sampler makes against the source's held-out part; the arguments
    are those of `gather`. `inception` adds Inception's figures, which the verdict does
    not weigh."""
    more = of_inception(sampler, source, config["run"]["seed"]) if inception else []
    evidence = gather(sampler, source, log, config, run, budget, on_step)
    metrics, seconds = (*evidence.metrics, *more), log[-1]["seconds"] if log else None
    return Report(
        source.name, sampler.recipe.name, sampler.samples_seen, metrics, diagnose(evidence), seconds
    )


def gather(
    sampler: Sampler,
    source: Source,
    log: Sequence[Mapping[str, Any]],
    config: Mapping[str, Any],
    run: Path | None,
    budget: Budget = FULL,
    on_step: Callable[[str], None] = quiet,
) -> Evidence:
    """Every figure of what the sampler makes, against the source's held-out part, and
    what else a verdict needs. `log` is the training's, `config` its settings and its
    data as config.json has them, `run` the directory, if there is one."""
    recipe, prior, schema, seed = (
        sampler.recipe,
        sampler.prior,
        sampler.schema,
        config["run"]["seed"],
    )

    def sampling(n: int) -> tuple[NDArray[np.float64], NDArray[np.int64] | None]:
        z, y = sampler.latents(n, EVALUATION_SEED)
        labels = sampler.labels(y)
        return sampler.of_latents(z, y), None if labels is None else labels.cpu().numpy()

    finite = np.isfinite(sampling(TRIED)[0].reshape(TRIED, -1)).all(1).mean()
    if finite < 1:
        metrics = [MetricResult(FINITE, float(finite), 1.0, "higher", f"{TRIED:,} samples")]
    else:
        metrics = examine(source, sampling, seed, schema.classes, budget, on_step)
    own = type(recipe).for_data(schema, {"conditional": recipe.conditional})
    return Evidence(
        metrics=metrics,
        log=log,
        held_out=len(source.held_out(LEAST, seed)),
        samples_seen=sampler.samples_seen,
        usual_samples=recipe.default_samples(NetworkSpace.of(schema)),
        recipe=recipe.name,
        latent_dim=prior.dim + prior.continuous_codes,
        class_frequencies=_fractions(schema.class_counts)
        if recipe.conditional and schema.class_counts
        else (),
        data=typed(config),
        run=None if run is None else shlex.quote(str(run)),
        early_stopping=source.early_stopping and not source.for_test,
        outliers=source.has_outliers,
        changed=tuple(
            name
            for name in config["requested"]["recipe"]
            if getattr(recipe, name) != getattr(own, name)
        ),
    )


def _fractions(counts: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(count / sum(counts) for count in counts)


def of_inception(sampler: Sampler, source: Source, seed: int) -> list[MetricResult]:
    """Inception's figures.

    Raises:
        RequestError: For points, and where torch-fidelity or its weights are not there.
    """
    if not source.schema.is_image or source.limits is None:
        raise RequestError("inception is for images, this data has points: leave it out")
    from equipoise.metrics.inception import inception_metrics

    real = source.held_out(MAX_IMAGES, seed).double().numpy()
    fresh = source.seen(len(real), seed).double().numpy()
    return inception_metrics(sampler.values(len(real), EVALUATION_SEED), real, fresh, source.limits)
