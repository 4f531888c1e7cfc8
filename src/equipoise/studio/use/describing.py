"""What a generator can be asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.studio.kinds import kind_of
from equipoise.studio.use.asked import MAX_WRITTEN, endings_of, limits_of
from equipoise.studio.use.generators import Loaded

if TYPE_CHECKING:
    from equipoise.data.schema import Schema
    from equipoise.networks.latents import Prior

MAX_SHOWN = 200  # classes, and categories of a column


def describe(loaded: Loaded, name: str) -> dict[str, Any]:
    """What the page shows beside its samples: the kind of data, classes, columns that
    conditions can be on, codes, formats of files, and limits."""
    from equipoise.data.in_words import described

    sampler = loaded.run.sampler
    schema = sampler.schema
    kind = kind_of(schema)
    default, most = limits_of(kind)
    classes = schema.classes if sampler.recipe.conditional else None
    return {
        "name": name,
        "path": str(loaded.path),
        "kind": kind,
        "described": described(schema),
        "recipe": sampler.recipe.name,
        "samples_seen": sampler.samples_seen,
        "size": [schema.shape[2], schema.shape[1]] if schema.is_image else None,
        "classes": [str(label) for label in (classes or ())[:MAX_SHOWN]],
        "n_classes": len(classes or ()),
        "columns": columns_of(schema),
        "codes": codes_of(sampler.prior),
        "endings": endings_of([kind], numbers=_all_numbers(schema)),
        "default_n": default,
        "most": most,
        "most_written": MAX_WRITTEN,
    }


def columns_of(schema: Schema) -> list[dict[str, Any]]:
    """The columns that conditions can be on, with their categories."""
    if schema.series is not None or schema.container != "frame":
        return []
    from equipoise.data.tables.kinds.category import CategoryColumn

    found: list[dict[str, Any]] = []
    label = schema.label_column
    if schema.table is not None:
        for column in schema.table.columns:
            if not column.kept or column.kind == "id":
                continue
            values = column.categories if isinstance(column, CategoryColumn) else ()
            found.append(_column(str(column.name), column.label, values))
    else:
        found += [_column(str(name), "number", ()) for name in schema.columns or ()]
    if label is not None:
        found.append(_column(str(label.name), "label", schema.classes or ()))
    return found


def codes_of(prior: Prior) -> dict[str, int | None]:
    """The codes of InfoGAN by name: the number of values that one has, None for a
    continuous one."""
    categorical: dict[str, int | None] = {
        f"c{place}": size for place, size in enumerate(prior.categorical_codes)
    }
    return categorical | {f"u{place}": None for place in range(prior.continuous_codes)}


def _column(name: str, kind: str, values: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "values": [str(value) for value in values[:MAX_SHOWN]]}


def _all_numbers(schema: Schema) -> bool:
    return schema.table is None and schema.label_column is None


def name_of_file(run: Path, n: int, ending: str) -> str:
    """What a download is called."""
    return f"{run.name}-{n}{ending}"
