"""The model card: what a repository says of its generator. Metrics and verdict are
those of the report."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING

from equipoise.errors import clipped, printable
from equipoise.report.formatting import BASELINE, GENERATED, INTERVAL, KEY
from equipoise.report.report import Report
from equipoise.runs.config import RunConfig
from equipoise.sampling.sampler import Sampler

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

    from equipoise.data.schema import Schema

LIBRARY = "equipoise"
IMAGES = "unconditional-image-generation"  # the Hub's name of the task
MAX_NAMES, MAX_NAME = 20, 40  # columns or labels that are listed, and letters of each
MARKS = "\\`*_{}[]#|~$"  # that have a meaning in Markdown


def model_card(
    repo: str,
    sampler: Sampler,
    config: RunConfig,
    report: Report | None,
    license_id: str | None,
    picture: str,
) -> str:
    """README.md of a repository: metadata in YAML, then text.

    Args:
        repo: The repository, "user/name".
        sampler: The generator.
        config: Of its run.
        report: On the generator; None where it was not measured.
        license_id: The Hub's name of a licence; None for none.
        picture: The file with an image of samples.
    """
    from huggingface_hub import ModelCardData

    task = task_of(sampler.schema)
    metadata = ModelCardData(
        library_name=LIBRARY,
        license=license_id,
        pipeline_tag=IMAGES if task == IMAGES else None,
        tags=[LIBRARY, "gan", "generative-adversarial-network", task, sampler.recipe.name],
        model_name=repo,
        eval_results=None if report is None else evaluated(report, task) or None,
    )
    return f"---\n{metadata.to_yaml()}\n---\n\n{_text(repo, sampler, config, report, picture)}"


def task_of(schema: Schema) -> str:
    """What a generator makes. The Hub has a task of its own for images alone."""
    if schema.is_image:
        return IMAGES
    return "time-series-generation" if schema.series is not None else "tabular-generation"


def evaluated(report: Report, task: str) -> list[EvalResult]:
    """The metrics of a report as the Hub's results; those that are not finite are left
    out."""
    from huggingface_hub import EvalResult

    return [
        EvalResult(
            task_type=task,
            dataset_type=report.data,
            dataset_name=report.data,
            metric_type=metric.key,
            metric_name=metric.label,
            metric_value=float(f"{metric.value:.6g}"),
        )
        for metric in report.shown
        if math.isfinite(metric.value)
    ]


def _text(
    repo: str, sampler: Sampler, config: RunConfig, report: Report | None, picture: str
) -> str:
    """What people read."""
    given = {**config.requested.recipe, **config.requested.run}
    settings = ", ".join(f"`{name} = {_code(value)}`" for name, value in given.items())
    data = report.data if report is not None else config.data.name
    parts = [
        f"# {_plain(repo)}",
        f"A generative adversarial network, trained with Equipoise {config.equipoise} on "
        f"{_plain(data)} by the recipe `{sampler.recipe.name}`: {sampler.samples_seen:,} samples "
        f"seen{', with ' + settings if settings else ''}.",
        f"![Generated samples]({picture})",
        _usage(repo, sampler),
        _contents(sampler),
        "## How good it is",
        _measured(report),
        "## Files",
        "Weights are safetensors, the rest is JSON: nothing here is code, and nothing is run "
        "when it is loaded. `report.json` has every metric with its protocol.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _usage(repo: str, sampler: Sampler) -> str:
    """An example to copy."""
    lines = [
        "```python",
        "from equipoise import GAN  # pip install 'equipoise[hub]'",
        "",
        f"gan = GAN.from_hub({repo!r})  # give revision= a commit for the same one each time",
        "samples = gan.sample(64, seed=0)",
    ]
    classes = sampler.schema.classes if sampler.recipe.conditional else None
    if classes:
        lines.append(f"some = gan.sample(64, label={_code(classes[0])}, seed=0)")
    return "\n".join([*lines, "```"])


def _contents(sampler: Sampler) -> str:
    """What a sample is, in a sentence."""
    schema = sampler.schema
    names: list[object] = []
    if schema.table is not None:
        names = [column.name for column in schema.table.columns]
    elif schema.columns is not None:
        names = list(schema.columns)
    shape = " x ".join(map(str, schema.user_shape)) or "one number"
    said = f"A sample has the columns {_listed(names)}." if names else f"A sample is {shape}."
    if sampler.recipe.conditional and schema.classes:
        said += f" Its labels are {_listed(list(schema.classes))}."
    return said


def _measured(report: Report | None) -> str:
    """Verdict and metrics."""
    if report is None:
        return "It was not measured."
    heads = ("metric", GENERATED, INTERVAL, BASELINE)
    rows = [heads, ("---", "---:", "---", "---:"), *report.signed_rows()]
    table = "\n".join(
        f"| {' | '.join(cells if cells[0] == '---' else map(_plain, cells))} |" for cells in rows
    )
    verdict = report.verdict_lines()
    return f"**{_plain(verdict[0])}**\n\n{table}\n\n{KEY}. {_plain(report.metrics[0].protocol)}."


def _listed(names: list[object]) -> str:
    shown = ", ".join(_plain(clipped(str(name), MAX_NAME)) for name in names[:MAX_NAMES])
    more = len(names) - MAX_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def _plain(text: str) -> str:
    """A text in which nothing is markup: names come from files."""
    safe = html.escape(printable(text), quote=False)
    return "".join(f"\\{mark}" if mark in MARKS else mark for mark in safe)


def _code(value: object) -> str:
    """A value inside of code."""
    return clipped(printable(repr(value)), MAX_NAME).replace("`", "'")
