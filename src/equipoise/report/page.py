"""The page of a run, or of several compared: one HTML file that needs no network."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from equipoise import __version__
from equipoise.diagnosis import Severity, severity
from equipoise.errors import clipped
from equipoise.report import charts, sections
from equipoise.report.charts import Image
from equipoise.report.comparison import Row, rows, rows_with_protocols
from equipoise.report.context import PageContext
from equipoise.report.formatting import BASELINE, INTERVAL, KEY, SEVERITY_MARKS
from equipoise.report.report import Report
from equipoise.report.table_charts import Figures, figures_of
from equipoise.report.templates import template
from equipoise.runs.config import RunConfig

TEMPLATE = "page.html.jinja"
MAX_SETTING_LENGTH = 120
SAMPLES = "Samples beside real ones"


@dataclass(frozen=True)
class RunSummary:
    """The verdict and the metrics of one run."""

    name: str
    training: str
    """How long it was trained, as a sentence."""
    report: Report
    severity: Severity
    mark: str
    """The severity in words, beside its colour."""
    rows: Sequence[Row]
    """The table of metrics."""


@dataclass(frozen=True)
class Section:
    """What stands under one heading. A section with nothing is left out."""

    heading: str
    images: Sequence[Image]
    small: bool = False
    """Whether the images have no text, and many may stand in a row."""
    sentence: str = ""
    """Stands above."""
    tables: Sequence[Figures] = ()
    """Stand above the images."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.images or self.tables)


@dataclass(frozen=True)
class Page:
    """What the template shows."""

    title: str
    runs: Sequence[RunSummary]
    sections: Sequence[Section]
    settings: Sequence[tuple[str, Sequence[tuple[str, str]]]] = ()
    """Groups of names and values, each with its heading."""
    table: Sequence[Row] = ()
    """The metrics of several runs side by side."""
    interval_head: str = INTERVAL
    baseline_head: str = BASELINE
    key: str = KEY
    version: str = __version__
    python: str = platform.python_version()

    @property
    def comparing(self) -> bool:
        """Whether it compares several runs."""
        return bool(self.table)


def page(run: PageContext) -> str:
    """The page of one run, as HTML."""
    images_alone = run.sampler.schema.is_image
    return _render(
        Page(
            title=f"{run.report.data}, {run.report.recipe}",
            runs=[_summary(run)],
            sections=[
                Section(SAMPLES, sections.samples(run), sentence=sections.on_packs(run)),
                _pairs(run),
                Section("Order in time", sections.dependence(run)),
                Section("Samples by class", sections.classes(run)),
                Section("Nearest training samples", sections.nearest_training_images(run)),
                Section("Through time", sections.progress(run), small=images_alone),
                Section("Curves", sections.curves(run)),
                Section("Latents", sections.latents(run)),
                Section("How images were resized", sections.resizing(run)),
            ],
            settings=_settings(run.config),
        )
    )


def comparison(runs: Sequence[PageContext]) -> str:
    """The page of several runs, as HTML: their verdicts, one table, one chart of their
    curves, and samples of each."""
    same = len({run.primary.key for run in runs}) == 1
    curves = {run.name: charts.metric_curve(run.log, run.primary.key) for run in runs}
    chart = charts.compared_runs(curves, runs[0].primary.label) if same else None
    return _render(
        Page(
            title=f"{len(runs)} runs compared",
            runs=[_summary(run) for run in runs],
            sections=[
                Section("Curves", [chart] if chart else []),
                *(Section(f"Samples of {run.name}", sections.samples(run)[:2]) for run in runs),
            ],
            table=rows([run.report for run in runs]),
        )
    )


def _pairs(run: PageContext) -> Section:
    """The section on what is off in a table; empty for other data."""
    heading = "What is off, and what binds the columns"
    if run.table is None:
        return Section(heading, [])
    return Section(
        heading, sections.pairs(run), sentence=run.table.sentence, tables=figures_of(run.table)
    )


def _summary(run: PageContext) -> RunSummary:
    report = run.report
    severe = severity(report.verdict)
    return RunSummary(
        name=run.name,
        training=report.training_summary[0].upper() + report.training_summary[1:],
        report=report,
        severity=severe,
        mark=SEVERITY_MARKS[severe],
        rows=rows_with_protocols(report),
    )


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
    return clipped(str(value), MAX_SETTING_LENGTH)


def _render(content: Page) -> str:
    return template(files("equipoise.report").joinpath(TEMPLATE).read_text("utf-8")).render(
        page=content
    )
