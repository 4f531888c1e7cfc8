"""How well a column of real rows is predicted by a model that was trained on generated
ones."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from equipoise.data.labels import same_classes
from equipoise.data.schema import Schema
from equipoise.data.sources import Source
from equipoise.errors import RequestError, nearest
from equipoise.metrics.budget import Budget
from equipoise.metrics.evaluate import Sampling
from equipoise.metrics.result import MetricResult
from equipoise.metrics.tables.efficacy import efficacy_metrics
from equipoise.metrics.tables.raw_table import Array, Column, RawTable, raw_table


def target_metrics(
    source: Source,
    sampling: Sampling,
    target: str,
    classes: tuple[Hashable, ...] | None,
    seed: int,
    budget: Budget,
) -> list[MetricResult]:
    """The metric of a target, see `efficacy_metrics`.

    Args:
        source: The real table.
        sampling: n rows, raw, (n, R), and the positions of their labels, if any.
        target: The column that is predicted from all others.
        classes: The labels that the generator learned, if any. The column of labels is
            used where the data has the same ones.
        seed: Of the choice among rows, and of the trees.
        budget: How much is measured.

    Raises:
        RequestError: If the data has no such column, or is no table.
    """
    schema, n = source.schema, budget.copies_among
    table = _table(schema)
    train, test = (_real(source, n, seed, held_out=part) for part in (False, True))
    fake = sampling(len(train[0]))
    columns, label = list(table.columns), schema.label_column
    has_labels = fake[1] is not None and same_classes(classes, schema.classes)
    if label is not None and has_labels:
        columns.append(Column(str(label.name), len(table.names), len(schema.classes or ())))
    position = _position(columns, target, schema)

    def rows(part: tuple[Array, NDArray[np.int64] | None]) -> Array:
        values, labels = table.values(part[0]), part[1]
        if labels is None or len(columns) == values.shape[1]:
            return values
        return np.column_stack([values, labels])

    return efficacy_metrics(
        columns, position, (rows(train), rows(fake)), rows(test), seed, budget.tree_cells
    )


def _position(columns: Sequence[Column], target: str, schema: Schema) -> int:
    """The place of the target among the columns.

    Raises:
        RequestError: If it is none of them.
    """
    names = [column.name for column in columns]
    if target in names:
        return names.index(target)
    table, label = schema.table, schema.label_column
    if label is not None and target == str(label.name):
        raise RequestError(
            f"target = {target!r} holds labels, which this generator does not make as the data "
            "has them: train with --conditional True, or without --label-column"
        )
    if table is not None and any(
        str(column.name) == target and table.is_computed(column) for column in table.columns
    ):
        raise RequestError(
            f"target = {target!r} is computed of other columns by a constraint: name another"
        )
    raise RequestError(f"target = {target!r} is no column: {nearest(target, names)}")


def _table(schema: Schema) -> RawTable:
    """What the columns are, of a table of plain numbers too."""
    if schema.table is not None:
        return raw_table(schema.table)
    if schema.columns is None:
        raise RequestError("target: this data has no columns; leave it out, or give a table")
    return RawTable(tuple(map(str, schema.columns)), (0,) * len(schema.columns))


def _real(
    source: Source, n: int, seed: int, *, held_out: bool
) -> tuple[Array, NDArray[np.int64] | None]:
    """At most n real rows, raw, and the positions of their labels, if any."""
    labelled = source.labelled(n, seed, held_out=held_out)
    if labelled is not None:
        return labelled[0].double().numpy(), labelled[1].numpy()
    part = source.held_out if held_out else source.seen
    return part(n, seed).double().numpy(), None
