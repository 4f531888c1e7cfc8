"""What the machine gives this process: the memory that it may still take, and the cores
that it may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
# Of the free memory that a file may take: what is read is copied at least once.
MEMORY_FRACTION = 0.5


def available_memory(proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """Bytes that the system could give without swapping, or that the control groups of
    this process allow, whichever is less; None where that is not known."""
    free = _read_named_number(proc / "meminfo", "MemAvailable:")
    return (
        None
        if free is None
        else min([free * 1024, *_cgroup_memory(proc / "self" / "cgroup", cgroups)])
    )


def usable_cores(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """Cores that this process may use: its CPU affinity, or the CPU time that its
    control groups allow in whole cores, whichever is less."""
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return max(min([allowed, *_cgroup_cores(proc / "self" / "cgroup", cgroups)]), 1)


def _cgroup_memory(membership: Path, cgroups: Path) -> Iterator[int]:
    """Bytes that each control group with a limit leaves. Cached files that can be
    dropped do not count as used."""
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
    """Whole cores of CPU time that each control group with a quota allows. Another
    thread for half a core would make the others wait."""
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
    """The folders of this process's control group and of its parents, whose limits hold
    too, each with its version of control groups."""
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
    """The text of a file; empty where the system has no such file."""
    try:
        return path.read_text()
    except OSError:
        return ""


def read_number(path: Path, word: int = 0) -> int | None:
    """The whole number at this word of a file; None if there is no such file, or
    another word."""
    words = _text(path).split()
    return int(words[word]) if len(words) > word and words[word].isdecimal() else None


def _read_named_number(path: Path, name: str) -> int | None:
    """The number after a name, in a file with a name and a number on each line."""
    return next(
        (int(line.split()[1]) for line in _text(path).splitlines() if line.split()[:1] == [name]),
        None,
    )
