"""Many samples in parts: batches of another size, and whether memory holds them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from numpy import float64
from numpy.typing import NDArray
from torch import Tensor

from equipoise.errors import RequestError
from equipoise.utils.system import available_memory

GIB = 2**30
Rows = TypeVar("Rows", Tensor, NDArray[float64])


def rebatch(
    parts: Iterable[Rows],
    size: int,
    join: Callable[[list[Rows]], Rows],
) -> Iterator[Rows]:
    """The same rows in parts of `size`; the last part has the rest."""
    held: list[Rows] = []
    for part in parts:
        held.append(part)
        if sum(map(len, held)) < size:
            continue
        whole = held[0] if len(held) == 1 else join(held)
        full = len(whole) - len(whole) % size
        for start in range(0, full, size):
            yield whole[start : start + size]
        held = [whole[full:]] if full < len(whole) else []
    if held:
        yield join(held)


def check_sample_memory(n: int, sample_bytes: int) -> None:
    """Raises:
    RequestError: Where n samples take more memory than is free."""
    free = available_memory()
    if free is not None and n * sample_bytes > free:
        raise RequestError(
            f"n = {n}: so many samples need {n * sample_bytes / GIB:,.1f} GiB of memory, and "
            f"{free / GIB:,.1f} GiB are free: "
            f"draw at most {free // sample_bytes} at once, or in parts by GAN.sample_batches"
        )
