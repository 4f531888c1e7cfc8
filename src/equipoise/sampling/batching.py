"""Change the batch size of samples, and check their memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from numpy import float64
from numpy.typing import NDArray
from torch import Tensor

from equipoise.errors import RequestError
from equipoise.sampling.rows import Rows
from equipoise.utils.system import GIB, available_memory, free_words

Batch = TypeVar("Batch", Tensor, NDArray[float64], Rows)


def rebatch(
    parts: Iterable[Batch],
    size: int,
    join: Callable[[list[Batch]], Batch],
) -> Iterator[Batch]:
    """Regroup rows into batches of `size`; the last batch has the rest.

    Args:
        parts: Batches of any size.
        size: Rows of a batch.
        join: Concatenates batches.
    """
    pending: list[Batch] = []
    for part in parts:
        pending.append(part)
        if sum(map(len, pending)) < size:
            continue
        whole = pending[0] if len(pending) == 1 else join(pending)
        full = len(whole) - len(whole) % size
        for start in range(0, full, size):
            yield whole[start : start + size]
        pending = [whole[full:]] if full < len(whole) else []
    if pending:
        yield join(pending)


def check_sample_memory(n: int, sample_bytes: int) -> None:
    """Check that n samples fit into the free memory.

    Raises:
        RequestError: If not.
    """
    free = available_memory()
    if free is not None and n * sample_bytes > free:
        raise RequestError(
            f"n = {n}: these samples need {n * sample_bytes / GIB:,.1f} GiB of memory, and "
            f"{free_words(free)}: draw at most {free // sample_bytes} at once, or "
            "in batches with GAN.sample_batches"
        )
