"""Communication between the processes of one training.

A training in one process is rank 0 of 1: every method returns at once, and
`torch.distributed` is not imported. Of several ranks, each trains a replica of the
networks on its own part of each batch, and N ranks compute what one rank would with the
whole batch: gradients are averaged, and what depends on all samples is gathered.

Gradients are averaged by an explicit all-reduce after each backward pass.
DistributedDataParallel is not used: its hooks give wrong results with the double
backward pass of gradient penalties (pytorch/pytorch#47562).

Every method that communicates must be called by all ranks, in the same order.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import torch
from torch import Tensor

from equipoise.errors import EquipoiseError, RequestError, clipped, first_line
from equipoise.runtime import shared_memory
from equipoise.runtime.launch import timeout
from equipoise.runtime.shared_memory import MissingRanksError, SharedMemory

if TYPE_CHECKING:
    from torch.distributed.distributed_c10d import Store

log: logging.Logger = logging.getLogger(__name__)

T = TypeVar("T")
# Seconds after a time-out in which the ranks that still run say so.
ROLL_CALL = 2.0


class LostRankError(EquipoiseError):
    """Another process of the training has ended, or does not answer."""

    def __init__(self, message: str, *, hung: bool) -> None:
        super().__init__(message)
        self.hung = hung
        """Whether it does not answer, so that nobody but this process tells of it."""


class OtherRankError(EquipoiseError):
    """Another process of the training failed, and all end with its error."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Ranks:
    """This process and the others of one training.

    Args:
        rank: Number of this process, 0 to size - 1.
        size: Number of processes.
        device: Where flags and numbers are exchanged: the CPU for gloo, this process's
            GPU for nccl.
    """

    store: ClassVar[Store | None] = None
    """Where ranks find each other, of the group that `runtime.processes` joined."""

    def __init__(self, rank: int = 0, size: int = 1, device: torch.device | None = None) -> None:
        if not 0 <= rank < size:
            raise ValueError(f"rank = {rank}: must be 0 to {size - 1} of {size} processes")
        self.rank: int = rank
        self.size: int = size
        self.device: torch.device = device or torch.device("cpu")
        self._memory: SharedMemory | None = None

    @classmethod
    def of_process_group(cls, device: torch.device | None = None) -> Ranks:
        """The ranks of torch.distributed's default group, which must be initialised."""
        import torch.distributed as dist

        if device is None and dist.get_backend() == "nccl":
            device = torch.device("cuda", torch.cuda.current_device())
        return cls(dist.get_rank(), dist.get_world_size(), device)

    @classmethod
    def current(cls) -> Ranks:
        """The ranks of the process group that this process is in; a single one if it is
        in none."""
        dist = sys.modules.get("torch.distributed")  # without it there is no group
        if dist is None or not dist.is_available() or not dist.is_initialized():
            return SINGLE
        return cls.of_process_group() if dist.get_world_size() > 1 else SINGLE

    @property
    def is_main(self) -> bool:
        """Whether this process writes, draws, evaluates and logs."""
        return self.rank == 0

    @contextmanager
    def sharing_memory(self) -> Iterator[None]:
        """A context in which ranks that are on one machine, and train on its CPU, tell
        each other numbers through its memory."""
        if self.size == 1 or self.device.type != "cpu":
            yield
            return
        this = self.rank, self.size, timeout()
        made = shared_memory.create(*this) if self.is_main else None
        address = self.share(None if made is None else made[1])
        memory = None
        if address is not None:
            memory = shared_memory.join(address, *this) if made is None else made[0]
        try:
            if all(self.of_all(memory is not None)):
                self._memory = memory
            yield
        finally:
            self._memory = None
            if memory is not None:
                memory.close()

    def mean_(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its mean over the ranks, with one message.

        Args:
            tensors: Of one dtype and device, of the same shapes on every rank.
        """
        if self.size == 1 or not tensors:
            return
        with torch.no_grad():
            flat = torch.cat([tensor.flatten() for tensor in tensors])
            _unflatten_into(tensors, self._sum(flat) / self.size)

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
                with self._communicating():
                    dist.broadcast(flat, src=0)
                _unflatten_into(group, flat)

    def gather(self, tensor: Tensor) -> Tensor:
        """The tensors of all ranks, one after another, with gradients to each.

        Args:
            tensor: (N, *shape), of the same shape on every rank.

        Returns:
            (ranks N, *shape).
        """
        if self.size == 1:
            return tensor
        gathered: Tensor = _Gather.apply(tensor, self)  # type: ignore[no-untyped-call]  # torch's own is not typed
        return gathered

    def any(self, flag: bool) -> bool:
        """Whether the flag is set on at least one rank."""
        if self.size == 1:
            return flag
        return self._sum(torch.tensor([float(flag)], device=self.device)).item() > 0

    def agree(self, value: float) -> float:
        """The value of rank 0, on every rank."""
        if self.size == 1:
            return value
        given = torch.tensor([value], dtype=torch.float64, device=self.device)
        return float(self._all(given)[0].item())

    def share(self, value: T) -> T:
        """Any object of rank 0, on every rank."""
        if self.size == 1:
            return value
        import torch.distributed as dist

        values = [value if self.is_main else None]
        with self._communicating():
            dist.broadcast_object_list(values, src=0)
        return value if self.is_main else values[0]  # type: ignore[return-value]  # rank 0's

    def of_all(self, value: T) -> list[T]:
        """The objects of all ranks, in their order."""
        if self.size == 1:
            return [value]
        import torch.distributed as dist

        values: list[Any] = [None] * self.size
        with self._communicating():
            dist.all_gather_object(values, value)
        return values

    @contextmanager
    def failing_together(self) -> Iterator[None]:
        """A context in which ranks do not communicate, and after which an exception on
        one of them is one on all.

        Raises:
            OtherRankError: On the ranks without an exception of their own, with the
                first one's message and rank.
        """
        if self.size == 1:
            yield
            return
        try:
            yield
        except Exception as error:
            self.of_all((first_line(error), getattr(error, "status", 1)))
            raise
        for rank, failed in enumerate(self.of_all(None)):
            if failed is not None:
                message, status = failed
                raise OtherRankError(f"rank {rank}: {message}", status)

    def check_equal(self, facts: Mapping[str, Any]) -> None:
        """Check that all ranks train the same.

        Args:
            facts: What must be equal, by the name of a message.

        Raises:
            RequestError: A rank differs from rank 0, which names the first difference.
        """
        of_all = self.of_all(dict(facts))
        for rank, others in enumerate(of_all):
            for name in {**of_all[0], **others}:
                expected, given = of_all[0].get(name), others.get(name)
                if expected != given:
                    raise RequestError(
                        f"rank {rank} has {name} {clipped(repr(given))}, and rank 0 "
                        f"{clipped(repr(expected))}: start all processes with the same data, "
                        "settings and versions"
                    )

    def _all(self, flat: Tensor) -> Tensor:
        """The numbers of all ranks, (size, n), from this one's, (n,)."""
        with self._communicating():
            if self._memory is not None:
                parts = torch.split(flat, shared_memory.SLOT // flat.itemsize)
                # A later part takes the place of an earlier one.
                return torch.cat([self._memory.gather(part).clone() for part in parts], 1)
            import torch.distributed as dist

            gathered = flat.new_empty(self.size, *flat.shape)
            dist.all_gather(list(gathered.unbind()), flat)
            return gathered

    def _sum(self, flat: Tensor) -> Tensor:
        """The sum over the ranks of their numbers, (n,) each."""
        with self._communicating():
            if self._memory is not None:
                parts = torch.split(flat, shared_memory.SLOT // flat.itemsize)
                return torch.cat([self._memory.gather(part).sum(0) for part in parts])
            import torch.distributed as dist

            total = flat.clone()
            dist.all_reduce(total)
            return total

    @contextmanager
    def _communicating(self) -> Iterator[None]:
        """A context in which an error of the communication is a LostRankError."""
        try:
            yield
        except MissingRanksError as error:
            raise self._lost(error.ranks, hung=error.hung) from None
        except RuntimeError as error:  # of gloo and nccl
            log.debug("communication between processes failed", exc_info=error)
            hung = "timed out" in str(error).lower() or "timeout" in str(error).lower()
            raise self._lost(self._silent() if hung else [], hung=hung) from None

    def _lost(self, lost: Sequence[int], *, hung: bool) -> LostRankError:
        """The error for ranks that do not answer, or have ended."""
        what = "did not answer in time" if hung else "has ended"
        return LostRankError(
            f"{self._named(lost)} {what}, so that the others cannot go on", hung=hung
        )

    def _silent(self) -> list[int]:
        """The ranks that do not say that they wait, after a time-out on all that do.

        A thread asks the store, since nothing comes back from one behind a cut
        connection.
        """
        silent: list[int] = []
        asking = threading.Thread(target=lambda: silent.extend(self._absent()), daemon=True)
        asking.start()
        asking.join(2 * ROLL_CALL)
        return silent

    def _absent(self) -> list[int]:
        if self.store is None:
            return []
        names = [f"equipoise/waiting/{rank}" for rank in range(self.size)]
        try:
            self.store.set(names[self.rank], "")
            time.sleep(ROLL_CALL)
            return [rank for rank, name in enumerate(names) if not self.store.check([name])]
        except RuntimeError as error:  # where the store was the lost rank's
            log.debug("the store does not answer", exc_info=error)
            return []

    def _named(self, lost: Sequence[int]) -> str:
        others = [rank for rank in range(self.size) if rank != self.rank]
        lost = others if len(others) == 1 else lost
        if not lost:
            return f"another of the {self.size} processes"
        return f"rank {', '.join(map(str, lost))} of {self.size} processes"


class _Gather(torch.autograd.Function):
    """`Ranks.gather`. A rank's gradient is the sum of all ranks' gradients of its
    part."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, ranks: Ranks) -> Tensor:
        ctx.ranks = ranks
        return ranks._all(tensor.flatten()).view(-1, *tensor.shape[1:])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _SumOfOwn.apply(gradients[0], ctx.ranks), None  # type: ignore[no-untyped-call]  # as above


class _SumOfOwn(torch.autograd.Function):
    """This rank's part of the sum over ranks: the gradient of `_Gather`, and so the
    other way round."""

    @staticmethod
    def forward(ctx: Any, gathered: Tensor, ranks: Ranks) -> Tensor:
        ctx.ranks = ranks
        total = ranks._sum(gathered.flatten()).view(gathered.shape)
        return total.chunk(ranks.size)[ranks.rank]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _Gather.apply(gradients[0], ctx.ranks), None  # type: ignore[no-untyped-call]  # as above


SINGLE = Ranks()
"""A training in one process."""


def _unflatten_into(tensors: Sequence[Tensor], flat: Tensor) -> None:
    parts = torch.split(flat, [tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view_as(tensor))
