"""Work side by side, each piece on a core of its own."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_lanes(jobs: Iterable[T], work: Callable[[T, list[str]], R], lanes: int) -> list[R]:
    """work(job, pinned) of every job in order, `lanes` at a time.

    `pinned` is what a command must begin with to stay on the lane's core; nothing where
    there is one lane, which has all cores.
    """
    prefixes: Queue[list[str]] = Queue()
    for core in range(lanes):
        prefixes.put(["taskset", "-c", str(core)] if lanes > 1 else [])

    def in_lane(job: T) -> R:
        pinned = prefixes.get()
        try:
            return work(job, pinned)
        finally:
            prefixes.put(pinned)

    with ThreadPoolExecutor(lanes) as pool:
        return list(pool.map(in_lane, jobs))


def add_options(parser: ArgumentParser, folder: str) -> None:
    """Add --lanes and --keep, whose default is `folder` in runs/."""
    parser.add_argument(
        "--lanes",
        type=int,
        default=1,
        help="runs side by side, each with one thread on its own core",
    )
    parser.add_argument(
        "--keep",
        type=Path,
        default=Path("runs") / folder,
        help="a folder to keep the runs in",
    )
