"""The page put together: from a run, or several, to HTML."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise import __version__
from equipoise.data.images.decode import thumbnail
from equipoise.data.sources import Source
from equipoise.diagnosis import severity
from equipoise.errors import printable
from equipoise.metrics.copies import THUMBNAIL
from equipoise.metrics.neighbours import nearest
from equipoise.metrics.reference import thumbnails
from equipoise.metrics.result import MetricResult
from equipoise.plotting.plots import (
    GENERATED,
    MAX_COLUMNS,
    axis_names,
    bars,
    few_ticks,
    image_grid,
    outside,
    part,
    reach,
    thousands,
)
from equipoise.plotting.sheets import MAX_CLASSES, by_class, has_classes, labels_of
from equipoise.recipes.output import DiscriminatorOutput, Probability
from equipoise.report import charts
from equipoise.report.charts import Image
from equipoise.report.comparison import MARKS, rows, with_protocols
from equipoise.report.formatting import BASELINE, INTERVAL, KEY
from equipoise.report.report import Report
from equipoise.report.surfaces import Surface, latent_map, of_classes, on_the_line, on_the_plane
from equipoise.runs.config import RunConfig
from equipoise.sampling.sampler import EVALUATION_SEED, Sampler

if TYPE_CHECKING:
    from jinja2 import Template

    from equipoise.data.schema import Schema

Array = NDArray[np.float64]
TEMPLATE = "page.html.jinja"
SHOWN_IMAGES, SHOWN_POINTS = 36, 5_000
NEIGHBOURS, TRAINING_ROWS = 8, 20_000
BARS = 40  # of a column
MOMENTS, MOMENT_SIDE = 6, 260  # images of the samples through time, and their pixels a side


@dataclass(frozen=True)
class Run:
    """What a page tells of. Without a source, samples stand alone."""

    name: str
    report: Report
    sampler: Sampler
    source: Source | None
    log: Sequence[Mapping[str, Any]]
    config: RunConfig
    surface: Surface | None = None
    """D, where it is to be had and can be drawn."""
    output: DiscriminatorOutput = field(default_factory=Probability)
    """What D's output means."""
    moments: Sequence[Path] = ()
    """Images of what the generator made through time, the first first."""

    @property
    def primary(self) -> MetricResult:
        """The primary metric."""
        return self.report.metrics[0]

    @property
    def limits(self) -> tuple[float, float] | None:
        return self.config.data.limits


def page(run: Run) -> str:
    """The page of one run."""
    return _template().render(
        title=f"{run.report.data}, {run.report.recipe}",
        runs=[_told(run)],
        comparing=False,
        sections=[
            ("Samples beside real ones", _samples(run)),
            ("Samples by class", _by_class(run)),
            ("Nearest training samples", _neighbours(run)),
            ("Through time", _moments(run)),
            ("Curves", _curves(run)),
            ("Latents", _latents(run)),
        ],
        settings=_settings(run.config),
        heads=(INTERVAL, BASELINE),
        key=KEY,
        version=__version__,
        python=platform.python_version(),
    )


def comparison(runs: Sequence[Run]) -> str:
    """One page of several runs: their verdicts, one table, their curves in one chart,
    and what each makes."""
    same = len({run.primary.key for run in runs}) == 1
    curves = {run.name: charts.curve_of(run.log, run.primary.key) for run in runs}
    chart = charts.overlaid(curves, runs[0].primary.label) if same else None
    return _template().render(
        title=f"{len(runs)} runs compared",
        runs=[_told(run) for run in runs],
        comparing=True,
        sections=[
            ("Curves", [chart] if chart else []),
            *((f"Samples of {run.name}", _samples(run)[:2]) for run in runs),
        ],
        settings=[],
        heads=(INTERVAL, BASELINE),
        key=KEY,
        version=__version__,
        python=platform.python_version(),
    )


def _told(run: Run) -> dict[str, Any]:
    report = run.report
    how = severity(report.verdict)
    return {
        "name": run.name,
        "training": report.training_summary[0].upper() + report.training_summary[1:],
        "report": report,
        "severity": how,
        "mark": MARKS[how],
        "rows": with_protocols(report),
    }


def _samples(run: Run) -> list[Image]:
    source, schema = run.source, run.sampler.schema
    n = SHOWN_IMAGES if schema.is_image else SHOWN_POINTS
    made = run.sampler.values(n, EVALUATION_SEED)
    if not np.isfinite(made).all():
        return []
    real = None if source is None else source.held_out(n, 0).double().numpy()
    if schema.is_image:
        return [
            Image(
                charts.data_uri(image_grid(x, run.limits)),
                f"{len(x)} {what} images in a grid.",
                what,
            )
            for what, x in (("generated", made), ("real", real))
            if x is not None
        ]
    if source is None or real is None:
        return []
    if schema.size == 1:
        return on_the_line(
            made[:, 0], real[:, 0], source.distribution, run.surface, axis_names(schema)[0]
        )
    if schema.size == 2:
        return on_the_plane(made, real, source.distribution, run.surface, axis_names(schema))
    return [_columns(made, real, schema)]


def _by_class(run: Run) -> list[Image]:
    """What comes for each of the labels, of a generator that learned any."""
    sampler, source = run.sampler, run.source
    if (
        not sampler.recipe.conditional
        or not np.isfinite(sampler.values(SHOWN_IMAGES, EVALUATION_SEED)).all()
    ):
        return []
    labels = labels_of(sampler)
    first = f"the first {MAX_CLASSES} of {len(sampler.schema.classes or ())} classes"
    which = (
        first
        if len(sampler.schema.classes or ()) > MAX_CLASSES
        else f"the classes {', '.join(labels)}"
    )
    if has_classes(sampler):
        alt = f"Generated images, a row for each of {which}."
        caption = (
            f"A row for each class{f': {first}' if which == first else ''}; a column "
            "shares its latents."
        )
        sheet = charts.data_uri(by_class(sampler, run.limits, EVALUATION_SEED))
        return [Image(sheet, alt, caption, wide=True)]
    if sampler.schema.size > 2:
        return []
    real = None if source is None else source.labelled(SHOWN_POINTS, 0, held_out=True)
    return [of_classes(sampler, real, labels, EVALUATION_SEED, which)]


def _columns(made: Array, real: Array, schema: Schema) -> Image:
    """Histograms of the first columns, as far as the real ones reach: a generator that
    runs away would leave them a bar each."""
    shown, names = min(schema.size, MAX_COLUMNS), axis_names(schema)
    low, high = reach(real)
    metric = charts.new_figure(7.2, 2.0 * -(-shown // 3))
    for i, axes in enumerate(np.atleast_1d(metric.subplots(-(-shown // 3), 3)).flat):
        axes.set_visible(i < shown)
        if i < shown:
            edges = np.linspace(low[i], high[i], BARS + 1)
            axes.stairs(
                bars(made[:, i], edges),
                edges,
                fill=True,
                color=GENERATED,
                alpha=0.6,
                label="generated",
            )
            axes.stairs(bars(real[:, i], edges), edges, color="black", label="real")
            axes.set_title(names[i], fontsize=9)
            axes.xaxis.set_major_formatter(lambda value, _: thousands(value))
            axes.xaxis.set_major_locator(few_ticks(5))
            axes.set_yticks([])  # a density, whose units say nothing
            if gone := outside(made[:, i : i + 1], low[i], high[i]):
                axes.set_xlabel(f"generated{gone}", fontsize=8)
    return charts.finished(
        metric,
        f"Histograms of {shown} columns: generated, filled, over real, in outline.",
        f"Generated, filled; real, in outline{part(schema)}.",
        wide=True,
    )


def _neighbours(run: Run) -> list[Image]:
    """Generated images, and below each the training image that is nearest, both made
    small."""
    source = run.source
    if source is None or not source.schema.is_image or source.training_rows is None:
        return []
    made = run.sampler.values(NEIGHBOURS, EVALUATION_SEED)
    if not np.isfinite(made).all():
        return []
    training = source.seen(TRAINING_ROWS, 0)
    _, found = nearest(*(thumbnails(x, THUMBNAIL) for x in (torch.from_numpy(made), training)))
    grid = image_grid(
        np.concatenate([made, training[found].double().numpy()]), run.limits, across=NEIGHBOURS
    )
    caption = (
        f"Above, generated; below each, the nearest of {len(training):,} training "
        "images. Twins would be copies."
    )
    return [
        Image(
            charts.data_uri(grid),
            "Eight generated images, and the training image nearest to each.",
            caption,
        )
    ]


def _moments(run: Run) -> list[Image]:
    """A few of the images that training drew, smaller."""
    paths = list(run.moments)
    chosen = (
        [
            paths[i]
            for i in np.linspace(0, len(paths) - 1, min(MOMENTS, len(paths))).round().astype(int)
        ]
        if paths
        else []
    )
    images = []
    for path in chosen:
        if (
            content := thumbnail(path, MOMENT_SIDE * 2)
        ) is None:  # whatever has become of it, the page does without
            continue
        seen = f"{int(path.stem):,} samples seen"
        images.append(
            Image(charts.data_uri(content), f"What the generator made after {seen}.", seen)
        )
    return images


def _curves(run: Run) -> list[Image]:
    found = [
        charts.primary(run.log, run.primary),
        charts.balance(run.log, run.output) or charts.difference(run.log, run.output),
        charts.losses(run.log),
        charts.gradients(run.log),
    ]
    return [image for image in found if image is not None]


def _latents(run: Run) -> list[Image]:
    plain = not run.sampler.schema.is_image and run.sampler.schema.size <= 2
    return [latent_map(run.sampler, EVALUATION_SEED)] if plain and run.sampler.prior.dim > 0 else []


def _settings(config: RunConfig) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every setting and version of a run, in groups."""
    stored = config.to_dict()
    schema = stored["data"].pop("schema")
    groups = {name: stored[name] for name in ("recipe", "run", "data", "machine", "versions")}
    groups["data"] |= schema
    groups["transforms"] = {
        str(link.get("name")): ", ".join(f"{k} {v}" for k, v in link.items() if k != "name")
        for link in config.transform
    }
    found = [
        (name, [(key.replace("_", " "), _short(value)) for key, value in group.items()])
        for name, group in groups.items()
    ]
    made_by = [("equipoise", config.equipoise), ("command", " ".join(config.command))]
    return [("made by", made_by), *found]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    def finalize(
        value: object,
    ) -> object:  # names from files may hold what no page can be written with
        return printable(value) if isinstance(value, str) else value

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
    )
    return environment.from_string(
        files("equipoise.report").joinpath(TEMPLATE).read_text("utf-8"), {"table": rows}
    )
