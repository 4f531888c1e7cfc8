"""Streams: batches of any iterable, finite or not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from equipoise.data.arrays import check_values, read_as, with_labels
from equipoise.data.image_options import ImageOptions
from equipoise.data.levels import levels_of
from equipoise.data.limits import image_limits
from equipoise.data.loading import Encode, IndexedLoader, Loader
from equipoise.data.outliers import notes_of_extreme_values, notes_of_outliers
from equipoise.data.schema import Container, Schema, detect_layout
from equipoise.data.series.layout import refuse_windows
from equipoise.data.sources import SplitSource
from equipoise.data.split import HELD_OUT_DIVISOR, Split, TensorPart
from equipoise.data.stream_loading import StreamLoader
from equipoise.data.stream_parts import BatchReader, Part, batch_of, has_targets, joined, samples_of
from equipoise.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from equipoise.data.loading import Encode

# Read at once, to check the data and fit the scaling: so many samples, or so much of
# the memory budget.
FIRST_ROWS, FIRST_FRACTION = 10_000, 0.25
MEMORY_BUDGET = 4.0  # GiB, unless the user says another


class StreamSource(SplitSource):
    """Batches of an iterable.

    A tenth of its first rows is held out; the rest of them fit the scaling and are
    trained on like all that follow. A stream that ends within them stays in memory.

    Args:
        name: What messages call it.
        batches: Batches of samples, or pairs of samples and their labels.
        images: How images are read.
        memory_budget: GiB; the first rows take a quarter of it at most.
        classes: The labels that there can be; None for those of the first rows.
    """

    def __init__(
        self,
        name: str,
        batches: Iterable[Any],
        images: ImageOptions | None = None,
        memory_budget: float = MEMORY_BUDGET,
        classes: Sequence[Hashable] | None = None,
    ) -> None:
        options = images or ImageOptions()
        iterator = iter(batches)
        one_shot = iterator is batches
        opening = next(iterator, None)
        if opening is None:
            raise _empty(name)
        values, labels = batch_of(opening)
        shape, dtype = values.shape, values.dtype
        refuse_windows(values, options.layout, name, "give an array or a list of arrays")
        layout = detect_layout(shape, options.layout)
        reader = BatchReader(layout, shape[1:], dtype, labelled=labels is not None)
        reading = reader.parts(chain([opening], iterator))
        rows, given, whole = _first_rows(reading, memory_budget * 2**30 * FIRST_FRACTION)
        if not rows.numel():
            raise _empty(name)
        if len(rows) < 2:
            raise RequestError(f"{name} has one sample: give at least one batch of samples")
        check_values(rows.numpy(), name)
        self._whole = whole
        container: Container = "tensor" if isinstance(samples_of(opening), Tensor) else "array"
        known = rows.ndim == 2 and whole  # later rows may have other values
        levels = levels_of(rows.numpy()) if known else None
        dtype_name = rows.numpy().dtype.name
        alpha, notes = read_as(rows.numpy(), shape, layout, options)
        schema = Schema(
            tuple(rows.shape[1:]), layout, dtype_name, container, levels=levels, alpha=alpha
        )
        found = with_labels(rows.numpy(), schema, given, name, classes)
        positions = None if found.labels is None else torch.from_numpy(found.labels)
        super().__init__(name, found.schema, _digest(rows, positions, found.schema))
        self.labels_found: bool = positions is not None
        self.limits: tuple[float, float] | None = (
            image_limits(rows.numpy()) if schema.is_image else None
        )
        outliers = [] if schema.is_image else notes_of_outliers(rows.numpy(), None)
        self.notes += [*notes, *outliers]
        self.has_outliers: bool = bool(outliers)
        if self.limits is not None:
            self.notes += notes_of_extreme_values(
                rows.numpy(), schema, self.limits, "image {}".format
            )
        held_out = max(len(rows) // HELD_OUT_DIVISOR, 1)
        first = Part(rows, positions)
        self._held_out, self._first = first[:held_out], first[held_out:]
        self.split: Split = Split(
            *(TensorPart(part.x, part.y) for part in (self._first, self._held_out))
        )
        reader.expect(found.schema.classes or ())
        # Those that follow, with the positions of their labels.
        self._rest, self._read_on = reading, False
        self._again: Callable[[], Iterator[Part]] | None = None
        if not one_shot:
            self._again = lambda: reader.parts(batches)
        if labels is None and has_targets(opening):
            self.notes.append("what comes with samples is not used: it is no label for each")
        if not whole:
            self.notes += _notes(len(rows), one_shot=one_shot)

    @property
    def training_rows(self) -> int | None:
        return len(self._first) if self._whole else None

    @property
    def repeats(self) -> bool:
        return self._whole or self._again is not None

    def loader(self, batch_size: int, encode: Encode, device: torch.device, seed: int) -> Loader:
        if self._whole:
            first = self._first
            return IndexedLoader(
                lambda i: encode(first.x[i.cpu()].to(device)),
                len(first),
                first.y,
                seed,
                batch_size,
                encode,
                device,
            )
        parts = chain([self._first], self._rest)
        held_out = self._held_out.x
        rest = seed, batch_size, encode, device
        loader = StreamLoader(parts, self._again, held_out, *rest)
        if self._read_on:  # by another loader
            loader.restore(loader.position())
        self._read_on = True
        return loader


def _first_rows(
    reading: Iterator[Part], most_bytes: float
) -> tuple[Tensor, list[Hashable] | None, bool]:
    """The first rows of a stream, their labels, and whether they are all of it."""
    first, size = list[Part](), 0
    while sum(map(len, first)) < FIRST_ROWS and size < most_bytes:
        part = next(reading, None)
        if part is None:
            return *joined(first), True
        first.append(part)
        size += part.x.nbytes
    return *joined(first), False


def _empty(name: str) -> RequestError:
    return RequestError(f"{name} is empty: give an iterable of batches of samples")


def _digest(rows: Tensor, positions: Tensor | None, schema: Schema) -> str:
    digest = hashlib.sha256(rows.numpy().tobytes())
    if positions is not None:
        digest.update(json.dumps(schema.to_dict()["classes"]).encode())
        digest.update(np.ascontiguousarray(positions.numpy()).data)
    return digest.hexdigest()


def _notes(looked_at: int, *, one_shot: bool) -> list[str]:
    if one_shot:
        return [
            "a one-shot iterator cannot be rewound: a resumed training goes on with other samples"
        ]
    return [
        f"a stream of more than {looked_at:,} samples: it is read from the beginning for every "
        "epoch, and shuffled in parts"
    ]
