"""What the machine has: the device that a training runs on, the cores that it may use, the memory that is free."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from equipoise.data.memory import CGROUPS, PROC, available, number_in
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
    except (RuntimeError, AssertionError):
        raise RequestError(f"device = {name!r} is not to be had here: give cpu or auto") from None
    return device


def check_torch(*, training: bool = False) -> None:
    """Raises RequestError where the program around has set torch so that networks of float32 cannot be drawn from, or not trained."""
    if torch.get_default_dtype() != torch.float32:
        usual = "torch.set_default_dtype(torch.float32)"
        raise RequestError(f"torch's default dtype is {torch.get_default_dtype()}, networks are of float32: call {usual} first")
    if training and torch.is_inference_mode_enabled():
        raise RequestError("torch is in inference mode, in which nothing can be trained: call fit outside of torch.inference_mode()")


def used_memory(device: torch.device, proc: Path = PROC) -> int | None:
    """Bytes that this process holds on the device: of the CPU's memory its resident set; None where that is not told."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    if device.type != "cpu":
        return None
    pages = number_in(proc / "self" / "statm", word=1)
    return None if pages is None else pages * os.sysconf("SC_PAGE_SIZE")


def free_memory(device: torch.device, proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """Bytes on the device that this process may still take; None where that is not known.

    Of the CPU's memory: what `available` says. Of a GPU: what is free, and what torch keeps for itself and does not use.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    if device.type != "cpu":
        return None
    return available(proc, cgroups)
