"""Process-wide settings that Equipoise changes during a call and restores afterwards:
torch's default dtype, default device, number of threads, inference mode and autocast,
and the warning filters, which some libraries extend when they are imported.

Calls may be nested, and may run in several threads at once. The first call stores the
calling program's settings, and the last one restores them.
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
    """The thread counts of the nested calls in this thread, the innermost last."""

    def __init__(self) -> None:
        self.stack: list[int] = []


@dataclass
class _ProgramSettings:
    """The calling program's settings when the first of the running calls began."""

    calls: int = 0
    dtype: torch.dtype = torch.float32
    threads: int = 1
    filters: list[Any] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    counts: _ThreadCounts = field(default_factory=_ThreadCounts)

    def enter(self, threads: int | None) -> None:
        with self.lock:
            if not self.counts.stack:
                if not self.calls:
                    self.dtype, self.threads = torch.get_default_dtype(), torch.get_num_threads()
                    self.filters = list(warnings.filters)
                    torch.set_default_dtype(torch.float32)
                self.calls += 1
            self.counts.stack.append(threads or self._outer_threads())
            _set_threads(self.counts.stack[-1])

    def leave(self) -> None:
        with self.lock:
            self.counts.stack.pop()
            _set_threads(self._outer_threads())
            if not self.counts.stack:
                self.calls -= 1
                if not self.calls:
                    torch.set_default_dtype(self.dtype)
                    if warnings.filters != self.filters:
                        warnings.filters[:] = self.filters  # type: ignore[index]  # typeshed has a sequence

    def _outer_threads(self) -> int:
        return self.counts.stack[-1] if self.counts.stack else self.threads


def _set_threads(threads: int) -> None:
    if threads != torch.get_num_threads():
        torch.set_num_threads(threads)


_PROGRAM = _ProgramSettings()


@contextmanager
def torch_settings(threads: int | None = None) -> Iterator[None]:
    """A context with default dtype float32, default device CPU, and inference mode and
    autocast off.

    Args:
        threads: Number of CPU threads; None leaves it.
    """
    _PROGRAM.enter(threads)
    try:
        with _without_modes():
            yield
    finally:
        _PROGRAM.leave()


@contextmanager
def _without_modes() -> Iterator[None]:
    """A context that disables the torch modes that the caller's thread has entered.

    Only those: entering a mode takes time, and a default device slows down every
    operation.
    """
    with ExitStack() as modes:
        if torch.is_inference_mode_enabled():
            modes.enter_context(torch.inference_mode(False))
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                # A step's own autocast is nested here. With a cache its casts of
                # weights would outlive the step.
                modes.enter_context(torch.autocast(kind, enabled=False, cache_enabled=False))
        if torch.get_default_device().type != "cpu":
            modes.enter_context(torch.device("cpu"))
        yield


def iterate_with_torch_settings(items: Iterator[T], threads: int | None = None) -> Iterator[T]:
    """The items, each computed within `torch_settings`. Between items the process has
    the caller's settings."""
    while True:
        with torch_settings(threads):
            try:
                item = next(items)
            except StopIteration:
                return
        yield item


def restores_torch_settings(cls: C) -> C:
    """A class decorator: public methods run within `torch_settings(self._threads)`."""
    for name, member in list(vars(cls).items()):
        if isfunction(member) and not name.startswith("_"):
            setattr(cls, name, _with_torch_settings(member))
    return cls


def _with_torch_settings(method: Callable[..., T]) -> Callable[..., T]:
    @wraps(method)
    def wrapped(self: Any, *arguments: Any, **named: Any) -> T:
        with torch_settings(self._threads):
            return method(self, *arguments, **named)

    return wrapped
