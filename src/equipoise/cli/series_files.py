"""Windows of series as the content of files: arrays, and tables with a row for each
step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from equipoise.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.api import GAN
    from equipoise.data.series.windows import Series


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
    from equipoise.sampling.frames import frame_of, part_size

    if n == 0:
        yield frame_of(gan.sample(0, **arguments), gan.schema, 0)
        return
    size = part_size(gan.schema)
    for number, part in enumerate(gan.sample_batches(n, size, **arguments)):
        yield frame_of(part, gan.schema, number * size)
