"""The report on a run: its metrics beside their baselines and the verdict, to print and
to keep as report.json."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from equipoise.coerce import as_json, checked, instance
from equipoise.data.sources import Source
from equipoise.diagnosis import Evidence, Verdict, diagnose
from equipoise.errors import RequestError, first_line, nearest
from equipoise.metrics.budget import FULL, Budget, quiet
from equipoise.metrics.evaluate import Sampling, evaluate_samples
from equipoise.metrics.finite import finite_metric
from equipoise.metrics.result import MetricResult
from equipoise.metrics.tables.column_shapes import COLUMN_SHAPE
from equipoise.metrics.tables.target import target_metrics
from equipoise.report.formatting import BASELINE, GENERATED, INTERVAL, KEY, SIGNS, interval, label
from equipoise.report.notebook import Card
from equipoise.report.tables import missing_from
from equipoise.runs.config import RunConfig
from equipoise.runs.serialization import FORMAT, DamagedFileError, read_json, write_json
from equipoise.sampling.conditions import Conditions
from equipoise.sampling.sampler import EVALUATION_SEED, Sampler
from equipoise.transforms.space import NetworkSpace
from equipoise.utils.formatting import dated, for_terminal, now, number, spoken

FINITE_SAMPLES = 1_000  # that must be finite before metrics are computed
MAX_COUNTED = 1_000  # held-out samples; a verdict asks for no more
SHOWN_COLUMNS = 3  # of a data table's, in tables of metrics: the worst ones
MAX_INCEPTION_IMAGES = 10_000  # of each kind


@dataclass(frozen=True, repr=False)
class Report:
    """What `evaluate` returns. A notebook shows it as a table with the verdict."""

    data: str
    """The name of the data that samples are compared with."""
    recipe: str
    samples_seen: int
    """Real samples that the training has seen."""
    metrics: tuple[MetricResult, ...]
    """The results, the primary metric first."""
    verdict: Verdict
    training_seconds: float | None = field(default=None, compare=False)
    """How long the training took; None where that is not known."""
    date: str = field(default_factory=now, compare=False)
    """When it was made, in the form of ISO 8601."""
    dropped: float | None = None
    """The share of rows drawn that broke a constraint of the table, so that others were
    drawn; None for data without constraints."""

    def __getitem__(self, key: str) -> float:
        """The value of a metric.

        Args:
            key: The metric's key, such as "c2st_accuracy".

        Raises:
            KeyError: There is none; the message has the nearest key.
        """
        for metric in self.metrics:
            if metric.key == key:
                return metric.value
        known = [metric.key for metric in self.metrics]
        raise KeyError(f"no metric {key!r}: {nearest(str(key), known)}")

    def __contains__(self, key: object) -> bool:
        return any(metric.key == key for metric in self.metrics)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON has it, see docs/files.md: a number that is not
        finite is null."""
        return {"format": FORMAT, **as_json(asdict(self))}

    @property
    def shown(self) -> list[MetricResult]:
        """The metrics that tables show; of those of single columns the worst few."""
        columns = [metric for metric in self.metrics if metric.family == COLUMN_SHAPE.key]
        worst = sorted(columns, key=lambda metric: metric.value - metric.baseline)[:SHOWN_COLUMNS]
        return [metric for metric in self.metrics if metric.in_table or metric in worst]

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Label, value, interval and baseline of each metric that tables show."""
        return [(label(m), number(m.value), interval(m), number(m.baseline)) for m in self.shown]

    def signed_rows(self) -> list[tuple[str, ...]]:
        """As `rows`, with the sign of each metric before its label."""
        signs = (SIGNS[metric.better] for metric in self.shown)
        return [
            (f"{sign} {name}", *cells)
            for sign, (name, *cells) in zip(signs, self.rows(), strict=True)
        ]

    def _repr_html_(self) -> str:
        return self.card().html()

    def card(self, title: str = "", picture: str = "") -> Card:
        """What a notebook shows of it.

        Args:
            title: Stands above; the data and the recipe where it is empty.
            picture: A PNG of samples as a data URI; empty for none.
        """
        about, training = f"{self.data}, {self.recipe}", self.training_summary
        lines = (f"{about}: {training}",) if title else (training,)
        return Card(title or about, lines, picture, self.verdict, self.signed_rows())

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        heads = ("", GENERATED, INTERVAL, BASELINE)
        rows = self.signed_rows()
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        lines = [
            f"{name:{widths[0]}}  {value:>{widths[1]}}  {off:{widths[2]}}  {baseline:>{widths[3]}}"
            for name, value, off, baseline in (heads, *rows)
        ]
        about = (
            f"({self.metrics[0].protocol})",
            f"{self.data}, {self.recipe}, {self.training_summary}",
        )
        return for_terminal("\n".join([*lines, KEY, *about, "", *self.verdict_lines()]))

    def explained(self) -> str:
        """What each metric of the table measures, a line each."""
        width = max(len(label(metric)) for metric in self.shown)
        lines = (f"{label(m):{width}}  {SIGNS[m.better]} {m.meaning}" for m in self.shown)
        return for_terminal("\n".join(lines))

    @property
    def training_summary(self) -> str:
        """How long the training was, and when the report was made."""
        took = "" if self.training_seconds is None else f" in {spoken(self.training_seconds)}"
        dropped = ""
        if self.dropped is not None:
            dropped = f"; {self.dropped:.1%} of rows drawn broke a constraint and were dropped"
        return f"trained on {self.samples_seen:,} samples{took}{dropped}; {dated(self.date)}"

    def verdict_lines(self) -> list[str]:
        """The verdict in lines."""
        verdict = self.verdict
        sure = "" if verdict.sure == "sure" else " (likely, not certain)"
        return [
            f"{verdict.name.capitalize()}{sure}. {verdict.sentence}",
            verdict.advice,
            *([f"  {verdict.command}"] if verdict.command else []),
        ]

    def save(self, path: Path) -> None:
        """Write report.json."""
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
                raise RequestError("it has no metrics")
            data, recipe = (checked(name, stored[name], str) for name in ("data", "recipe"))
            seen = checked("samples_seen", stored["samples_seen"], int)
            seconds = checked("training_seconds", stored["training_seconds"], float | None)
            date = checked("date", stored["date"], str)
            dated(date)
            dropped = checked("dropped", stored["dropped"], float | None)
            verdict = instance(Verdict, stored["verdict"])
            return cls(data, recipe, seen, metrics, verdict, seconds, date, dropped)
        except (RequestError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise DamagedFileError(f"{path} is not a report: {first_line(error)}") from None


def _with_nan(metric: Any) -> Any:
    """A metric from JSON, where a value or a baseline that is null was not finite."""
    if not isinstance(metric, dict):
        return metric
    nulls = {name: math.nan for name in ("value", "baseline") if metric.get(name, 0) is None}
    return {**metric, **nulls}


def evaluate(
    sampler: Sampler,
    source: Source,
    log: Sequence[Mapping[str, Any]],
    config: RunConfig,
    run: Path | None,
    inception: bool = False,
    target: str | None = None,
    budget: Budget = FULL,
    on_step: Callable[[str], None] = quiet,
) -> Report:
    """Compare the sampler's samples with held-out real ones.

    Args:
        inception: Whether to add FID and KID, which the verdict does not use.
        target: A column of a table; how well models predict it is added, for the
            verdict neither.

    The other arguments are those of `gather`.
    """
    seed = config.settings.seed
    more = inception_results(sampler, source, seed) if inception else []
    if target is not None:
        more += target_metrics(
            source,
            _sampling(sampler, sampler.constraints()),
            target,
            sampler.schema.classes,
            seed,
            budget,
        )
    evidence = gather(sampler, source, log, config, run, budget, on_step)
    metrics, seconds = (*evidence.metrics, *more), log[-1]["seconds"] if log else None
    return Report(
        source.name,
        sampler.recipe.name,
        sampler.samples_seen,
        metrics,
        diagnose(evidence),
        seconds,
        dropped=evidence.dropped,
    )


def gather(
    sampler: Sampler,
    source: Source,
    log: Sequence[Mapping[str, Any]],
    config: RunConfig,
    run: Path | None,
    budget: Budget = FULL,
    on_step: Callable[[str], None] = quiet,
) -> Evidence:
    """The evidence for a verdict.

    Args:
        sampler: The generator.
        source: The real data.
        log: The training's lines.
        config: Its configuration.
        run: The run directory, if there is one.
        budget: How many samples are measured.
        on_step: Called with what is measured next, of `budget.STEPS`.
    """
    recipe, prior, schema, seed = (
        sampler.recipe,
        sampler.prior,
        sampler.schema,
        config.settings.seed,
    )

    constraints = sampler.constraints()
    sampling = _sampling(sampler, constraints)
    finite = finite_metric(sampling(FINITE_SAMPLES)[0])
    metrics = [finite]
    if finite.value == 1:
        metrics = evaluate_samples(
            source, sampling, seed, schema.classes, budget, on_step, recipe.sees_photo_features
        )
    own = type(recipe).for_data(schema, {"conditional": recipe.conditional})
    return Evidence(
        metrics=metrics,
        log=log,
        held_out=len(source.held_out(MAX_COUNTED, seed)),
        samples_seen=sampler.samples_seen,
        usual_samples=recipe.default_samples(NetworkSpace.of(schema)),
        recipe=recipe.name,
        latent_dim=prior.dim + prior.continuous_codes,
        class_frequencies=_fractions(schema.class_counts)
        if recipe.conditional and schema.class_counts
        else (),
        data=config.data_arguments,
        run=None if run is None else shlex.quote(str(run)),
        has_validation=source.has_validation and not source.for_test,
        outliers=source.has_outliers,
        ends_level=recipe.ends_level,
        changed=tuple(
            name for name in config.requested.recipe if getattr(recipe, name) != getattr(own, name)
        ),
        missing_categories=missing_from(sampler, source) if finite.value == 1 else (),
        dropped=None if constraints is None else constraints.dropped,
    )


def _sampling(sampler: Sampler, constraints: Conditions | None) -> Sampling:
    """Draws samples, in the user's units, with the positions of their classes."""
    return lambda n: sampler.labelled_values(n, EVALUATION_SEED, constraints)


def _fractions(counts: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(count / sum(counts) for count in counts)


def inception_results(sampler: Sampler, source: Source, seed: int) -> list[MetricResult]:
    """FID and KID.

    Raises:
        RequestError: For points, and where torch-fidelity or its weights are not there.
    """
    if not source.schema.is_image or source.limits is None:
        raise RequestError("inception is for images, this data has points: leave it out")
    from equipoise.metrics.inception import inception_metrics

    real = source.measured(source.held_out(MAX_INCEPTION_IMAGES, seed)).double().numpy()
    fresh = source.measured(source.seen(len(real), seed)).double().numpy()
    fake = sampler.measured_values(len(real), EVALUATION_SEED)
    return inception_metrics(fake, real, fresh, source.limits)
