"""Iterable datasets of the Hugging Face library `datasets`, as streams of batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data import AskedLayout
from equipoise.data.arrays import to_numpy
from equipoise.data.hf_datasets import NAME, Columns
from equipoise.data.hf_images import StoredImage, undecoded
from equipoise.data.image_options import ImageOptions
from equipoise.data.images.decode import take
from equipoise.data.images.folder import decoders
from equipoise.data.images.form import Form, Seen, common_form
from equipoise.data.images.listing import LeftOut, counted, note_of
from equipoise.data.sources import Source
from equipoise.data.streams import StreamSource
from equipoise.errors import RequestError, clipped, warn
from equipoise.utils.prefetch import ahead

BATCH_ROWS, FORM_ROWS = 64, 256  # read together, and looked at for the images' form


def open_stream(
    data: Any, label_column: str | None, memory_budget: float, images: ImageOptions
) -> Source:
    """The source of a `datasets.IterableDataset`.

    Raises:
        RequestError: If it cannot be trained on.
    """
    if data.features is None:
        first = next(iter(data), None)
        listed = "" if first is None else f" (it has {clipped(', '.join(map(str, first)))})"
        raise RequestError(
            f"the types of the dataset's columns are not known{listed}: give its features, as "
            "data.cast(datasets.Features(...))"
        )
    found = Columns.of(data, label_column)
    batches = _ImageBatches(data, found, images) if found.image else _NumberBatches(data, found)
    if isinstance(batches, _ImageBatches):
        images = replace(images, layout=batches.layout)
    source = StreamSource(NAME, batches, images, memory_budget, found.names)
    if isinstance(batches, _ImageBatches):
        source.file_format = batches.format
        source.notes += batches.notes
        left_out = source.left_out = tuple(batches.left_out)
        if left_out:
            source.notes.insert(0, note_of(left_out, batches.rows - len(left_out)))
        batches.told = len(left_out)
    return source


class _NumberBatches:
    """Batches of numbers: of a column of arrays, or of all columns but the labels."""

    def __init__(self, data: Any, columns: Columns) -> None:
        features = data.features
        learned = [columns.array] if columns.array else [*features]
        self.learned = [name for name in learned if name != columns.label]
        texts = [name for name in self.learned if getattr(features[name], "dtype", "") == "string"]
        if texts or not self.learned:
            raise RequestError(
                f"the stream has the columns {clipped(', '.join(features))}, and numbers alone can "
                "be streamed: give a map-style dataset, whose columns can be any"
            )
        self.data, self.columns = data.with_format(None), columns

    def __iter__(self) -> Iterator[Any]:
        start = 0
        for rows in self.data.iter(BATCH_ROWS):
            x = self._values(rows)
            yield (x, _labels_of(rows, self.columns, start)) if self.columns.label else x
            start += len(x)

    def _values(self, rows: dict[str, list[Any]]) -> NDArray[Any]:
        values = rows[self.learned[0]] if self.columns.array else None
        try:
            array = np.asarray(
                [*zip(*(rows[name] for name in self.learned), strict=True)]
                if values is None
                else values,
                self.columns.dtype,
            )
        except ValueError:
            raise RequestError(
                "the stream has arrays of different shapes: give samples of one shape"
            ) from None
        return to_numpy(array, "a batch of the stream")


class _ImageBatches:
    """Batches of images in the form that most of the first have. Others are brought to
    it; those that cannot be are left out. They are counted when they are read for the
    first time, not again in later epochs.

    Args:
        data: The dataset.
        columns: What its columns are.
        images: How images are read.
    """

    def __init__(self, data: Any, columns: Columns, images: ImageOptions) -> None:
        assert columns.image is not None
        self.data, self.columns, self.column = (
            undecoded(data, columns.image),
            columns,
            columns.image,
        )
        first = [
            taken.seen
            for rows in self.data.take(FORM_ROWS).iter(BATCH_ROWS)
            for taken in map(take, self._places(rows, 0))
        ]
        seen = [one for one in first if isinstance(one, Seen)]
        if not seen:
            why = f"; the first: {first[0]}" if first else ""
            raise RequestError(f"the stream has no images that could be read{clipped(why, 200)}")
        self.form: Form = common_form(seen, images.resizing)
        self.format = seen[0].format
        self.layout: AskedLayout = "NHW" if self.form.channels == 1 else "NHWC"
        width, height = self.form.size
        resized = sum(one.size != self.form.size for one in seen)
        self.notes = []
        if resized:
            self.notes.append(
                f"{resized} of the first {len(first)} images are not {width} x {height}: they are "
                "resized, as are those that follow (--size, --crop and --fit change it)"
            )
        self.rows: int = 0  # that were read, in any epoch
        self.left_out: list[LeftOut] = []  # of those
        # How many of them the user knows of; None until the first rows are read, on
        # which there is a note.
        self.told: int | None = None

    def __iter__(self) -> Iterator[Any]:
        threads = decoders()
        for (start, _), (x, labels, lost) in ahead(
            self._decoded, self._numbered(), threads, threads
        ):
            if start >= self.rows:
                self.rows = start + len(x) + len(lost)
                self.left_out += lost
                if self.told is not None and len(self.left_out) >= max(2 * self.told, 1):
                    self._tell()
            if len(x):
                yield (x, labels) if self.columns.label else x
        if self.told is not None and len(self.left_out) > self.told:
            self._tell()

    def _tell(self) -> None:
        """Warn of all images that are left out so far."""
        self.told = len(self.left_out)
        warn(
            f"{self.told:,} of the stream's first {self.rows:,} images left out: "
            f"{counted(self.left_out)}"
        )

    def _numbered(self) -> Iterator[tuple[int, dict[str, list[Any]]]]:
        start = 0
        for rows in self.data.iter(BATCH_ROWS):
            yield start, rows
            start += len(rows[self.column])

    def _decoded(
        self, numbered: tuple[int, dict[str, list[Any]]]
    ) -> tuple[NDArray[Any], Sequence[Any], list[LeftOut]]:
        """The images of some rows, their labels, and those that are left out."""
        start, rows = numbered
        places = self._places(rows, start)
        taken = [take(place, self.form) for place in places]
        labels = _labels_of(rows, self.columns, start)
        kept = [row for row, one in enumerate(taken) if one.pixels is not None]
        lost = [
            LeftOut(place.name, *self._reason(one.seen))
            for place, one in zip(places, taken, strict=True)
            if one.pixels is None
        ]
        pixels = [taken[row].pixels for row in kept]
        x = np.stack([one for one in pixels if one is not None]) if kept else np.empty((0,))
        if kept:
            x = x[:, 0] if self.layout == "NHW" else x.transpose(0, 2, 3, 1)
        return x, [labels[row] for row in kept] if labels else [], lost

    def _reason(self, seen: Seen | str) -> tuple[str, str]:
        """Why an image is left out, as a category and in detail."""
        reason = ("unreadable", seen) if isinstance(seen, str) else self.form.misfit(seen)
        assert reason is not None, "an image that fits the form has pixels"
        return reason

    def _places(self, rows: dict[str, list[Any]], start: int) -> list[StoredImage]:
        return [
            StoredImage(stored, f"row {start + row:,}")
            for row, stored in enumerate(rows[self.column])
        ]


def _labels_of(rows: dict[str, list[Any]], columns: Columns, start: int) -> list[Any]:
    """The labels of some rows; none where there is no column of them."""
    if columns.label is None:
        return []
    return [columns.label_of(value, start + row) for row, value in enumerate(rows[columns.label])]
