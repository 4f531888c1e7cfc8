"""Streams: batches of any iterable, finite or not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from equipoise.data.arrays import check_finite, check_values, read_as, to_numpy
from equipoise.data.image_options import ImageOptions
from equipoise.data.levels import levels_of
from equipoise.data.limits import image_limits
from equipoise.data.loading import Encode, EndOfDataError, Loader
from equipoise.data.outliers import notes_of_outliers
from equipoise.data.schema import Container, Layout, Schema, detect_layout, to_network_layout
from equipoise.data.series.layout import refuse_windows
from equipoise.data.sources import SplitSource
from equipoise.data.split import HELD_OUT_DIVISOR, Split, TensorPart
from equipoise.errors import RequestError

if TYPE_CHECKING:
    from equipoise.data.loading import Batch, Encode

FIRST_ROWS = 10_000  # read at once, to check the data and fit the scaling


class StreamSource(SplitSource):
    """Batches of an iterable.

    A tenth of its first rows is held out; the rest of them fit the scaling and are
    trained on like all that follow.
    """

    def __init__(
        self, name: str, batches: Iterable[Any], images: ImageOptions | None = None
    ) -> None:
        options = images or ImageOptions()
        iterator = iter(batches)
        one_shot = iterator is batches
        opening = next(iterator, None)
        if opening is None:
            raise RequestError(f"{name} is empty: give an iterable of batches of samples")
        values = to_numpy(_samples(opening), "a batch of the stream")
        shape, dtype = values.shape, values.dtype
        refuse_windows(values, options.layout, name, "give an array or a list of arrays")
        layout = detect_layout(shape, options.layout)
        self._again = None if one_shot else (lambda: _rows(batches, layout, shape[1:], dtype))
        self._rest = _rows(chain([opening], iterator), layout, shape[1:], dtype)
        first: list[Tensor] = []
        while sum(map(len, first)) < FIRST_ROWS and (part := next(self._rest, None)) is not None:
            first.append(part)
        rows = torch.cat(first)
        if not rows.numel():
            raise RequestError(f"{name} is empty: give an iterable of batches of samples")
        if len(rows) < 2:
            raise RequestError(f"{name} has one sample: give at least one batch of samples")
        check_values(rows.numpy(), name)
        self._whole = len(rows) < FIRST_ROWS
        # Kept in memory, so that a short stream, or one whose order changes, can be
        # repeated.
        if self._whole:
            self._again = lambda: iter([rows])
        container: Container = "tensor" if isinstance(_samples(opening), Tensor) else "array"
        known = rows.ndim == 2 and self._whole  # later rows may have other values
        levels = levels_of(rows.numpy()) if known else None
        dtype_name = rows.numpy().dtype.name
        alpha, notes = read_as(rows.numpy(), shape, layout, options)
        schema = Schema(
            tuple(rows.shape[1:]), layout, dtype_name, container, levels=levels, alpha=alpha
        )
        super().__init__(name, schema, hashlib.sha256(rows.numpy().tobytes()).hexdigest())
        self.limits = image_limits(rows.numpy()) if schema.is_image else None
        outliers = [] if schema.is_image else notes_of_outliers(rows.numpy(), None)
        self.notes += [*notes, *outliers]
        self.has_outliers = bool(outliers)
        held_out = max(len(rows) // HELD_OUT_DIVISOR, 1)
        self._held_out, self._first = rows[:held_out], rows[held_out:]
        self.split = Split(TensorPart(self._first), TensorPart(self._held_out))
        if _paired(opening) and len(opening) > 1:
            self.notes.append(
                "the stream's labels are not used: give an array, a file or a Dataset to "
                "train with labels"
            )
        if self._again is None:
            self.notes.append(
                "a one-shot iterator cannot be rewound: a resumed training goes on with other "
                "samples"
            )

    @property
    def training_rows(self) -> int | None:
        return len(self._first) if self._whole else None

    @property
    def repeats(self) -> bool:
        return self._again is not None

    def loader(self, batch_size: int, encode: Encode, device: torch.device, seed: int) -> Loader:
        rows = chain([self._first], self._rest)
        return StreamLoader(rows, self._again, self._held_out, batch_size, encode, device)


class StreamLoader(Loader):
    """The rows of a stream in batches of one size, in the stream's order.

    Args:
        rows: Parts of the stream, in network layout.
        again: Starts the stream anew for another epoch; None for a one-shot iterator.
        held_out: Rows that are left out of every epoch.
        batch_size: Rows of a batch.
        encode: From raw rows to what networks see.
        device: Where batches are put.
    """

    def __init__(
        self,
        rows: Iterator[Tensor],
        again: Callable[[], Iterator[Tensor]] | None,
        held_out: Tensor,
        batch_size: int,
        encode: Encode,
        device: torch.device,
    ) -> None:
        super().__init__(batch_size, encode, device)
        self.rows, self.again, self.held_out = rows, again, held_out
        self.waiting: list[Tensor] = []
        self.rows_waiting = 0  # of an epoch that has given no batch yet

    def next(self) -> Batch:
        while sum(map(len, self.waiting)) < self.batch_size:
            part = next(self.rows, None)
            if part is None:
                self._begin_epoch()
            else:
                self.waiting.append(part)
        x = torch.cat(self.waiting)
        self.waiting = [x[self.batch_size :]]
        self.cursor += self.batch_size
        return self.encode(x[: self.batch_size].to(self.device)), None

    def _begin_epoch(self) -> None:
        """Start the stream anew.

        Rows that do not fill a batch are dropped. If a batch is larger than the whole
        stream, an epoch is as many passes as fill it.
        """
        waiting_rows = sum(map(len, self.waiting))
        if self.again is None or (self.cursor == 0 and waiting_rows == self.rows_waiting):
            raise EndOfDataError(
                "the stream ran out of data: give a longer one, or data that can be read again"
            )
        if self.cursor:
            self.epoch, self.cursor, self.waiting, waiting_rows = self.epoch + 1, 0, [], 0
        self.rows_waiting = waiting_rows
        self.rows = _without(self.again(), self.held_out)

    def restore(self, position: dict[str, int]) -> None:
        super().restore(position)
        if self.again is not None:
            self.rows, self.waiting = _after(_without(self.again(), self.held_out), self.cursor), []


def _paired(batch: Any) -> bool:
    """Whether a batch is a tuple of samples and their labels, not a list of rows."""
    return isinstance(batch, tuple | list) and len(batch) > 0 and getattr(batch[0], "ndim", 0) > 0


def _samples(batch: Any) -> Any:
    if _paired(batch):
        return batch[0]
    try:
        return np.asarray(batch) if isinstance(batch, tuple | list) else batch
    except ValueError:
        raise RequestError(
            "a batch of the stream has rows of different lengths: give every sample the same "
            "number of values"
        ) from None


def _rows(
    batches: Iterable[Any], layout: Layout, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Iterator[Tensor]:
    """Each batch's samples, of this shape and type, in network layout."""
    for batch in batches:
        array = to_numpy(_samples(batch), "a batch of the stream")
        if array.shape[1:] != shape or not array.ndim:
            raise RequestError(
                f"the stream's first batch has samples of shape {shape}, a later one "
                f"{array.shape[1:]}: give one shape"
            )
        if array.dtype != dtype:
            raise RequestError(
                f"the stream's first batch has type {dtype}, a later one {array.dtype}: give "
                "one type"
            )
        check_finite(array, "a batch of the stream", layout)
        yield torch.from_numpy(np.ascontiguousarray(to_network_layout(array, layout)))


def _without(rows: Iterator[Tensor], held_out: Tensor) -> Iterator[Tensor]:
    """`rows` without those held out, which are the first ones if the order is as
    before, and may be anywhere if not."""
    first: list[Tensor] = []
    while sum(map(len, first)) < len(held_out) and (part := next(rows, None)) is not None:
        first.append(part)
    start = torch.cat(first) if first else held_out[:0]
    if torch.equal(start[: len(held_out)], held_out):
        return chain([start[len(held_out) :]], rows)
    held_out_bytes = {row.numpy().tobytes() for row in held_out}
    return (
        part[[row.numpy().tobytes() not in held_out_bytes for row in part]]
        for part in chain([start], rows)
    )


def _after(rows: Iterable[Tensor], skip: int) -> Iterator[Tensor]:
    """`rows` without the first `skip` samples."""
    for part in rows:
        if skip < len(part):
            yield part[skip:]
        skip = max(skip - len(part), 0)
