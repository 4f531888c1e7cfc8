"""What the machine has: the device that a training runs on, the cores that it may use, the memory that is free."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import torch

from equipoise.errors import RequestError

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")


def usable_cores() -> int:
    """The cores that this process may run on, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def resolve_device(name: str) -> torch.device:
    """The device of this name; "auto" is a GPU if there is one. Raises RequestError for one that is not there."""
    if name.split(":", maxsplit=1)[0] not in ("auto", "cpu", "cuda", "mps"):
        raise RequestError(f"device = {name!r}: must be auto, cpu, cuda or mps")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise RequestError(f"device = {name!r} is not to be had here: give cpu or auto") from None
    return device


def used_memory(device: torch.device, proc: Path = PROC) -> int | None:
    """Bytes that this process holds on the device: of the CPU's memory its resident set; None where that is not told."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    if device.type != "cpu":
        return None
    pages = _number(proc / "self" / "statm", word=1)
    return None if pages is None else pages * os.sysconf("SC_PAGE_SIZE")


def free_memory(device: torch.device, proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """Bytes on the device that this process may still take; None where that is not known.

    Of the CPU's memory: what the system could give without swapping, or what the control groups of this process leave, where that is less.
    Of a GPU: what is free, and what torch keeps for itself and does not use.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    if device.type != "cpu":
        return None
    available = _named(proc / "meminfo", "MemAvailable:")
    if available is None:
        return None
    return min([available * 1024, *_left_by_groups(proc / "self" / "cgroup", cgroups)])


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
            most, now = _number(group / limit), _number(group / used)
            if most is not None and now is not None:  # "max" where there is no limit
                yield max(most - now + (_named(group / "memory.stat", droppable) or 0), 0)


def _text(path: Path) -> str:
    """The text of a file that the system may not have; empty if so."""
    try:
        return path.read_text()
    except OSError:
        return ""


def _number(path: Path, word: int = 0) -> int | None:
    """The whole number that is this word of a file, or None if there is no such file, or it says something else."""
    words = _text(path).split()
    return int(words[word]) if len(words) > word and words[word].isdecimal() else None


def _named(path: Path, name: str) -> int | None:
    """The number beside a name, in a file of such lines."""
    return next((int(line.split()[1]) for line in _text(path).splitlines() if line.split()[:1] == [name]), None)
