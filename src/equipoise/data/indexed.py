"""Samples that can be read at any index: of a Dataset, of a mapped file, of tars. They
are read once if memory has room for all of them, else as they are needed."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise.data import arrays
from equipoise.data.arrays import Labels, Rows
from equipoise.data.datasets import FetchedSource
from equipoise.data.image_options import ImageOptions
from equipoise.data.limits import limits_of
from equipoise.data.outliers import notes_of_extreme_values, notes_of_outliers
from equipoise.data.schema import Container, Layout, Schema, detect_layout, to_network_layout
from equipoise.data.series.layout import refuse_windows
from equipoise.data.sources import RowsSource, Source
from equipoise.data.split import HELD_OUT_MAX
from equipoise.utils.progress_bar import bar

FIRST_SAMPLES = 100  # which tell windows of series from images
PART_BYTES = 2**24  # of samples that are looked at together
GIB = 2**30


class IndexedSamples(ABC):
    """Samples of one shape and type, as the user has them."""

    name: str
    """What runs call them."""
    what: str
    """What messages call them."""
    container: Container = "array"
    in_files: bool = True
    """Whether they are the same at each reading, and can be read in a thread: then all
    are looked at once, and batches are prefetched."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def read(self, indices: Sequence[int]) -> NDArray[Any]:
        """The samples at these indices, (m, *shape).

        Raises:
            RequestError: If one cannot be read, or has another shape or type.
        """

    def labels(self) -> Labels | None:
        """A label of each, if they have any."""
        return None

    def everything(self, first: NDArray[Any]) -> tuple[NDArray[Any], Labels | None]:
        """All samples, (n, *shape), and their labels. `first` is the first sample,
        (1, *shape)."""
        values = np.empty((len(self), *first.shape[1:]), first.dtype)
        for rows in _parts(len(self), first.nbytes):
            values[rows.start : rows.stop] = self.read(rows)
        return values, self.labels()


def open_indexed(
    samples: IndexedSamples,
    labels: Labels | None,
    memory_budget: float,
    split_seed: int,
    images: ImageOptions,
) -> Source:
    """The source of samples that can be read at any index.

    Args:
        samples: The samples.
        labels: One for each, in place of their own.
        memory_budget: GiB of samples that are held in memory.
        split_seed: Decides which are held out.
        images: How images are read.

    Raises:
        RequestError: If they cannot be trained on.
    """
    n, first = len(samples), samples.read([0])
    if first.nbytes * n <= memory_budget * GIB:
        values, own = samples.everything(first)
        rows = arrays.from_array(
            torch.from_numpy(values) if samples.container == "tensor" else values,
            own if labels is None else labels,
            samples.what,
            images,
        )
        in_memory = source_in_memory(samples.name, rows, split_seed)
        in_memory.labels_found = rows.labels is not None
        return in_memory
    some = samples.read(range(min(n, FIRST_SAMPLES)))
    if first.ndim == 3 and images.layout is None:
        more = f"raise memory_budget, which is {memory_budget:g} GiB"
        refuse_windows(some, None, samples.what, more)
    layout = detect_layout((n, *first.shape[1:]), images.layout)
    look = _look(samples, first, layout) if samples.in_files else None
    given = to_network_layout(some if samples.in_files else first, layout)
    ends = None if look is None else (look.low, look.high)
    alpha, notes = arrays.read_as(given, (n, *first.shape[1:]), layout, images, ends)
    schema = Schema(given.shape[1:], layout, first.dtype.name, samples.container, alpha=alpha)
    own = samples.labels() if labels is None else labels
    rows = arrays.with_labels(np.empty((n, 0)), schema, own, samples.what)

    def fetch(indices: list[int]) -> NDArray[Any]:
        values = samples.read(indices)
        arrays.check_finite(values, f"a batch of {samples.what}", layout)
        return np.ascontiguousarray(to_network_layout(values, layout))

    source = FetchedSource(
        samples.name,
        rows.schema,
        _first_digest(n, schema, first) if look is None else look.digest(rows),
        fetch,
        rows.labels,
        n,
        split_seed,
        in_background=samples.in_files,
        limits=limits_of(first.dtype.name, *ends) if ends and schema.is_image else None,
        max_drawn=_most_drawn(first.nbytes, memory_budget),
    )
    source.labels_found = rows.labels is not None
    source.notes += [_memory_note(samples, first.nbytes * n, memory_budget), *notes]
    if look is not None and not schema.is_image:
        outliers = notes_of_outliers(source.seen(HELD_OUT_MAX, split_seed).numpy(), None)
        source.notes += outliers
        source.has_outliers = bool(outliers)
    elif look is not None and source.limits is not None and schema.dtype != "uint8":
        drawn = source.seen(FIRST_SAMPLES, split_seed).numpy()
        source.notes += notes_of_extreme_values(drawn, schema, source.limits)
    return source


def source_in_memory(name: str, rows: Rows, split_seed: int) -> RowsSource:
    """The source of rows, with notes on them."""
    source = RowsSource(name, rows, split_seed)
    source.notes += rows.notes
    source.columns = rows.columns
    if not rows.schema.is_image and rows.schema.series is None:
        outliers = notes_of_outliers(rows.values, rows.schema.columns)
        source.notes += outliers
        source.has_outliers = bool(outliers)
    elif source.limits is not None:
        source.notes += notes_of_extreme_values(
            rows.values, rows.schema, source.limits, "image {}".format
        )
    return source


@dataclass(frozen=True)
class _Look:
    """What is known of samples once all were looked at."""

    low: float
    high: float
    content: Any
    """A hash of shape, type and values."""

    def digest(self, rows: Rows) -> str:
        """The fingerprint, that of the same rows in memory."""
        content = self.content.copy()
        if rows.labels is not None:
            content.update(json.dumps(rows.schema.to_dict()["classes"]).encode())
            content.update(rows.labels.data)
        found: str = content.hexdigest()
        return found


def _look(samples: IndexedSamples, first: NDArray[Any], layout: Layout) -> _Look:
    """Read all samples once, part by part.

    Raises:
        RequestError: On a value that is not finite, or if all samples are the same.
    """
    n, opening = len(samples), to_network_layout(first, layout)
    content = hashlib.sha256(f"{(n, *opening.shape[1:])} {opening.dtype}".encode())
    low, high, differ = np.inf, -np.inf, False
    with bar("Looking at samples", n) as done:
        for rows in _parts(n, first.nbytes):
            values = samples.read(rows)
            arrays.check_finite(values, samples.what, layout, first_row=rows.start)
            content.update(np.ascontiguousarray(to_network_layout(values, layout)).data)
            low, high = min(low, float(values.min())), max(high, float(values.max()))
            differ = differ or bool((values != first).any())
            done(len(rows))
    if low == high:
        raise arrays.one_value_error(first.flat[0], samples.what)
    if not differ:
        raise arrays.one_sample_error(n, samples.what)
    return _Look(low, high, content)


def _parts(n: int, sample_bytes: int) -> Iterator[range]:
    """All indices in parts that take little memory."""
    rows = max(PART_BYTES // max(sample_bytes, 1), 1)
    return (range(start, min(start + rows, n)) for start in range(0, n, rows))


def _first_digest(n: int, schema: Schema, first: NDArray[Any]) -> str:
    return hashlib.sha256(f"{n} {schema}".encode() + first.tobytes()).hexdigest()


def _most_drawn(sample_bytes: int, memory_budget: float) -> int:
    """The most samples that are taken at once for a metric or a fit: an eighth of the
    budget, at least 64 MiB."""
    most = max(int(memory_budget * GIB / 8), 2**26) // max(sample_bytes, 1)
    return max(min(most, HELD_OUT_MAX), 1)


def _memory_note(samples: IndexedSamples, size: int, memory_budget: float) -> str:
    return (
        f"{size / GIB:.2g} GiB of {samples.what} are over memory_budget = {memory_budget:g} GiB: "
        "samples are read as they are needed"
    )
