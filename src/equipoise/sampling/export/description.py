"""What is in an exported file, as JSON in its metadata (docs/files.md)."""

from __future__ import annotations

from typing import Any

from equipoise.data.labels import label_to_json
from equipoise.data.schema import Schema
from equipoise.sampling.export.graph import input_names, output_dtype
from equipoise.sampling.sampler import Sampler

FORMAT = 1


def description(
    sampler: Sampler, library: str, verdict: dict[str, str] | None = None
) -> dict[str, Any]:
    """What draws the inputs, and what the output means.

    Args:
        sampler: The generator.
        library: The version of Equipoise.
        verdict: Of the run's report: `name` and `sentence`; None without a report.
    """
    schema = sampler.schema
    stored = schema.to_dict()
    return {
        "format": FORMAT,
        "library": f"equipoise {library}",
        "recipe": sampler.recipe.name,
        "samples_seen": sampler.samples_seen,
        "kind": kind_of(schema),
        "verdict": verdict,
        "inputs": [_input(sampler, name) for name in input_names(sampler)],
        "output": {
            "name": "x",
            "dtype": output_dtype(schema),
            "shape": ["batch", *_shape(schema)],
            "layout": schema.layout,
            "alpha": schema.alpha,
            "range": sampler.transform.limits,
            "columns": stored["columns"],
            "column_dtypes": stored["column_dtypes"],
        },
        "labels": None if schema.classes is None else [*map(label_to_json, schema.classes)],
        "label_counts": schema.class_counts,
        "label_column": stored.get("label_column"),
        "table": stored.get("table"),
        "computed": _computed(schema),
        "series": stored.get("series"),
    }


def _computed(schema: Schema) -> list[str]:
    """Columns of a table that constraints compute, which the output does not have."""
    return [] if schema.table is None else [*map(str, schema.table.rules.assigned)]


def kind_of(schema: Schema) -> str:
    """ "images", "series", "table" or "points"."""
    if schema.is_image:
        return "images"
    if schema.series is not None:
        return "series"
    return "table" if schema.table is not None or schema.container == "frame" else "points"


def _shape(schema: Schema) -> tuple[int, ...]:
    if schema.series is not None or schema.container == "frame":
        return schema.shape
    return schema.user_shape


def _input(sampler: Sampler, name: str) -> dict[str, Any]:
    """How to draw one input."""
    if name == "z":
        return {
            "name": "z",
            "dtype": "float32",
            "shape": ["batch", sampler.prior.width],
            "parts": _parts(sampler),
        }
    if name == "label":
        return {"name": "label", "dtype": "int64", "shape": ["batch"]}
    if name == "truncation":
        return {"name": "truncation", "dtype": "float32", "shape": [], "default": 1.0}
    clustering = sampler.transform.clustering
    assert clustering is not None
    more = [len(clustering.weights)] if clustering.per_channel else []
    return {
        "name": "cluster",
        "dtype": "float32",
        "shape": ["batch", *more],
        "distribution": "uniform",
        "low": 0.0,
        "high": 1.0,
    }


def _parts(sampler: Sampler) -> list[dict[str, Any]]:
    """The columns of the latents, from the first on."""
    prior = sampler.prior
    uniform = {"distribution": "uniform", "low": -1.0, "high": 1.0}
    noise: dict[str, Any] = {"distribution": "normal"} if prior.kind == "normal" else uniform
    parts = [{"size": prior.dim, **noise}]
    parts += [
        {"size": size, "distribution": "one_hot", "code": f"c{place}"}
        for place, size in enumerate(prior.categorical_codes)
    ]
    parts += [
        {"size": 1, **uniform, "code": f"u{place}"} for place in range(prior.continuous_codes)
    ]
    return [*parts, {"size": prior.draws, "distribution": "normal"}] if prior.draws else parts
