"""Windows of series as the content of files: arrays, and tables with a row for each
step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.api import GAN
    from equipoise.data.series.windows import Series

PART_ROWS = 2**16  # of a table that are in memory at once
IDS, STEPS = "series", "step"


def arrays_of(samples: Any, series: Series, suffix: str) -> dict[str, Any]:
    """The arrays of a .npy or .npz file of windows.

    Args:
        samples: What `GAN.sample` returned: an array, or a list of arrays.
        series: The form of the windows.
        suffix: The file's ending.

    Returns:
        "x", (N, T, C), or (N, T); where lengths differ with NaN after the end, or 0 of
        whole numbers, and "lengths", (N,).

    Raises:
        RequestError: If lengths differ, which a .npy file cannot hold.
    """
    windows = [np.asarray(window) for window in samples]
    if not series.has_lengths:
        return {"x": np.stack(windows) if windows else np.asarray(samples)}
    if suffix == ".npy":
        raise RequestError(
            "a .npy file holds one array, and the windows differ in length: give .npz, .csv or "
            ".parquet"
        )
    shape = (series.steps,) if series.flat else (series.steps, len(series.channels))
    dtype = windows[0].dtype if windows else np.dtype(float)
    padded = np.full((len(windows), *shape), np.nan if dtype.kind == "f" else 0, dtype)
    for place, window in enumerate(windows):
        padded[place, : len(window)] = window
    return {"x": padded, "lengths": np.array([len(window) for window in windows], np.int64)}


def tables_of(gan: GAN, n: int, arguments: Mapping[str, Any]) -> Iterator[pd.DataFrame]:
    """The windows that `GAN.sample` returns with these arguments as tables, in parts,
    one at least: the user's columns, or of arrays a column of ids, one of steps and one
    for each channel."""
    series = gan.schema.series
    assert series is not None, "these are no windows of series"
    if n == 0:
        yield _table(gan.sample(0, **arguments), series, 0)
        return
    size = max(PART_ROWS // series.steps, 1)
    for number, part in enumerate(gan.sample_batches(n, size, **arguments)):
        yield _table(part, series, number * size)


def _table(samples: Any, series: Series, start: int) -> pd.DataFrame:
    """Some windows as a table; `start` is the number of the first."""
    import pandas as pd

    if series.frame is not None:
        return cast("pd.DataFrame", samples)
    windows = [np.asarray(window) for window in samples]
    names = [f"channel_{name}" for name in series.names]
    lengths = np.array([len(window) for window in windows], np.int64)
    shaped: list[NDArray[Any]] = [window.reshape(len(window), len(names)) for window in windows]
    values = np.concatenate(shaped) if shaped else np.empty((0, len(names)))
    steps = [np.arange(length) for length in lengths]
    columns = {
        IDS: start + np.arange(len(windows)).repeat(lengths),
        STEPS: np.concatenate([np.empty(0, np.int64), *steps]),
    }
    return pd.DataFrame({**columns, **dict(zip(names, values.T, strict=True))})
