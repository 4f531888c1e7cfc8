"""How well a column of real rows is predicted by a model that was trained on generated
ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from equipoise.data.schema import Schema
from equipoise.data.sources import Source
from equipoise.errors import RequestError, nearest
from equipoise.metrics.budget import Budget
from equipoise.metrics.evaluate import Sampling
from equipoise.metrics.result import MetricResult
from equipoise.metrics.tables.efficacy import efficacy_metrics
from equipoise.metrics.tables.raw_table import Array, Column, RawTable, raw_table


def target_metrics(
    source: Source, sampling: Sampling, target: str, seed: int, budget: Budget
) -> list[MetricResult]:
    """The metric of a target, see `efficacy_metrics`.

    Args:
        source: The real table.
        sampling: n rows, raw, (n, R), and the positions of their labels, if any.
        target: The column that is predicted from all others.
        seed: Of the choice among rows, and of the trees.
        budget: How much is measured.

    Raises:
        RequestError: If the data has no such column, or is no table.
    """
    table, label = _table(source.schema), source.schema.label_column
    columns = list(table.columns)
    if label is not None:
        classes = len(source.schema.classes or ())
        columns.append(Column(str(label.name), len(table.names), classes))
    names = [column.name for column in columns]
    if target not in names:
        raise RequestError(f"target = {target!r} is no column: {nearest(target, names)}")
    n = budget.copies_among

    def rows(drawn: tuple[Array, NDArray[np.int64] | None]) -> Array:
        raw, labels = drawn
        values = table.values(raw)
        return values if label is None or labels is None else np.column_stack([values, labels])

    train, test = (rows(_real(source, n, seed, held_out=part)) for part in (False, True))
    fake = rows(sampling(len(train)))
    return efficacy_metrics(
        columns, names.index(target), (train, fake), test, seed, budget.tree_cells
    )


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
