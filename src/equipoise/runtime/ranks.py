"""Communication between the processes of one training.

A training in one process is rank 0 of 1: every method returns at once, and
`torch.distributed` is not imported. Of several ranks, each trains a replica of the
networks on its own part of each batch.

Gradients are averaged by an explicit all-reduce after each backward pass.
DistributedDataParallel is not used: its hooks give wrong results with the double
backward pass of gradient penalties (pytorch/pytorch#47562).

Every method that communicates must be called by all ranks, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor


class Ranks:
    """This process and the others of one training.

    Args:
        rank: Number of this process, 0 to size - 1.
        size: Number of processes.
        device: Where flags and numbers are exchanged: the CPU for gloo, this process's
            GPU for nccl.
    """

    def __init__(self, rank: int = 0, size: int = 1, device: torch.device | None = None) -> None:
        if not 0 <= rank < size:
            raise ValueError(f"rank = {rank}: must be 0 to {size - 1} of {size} processes")
        self.rank, self.size = rank, size
        self.device = device or torch.device("cpu")

    @classmethod
    def of_process_group(cls, device: torch.device | None = None) -> Ranks:
        """The ranks of torch.distributed's default group, which must be initialised."""
        import torch.distributed as dist

        return cls(dist.get_rank(), dist.get_world_size(), device)

    @property
    def is_main(self) -> bool:
        """Whether this process writes, draws, evaluates and logs."""
        return self.rank == 0

    def mean_(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its mean over the ranks, with one all-reduce.

        Args:
            tensors: Of one dtype and device, of the same shapes on every rank.
        """
        if self.size == 1 or not tensors:
            return
        import torch.distributed as dist

        with torch.no_grad():
            flat = torch.cat([tensor.flatten() for tensor in tensors])
            dist.all_reduce(flat)
            _unflatten_into(tensors, flat / self.size)

    def broadcast_(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by that of rank 0, with one broadcast for each dtype.

        Args:
            tensors: Of one device, of the same shapes and dtypes on every rank.
        """
        if self.size == 1:
            return
        import torch.distributed as dist

        by_dtype: dict[torch.dtype, list[Tensor]] = {}
        for tensor in tensors:
            by_dtype.setdefault(tensor.dtype, []).append(tensor)
        with torch.no_grad():
            for group in by_dtype.values():
                flat = torch.cat([tensor.flatten() for tensor in group])
                dist.broadcast(flat, src=0)
                _unflatten_into(group, flat)

    def any(self, flag: bool) -> bool:
        """Whether the flag is set on at least one rank."""
        if self.size == 1:
            return flag
        import torch.distributed as dist

        reduced = torch.tensor(int(flag), device=self.device)
        dist.all_reduce(reduced, op=dist.ReduceOp.MAX)
        return bool(reduced.item())

    def agree(self, value: float) -> float:
        """The value of rank 0, on every rank."""
        if self.size == 1:
            return value
        import torch.distributed as dist

        broadcast = torch.tensor(value, dtype=torch.float64, device=self.device)
        dist.broadcast(broadcast, src=0)
        return float(broadcast.item())

    def barrier(self) -> None:
        """Wait for all ranks."""
        if self.size > 1:
            import torch.distributed as dist

            dist.barrier()


SINGLE = Ranks()
"""A training in one process."""


def _unflatten_into(tensors: Sequence[Tensor], flat: Tensor) -> None:
    parts = torch.split(flat, [tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view_as(tensor))
