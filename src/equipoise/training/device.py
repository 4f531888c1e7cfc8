"""What the machine has: the device that a training runs on, and the cores that it may use."""

from __future__ import annotations

import os

import torch

from equipoise.errors import RequestError


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
