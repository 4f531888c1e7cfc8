"""Numbers in memory that processes share: all see them, and who is gone is named."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor

from equipoise.runtime import shared_memory
from equipoise.runtime.shared_memory import Address, MissingRanksError, SharedMemory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is shared on Linux alone")

# Another process, which holds its lock like a rank until its input ends.
RANK_1 = """
import fcntl, os, sys
file = os.open(sys.argv[1], os.O_RDWR)
fcntl.lockf(file, fcntl.LOCK_EX, 1, 1)
print("ready", flush=True)
sys.stdin.read()
"""


def created(timeout: float = 600.0) -> tuple[SharedMemory, Address]:
    made = shared_memory.create(0, 2, timeout)
    assert made is not None
    return made


@contextmanager
def rank_1(address: Address) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", RANK_1, address.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


def test_each_rank_gets_the_numbers_of_all_however_often_slots_are_used_again() -> None:
    memory, address = created()
    other = shared_memory.join(address, 1, 2, 600.0)
    assert other is not None
    given = [
        [torch.randn(1 + 97 * call % 5000, dtype=dtype) for call in range(60)]
        for dtype in (torch.float32, torch.float64)
    ]
    rows = [[*given[0], *given[1]], [-x for x in (*given[0], *given[1])]]

    def gathered(of: SharedMemory, tensors: list[Tensor]) -> list[Tensor]:
        return [of.gather(tensor).clone() for tensor in tensors]

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(gathered, (memory, other), rows))
    for mine, others, x in zip(*found, rows[0], strict=True):
        assert torch.equal(mine, torch.stack([x, -x]))
        assert torch.equal(others, mine)


def test_a_rank_that_has_ended_is_named() -> None:
    memory, address = created()
    with rank_1(address) as process:
        process.kill()
        with pytest.raises(MissingRanksError) as raised:
            memory.gather(torch.ones(3))
    assert (raised.value.ranks, raised.value.hung) == ([1], False)


def test_a_rank_that_does_not_answer_in_time_is_named() -> None:
    memory, address = created(timeout=0.0)
    with rank_1(address), pytest.raises(MissingRanksError) as raised:
        memory.gather(torch.ones(3))
    assert (raised.value.ranks, raised.value.hung) == ([1], True)


def test_memory_of_another_machine_is_not_joined() -> None:
    _, address = created()
    assert shared_memory.join(Address("/proc/0/fd/0", address.token), 1, 2, 1.0) is None
    assert shared_memory.join(Address(address.path, b"another"), 1, 2, 1.0) is None
