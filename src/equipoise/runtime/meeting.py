"""Where the processes of one start find each other.

torchrun keeps its store when it starts the processes again, with all that the last ones
have written: their addresses, and how many have come. So each start agrees on a part of
the store that nobody has written to.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from equipoise.errors import RequestError
from equipoise.runtime.launch import (
    MEETING,
    RANK,
    WORLD_SIZE,
    is_started_by_us,
    rank,
    world_size,
)

if TYPE_CHECKING:
    from torch.distributed.distributed_c10d import Store

ADDRESS = ("MASTER_ADDR", "MASTER_PORT")  # variables of torchrun
PREFIX = "equipoise/"
PUBLISHED = f"{PREFIX}start"
POLL = 0.02  # seconds


def store_of_start(seconds: float) -> Store:
    """What the ranks of this start tell each other their addresses by.

    Args:
        seconds: To wait for the others.

    Raises:
        RequestError: Variables that make this process a rank are missing, or wrong.
        LostRankError: Some ranks did not come in time.
    """
    from torch.distributed.rendezvous import rendezvous

    size, wait = world_size(), timedelta(seconds=seconds)
    if rank() >= size:
        raise RequestError(f"{RANK} = {rank()}: must be less than {WORLD_SIZE} = {size}")
    if is_started_by_us():  # in a new file
        where = f"file://{os.environ[MEETING]}"
        store: Store = next(rendezvous(where, rank(), size, timeout=wait))[0]
        return store
    if not all(os.environ.get(name) for name in ADDRESS):
        raise RequestError(
            f"{WORLD_SIZE} = {size}, without {' and '.join(ADDRESS)}: start the processes with "
            f"torchrun, or unset {RANK} and {WORLD_SIZE}"
        )
    if not (port := os.environ[ADDRESS[1]]).isdecimal():
        raise RequestError(f"{ADDRESS[1]} = {port!r}: must be a port, such as 29500")
    store = next(rendezvous("env://", timeout=wait))[0]
    return unwritten_part(store, rank(), size, seconds)


def unwritten_part(store: Store, rank: int, size: int, seconds: float) -> Store:
    """A part of a store that only the ranks of this start write to, the same on all.

    Each rank writes a random name. Rank 0 publishes all names, those of an earlier
    start among them at first, until every rank has found its own there and says so.

    Args:
        store: All ranks have it; an earlier start may have written to it.
        rank: Number of this process.
        size: Number of processes.
        seconds: To wait for the others.

    Raises:
        LostRankError: Some did not come in time. It names them.
    """
    from torch.distributed.distributed_c10d import PrefixStore

    from equipoise.runtime.ranks import LostRankError

    own, until = secrets.token_hex(8), time.monotonic() + seconds
    store.set(_name(rank), own)
    while not (start := _lead(store, size) if rank == 0 else _follow(store, rank, own)):
        if time.monotonic() > until:
            absent = [other for other in range(size) if not store.check([_name(other)])]
            who = f"rank {', '.join(map(str, absent))}" if absent else "another"
            message = f"{who} of {size} processes did not start within {seconds:g} s"
            raise LostRankError(message, hung=True)
        time.sleep(POLL)
    return PrefixStore(start, store)


def _lead(store: Store, size: int) -> str:
    """Publish the names as they are now; this start's prefix where all have seen
    them, else nothing."""
    if not store.check([_name(other) for other in range(size)]):
        return ""
    names = " ".join(store.get(_name(other)).decode() for other in range(size))
    if not store.check([PUBLISHED]) or store.get(PUBLISHED).decode() != names:
        store.set(PUBLISHED, names)
    start = _start(names)
    if not store.check([f"{start}/seen/{other}" for other in range(1, size)]):
        return ""
    store.set(f"{start}/go", "")
    return start


def _follow(store: Store, rank: int, own: str) -> str:
    """This start's prefix where rank 0 has it too, else nothing."""
    if not store.check([PUBLISHED]):
        return ""
    names = store.get(PUBLISHED).decode()
    if own not in names.split():
        return ""
    start = _start(names)
    store.set(f"{start}/seen/{rank}", "")
    return start if store.check([f"{start}/go"]) else ""


def _start(names: str) -> str:
    return f"{PREFIX}{hashlib.sha256(names.encode()).hexdigest()[:16]}"


def _name(rank: int) -> str:
    return f"{PREFIX}name/{rank}"
