"""Datasets of the Hugging Face library `datasets`: images with labels, arrays, or
tables. The library is imported by whoever made the object, never here."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data import frames
from equipoise.data.arrays import Labels, to_numpy
from equipoise.data.frames import TableOptions
from equipoise.data.hf_images import RowListing
from equipoise.data.image_folder import open_images
from equipoise.data.image_options import ImageOptions
from equipoise.data.indexed import GIB, IndexedSamples, open_indexed, source_in_memory
from equipoise.data.large_tables import TableParts, open_large
from equipoise.data.readers.arrow import to_frame
from equipoise.data.readers.cells import joined
from equipoise.data.sources import Source
from equipoise.errors import RequestError, clipped, nearest

if TYPE_CHECKING:
    import pandas as pd

NAME = "dataset"
LABEL_NAMES = ("label", "labels")
ROWS_AT_ONCE = 10_000


def is_hugging_face(data: Any) -> bool:
    """Whether this is a dataset of that library.

    Raises:
        RequestError: For a dictionary of several.
    """
    if any(_is(data, kind) for kind in ("DatasetDict", "IterableDatasetDict")):
        name = next(iter(data), "train")
        raise RequestError(
            f"the data has the splits {clipped(', '.join(data))}: give one, as data[{name!r}]"
        )
    return is_map_style(data) or _is(data, "IterableDataset")


def is_map_style(data: Any) -> bool:
    """Whether this is a `datasets.Dataset`, whose rows can be read at any index."""
    return _is(data, "Dataset")


def _is(data: Any, kind: str) -> bool:
    library: Any = sys.modules.get("datasets")
    return library is not None and isinstance(data, getattr(library, kind, ()))


@dataclass(frozen=True)
class Columns:
    """What the columns of a dataset are."""

    image: str | None
    array: str | None
    dtype: str | None
    """The type of its values."""
    label: str | None
    names: tuple[str, ...] | None
    """The names of the classes, where labels are numbers that have some."""
    plain: bool
    """Whether each column has one value a row: then it is a table."""

    @classmethod
    def of(cls, data: Any, label_column: str | None) -> Columns:
        """Those of a dataset whose features are known.

        Raises:
            RequestError: If it is not clear what is to be learned.
        """
        features: dict[str, Any] = dict(data.features)
        kinds = {name: type(feature).__name__ for name, feature in features.items()}
        if label_column is not None and label_column not in features:
            raise RequestError(
                f"label_column = {label_column!r}: the dataset has no such column; "
                f"{nearest(label_column, features)}"
            )
        images = [name for name, kind in kinds.items() if kind == "Image"]
        plain = [name for name, kind in kinds.items() if kind in ("Value", "ClassLabel")]
        others = [name for name in features if name not in images and name not in plain]
        learned = images or others
        if len(learned) > 1:
            raise RequestError(
                f"the dataset has several columns of images or arrays, "
                f"{clipped(', '.join(learned))}: choose one, as "
                f"data.select_columns([{learned[0]!r}])"
            )
        label = label_column or _label_column(kinds)
        named = getattr(features[label], "names", None) if label is not None else None
        names = None if named is None else tuple(named)
        array = others[0] if others and not images else None
        return cls(
            image=images[0] if images else None,
            array=array,
            dtype=None if array is None else _dtype(features[array]),
            label=label,
            names=names,
            plain=not learned,
        )

    def label_of(self, value: Any, row: int) -> Any:
        """A label as it is known to people.

        Raises:
            RequestError: If it is missing.
        """
        if value is None or (self.names is not None and not 0 <= value < len(self.names)):
            raise RequestError(f"row {row:,} of the dataset has no label: give every row one")
        return value if self.names is None else self.names[value]


def open_dataset(
    data: Any,
    labels: Labels | None,
    columns: TableOptions,
    memory_budget: float,
    split_seed: int,
    images: ImageOptions,
) -> Source:
    """The source of a `datasets.Dataset`.

    Raises:
        RequestError: If it cannot be trained on.
    """
    if len(data) == 0:
        raise RequestError("the dataset is empty: give at least one batch of samples")
    found = Columns.of(data, columns.label_column)
    if found.plain:
        return _open_table(data, labels, columns, memory_budget, split_seed)
    own = _labels(data, found)
    if found.image is not None:
        listing = RowListing.of(data, found.image, own, NAME, images.resizing)
        return open_images(listing, labels, memory_budget, split_seed, images)
    assert found.array is not None
    samples = ArrayColumn(data, found.array, found.dtype, own)
    return open_indexed(samples, labels, memory_budget, split_seed, images)


class ArrayColumn(IndexedSamples):
    """A column of arrays."""

    name: str = NAME
    what: str = "the dataset"

    def __init__(self, data: Any, column: str, dtype: str | None, labels: list[Any] | None) -> None:
        # Without a type, floats of 64 bit come as 32.
        self.data: Any = data.select_columns([column]).with_format("numpy", dtype=dtype)
        self.column: str = column
        self.own_labels: list[Any] | None = labels

    def __len__(self) -> int:
        return len(self.data)

    def labels(self) -> Labels | None:
        return self.own_labels

    def read(self, indices: Sequence[int]) -> NDArray[Any]:
        values = self.data[indices if isinstance(indices, range) else [*indices]][self.column]
        array = np.asarray(values)
        if array.dtype == object:
            raise RequestError(
                f"the column {clipped(self.column)} of the dataset has arrays of different "
                "shapes, or none in some rows: give samples of one shape"
            )
        return to_numpy(array, self.what)


def _dtype(feature: Any) -> str:
    """The type of the values of a column of arrays.

    Raises:
        RequestError: If they are no numbers.
    """
    while (inner := getattr(feature, "feature", None)) is not None:
        feature = inner
    found = str(getattr(feature, "dtype", type(feature).__name__))
    try:
        is_number = np.dtype(found).kind in "biuf"
    except TypeError:
        is_number = False
    if not is_number:
        raise RequestError(
            "the dataset has no column of images or numbers to learn, but one of "
            f"{clipped(found)}: choose columns, as data.select_columns([...])"
        )
    return found


def _label_column(kinds: dict[str, str]) -> str | None:
    """The column of labels: the only one of classes, else one that is named so."""
    classes = [name for name, kind in kinds.items() if kind == "ClassLabel"]
    if len(classes) == 1:
        return classes[0]
    named = (name for name in LABEL_NAMES if kinds.get(name) in ("Value", "ClassLabel"))
    return next(named, None)


def _labels(data: Any, found: Columns) -> list[Any] | None:
    if found.label is None:
        return None
    values = data.select_columns([found.label]).with_format(None)[:][found.label]
    return [found.label_of(value, row) for row, value in enumerate(values)]


def _open_table(
    data: Any, labels: Labels | None, columns: TableOptions, memory_budget: float, split_seed: int
) -> Source:
    """A table, as a DataFrame of it."""
    names = tuple(data.column_names)
    table = data.with_format("arrow")
    classes = {
        name: feature.names for name, feature in data.features.items() if hasattr(feature, "names")
    }

    def parts() -> Iterator[pd.DataFrame]:
        for part in table.iter(ROWS_AT_ONCE):
            frame = to_frame(Path("the dataset"), part)
            for name, known in classes.items():
                codes = frame[name]
                frame[name] = [
                    known[code] if 0 <= code < len(known) else None
                    for code in codes.fillna(-1).astype(int)
                ]
            yield frame

    if data.data.nbytes / max(data.data.num_rows, 1) * len(data) > memory_budget * GIB:
        whole = TableParts(len(data), names, parts)
        return open_large(NAME, whole, labels, columns, split_seed)
    rows = frames.from_frame(joined([*parts()]), labels, "the dataset", columns)
    return source_in_memory(NAME, rows, split_seed)
