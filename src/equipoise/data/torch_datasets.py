"""A map-style Dataset of samples, or of (sample, label) pairs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from equipoise.data import arrays
from equipoise.data.arrays import Labels
from equipoise.data.indexed import IndexedSamples
from equipoise.data.schema import Container
from equipoise.errors import RequestError


class DatasetSamples(IndexedSamples):
    """The samples of a Dataset, which may have any code: its items are asked for one by
    one, in the thread that trains, and each once if memory holds them all.

    Raises:
        RequestError: If it is empty.
    """

    name: str = "dataset"
    what: str = "the Dataset"
    in_files: bool = False

    def __init__(self, data: Any) -> None:
        self.data = data
        if len(data) == 0:
            raise RequestError("the Dataset is empty: give at least one batch of samples")
        self.first: Any = data[0]
        self.paired: bool = isinstance(self.first, tuple | list)
        sample = self.first[0] if self.paired else self.first
        self.shape: tuple[int, ...] = _plain(sample).shape
        self.container: Container = "tensor" if isinstance(sample, Tensor) else "array"
        # Targets of several numbers are no labels.
        self.labelled: bool = self.paired and len(self.first) > 1 and np.ndim(self.first[1]) == 0

    def __len__(self) -> int:
        return len(self.data)

    def read(self, indices: Sequence[int]) -> NDArray[Any]:
        return self._stacked(indices, [self._item(i) for i in indices])

    def labels(self) -> Labels | None:
        return [self._item(i)[1] for i in range(len(self))] if self.labelled else None

    def everything(self, first: NDArray[Any]) -> tuple[NDArray[Any], Labels | None]:
        items = [self._item(i) for i in range(len(self))]
        labels = [item[1] for item in items] if self.labelled else None
        return self._stacked(range(len(self)), items), labels

    def _item(self, index: int) -> Any:
        return self.data[index] if index else self.first

    def _stacked(self, indices: Iterable[int], items: list[Any]) -> NDArray[Any]:
        samples = [_plain(item[0] if self.paired else item) for item in items]
        for i, item in zip(indices, samples, strict=True):
            if item.shape != self.shape:
                raise RequestError(
                    f"the Dataset's sample {i} has shape {item.shape}, the first has "
                    f"{self.shape}: give samples of one shape"
                )
        return arrays.to_numpy(np.stack(samples), "the Dataset")


def _plain(sample: Any) -> NDArray[Any]:
    """A Dataset's sample as NumPy has it."""
    return (
        arrays.to_numpy(sample, "the Dataset") if isinstance(sample, Tensor) else np.asarray(sample)
    )
