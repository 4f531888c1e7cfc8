"""Samples of any kind but images as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from equipoise.data.schema import Schema
from equipoise.data.series.windows import Series

if TYPE_CHECKING:
    import pandas as pd

PART_ROWS = 2**16  # of a table that are in memory at once
PART_VALUES = 2**24  # of points that are
IDS, STEPS = "series", "step"


def part_size(schema: Schema) -> int:
    """Samples that are made into a table at once."""
    rows = 1 if schema.series is None else schema.series.steps
    return max(min(PART_ROWS // rows, PART_VALUES // schema.size), 1)


def frame_of(samples: Any, schema: Schema, start: int) -> pd.DataFrame:
    """Samples as a table: the user's columns, or of arrays a column for each value.

    Args:
        samples: As `GAN.sample` returns them; not images.
        schema: Theirs.
        start: The number of the first one.
    """
    import pandas as pd

    if schema.container == "frame":
        return cast("pd.DataFrame", samples)
    if schema.series is not None:
        return windows_frame(samples, schema.series, start)
    values = np.asarray(samples).reshape(len(samples), schema.size)
    names = ["x"] if schema.layout == "N" else [f"x{i}" for i in range(schema.size)]
    return pd.DataFrame(values, columns=names)


def windows_frame(samples: Any, series: Series, start: int) -> pd.DataFrame:
    """Windows of arrays as a table with a row for each step: a column of ids, one of
    steps and one for each channel; `start` is the number of the first window."""
    import pandas as pd

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
