"""Windows of series from a table with a column of ids, and perhaps one of times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data.series.arrays import check_form
from equipoise.data.series.frame_form import FrameForm
from equipoise.data.series.windows import Array, Channel, Series
from equipoise.data.tables.base import Column, Options
from equipoise.data.tables.dates import find_dates
from equipoise.data.tables.kinds.date import DateColumn, DateOptions
from equipoise.data.tables.kinds.identifier import IdColumn
from equipoise.data.tables.kinds.number import NumberColumn, NumberOptions
from equipoise.data.tables.notes import Name, quoted, some_of
from equipoise.data.tables.numbers import find_numbers
from equipoise.data.tables.profile import Profile
from equipoise.data.tables.recognition import refuse_names
from equipoise.data.tables.table import Table
from equipoise.errors import RequestError, nearest

if TYPE_CHECKING:
    import pandas as pd

MAX_OFF = 1e-6  # of a step, by which a time may miss it


@dataclass(frozen=True)
class Roles:
    """What the user says of the columns of a table of series."""

    series: str | None = None
    """The column that says which window a row belongs to."""
    time: str | None = None
    """The column of times; None where rows are in order."""
    known: Series | None = None
    """The form of the windows, where that is known."""


NO_ROLES = Roles()


@dataclass(frozen=True)
class FrameWindows:
    """The windows of a table."""

    rows: Array
    series: Series
    of_row: NDArray[np.int64]
    """The number of each row's window, of the table's rows in their order."""
    notes: tuple[str, ...]


def windows_of(frame: pd.DataFrame, roles: Roles) -> FrameWindows:
    """The windows of a table.

    Args:
        frame: A row for each step, in any order if there are times.
        roles: Which columns hold ids and times. All others are channels.

    Raises:
        RequestError: If columns are missing, no numbers or have names that cannot be
            stored, cells are blank, or times are not regular.
    """
    refuse_names(frame)
    ids, time = _named(frame, roles)
    keys = [ids] if time is None else [ids, time]
    known = None if roles.known is None else roles.known.frame
    _refuse_blanks(frame, keys)
    times = None if time is None else _times_of(frame[time], known)
    order, starts = _in_order(frame[ids], None if times is None else times[1])
    spans = np.split(order, starts[1:])
    grid = (0.0, 1.0) if times is None else _grid([times[1][span] for span in spans], str(time))
    table = _channels(frame.drop(columns=keys), known)
    matrix = table.encode(frame, 0)
    windows = [matrix[span] for span in spans]
    series, notes = roles.known, tuple[str, ...]()
    if series is None:
        column, notes = _id_column(frame[ids].iloc[order[starts]])
        clock = None if times is None else Table((times[0],))
        form = FrameForm(tuple(frame.columns), Table((column,)), table, clock, *grid)
        lengths = [len(window) for window in windows]
        series = Series(
            max(lengths),
            min(lengths),
            channels_of(table),
            frame=form,
            length_counts=Series.counts_of(lengths),
        )
    check_form(windows, series)
    of_row = np.empty(len(order), np.int64)
    of_row[order] = np.arange(len(windows)).repeat([len(span) for span in spans])
    return FrameWindows(series.pack(windows), series, of_row, notes)


def labels_of(labels: Sequence[Any] | NDArray[Any], windows: NDArray[np.int64]) -> list[Any]:
    """The label of each window.

    Args:
        labels: That of each row, (N,).
        windows: The number of each row's window, (N,).

    Raises:
        RequestError: If a window has several.
    """
    import pandas as pd

    first = np.unique(windows, return_index=True)[1]
    codes = pd.factorize(pd.Series(list(labels), dtype=object))[0]
    wrong = np.unique(windows[codes != codes[first][windows]])
    if len(wrong):
        raise RequestError(
            f"labels differ within {len(wrong):,} of {len(first):,} windows: give every row of a "
            "window the same label"
        )
    return [labels[row] for row in first.tolist()]


def channels_of(table: Table) -> tuple[Channel, ...]:
    """The channels that the columns of a table are."""
    found = zip(table.raw_columns, table.columns, strict=True)
    return tuple(Channel(raw.name, raw.step, *_bounds(column)) for raw, column in found)


def _named(frame: pd.DataFrame, roles: Roles) -> tuple[Any, Any]:
    """The names of the columns of ids and of times, None without times.

    Raises:
        RequestError: If there are no such columns.
    """
    named = {str(name): name for name in frame.columns}
    for role, asked in (("series", roles.series), ("time", roles.time)):
        if asked is not None and asked not in named:
            raise RequestError(f"{role} = {asked!r} is no column: {nearest(asked, named)}")
    if roles.series is None:
        raise RequestError(
            f"time = {roles.time!r} needs series, the column that says which window a row belongs "
            "to (--series COLUMN, in Python series=...)"
        )
    if roles.series == roles.time:
        raise RequestError(f"series and time are both {roles.time!r}: give two columns")
    return named[roles.series], None if roles.time is None else named[roles.time]


def _refuse_blanks(frame: pd.DataFrame, names: Sequence[Any]) -> None:
    """Raises:
    RequestError: If ids or times are blank."""
    blank = {name: int(frame[name].isna().sum()) for name in names}
    if any(blank.values()):
        listed = ", ".join(f"{quoted(name)} {count:,}" for name, count in blank.items() if count)
        raise RequestError(
            f"blank cells where every row needs one ({listed} of {len(frame):,} rows): fill them "
            "or drop those rows"
        )


def _in_order(
    ids: pd.Series[Any], times: Array | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places of rows, (N,), window by window in the order in which ids appear, each
    by its times; and where each window starts among them."""
    import pandas as pd

    codes = pd.factorize(ids)[0]
    keys = (codes,) if times is None else (times, codes)
    order = np.lexsort(keys)
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    return order, starts


def _times_of(cells: pd.Series[Any], form: FrameForm | None) -> tuple[Column, Array]:
    """The column of times, and each row's time as the column counts it, (N,)."""
    if form is not None and form.time is not None:
        column = form.time.columns[0]
    else:
        profile = Profile(_name(cells), cells)
        if profile.once(find_dates) is not None:
            column = DateColumn.learn(profile, DateOptions(levels=False, spikes=()))
        else:
            column = _number_times(profile)
    numbers = column.read(cells).numbers
    if numbers is None or not np.isfinite(numbers).all():
        raise RequestError(f"time = {str(cells.name)!r} holds cells that are no times or numbers")
    return column, numbers


def _number_times(profile: Profile) -> NumberColumn:
    """The column of times that are numbers.

    Raises:
        RequestError: If they are not.
    """
    try:
        return NumberColumn.learn(profile, NumberOptions(levels=False, spikes=()))
    except RequestError as error:
        raise RequestError(f"time = {quoted(profile.name)} {error}; or give dates") from None


def _grid(times: Sequence[Array], name: str) -> tuple[float, float]:
    """The first time and the step of windows whose times, (T_i,) each, are regular.

    Raises:
        RequestError: If they are not.
    """
    gaps = np.concatenate([np.diff(of) for of in times])
    start = min(float(of[0]) for of in times)
    if not len(gaps):
        return start, 1.0
    if (repeated := int((gaps <= 0).sum())) > 0:
        raise RequestError(
            f"time = {name!r}: {repeated:,} times come twice in one window: give every row of a "
            "window its own time"
        )
    step = float(np.median(gaps))
    if (off := int((np.abs(gaps - step) > MAX_OFF * step).sum())) > 0:
        raise RequestError(
            f"time = {name!r}: {off:,} of {len(gaps):,} gaps between times are not the usual one, "
            "so the steps are not regular: resample each window to a grid, or leave time out and "
            "learn the order alone (gaps can be a channel: drop the times, keep the differences)"
        )
    return start, step


def _channels(frame: pd.DataFrame, form: FrameForm | None) -> Table:
    """The columns that are learned.

    Raises:
        RequestError: If there is none, or some are no numbers or have blanks.
    """
    if form is not None:
        return form.channels
    columns, wrong = list[Column](), list[Any]()
    lacking: dict[Any, pd.Series[Any]] = {}
    for name in frame.columns:
        profile = Profile(name, frame[name])
        found = profile.once(find_numbers)
        if profile.blanks == len(frame) or (found and not np.isfinite(found.values).any()):
            lacking[name] = frame[name]
            continue
        if profile.cells == "bool" or found is None:
            wrong.append(name)
            continue
        column = NumberColumn.learn(profile, NumberOptions(levels=False, spikes=()))
        columns.append(column)
        # Infinity and markers, such as "?", are states of their own, as blanks are.
        if column.states > 1:
            lacking[name] = frame[name][column.read(frame[name]).codes != 0]
    if wrong:
        raise RequestError(
            f"{len(wrong)} column{'s are' if len(wrong) > 1 else ' is'} not of numbers, which the "
            f"channels of series are: {some_of(wrong)}; drop them, or turn them into numbers, "
            "as by 0 and 1; one that is the same throughout each window can be its label "
            "(--label-column COLUMN, in Python label_column=...)"
        )
    if lacking:
        listed = ", ".join(f"{quoted(name)} {_lacking(cells)}" for name, cells in lacking.items())
        raise RequestError(
            f"channels have cells without a number ({listed} of {len(frame):,} rows): fill them "
            "first, as by interpolation, or drop those windows"
        )
    if not columns:
        raise RequestError("the table has no channels: give a column of numbers beside the ids")
    return Table(tuple(columns))


def _lacking(cells: pd.Series[Any]) -> str:
    """How many cells have no number, and what those that are not blank hold."""
    held = cells.dropna().astype(str)
    blank = len(cells) - len(held)
    parts = [f"{blank:,} blank"] if blank else []
    if len(held):
        parts.append(f"{len(held):,} with {some_of(held.unique().tolist())}")
    return " and ".join(parts)


def _bounds(column: Column) -> tuple[float | None, float | None]:
    """The least and the greatest number that samples of a column may have."""
    assert isinstance(column, NumberColumn)
    return column.spread.low, column.spread.high


def _id_column(ids: pd.Series[Any]) -> tuple[IdColumn, tuple[str, ...]]:
    """The column of ids, and a note where new ones have another form."""
    import pandas as pd

    try:
        return IdColumn.learn(Profile(_name(ids), ids), Options()), ()
    except RequestError:
        made = pd.Series([f"series-{place:05d}" for place in range(len(ids))], name=ids.name)
        column = IdColumn.learn(Profile(_name(ids), made), Options())
        note = f"the ids in {quoted(ids.name)} have no form: new ones, {column.summary()}"
        return column, (note,)


def _name(column: pd.Series[Any]) -> Name:
    """The name of a column, which was checked to be one that files can have."""
    return column.name if isinstance(column.name, int) else str(column.name)
