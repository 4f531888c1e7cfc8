"""Prefetching: threads work on the next items before they are asked for."""

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
    """Each of `arguments` and the result of `work` on it, in order.

    When one is yielded, `depth` more are running or done: no more than these are ever
    in memory.

    An error in `work` is raised in its result's place and ends the iteration. The
    threads end with the iteration, with the process, and when the generator is closed
    or collected; what has not begun by then is not done.
    """
    pool = ThreadPoolExecutor(threads, "ahead")
    waiting: deque[tuple[A, Future[R]]] = deque()
    try:
        for argument in arguments:
            waiting.append((argument, pool.submit(work, argument)))
            if len(waiting) > depth:
                first, coming = waiting.popleft()
                yield first, coming.result()
        for first, coming in waiting:
            yield first, coming.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
