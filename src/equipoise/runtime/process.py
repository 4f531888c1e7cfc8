"""Settings of the process that Equipoise changes while it works and restores
afterwards: torch's default dtype, default device and number of threads, its inference
mode and autocast, and the filters of warnings, to which some libraries add their own
when they are imported.

They belong to the calling program. Calls may be nested, and may run in several threads
at once: the first call notes what the program had set, and the last one restores it.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import wraps
from inspect import isfunction
from typing import Any, TypeVar

import torch

T = TypeVar("T")
C = TypeVar("C", bound=type)


class _ThreadCounts(threading.local):
    """The numbers of threads that the calls running in this thread use, the innermost
    last."""

    def __init__(self) -> None:
        self.used: list[int] = []


@dataclass
class _Program:
    """What the calling program had set when the first of the running calls began."""

    calls: int = 0
    dtype: torch.dtype = torch.float32
    threads: int = 1
    filters: list[Any] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    here: _ThreadCounts = field(default_factory=_ThreadCounts)

    def enter(self, threads: int | None) -> None:
        with self.lock:
            if not self.here.used:
                if not self.calls:
                    self.dtype, self.threads = torch.get_default_dtype(), torch.get_num_threads()
                    self.filters = list(warnings.filters)
                    torch.set_default_dtype(torch.float32)
                self.calls += 1
            self.here.used.append(threads or self._around())
            _use(self.here.used[-1])

    def leave(self) -> None:
        with self.lock:
            self.here.used.pop()
            _use(self._around())
            if not self.here.used:
                self.calls -= 1
                if not self.calls:
                    torch.set_default_dtype(self.dtype)
                    if warnings.filters != self.filters:
                        warnings.filters[:] = self.filters  # type: ignore[index]  # typeshed has a sequence

    def _around(self) -> int:
        return self.here.used[-1] if self.here.used else self.threads


def _use(threads: int) -> None:
    if threads != torch.get_num_threads():
        torch.set_num_threads(threads)


_PROGRAM = _Program()


@contextmanager
def at_work(threads: int | None = None) -> Iterator[None]:
    """A context in which torch's default dtype is float32, its default device the CPU,
    inference mode and autocast are off, and it uses this many threads.

    Args:
        threads: Of the CPU; None leaves their number as it is.
    """
    _PROGRAM.enter(threads)
    try:
        with _without_modes():
            yield
    finally:
        _PROGRAM.leave()


@contextmanager
def _without_modes() -> Iterator[None]:
    """A context outside the modes of torch that the caller's thread is in.

    Other modes are not touched: to enter a mode takes time, and a default device slows
    down every operation.
    """
    with ExitStack() as modes:
        if torch.is_inference_mode_enabled():
            modes.enter_context(torch.inference_mode(False))
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                # A step's own autocast is an inner one here, whose copies of weights
                # would stay.
                modes.enter_context(torch.autocast(kind, enabled=False, cache_enabled=False))
        if torch.get_default_device().type != "cpu":
            modes.enter_context(torch.device("cpu"))
        yield


def each_at_work(items: Iterator[T], threads: int | None = None) -> Iterator[T]:
    """The items, each made `at_work`; between two of them the process is as the caller
    has set it."""
    while True:
        with at_work(threads):
            try:
                item = next(items)
            except StopIteration:
                return
        yield item


def leaves_process_as_it_was(cls: C) -> C:
    """A class decorator: public methods run `at_work`, on `self._threads` threads."""
    for name, member in list(vars(cls).items()):
        if isfunction(member) and not name.startswith("_"):
            setattr(cls, name, _at_work(member))
    return cls


def _at_work(method: Callable[..., T]) -> Callable[..., T]:
    @wraps(method)
    def working(self: Any, *arguments: Any, **named: Any) -> T:
        with at_work(self._threads):
            return method(self, *arguments, **named)

    return working
