"""The machine's memory: how much of it this process may still take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
SHARE = 0.5  # of the free memory that a file may take: what is read is copied at least once


def available(proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """Bytes that the system could give without swapping, or that the control groups of this process leave, where that is less; None where
    that is not known."""
    free = _named(proc / "meminfo", "MemAvailable:")
    return None if free is None else min([free * 1024, *_left_by_groups(proc / "self" / "cgroup", cgroups)])


def _left_by_groups(membership: Path, cgroups: Path) -> Iterator[int]:
    """Bytes that each control group with a limit leaves, of this process's own up to the root: a limit holds for all below it. Files that
    were read and can be dropped again do not count as used."""
    for line in _text(membership).splitlines():
        _, kinds, name = line.split(":", 2)
        if kinds == "":
            root, limit, used, droppable = cgroups, "memory.max", "memory.current", "inactive_file"
        elif "memory" in kinds.split(","):
            root, limit, used, droppable = cgroups / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
        else:
            continue
        own = root / name.strip("/")
        for group in (own, *own.parents[: len(own.parts) - len(root.parts)]):
            most, now = number_in(group / limit), number_in(group / used)
            if most is not None and now is not None:  # "max" where there is no limit
                yield max(most - now + (_named(group / "memory.stat", droppable) or 0), 0)


def _text(path: Path) -> str:
    """The text of a file that the system may not have; empty if so."""
    try:
        return path.read_text()
    except OSError:
        return ""


def number_in(path: Path, word: int = 0) -> int | None:
    """The whole number that is this word of a file, or None if there is no such file, or it says something else."""
    words = _text(path).split()
    return int(words[word]) if len(words) > word and words[word].isdecimal() else None


def _named(path: Path, name: str) -> int | None:
    """The number beside a name, in a file of such lines."""
    return next((int(line.split()[1]) for line in _text(path).splitlines() if line.split()[:1] == [name]), None)
