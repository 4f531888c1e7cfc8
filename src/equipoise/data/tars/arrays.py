"""Arrays in tars: a .npy for each sample."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data.arrays import Labels, to_numpy
from equipoise.data.indexed import IndexedSamples
from equipoise.data.readers.npy import header_of
from equipoise.data.tars.samples import Samples
from equipoise.errors import RequestError, clipped, first_line

MAX_ARRAY_BYTES = 2**30


class TarArrays(IndexedSamples):
    """Samples of which each is an array, read where it lies.

    Args:
        samples: Where they are.
        name: What runs call them.
    """

    def __init__(self, samples: Samples, name: str) -> None:
        self.samples: Samples = samples
        self.name = name
        self.what = name
        self.first: NDArray[Any] = self._array(0)

    def __len__(self) -> int:
        return len(self.samples)

    def labels(self) -> Labels | None:
        return self.samples.labels

    def read(self, indices: Sequence[int]) -> NDArray[Any]:
        values = np.empty((len(indices), *self.first.shape), self.first.dtype)
        for row, index in enumerate(indices):
            array = self._array(index)
            if (array.shape, array.dtype) != (self.first.shape, self.first.dtype):
                raise RequestError(
                    f"{clipped(self.samples.names[index])} has shape {array.shape} and type "
                    f"{array.dtype}, the first sample has {self.first.shape} and "
                    f"{self.first.dtype}: give arrays of one shape and type"
                )
            values[row] = array
        return values

    def _array(self, index: int) -> NDArray[Any]:
        """The array of a sample, in the machine's byte order."""
        member = self.samples.member(index)
        try:
            content = BytesIO(member.read(MAX_ARRAY_BYTES))
            header = header_of(content, member.size, str(member))
            if header is None or header.dtype.hasobject:
                raise ValueError("it holds no array of numbers")
            content.seek(0)
            array: NDArray[Any] = np.load(content, allow_pickle=False)
        except RequestError:
            raise
        except Exception as error:  # NumPy raises whatever a damaged header leads it to
            raise RequestError(
                f"{member} cannot be read as .npy: {clipped(first_line(error), 200)}"
            ) from None
        return to_numpy(array, clipped(member.name))
