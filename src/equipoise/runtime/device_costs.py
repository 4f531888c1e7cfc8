"""The cost of work on each type of device: measured constants for planning.

They decide the number of threads, whether a step is compiled, how often a training is
evaluated, and when its memory is traced. They turn counted work into estimates. Nothing
is timed at run time, so that equal runs on equal machines are equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch


@dataclass(frozen=True)
class DeviceCosts:
    """The constants of one type of device.

    The CPU's were measured on two cores of an AMD EPYC with AVX-512, torch 2.13, by the
    command that each field names; its tables are in benchmarks/RESULTS.md.
    """

    call_seconds: float
    """Seconds per operation of a step, whatever its size. CPU: a step of the MLPs of a
    1-D distribution, 1.6 ms (`benchmarks.speed step`)."""
    flops: float
    """Additions and multiplications a second: of one core, or of the whole GPU. CPU: a
    step of MNIST's convolutional networks, 29 ms (`benchmarks.speed step`); the peak is
    9e10 (`benchmarks.speed peak`)."""
    workspace: float
    """Memory of a step's intermediate tensors, as a multiple of their bytes: freed
    blocks leave gaps. CPU: `benchmarks.memory`."""
    workspace_convolutions: float
    """The same with convolutions, which on a CPU read and write reordered copies. CPU:
    `benchmarks.memory`."""
    thread_flops: float
    """Arithmetic of a step per CPU thread; with less, threads mostly wait for each
    other. CPU: a step on 16 x 16 images has .7e9, on MNIST 2e9 (`benchmarks.speed
    step`)."""
    compile_from: Mapping[str, float] = field(default_factory=dict)
    """Seconds of training from which compiling the step saves twice the 45 s that it
    takes, by kind of data or precision: compiled steps save 35% on points, 10% on
    images in float32 and 25% in bfloat16 (`benchmarks.speed step`). Without an entry
    steps are not compiled by default."""
    evaluation_steps: int | None = None
    """Steps between two evaluations. None on a CPU, where evaluation and training are
    the same kind of arithmetic and `training.evaluation_schedule` compares them."""


COSTS = {
    "cpu": DeviceCosts(
        call_seconds=4e-6,
        flops=7e10,
        workspace=1.15,
        workspace_convolutions=1.9,
        thread_flops=1e9,
        compile_from={"points": 257.0, "float32": 900.0, "bfloat16": 360.0},
    ),
    # Not measured yet. A step of these networks is bound by the launches of its 200 to
    # 1,000 kernels, about 10 microseconds each from Python; 1e13 a second is what an
    # older GPU does in float32. So 5,000 steps take at least 10 to 50 s. An evaluation,
    # on the CPU, takes up to about a second.
    "cuda": DeviceCosts(
        call_seconds=1e-5,
        flops=1e13,
        workspace=1.15,
        workspace_convolutions=1.15,
        thread_flops=1e9,
        evaluation_steps=5_000,
    ),
}


def costs_of(device: torch.device) -> DeviceCosts:
    """The constants for this device."""
    return COSTS[device.type]
