"""The device of a training, and its free memory."""

from __future__ import annotations

from pathlib import Path

import torch

from equipoise.errors import RequestError
from equipoise.utils.system import CGROUPS, PROC, available_memory


def resolve_device(name: str) -> torch.device:
    """The device with this name.

    Args:
        name: "cpu", "cuda", "cuda:1", ..., or "auto" for a CUDA GPU if there is one,
            else the CPU.

    Raises:
        RequestError: The device is missing or not supported.
    """
    kind = name.split(":", maxsplit=1)[0]
    if kind == "mps":
        raise RequestError(
            f"device = {name!r}: Apple's GPUs have no float64, which scaling needs: give cpu"
        )
    if kind not in ("auto", "cpu", "cuda"):
        raise RequestError(f"device = {name!r}: must be auto, cpu or cuda")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError):
        raise RequestError(
            f"device = {name!r} is not available here: give {_available()}"
        ) from None
    return device


def _available() -> str:
    """The devices that there are, for a message."""
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not gpus:
        return "cpu or auto"
    return "cpu, cuda:0" + (f" to cuda:{gpus - 1}" if gpus > 1 else "") + ", or auto"


def free_memory(device: torch.device, proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """Bytes on the device that this process can still allocate; None if not known.

    On a CPU see `available_memory`. On a GPU: the free memory, and what torch has
    reserved and does not use.
    """
    if device.type == "cuda":
        return (
            torch.cuda.mem_get_info(device)[0]
            + torch.cuda.memory_reserved(device)
            - torch.cuda.memory_allocated(device)
        )
    return available_memory(proc, cgroups)
