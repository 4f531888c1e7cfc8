"""Threads of numerical libraries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def single_threaded() -> Iterator[None]:
    """One thread for BLAS and OpenMP inside, as before after: sums that several threads
    share round in an order that depends on how many there are."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield
