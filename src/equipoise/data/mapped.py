"""Arrays in files that are larger than memory should hold: mapped, and read by
index."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data import readers
from equipoise.data.arrays import to_numpy
from equipoise.data.indexed import GIB, IndexedSamples
from equipoise.data.readers.npy import NpyReader, header_of


class MappedSamples(IndexedSamples):
    """The rows of an array in a file.

    Args:
        array: The array, whose content the system reads when it is asked for.
        name: What runs call it.
        what: What messages call it.
        mapped: The file's pages, which leave the process's memory after each reading:
            the system keeps those that it has room for.
    """

    def __init__(
        self, array: NDArray[Any], name: str, what: str, mapped: mmap.mmap | None = None
    ) -> None:
        self.array: NDArray[Any] = array
        self.name = name
        self.what = what
        self.mapped: mmap.mmap | None = mapped
        self.at_random: bool = False

    @classmethod
    def of_file(cls, path: Path) -> MappedSamples:
        """Those of a .npy that `is_large_array` holds for."""
        with path.open("rb") as file:
            header = header_of(file, path.stat().st_size, str(path))
            assert header is not None, "is_large_array holds"
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        flat = np.frombuffer(mapped, header.dtype, header.count, header.offset)
        array = flat.reshape(header.shape, order="F" if header.fortran_order else "C")
        return cls(array, readers.stem(path), str(path), mapped)

    def __len__(self) -> int:
        return len(self.array)

    def read(self, indices: Sequence[int]) -> NDArray[Any]:
        self._expect(at_random=not isinstance(indices, range))
        if isinstance(indices, range):
            values = np.array(self.array[indices.start : indices.stop])
        else:
            values = self.array[np.asarray(indices, np.int64)]
        if self.mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
            self.mapped.madvise(mmap.MADV_DONTNEED)
        return to_numpy(np.asarray(values), self.what)

    def _expect(self, *, at_random: bool) -> None:
        """Tell the system whether reading ahead is of use."""
        if self.mapped is None or at_random == self.at_random:
            return
        self.at_random = at_random
        if hasattr(mmap, "MADV_RANDOM"):
            self.mapped.madvise(mmap.MADV_RANDOM if at_random else mmap.MADV_NORMAL)


def is_large_array(path: Path, memory_budget: float) -> bool:
    """Whether a file is a .npy of numbers whose array takes more memory than a budget
    of so many GiB.

    Raises:
        RequestError: For a file that contradicts itself.
    """
    if not isinstance(readers.find(path), NpyReader) or readers.ending_of(path) != ".npy":
        return False
    if readers.claimed_bytes(path) <= memory_budget * GIB:
        return False
    with path.open("rb") as file:
        header = header_of(file, path.stat().st_size, str(path))
    return header is not None and bool(header.shape) and not header.dtype.hasobject
