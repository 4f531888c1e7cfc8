"""What was understood of data, and what the user says instead: the `equipoise describe`
of the page. It opens the data as a training does."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.data.factory import open_source
from equipoise.data.in_words import described, table_in
from equipoise.data.named_sources import NAMED_SOURCES
from equipoise.data.sources import Source
from equipoise.data.tables.base import KINDS
from equipoise.data.tables.overrides import ALIASES
from equipoise.errors import RequestError
from equipoise.recipes import catalogue
from equipoise.runs.settings import RunSettings
from equipoise.studio.cells import cell_text
from equipoise.studio.kinds import kind_of
from equipoise.studio.training.said import settings_of
from equipoise.transforms.space import NetworkSpace

if TYPE_CHECKING:
    import pandas as pd

MAX_SHOWN_COLUMNS, MAX_SHOWN_CLASSES, MAX_LEFT_OUT = 500, 100, 200
SHOWN_IMAGES, SHOWN_ROWS = 24, 8
Json = dict[str, Any]


def understand(data: str, said: Mapping[str, Any], columns_file: str) -> Json:
    """What was understood of data, as a task of `studio.child`.

    Args:
        data: A file, a folder or a built-in source.
        said: What the user says of it, see `studio.training.said`. Of columns a file is
            written, which `equipoise train --columns` reads.
        columns_file: Where.

    Raises:
        RequestError: If it cannot be trained on so.
    """
    settings = RunSettings(**settings_of(said))
    columns = dict(said.get("columns") or {})
    table = None if data in NAMED_SOURCES else table_in(data)
    found: Json = {"kinds": [*KINDS, *ALIASES], "columns": [], "rows": [], "notes": []}
    if table is not None and settings.series is None and settings.time is None:
        found |= _columns(table[0], columns, settings, Path(columns_file), Path(data).name)
    source = open_source(
        data,
        label_column=settings.label_column,
        overrides=columns or None,
        constraints=settings.constraints,
        images=settings.images,
        roles=settings.roles,
    )
    found["notes"] = list(dict.fromkeys([*found["notes"], *source.notes]))
    found["names"] = [] if table is None else [str(name) for name in table[0].columns]
    return {**found, **_about(source), "recipes": _recipes(source)}


def _columns(
    frame: pd.DataFrame, columns: Json, settings: RunSettings, file: Path, name: str
) -> Json:
    """The columns of a table, some rows, and the file of columns where the user said
    something of them."""
    from equipoise.data.tables.column_file import write_columns
    from equipoise.data.tables.overrides import stored_overrides
    from equipoise.data.tables.recognition import constrained, recognise

    overrides = stored_overrides(columns) if columns else None
    table, notes = recognise(frame, overrides)
    table = constrained(table, frame, settings.constraints or ())
    if columns:
        write_columns(table, frame, file, name)
    else:
        file.unlink(missing_ok=True)
    listed = [
        {
            "name": one.name,
            "kind": one.kind,
            "label": column.label,
            "seen": one.seen,
            "blanks": one.blanks,
            "examples": one.examples,
            "is_said": one.name in columns,
        }
        for one, column in zip(table.describe(frame), table.columns, strict=True)
    ]
    rows = [[cell_text(cell) for cell in row] for row in frame.head(SHOWN_ROWS).to_numpy(object)]
    return {
        "columns": listed[:MAX_SHOWN_COLUMNS],
        "more_columns": max(len(listed) - MAX_SHOWN_COLUMNS, 0),
        "rows": rows,
        "notes": list(notes),
    }


def _about(source: Source) -> Json:
    """What is known of any data."""
    schema = source.schema
    classes = [
        {"label": str(label), "count": count}
        for label, count in zip(schema.classes or (), schema.class_counts or (), strict=False)
    ]
    return {
        "title": source.name,
        "kind": kind_of(schema),
        "described": described(schema),
        "training_rows": source.training_rows,
        "held_out_rows": source.test_rows,
        "classes": classes[:MAX_SHOWN_CLASSES],
        "n_classes": len(classes),
        "labels_given": source.labels_given,
        "labels_found": source.labels_found,
        "size": [schema.shape[2], schema.shape[1]] if schema.is_image else None,
        "left_out": [[one.name, str(one)] for one in source.left_out[:MAX_LEFT_OUT]],
        "n_left_out": len(source.left_out),
        "is_folder": source.file_format is not None,
        "examples": _examples(source),
    }


def _examples(source: Source) -> str:
    """Some of the images, as they are learned, as a data URI; empty for other data."""
    if not source.schema.is_image:
        return ""
    from equipoise.plotting.grids import image_grid

    some = source.seen(SHOWN_IMAGES, 0).double().numpy()
    content = image_grid(some, source.limits, 8, alpha=source.schema.alpha)
    return "data:image/png;base64," + base64.b64encode(content).decode()


def _recipes(source: Source) -> list[Json]:
    """Every recipe, and why it is not for this data, if it is not."""
    schema, found = source.schema, []
    for name, recipe in catalogue().items():
        labelled = source.labels_given or recipe.needs_labels
        choices = {"conditional": labelled and recipe.takes_labels and schema.classes is not None}
        why, usual = "", 0
        try:
            made = recipe.for_data(schema, choices)
            usual = made.default_samples(NetworkSpace.of(schema, recipe.table_kind))
        except RequestError as error:
            why = str(error)
        found.append(
            {
                "name": name,
                "summary": recipe.summary,
                "takes_labels": recipe.takes_labels,
                "why_not": why,
                "usual_samples": usual,
            }
        )
    return found
