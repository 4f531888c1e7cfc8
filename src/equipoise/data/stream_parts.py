"""Parts of a stream: its batches, checked, in network layout."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.data.arrays import check_finite, to_numpy
from equipoise.data.labels import plain_label
from equipoise.data.schema import Layout, to_network_layout
from equipoise.errors import RequestError


@dataclass(frozen=True)
class Part:
    """Some samples of a stream, (n, *shape)."""

    x: Tensor
    y: Tensor | None = None
    """The positions of their classes, (n,): -1 for one that the first samples lack."""
    labels: tuple[Hashable, ...] = ()
    """Their labels, until the classes are known; then those of unknown classes."""

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: slice | Tensor) -> Part:
        return Part(self.x[rows], None if self.y is None else self.y[rows])


def together(parts: Sequence[Part]) -> Part:
    """Parts, one at least, as one."""
    labels = [part.y for part in parts if part.y is not None]
    return Part(torch.cat([part.x for part in parts]), torch.cat(labels) if labels else None)


def joined(parts: Sequence[Part]) -> tuple[Tensor, list[Hashable] | None]:
    """The samples of parts, one at least, and their labels if they have any."""
    labels = [label for part in parts for label in part.labels]
    return torch.cat([part.x for part in parts]), labels or None


class BatchReader:
    """Reads batches as parts.

    Args:
        layout: Of the batches.
        shape: Of a sample, as the user has it.
        dtype: Of its values.
        labelled: Whether batches are pairs of samples and labels.
    """

    def __init__(
        self, layout: Layout, shape: tuple[int, ...], dtype: np.dtype[Any], *, labelled: bool
    ) -> None:
        self.layout = layout
        self.shape: tuple[int, ...] = shape
        self.dtype: np.dtype[Any] = dtype
        self.labelled: bool = labelled
        self.positions: dict[Hashable, int] | None = None

    def expect(self, classes: Sequence[Hashable]) -> None:
        """From now on read labels as positions among these classes."""
        self.positions = {label: position for position, label in enumerate(classes)}

    def parts(self, batches: Iterable[Any]) -> Iterator[Part]:
        """The parts of a stream.

        Raises:
            RequestError: If a batch is not like the first, or holds NaN or infinity.
        """
        for batch in batches:
            array, labels = batch_of(batch)
            self._check(array, labels)
            values = to_network_layout(array, self.layout)
            x = torch.from_numpy(np.ascontiguousarray(values))
            if labels is None:
                yield Part(x)
            elif self.positions is None:
                yield Part(x, labels=tuple(labels))
            else:
                y = torch.tensor([self.positions.get(label, -1) for label in labels])
                unknown = tuple(label for label in labels if label not in self.positions)
                yield Part(x, y.long(), unknown)

    def _check(self, array: NDArray[Any], labels: list[Hashable] | None) -> None:
        if array.shape[1:] != self.shape or not array.ndim:
            raise RequestError(
                f"the stream's first batch has samples of shape {self.shape}, a later one "
                f"{array.shape[1:]}: give one shape"
            )
        if array.dtype != self.dtype:
            raise RequestError(
                f"the stream's first batch has type {self.dtype}, a later one {array.dtype}: "
                "give one type"
            )
        if (labels is not None) != self.labelled:
            have = ("has labels", "has none") if self.labelled else ("has no labels", "has some")
            raise RequestError(
                f"the stream's first batch {have[0]}, a later one {have[1]}: give every sample a "
                "label, or none"
            )
        if labels is not None and len(labels) != len(array):
            raise RequestError(
                f"a batch of the stream has {len(array):,} samples and {len(labels):,} labels: "
                "give one label per sample"
            )
        check_finite(array, "a batch of the stream", self.layout)


def batch_of(batch: Any) -> tuple[NDArray[Any], list[Hashable] | None]:
    """The samples of a batch, and their labels where it is a pair of both.

    Raises:
        RequestError: If they are no numbers, or not of one shape.
    """
    array = to_numpy(samples_of(batch), "a batch of the stream")
    return array, _labels(batch[1]) if has_targets(batch) else None


def has_targets(batch: Any) -> bool:
    """Whether a batch is a pair of samples and something for each."""
    return _paired(batch) and len(batch) > 1


def _paired(batch: Any) -> bool:
    """Whether a batch is a tuple of samples and their labels, not a list of rows."""
    return isinstance(batch, tuple | list) and len(batch) > 0 and getattr(batch[0], "ndim", 0) > 0


def _labels(given: Any) -> list[Hashable] | None:
    """Labels as plain values; None for targets of several numbers, and of fractions."""
    if getattr(given, "ndim", 1) != 1 or not hasattr(given, "__len__"):
        return None
    listed = given.tolist() if isinstance(given, Tensor) else [*given]
    if any(isinstance(label, float) and not label.is_integer() for label in listed):
        return None
    return [plain_label(label) for label in listed]


def samples_of(batch: Any) -> Any:
    """The samples of a batch, without labels."""
    if _paired(batch):
        return batch[0]
    try:
        return np.asarray(batch) if isinstance(batch, tuple | list) else batch
    except ValueError:
        raise RequestError(
            "a batch of the stream has rows of different lengths: give every sample the same "
            "number of values"
        ) from None
