"""The schema of a data set: shape, layout, columns, types and labels, and the way back
from a network's values to the user's kind of object."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.coerce import instance
from equipoise.data import AskedLayout
from equipoise.data.labels import (
    is_typed_number,
    label_from_json,
    label_to_json,
    plain_label,
)
from equipoise.data.levels import MAX_LEVELS, Levels
from equipoise.data.series.layout import looks_like_series
from equipoise.data.series.output import as_array, as_frame, as_list
from equipoise.data.series.windows import Series
from equipoise.data.tables.label_column import LabelColumn
from equipoise.data.tables.table import Table
from equipoise.errors import RequestError, nearest

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    UserData = NDArray[Any] | Tensor | pd.DataFrame | list[Any]

Part = tuple[NDArray[np.float64], NDArray[np.int64] | None]
"""Some samples: their values, (n, *shape), and the positions of their labels, (n,)."""
Layout = Literal["N", "ND", "NHW", "NCHW", "NHWC", "NTC"]
ImageLayout = Literal["NCHW", "NHWC"]
Container = Literal["array", "tensor", "frame"]
Bounds = tuple[tuple[float | None, float | None], ...]
MAX_CHANNELS = 64  # of images
COLOUR_CHANNELS = range(1, 5)  # grey to RGBA, which most images have
RGB = 3  # channels
MIN_PHOTO_SIDE = 16  # pixels of the shorter side; smaller images have no content to see
ALPHA_CHANNELS = 4  # of images whose last channel can be their transparency
DTYPES = (
    "bool",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float16",
    "float32",
    "float64",
)
MAX_SAMPLE_VALUES = 2**27


@dataclass(frozen=True)
class Schema:
    """The shape and kind of a data set."""

    shape: tuple[int, ...]
    """One sample in network layout: (D,) for points, (C, H, W) for images."""
    layout: Layout
    """The user's layout of the whole data set."""
    dtype: str
    """NumPy's name of the user's type; for a table, a type that holds every column."""
    container: Container = "array"
    """What `sample` returns."""
    columns: tuple[str | int, ...] | None = None
    """The names of a table's columns."""
    column_dtypes: tuple[str, ...] | None = None
    """NumPy's names of their types."""
    classes: tuple[Hashable, ...] | None = None
    """The distinct labels, in order. Networks see their positions here."""
    class_counts: tuple[int, ...] | None = None
    """Samples of each class."""
    levels: Levels | None = None
    """The few values that columns of points take (`data.levels`), if any does."""
    bounds: Bounds | None = None
    """The least and the greatest number that each column of a table may have in
    samples; None for any."""
    alpha: bool = False
    """Whether the last channel of images is their transparency."""
    table: Table | None = None
    """What the user's columns are, of a table that is not of plain numbers. Samples are
    the rows of its matrix, whose columns `columns` names."""
    label_column: LabelColumn | None = None
    """The column of a table that holds the labels; None of labels that came otherwise,
    and without labels."""
    series: Series | None = None
    """The form of windows of series. Samples are their rows."""

    @property
    def is_image(self) -> bool:
        return len(self.shape) == 3

    @property
    def size(self) -> int:
        """Values of one sample."""
        return int(np.prod(self.shape))

    def to_dict(self) -> dict[str, Any]:
        stored = asdict(replace(self, table=None, label_column=None, series=None))
        if self.classes is not None:
            stored["classes"] = [label_to_json(label) for label in self.classes]
        if self.table is not None:
            stored["table"] = self.table.to_dict()
        if self.label_column is not None:
            stored["label_column"] = self.label_column.to_dict()
        if self.series is not None:
            stored["series"] = self.series.to_dict()
        return stored

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Schema:
        """The schema that `to_dict` wrote, through JSON.

        Raises:
            RequestError: If it is not valid.
        """
        classes, table, column, windows = (
            stored.get(name) if isinstance(stored, dict) else None
            for name in ("classes", "table", "label_column", "series")
        )
        try:
            columns = None if table is None else Table.from_dict(table)
            labels = None if classes is None else tuple(label_from_json(label) for label in classes)
            of_labels = None if column is None else LabelColumn.from_dict(column, labels or ())
            if of_labels is not None and labels is not None:
                labels = of_labels.restored(labels)
            series = None if windows is None else Series.from_dict(windows)
            schema = instance(
                cls, stored, classes=labels, table=columns, label_column=of_labels, series=series
            )
            schema._validate()
        except (TypeError, ValueError, AttributeError, RecursionError) as error:
            raise RequestError(f"its schema is not valid: {error}") from None
        return schema

    def _validate(self) -> None:
        """Check that the fields fit together.

        Raises:
            RequestError: If not.
        """
        dtypes = (self.dtype, *(self.column_dtypes or ()))
        columns = (self.columns, self.column_dtypes)
        invalid = {
            "shape": len(self.shape) != (1 if self.layout in ("N", "ND", "NTC") else 3)
            or not 0 < math.prod(self.shape) <= MAX_SAMPLE_VALUES,
            "dtype": any(dtype not in DTYPES for dtype in dtypes),
            "columns": any(of is not None and (len(of),) != self.shape for of in columns),
            "classes": (self.classes is None) != (self.class_counts is None)
            or (self.classes is not None and len(self.classes) != len(self.class_counts or ()))
            or any(count < 0 for count in self.class_counts or ())
            or (self.class_counts is not None and sum(self.class_counts) < 1),
            "levels": self.levels is not None and not self._valid_levels(self.levels),
            "table": self.table is not None and (len(self.table.raw_columns),) != self.shape,
            "label_column": self.label_column is not None
            and (self.classes is None or self.container != "frame"),
            "series": (self.series is not None) != (self.layout == "NTC")
            or (self.series is not None and not self._valid_series(self.series)),
            "bounds": self.bounds is not None and not self._valid_bounds(self.bounds),
            "alpha": self.alpha and not (self.is_image and self.shape[0] == ALPHA_CHANNELS),
        }
        if wrong := [name for name, is_invalid in invalid.items() if is_invalid]:
            raise RequestError(f"its {wrong[0]} is not valid")

    def _valid_series(self, series: Series) -> bool:
        """Whether windows of series fit the other fields."""
        in_frame = (series.frame is not None) == (self.container == "frame")
        alone = self.table is None and self.columns is None and self.levels is None
        return in_frame and alone and self.bounds is None and (series.size,) == self.shape

    def _valid_levels(self, levels: Levels) -> bool:
        """Whether levels have an entry for each column, of finite numbers in order."""
        present = [known for known in levels if known is not None]
        numbers = all(
            0 < len(known) <= MAX_LEVELS and all(map(math.isfinite, known)) for known in present
        )
        ordered = all(low < high for known in present for low, high in pairwise(known))
        return (len(levels),) == self.shape and numbers and ordered

    def _valid_bounds(self, bounds: Bounds) -> bool:
        """Whether bounds have an entry for each column, of finite numbers in order."""
        finite = all(math.isfinite(end) for ends in bounds for end in ends if end is not None)
        ordered = all(low is None or high is None or low <= high for low, high in bounds)
        return (len(bounds),) == self.shape and finite and ordered

    def class_index(self, label: Hashable) -> int:
        """The position of `label` among the classes, which are compared by value, then
        as text and as numbers, since a command line has only text.

        Raises:
            RequestError: If there is no such class.
        """
        if self.classes is None:
            raise RequestError(
                f"label = {label!r}: this generator was trained without labels; train with "
                "conditional"
            )
        asked = plain_label(label)
        if asked in self.classes:
            return self.classes.index(asked)
        texts = [str(known) for known in self.classes]
        if str(asked) in texts:
            return texts.index(str(asked))
        for index, known in enumerate(self.classes):
            if is_typed_number(known, asked):
                return index
        raise RequestError(
            f"label {label!r} is not among the classes: {nearest(str(label), texts)}"
        )

    @property
    def user_shape(self) -> tuple[int, ...]:
        """The shape of one sample in the user's layout."""
        if self.layout in ("N", "NHW"):
            return self.shape[1:]
        if self.series is not None:
            channels = () if self.series.flat else (len(self.series.channels),)
            return (self.series.steps, *channels)
        return (*self.shape[1:], self.shape[0]) if self.layout == "NHWC" else self.shape

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample in the user's type."""
        return sum(
            np.dtype(dtype).itemsize for dtype in self.column_dtypes or (self.dtype,) * self.size
        )

    def to_user(
        self,
        values: NDArray[np.float64],
        labels: NDArray[np.int64] | None = None,
        seed: int = 0,
        start: int = 0,
    ) -> UserData:
        """Values in the user's units as samples of the user's type, layout and
        container. Integers are rounded and clipped to their type's range.

        Args:
            values: (N, *shape).
            labels: The positions of their classes, (N,), for a table with a column of
                labels; without them it is left out.
            seed: Of what is made anew: ids.
            start: The number of the first sample, so that parts of a table have ids of
                their own.
        """
        return self.collect(len(values), [(values, labels)], seed, start)

    def collect(self, n: int, parts: Iterable[Part], seed: int = 0, start: int = 0) -> UserData:
        """As `to_user`, for values that come in parts. Besides the result, memory holds
        one part at a time.

        Args:
            n: Samples in all.
            parts: Values, float64, (m, *shape), and labels, (m,) or None: n rows
                together.
            seed: As for `to_user`.
            start: As for `to_user`.
        """
        if self.series is not None:
            return self._windows(self.series, n, parts, seed, start)
        if self.columns is not None and self.container == "frame":
            return self._frame(n, parts, seed, start)
        array = np.empty((n, *self.user_shape), self.dtype)
        for rows, part, _ in _placed(parts):
            array[rows] = cast(from_network_layout(part, self.layout), self.dtype)
        if self.container == "tensor":
            import torch

            return torch.from_numpy(array)
        return array

    def _windows(
        self, series: Series, n: int, parts: Iterable[Part], seed: int, start: int
    ) -> UserData:
        """Windows of series, of the user's kind."""
        if series.frame is not None:
            classes = self.classes or ()
            return as_frame(series, series.frame, parts, self.label_column, classes, seed, start)
        typed = partial(cast, dtype=self.dtype)
        made: list[NDArray[Any]] | NDArray[Any]
        if series.listed:
            made = as_list(series, parts, typed)
        else:
            made = as_array(series, n, self.dtype, parts, typed)
        if self.container != "tensor":
            return made
        import torch

        if isinstance(made, list):
            return [torch.from_numpy(np.ascontiguousarray(window)) for window in made]
        return torch.from_numpy(np.ascontiguousarray(made))

    def _frame(self, n: int, parts: Iterable[Part], seed: int, start: int) -> pd.DataFrame:
        import pandas as pd

        assert self.columns is not None
        positions, has_labels = np.empty(n, np.int64), False
        dtypes = self.column_dtypes or (self.dtype,) * len(self.columns)
        made: list[pd.DataFrame] = []
        columns = [np.empty(n, dtype) for dtype in dtypes if self.table is None]
        for rows, part, labels in _placed(parts):
            if labels is not None:
                has_labels, positions[rows] = True, labels
            if self.table is not None:
                made.append(self.table.decode(part, seed, start + rows.start))
            for i, (column, dtype) in enumerate(zip(columns, dtypes, strict=False)):
                column[rows] = cast(part[:, i], dtype)
        if self.table is None:
            frame = pd.DataFrame(dict(zip(self.columns, columns, strict=True)), copy=False)
        elif len(made) == 1:
            frame = made[0]
        elif made:
            frame = pd.concat(made, ignore_index=True)
        else:
            frame = self.table.decode(np.empty((0, self.size)))
        if self.label_column is not None and self.classes is not None and has_labels:
            self.label_column.insert(frame, self.classes, positions)
        return frame


def _placed(
    parts: Iterable[Part],
) -> Iterator[tuple[slice, NDArray[np.float64], NDArray[np.int64] | None]]:
    """Each part with the slice of rows that it fills."""
    start = 0
    for values, labels in parts:
        yield slice(start, start + len(values)), values, labels
        start += len(values)


def cast(values: NDArray[np.float64], dtype: str) -> NDArray[Any]:
    """Values as `dtype`, without a copy if they have it already. Integers are rounded
    to the nearest, and all values are clipped to the type's range."""
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return values.round().clip(0, 1).astype(kind)
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        # float(max) of a 64-bit type rounds up and out of range, so step back to the
        # last float inside it.
        high = limits.max if limits.bits < 64 else np.nextafter(float(limits.max), 0)
        whole = values.round()
        return whole.clip(limits.min, high, out=whole).astype(kind)
    if kind.itemsize < values.itemsize:
        limit = np.finfo(kind).max
        # NaN and infinity stay as they are.
        values = np.where(np.isfinite(values), values.clip(-limit, limit), values)
    return values.astype(kind, copy=False)


def detect_layout(shape: Sequence[int], asked: AskedLayout | None = None) -> Layout:
    """The layout of an array of this shape.

    (N, A, B, C) can have channels first or last, if A or C is at most 64. It is read as
    `asked`; else with 1 to 4 channels, if that leaves one reading; else in the reading
    whose images are nearer to squares; else with channels first.

    Raises:
        RequestError: For a shape that is neither points nor images, or that cannot be
            read as `asked`.
    """
    if asked in {"NHW", "NTC"}:
        if len(shape) == 3 and asked == "NHW":
            return asked
        raise RequestError(
            f"layout = {asked!r}: data has shape {'x'.join(map(str, shape))}; {asked} needs three "
            "numbers, of an array in memory"
        )
    if asked is not None:
        if asked in _readings(shape):
            return asked
        raise RequestError(
            f"layout = {asked!r}: data has shape {'x'.join(map(str, shape))}; {asked} needs four "
            f"numbers, of which the {'second' if asked == 'NCHW' else 'last'}, the channels, is "
            f"at most {MAX_CHANNELS}"
        )
    if len(shape) == 1:
        return "N"
    if len(shape) == 2:
        return "ND"
    if len(shape) == 3:
        return "NHW"
    readings = _readings(shape)
    if readings:
        colours = [one for one, channels in readings.items() if channels in COLOUR_CHANNELS]
        return min(colours or readings, key=lambda one: _elongation(shape, one))
    given = f"shape {'x'.join(map(str, shape))}" if shape else "no shape, as one number or text"
    raise RequestError(
        f"data has {given}: give (N,) or (N, D) points, or (N, H, W), (N, C, H, W) or (N, H, "
        f"W, C) images with C = 1 to {MAX_CHANNELS}"
    )


def layout_note(shape: Sequence[int], layout: Layout) -> str:
    """How an array was read whose shape can be read in two ways, and what to type for
    the other; empty where no one would read it so."""
    readings = _readings(shape)
    colours = [one for one, channels in readings.items() if channels in COLOUR_CHANNELS]
    if len(readings) < 2 or len(colours) == 1 or layout not in readings:
        return ""
    other = "NHWC" if layout == "NCHW" else "NCHW"
    height, width = _sides(shape, layout)
    return (
        f"shape {'x'.join(map(str, shape))} is read as {layout}, images of {width} x {height} with "
        f"{readings[layout]} channels; for {other} type --layout {other} (in Python layout="
        f"{other!r})"
    )


def _readings(shape: Sequence[int]) -> dict[ImageLayout, int]:
    """The channels of images of this shape, by the layouts that it can be read in."""
    if len(shape) != 4:
        return {}
    channels: dict[ImageLayout, int] = {"NCHW": shape[1], "NHWC": shape[3]}
    return {layout: count for layout, count in channels.items() if count <= MAX_CHANNELS}


def _sides(shape: Sequence[int], layout: Layout) -> tuple[int, int]:
    """Height and width."""
    return (shape[2], shape[3]) if layout == "NCHW" else (shape[1], shape[2])


def _elongation(shape: Sequence[int], layout: Layout) -> float:
    """The ratio of an image's longer side to its shorter one."""
    sides = _sides(shape, layout)
    return max(sides) / max(min(sides), 1)


def shows_photos(shape: Sequence[int], alpha: bool) -> bool:
    """Whether images can be photographs: in colour, and large enough to show something.

    Args:
        shape: (C, H, W).
        alpha: Whether the last channel is opacity.
    """
    channels, *sides = shape
    return (channels == RGB or alpha) and min(sides) >= MIN_PHOTO_SIDE


def is_series(array: NDArray[Any], asked: AskedLayout | None) -> bool:
    """Whether an array is read as windows of series: as it is asked for, else as it
    looks."""
    if array.ndim != 3 or asked not in (None, "NTC"):
        return False
    return asked == "NTC" or looks_like_series(array)


def to_network_layout(array: NDArray[Any], layout: Layout) -> NDArray[Any]:
    """`array` as (N, D) or (N, C, H, W)."""
    if layout == "N":
        return array[:, None]
    if layout == "NHW":
        return array[:, None]
    return array.transpose(0, 3, 1, 2) if layout == "NHWC" else array


def from_network_layout(array: NDArray[Any], layout: Layout) -> NDArray[Any]:
    """The inverse of `to_network_layout`."""
    if layout in ("N", "NHW"):
        return array[:, 0]
    return np.ascontiguousarray(array.transpose(0, 2, 3, 1)) if layout == "NHWC" else array
