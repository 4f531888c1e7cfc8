"""The memory and the cores that are available to this process."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
# Maximum size of a file as a fraction of the free memory: its content is copied at
# least once.
MEMORY_FRACTION = 0.5
# Variable of torchrun: the processes of a training that run on this machine.
LOCAL_WORLD_SIZE = "LOCAL_WORLD_SIZE"
GIB = 2**30


def processes_here(environment: Mapping[str, str] = os.environ) -> int:
    """The processes of this training that share the memory of this machine."""
    given = environment.get(LOCAL_WORLD_SIZE, "1")
    return max(int(given), 1) if given.isdecimal() else 1


def available_memory(proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """Bytes that this process can still allocate: those available without swapping, or
    left by its control groups, whichever is less; of several processes of a training an
    equal part. None if not known."""
    free = _read_named_number(proc / "meminfo", "MemAvailable:")
    if free is None:
        return None
    of_all = min([free * 1024, *_cgroup_memory(proc / "self" / "cgroup", cgroups)])
    return of_all // processes_here()


def free_words(free: float) -> str:
    """What `available_memory` returned, for a message, such as "1.5 GiB are free"."""
    several = processes_here()
    share = f" for each of {several} processes" if several > 1 else ""
    return f"{free / GIB:,.1f} GiB are free{share}"


def usable_cores(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """Cores that this process can use: its CPU affinity, or the CPU quota of its
    control groups in whole cores, whichever is less."""
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return max(min([allowed, *_cgroup_cores(proc / "self" / "cgroup", cgroups)]), 1)


def _cgroup_memory(membership: Path, cgroups: Path) -> Iterator[int]:
    """Bytes that each control group with a limit leaves. Inactive file cache does not
    count as used."""
    for group, version in _cgroup_folders(membership, cgroups, "memory"):
        if version == 2:
            limit, used, droppable = "memory.max", "memory.current", "inactive_file"
        else:
            limit, used, droppable = (
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                "total_inactive_file",
            )
        most, now = read_number(group / limit), read_number(group / used)
        if most is not None and now is not None:  # "max" where there is no limit
            yield max(most - now + (_read_named_number(group / "memory.stat", droppable) or 0), 0)


def _cgroup_cores(membership: Path, cgroups: Path) -> Iterator[int]:
    """The CPU quota of each control group in whole cores, rounded down: a thread with
    half a core would slow down the others."""
    for group, version in _cgroup_folders(membership, cgroups, "cpu"):
        if version == 2:
            quota, period = read_number(group / "cpu.max"), read_number(group / "cpu.max", word=1)
        else:
            quota, period = (
                read_number(group / "cpu.cfs_quota_us"),
                read_number(group / "cpu.cfs_period_us"),
            )
        if quota is not None and period:  # "max", or -1, where there is none
            yield quota // period


def _cgroup_folders(membership: Path, cgroups: Path, controller: str) -> Iterator[tuple[Path, int]]:
    """The folders of this process's control group and its parents, with the cgroup
    version."""
    for line in _text(membership).splitlines():
        _, controllers, name = line.split(":", 2)
        if controllers == "":
            root, version = cgroups, 2
        elif controller in controllers.split(","):
            root, version = cgroups / controller, 1
        else:
            continue
        own = root / name.strip("/")
        for group in (own, *own.parents[: len(own.parts) - len(root.parts)]):
            yield group, version


def _text(path: Path) -> str:
    """The text of a file; empty if it cannot be read."""
    try:
        return path.read_text()
    except OSError:
        return ""


def read_number(path: Path, word: int = 0) -> int | None:
    """The whole number at this word of a file; None if there is none."""
    words = _text(path).split()
    return int(words[word]) if len(words) > word and words[word].isdecimal() else None


def _read_named_number(path: Path, name: str) -> int | None:
    """The number after a name, in a file with lines of a name and a number."""
    return next(
        (int(line.split()[1]) for line in _text(path).splitlines() if line.split()[:1] == [name]),
        None,
    )
