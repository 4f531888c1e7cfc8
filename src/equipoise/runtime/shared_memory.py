"""Numbers that the processes of one machine tell each other through shared memory.

gloo sends them through sockets: two processes take 3 ms to average half a million
numbers, and .3 ms for one. Here that takes 1.4 and .02 ms (`benchmarks.rank_model`). A
step of 17 to 40 ms has two large messages and up to 20 small ones.

All map one file in memory, which has slots for each process. A process writes into its
slot, counts one up, and waits until all have counted as far. Two slots are used in
turn: nobody writes into the first again before all have read it, since all have written
into the second by then.
"""

from __future__ import annotations

import mmap
import os
import secrets
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

SLOT = 2**22  # bytes that a process writes at once
HEADER = 64  # bytes of the token, and of each counter: those of one line of a cache
# Seconds of waiting from which a process sleeps, how long it sleeps each time, and
# seconds between looks at whether the others still run.
SPIN, PAUSE, LOOK = 5e-3, 1e-4, 0.2


class Address(NamedTuple):
    """Where processes of the same machine find memory."""

    path: str
    token: bytes
    """What it begins with: on another machine the path may be of something else."""


class MissingRanksError(Exception):
    """Processes have ended, or do not answer."""

    def __init__(self, ranks: Sequence[int], *, hung: bool) -> None:
        super().__init__(f"ranks {list(ranks)} are missing")
        self.ranks: Sequence[int] = ranks
        self.hung: bool = hung


class SharedMemory:
    """The memory that this process shares with the others of a training; `create`
    and `join` make it.

    Args:
        file: Of `length_for(size)` bytes, open in every process.
        rank: Number of this process, 0 to size - 1.
        size: Number of processes.
        timeout: Seconds after which a process that does not answer counts as lost.
    """

    def __init__(self, file: int, rank: int, size: int, timeout: float) -> None:
        import fcntl

        self.rank: int = rank
        self.timeout: float = timeout
        self._file = file
        memory = torch.frombuffer(mmap.mmap(file, length_for(size)), dtype=torch.uint8)
        begin = HEADER * (1 + size)
        # NumPy's, since reading an element takes a tenth of the time that torch's does.
        self._counters = memory[HEADER:begin].view(torch.int64).view(size, -1)[:, 0].numpy()
        self._slots = memory[begin:].view(2, size, SLOT)
        self._count = 0
        # The system takes a byte's lock from a process that has ended, however it did.
        fcntl.lockf(file, fcntl.LOCK_EX, 1, rank)

    def gather(self, flat: Tensor) -> Tensor:
        """The numbers of all processes.

        Args:
            flat: (n,), on the CPU; as many on every process. At most `SLOT` bytes.

        Returns:
            (size, n), whose memory the next call but one overwrites.

        Raises:
            MissingRanksError: Another process does not take part.
        """
        slots: Tensor = self._slots[self._count % 2, :, : flat.nbytes].view(flat.dtype)
        slots[self.rank] = flat
        self._count += 1
        self._counters[self.rank] = self._count
        self._wait()
        return slots

    def _wait(self) -> None:
        """Until all have counted as far as this process."""
        began = looked = time.monotonic()
        while (self._counters < self._count).any():
            now = time.monotonic()
            if now - began < SPIN:
                os.sched_yield()
                continue
            time.sleep(PAUSE)
            if now - looked > LOOK:
                looked = now
                self._check_others(hung=now - began > self.timeout)

    def _check_others(self, *, hung: bool) -> None:
        """Raises:
        MissingRanksError: A process that is waited for has ended, or is hung."""
        waited_for = [rank for rank, count in enumerate(self._counters) if count < self._count]
        # One that has counted before it ended was there for this time.
        ended = [
            rank
            for rank in waited_for
            if self._has_ended(rank) and self._counters[rank] < self._count
        ]
        if ended or (hung and waited_for):
            raise MissingRanksError(ended or waited_for, hung=not ended)

    def _has_ended(self, rank: int) -> bool:
        import fcntl

        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, rank)
        except (BlockingIOError, PermissionError):  # it depends on the system which
            return False
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, rank)
        return True

    def close(self) -> None:
        """Leave: for the others, this process has ended."""
        os.close(self._file)


def length_for(size: int) -> int:
    """Bytes of the memory of `size` processes. Pages that are never written take
    none."""
    return HEADER + size * (HEADER + 2 * SLOT)


def create(rank: int, size: int, timeout: float) -> tuple[SharedMemory, Address] | None:
    """New memory, and where the other processes find it; None if this system has none.

    Args:
        rank, size, timeout: As of `SharedMemory`.
    """
    if not sys.platform.startswith("linux"):
        return None
    file, token = os.memfd_create("equipoise"), secrets.token_bytes(HEADER)
    os.ftruncate(file, length_for(size))
    os.pwrite(file, token, 0)
    address = Address(f"/proc/{os.getpid()}/fd/{file}", token)
    return SharedMemory(file, rank, size, timeout), address


def join(address: Address, rank: int, size: int, timeout: float) -> SharedMemory | None:
    """The memory that another process has created; None on another machine than its."""
    try:
        file = os.open(address.path, os.O_RDWR)
    except OSError:
        return None
    if os.pread(file, HEADER, 0) == address.token:
        return SharedMemory(file, rank, size, timeout)
    os.close(file)
    return None
