"""Prefetching: threads compute the next items in advance."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
R = TypeVar("R")


def ahead(
    work: Callable[[A], R], arguments: Iterable[A], depth: int, threads: int = 1
) -> Generator[tuple[A, R], None, None]:
    """Call `work` on each argument in threads, in advance.

    An error in `work` is raised in place of its result, and ends the iteration. The
    threads end with the iteration, with the process, or when the generator is closed or
    collected. Calls that have not started by then are cancelled.

    Args:
        work: The function.
        arguments: Its arguments.
        depth: Number of results that are computed in advance, at most.
        threads: Number of threads.

    Yields:
        Each argument and its result, in order.
    """
    pool = ThreadPoolExecutor(threads, "ahead")
    waiting: deque[tuple[A, Future[R]]] = deque()
    try:
        for argument in arguments:
            waiting.append((argument, pool.submit(work, argument)))
            if len(waiting) > depth:
                oldest, future = waiting.popleft()
                yield oldest, future.result()
        for oldest, future in waiting:
            yield oldest, future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
