"""How generated rows of a table differ from real ones: the columns and the pairs that
are furthest off, categories that are missing, associations, and a sentence of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.data.sources import Source
from equipoise.data.tables.table import Table
from equipoise.diagnosis.missing import MissingCategory
from equipoise.errors import clipped
from equipoise.metrics.tables.associations import associations
from equipoise.metrics.tables.raw_table import raw_table
from equipoise.metrics.tables.worst import (
    ColumnFigures,
    PairFigures,
    worst_columns,
    worst_pairs,
)
from equipoise.plotting.table_columns import drawn_columns
from equipoise.sampling.sampler import EVALUATION_SEED, Sampler

Array = NDArray[np.float64]
ROWS = 5_000  # that are compared
COMMON = 0.01  # share of real rows from which a category must not be missing
MISSING_RATIO = 0.1  # of its real share, below which it is
MIN_ROWS = 20  # real rows with a category; of fewer chance can leave a tenth
MAX_ASSOCIATIONS = 20  # columns of a heat map
OFF = 0.03  # below the shape or the trend of other real rows, from which it is worth a word
MAX_NAME = 40  # letters


@dataclass(frozen=True)
class TableComparison:
    """What a page says of the rows of a table."""

    rows: int
    """Generated rows that were compared, and real ones at most."""
    columns: Sequence[ColumnFigures]
    """The columns, the one furthest off first."""
    pairs: Sequence[PairFigures]
    """The pairs of columns that are furthest off."""
    missing: Sequence[MissingCategory]
    names: Sequence[str]
    """The columns whose associations are known, (C,)."""
    associations: Array
    """Of generated rows, (C, C); nan where a column never varies."""
    real_associations: Array
    """Of real ones."""

    @property
    def sentence(self) -> str:
        """What is off, in words."""
        said = [f"Samples hardly ever have {self.missing[0]}."] if self.missing else []
        if len(self.missing) > 1:
            said = [f"{said[0][:-1]}; {len(self.missing) - 1} more categories are missing too."]
        if self.columns and (worst := self.columns[0]).shape < worst.baseline - OFF:
            said.append(
                f"The column furthest off is {clipped(worst.name, MAX_NAME)}: its shape is "
                f"{worst.shape:.2f}, with other real rows {worst.baseline:.2f}."
            )
        if self.pairs and (pair := self.pairs[0]).trend < pair.baseline - OFF:
            said.append(
                f"What binds {pair_name(pair)} is furthest off: their trend is {pair.trend:.2f}, "
                f"with other real rows {pair.baseline:.2f}."
            )
        return " ".join(said) or (
            "No column and no pair of columns stands out: each is about as near to the real "
            "rows as other real rows are."
        )


def pair_name(pair: PairFigures) -> str:
    """The names of two columns."""
    return " and ".join(clipped(name, MAX_NAME) for name in pair.names)


def table_comparison(sampler: Sampler, source: Source) -> TableComparison | None:
    """Compare generated rows with held-out ones; None for data that is not a table of
    mixed columns, and where there is nothing to compare.

    Args:
        sampler: The generator.
        source: The real data.
    """
    table = source.schema.table
    if table is None:
        return None
    generated = sampler.values(ROWS, EVALUATION_SEED)
    real, other = (part(ROWS, 0).double().numpy() for part in (source.held_out, source.seen))
    if min(len(real), len(other)) < 2 or not np.isfinite(generated).all():
        return None
    return compared(table, generated, real, other)


def missing_from(sampler: Sampler, source: Source) -> tuple[MissingCategory, ...]:
    """The categories that samples of a table hardly ever have; of other data none."""
    table = source.schema.table
    if table is None:
        return ()
    real = [part(ROWS, 0).double().numpy() for part in (source.held_out, source.seen)]
    generated = sampler.values(ROWS, EVALUATION_SEED)
    return tuple(missing_categories(table, generated, np.concatenate(real)))


def compared(table: Table, generated: Array, real: Array, other: Array) -> TableComparison:
    """Compare raw matrices, (N, R), (M, R) and (L, R).

    Args:
        table: What their columns are.
        generated: Generated rows.
        real: Real rows.
        other: Other real rows, for baselines.
    """
    raw = raw_table(table)
    fake, held_out, rest = (raw.values(rows) for rows in (generated, real, other))
    n = min(map(len, (fake, held_out, rest)))  # what is unequal in size differs by chance
    sides = held_out[:n], fake[:n], rest[:n]
    columns = worst_columns(raw.columns, *sides, most=len(raw.columns))
    pairs = worst_pairs(raw.columns, *sides) if len(raw.columns) > 1 else []
    first = [*(name for pair in pairs for name in pair.names), *(each.name for each in columns)]
    chosen = set(list(dict.fromkeys(first))[:MAX_ASSOCIATIONS])
    places = [at for at, column in enumerate(raw.columns) if column.name in chosen]
    kept = [raw.columns[at] for at in places]
    return TableComparison(
        n,
        columns,
        pairs,
        missing_categories(table, generated, np.concatenate([real, other])),
        [column.name for column in kept],
        associations(kept, fake[:n, places]),
        associations(kept, held_out[:n, places]),
    )


def missing_categories(table: Table, generated: Array, real: Array) -> list[MissingCategory]:
    """Categories, markers and blanks that at least 1% of real rows have and generated
    ones hardly ever, the commonest first.

    Args:
        table: What the columns are.
        generated: Generated rows, (N, R).
        real: Real rows, (M, R).
    """
    found = []
    for column in drawn_columns(table):
        counts, among = (
            np.bincount(codes[codes >= 0], minlength=len(column.states))
            for codes in (column.codes(generated), column.codes(real))
        )
        shares, real_shares = counts / max(len(generated), 1), among / max(len(real), 1)
        enough = np.minimum(among, real_shares * len(generated)) >= MIN_ROWS
        lacking = enough & (real_shares >= COMMON) & (shares < MISSING_RATIO * real_shares)
        found += [
            MissingCategory(
                column.name, column.states[at], float(shares[at]), float(real_shares[at])
            )
            for at in np.flatnonzero(lacking)
        ]
    return sorted(found, key=lambda category: -category.real_share)
