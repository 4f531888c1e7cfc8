"""Counts torch's operations, their arithmetic, storages and bytes, and host-device
synchronisations. Nothing is timed: equal work gives equal counts on every machine.

The counts come from torch's dispatcher below autograd, before a backend is chosen.
Memory that a backend allocates during an operation, such as oneDNN's workspaces, is not
counted.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from equipoise.utils.torch_private import DispatchMode, flops_formula

# Operations that read a value on the host, or whose result's shape depends on values.
# On a GPU they wait until all earlier work is done.
SYNCHRONIZING = frozenset(
    f"aten.{name}"
    for name in (
        "_local_scalar_dense",
        "equal",
        "is_nonzero",
        "nonzero",
        "masked_select",
        "_unique2",
        "unique_dim",
    )
)


class OpCounter(DispatchMode):
    """A context that counts operations, those of backward passes included.

    Entered again, it continues counting. Freeing a counted storage is counted even
    after the context was left.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations: Counter[str] = Counter()
        """Calls of each operation, by its name without the overload."""
        self.flops: Counter[torch.dtype] = Counter()
        """Additions and multiplications of matrix products and convolutions, by dtype.
        The formulas are those of torch's FlopCounterMode. It cannot be entered here
        itself: the modules that it tracks refuse autograd.grad (torch 2.13)."""
        self.storages: int = 0
        """Storages that operations allocated. Views and in-place operations allocate
        none."""
        self.bytes: int = 0
        """Total bytes of these storages."""
        self.waits: int = 0
        """Operations for which the host waits for the device, or would on a GPU."""
        self.live: int = 0
        """Bytes of these storages that are not freed yet."""
        self.trace: list[int] = []
        """`live` after each operation."""
        # Counted storages, by the id of their Python object, which torch keeps alive
        # as long as the storage.
        self._held: set[int] = set()

    def __torch_dispatch__(
        self,
        function: Any,
        types: Any,
        arguments: tuple[Any, ...] = (),
        named: Mapping[str, Any] | None = None,
    ) -> Any:
        results = function(*arguments, **(named or {}))
        name = str(function.overloadpacket)
        self.operations[name] += 1
        formula = flops_formula(function)
        if formula is not None:
            dtype = next(argument.dtype for argument in arguments if isinstance(argument, Tensor))
            self.flops[dtype] += formula(*arguments, **(named or {}), out_val=results)
        self.waits += _waits(name, arguments, results)
        new = [storage for storage in _storages(results) if id(storage) not in self._held]
        if new:
            inputs = set(map(id, _storages((arguments, named))))
            for storage in new:
                if id(storage) not in inputs:
                    self._allocate(storage)
        self.trace.append(self.live)
        return results

    def _allocate(self, storage: torch.UntypedStorage) -> None:
        key, size = id(storage), storage.nbytes()
        if key in self._held:  # twice among the results
            return
        self.storages += 1
        self.bytes += size
        self.live += size
        self._held.add(key)
        weakref.finalize(storage, self._free, key, size).atexit = False

    def _free(self, key: int, size: int) -> None:
        self._held.discard(key)
        self.live -= size


def _waits(name: str, arguments: tuple[Any, ...], results: Any) -> bool:
    if name in SYNCHRONIZING:
        return True
    # A mask's true values have to be counted first.
    if name in ("aten.index", "aten.index_put", "aten.index_put_"):
        return any(isinstance(at, Tensor) and at.dtype == torch.bool for at in arguments[1])
    if name in ("aten._to_copy", "aten.copy_"):  # to the host
        return bool(
            results.device.type == "cpu" and arguments[name == "aten.copy_"].device.type != "cpu"
        )
    return False


def _storages(tree: Any) -> list[torch.UntypedStorage]:
    """The storages of the tensors in nested tuples, lists and dicts."""
    if isinstance(tree, Tensor):
        return [tree.untyped_storage()]
    if isinstance(tree, Mapping):
        tree = tree.values()
    elif not isinstance(tree, tuple | list):
        return []
    return [storage for branch in tree for storage in _storages(branch)]
