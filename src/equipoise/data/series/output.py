"""Rows of windows as what the user fed: an array, a list of arrays, a table."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data.series.frame_form import FrameForm
from equipoise.data.series.windows import Array, Series
from equipoise.data.tables.label_column import LabelColumn

if TYPE_CHECKING:
    import pandas as pd

Part = tuple[Array, NDArray[np.int64] | None]
"""Some rows, (n, D), and the positions of their labels, (n,)."""
Cast = Callable[[Array], NDArray[Any]]
"""Makes values those of the user's type."""


def as_list(series: Series, parts: Iterable[Part], cast: Cast) -> list[NDArray[Any]]:
    """A list of windows, (T_i, C) or (T_i,)."""
    windows = (window for rows, _ in parts for window in series.unpack(rows))
    return [cast(window[:, 0] if series.flat else window) for window in windows]


def as_array(series: Series, n: int, dtype: str, parts: Iterable[Part], cast: Cast) -> NDArray[Any]:
    """An array of n windows of one length, (n, T, C) or (n, T)."""
    made, start = np.empty((n, series.steps, len(series.channels)), dtype), 0
    for rows, _ in parts:
        made[start : start + len(rows)] = cast(series.values(rows))
        start += len(rows)
    return made[:, :, 0] if series.flat else made


def as_frame(
    series: Series,
    form: FrameForm,
    parts: Iterable[Part],
    column: LabelColumn | None,
    classes: Sequence[Hashable],
    seed: int,
    start: int,
) -> pd.DataFrame:
    """A table with a row for each step.

    Args:
        series: The form of the windows.
        form: The columns of the table.
        parts: The windows.
        column: That of labels, where windows have them.
        classes: The labels.
        seed: Of ids, which are made anew.
        start: The number of the first window.
    """
    import pandas as pd

    made = []
    for rows, positions in parts:
        windows = series.unpack(rows)
        frame = form.decode(windows, seed, start)
        start += len(windows)
        if column is not None and positions is not None:
            lengths = [len(window) for window in windows]
            column.insert(frame, tuple(classes), positions.repeat(lengths))
        made.append(frame)
    if not made:
        return form.decode([], seed, start)
    return pd.concat(made, ignore_index=True) if len(made) > 1 else made[0]
