"""The page of a sweep: one HTML file that needs no network."""

from __future__ import annotations

import math
import platform
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from equipoise import __version__
from equipoise.diagnosis import Severity
from equipoise.errors import clipped
from equipoise.metrics.registry import label_of
from equipoise.report.charts import Image
from equipoise.report.formatting import SEVERITY_MARKS
from equipoise.report.templates import template
from equipoise.sweeps import charts
from equipoise.sweeps.result import SweepResult, Trial, plain
from equipoise.sweeps.storage import without_password
from equipoise.sweeps.summary import counts, headline, sentences
from equipoise.utils.atomic_io import write_atomic
from equipoise.utils.formatting import number, spoken

TEMPLATE = "page.html.jinja"
MAX_NOTE = 160  # letters


@dataclass(frozen=True)
class Row:
    """A trial in the table."""

    number: int
    score: str
    how: str
    """How it ended, where that is not to its end, and whether it is the default."""
    cells: Sequence[str]
    """The values of the fields that are searched."""
    seconds: str
    note: str
    is_best: bool


@dataclass(frozen=True)
class Page:
    """What the template shows."""

    title: str
    counted: str
    severity: Severity
    mark: str
    headline: str
    sentences: Sequence[str]
    advice: str
    command: str
    """The setting to use."""
    best_command: str
    """The best setting of the search, where it is not the one to use."""
    run: str
    charts: Sequence[Image]
    heads: Sequence[str]
    rows: Sequence[Row]
    metric: str
    settings: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    """Groups of names and values, each with its heading."""
    version: str = __version__
    python: str = platform.python_version()


def write_page(path: Path, result: SweepResult, importances: dict[str, float]) -> None:
    """Write the page of a sweep.

    Args:
        path: Of the file.
        result: Of the sweep.
        importances: Of the fields that are searched, where they are known.
    """
    text = files("equipoise.sweeps").joinpath(TEMPLATE).read_text("utf-8")
    write_atomic(path, template(text).render(page=_page(result, importances)).encode())


def _page(result: SweepResult, importances: dict[str, float]) -> Page:
    config, better = result.config, result.is_better
    severity: Severity = "good" if better else "fair"
    shown = [
        charts.seeds_chart(result),
        charts.trials_chart(result),
        charts.curves_chart(result),
        charts.importance_chart(result, importances),
        charts.slices_chart(result),
    ]
    run = "" if result.run is None else shlex.quote(str(result.run))
    return Page(
        title=f"Sweep of {config.data_name}, {config.recipe}",
        counted=_counted(result),
        severity=severity,
        mark=SEVERITY_MARKS["good"] if better else "▲ keep the default",
        headline=headline(result),
        sentences=sentences(result),
        advice=f"Next: train with {'the best setting' if better else 'the default'}.",
        command=result.command(result.settings),
        best_command="" if better or result.best.is_default else result.command(result.best.values),
        run=run,
        charts=[chart for chart in shown if chart is not None],
        heads=[dimension.name.replace("_", " ") for dimension in config.space],
        rows=_rows(result),
        metric=label_of(config.metric),
        settings=_settings(result),
    )


def _counted(result: SweepResult) -> str:
    seconds = sum(trial.seconds for trial in result.trials)
    return f"{counts(result)}; {spoken(seconds)} of training in all"


def _rows(result: SweepResult) -> list[Row]:
    """The trials, the best first; those that were not trained to their end last."""
    order = {"complete": 0, "pruned": 1, "diverged": 2, "refused": 3, "running": 4}
    ranked = sorted(
        result.trials,
        key=lambda trial: (
            order[trial.end],
            trial.score if math.isfinite(trial.score) else math.inf,
            trial.number,
        ),
    )
    return [_row(trial, result) for trial in ranked]


def _row(trial: Trial, result: SweepResult) -> Row:
    ends = [] if trial.end == "complete" else [trial.end]
    defaults = result.config.default
    return Row(
        trial.number,
        number(trial.score) if math.isfinite(trial.score) else "-",
        ", ".join([*(["default"] if trial.is_default else []), *ends]),
        [plain(trial.values.get(name, defaults[name])) for name in defaults],
        spoken(trial.seconds),
        clipped(trial.note, MAX_NOTE),
        trial.number == result.best.number,
    )


def _settings(result: SweepResult) -> list[tuple[str, list[tuple[str, str]]]]:
    """What was searched and how, in groups."""
    config = result.config
    how: dict[str, Any] = {
        name: value
        for name, value in config.to_dict()["settings"].items()
        if value is not None and name != "storage"
    }
    if config.settings.storage is not None:
        how["storage"] = without_password(config.settings.storage)
    how |= {f"{name} of each trial": value for name, value in config.length.items()}
    fixed = {**config.requested.recipe, **config.requested.run}
    space = [(dimension.name, str(dimension)) for dimension in config.space]
    groups = [
        ("searched", space),
        ("the same in all trials", [(name, str(value)) for name, value in fixed.items()]),
        ("sweep", [(name, str(value)) for name, value in how.items()]),
        ("versions", [("equipoise", config.equipoise), *config.versions.items()]),
    ]
    return [
        (name, [(key.replace("_", " "), value) for key, value in entries])
        for name, entries in groups
        if entries
    ]
