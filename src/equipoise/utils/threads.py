"""Threads of numerical libraries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def single_threaded() -> Iterator[None]:
    """A context with one thread for BLAS and OpenMP, so that results do not depend on
    the number of threads: it changes the order of sums, and so their rounding."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield
