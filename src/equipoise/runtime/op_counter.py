"""Counts what a piece of work asks of torch: operations, arithmetic, storages and their
bytes, waits of the host. Not seconds: equal work gives equal counts on every machine,
however busy.

Counted is what reaches torch's dispatcher below autograd, where no backend has been
chosen yet. What a backend takes for itself while an operation runs, such as oneDNN's
workspaces, is not seen.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from equipoise.utils.torch_private import DispatchMode, flops_formula

# The host reads a value, or the shape of the result depends on values: on a GPU either
# waits until all work before is done.
READS = frozenset(
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


class Counting(DispatchMode):
    """Counts while it is entered, backward passes included; it may be entered again,
    and goes on. Memory that it has seen taken it also sees given back, even after it
    was left."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: Counter[str] = Counter()
        """How often each operation was asked for, by its name without the overload."""
        self.flops: Counter[torch.dtype] = Counter()
        """Additions and multiplications of matrix products and convolutions, by dtype.
        The formulas are those of torch's FlopCounterMode. It cannot be entered here
        itself: the modules that it tracks refuse autograd.grad (torch 2.13)."""
        self.storages = 0
        """Storages that operations allocated; views and changes in place allocate
        none."""
        self.bytes = 0
        """Their bytes, together."""
        self.waits = 0
        """Operations that make the host wait for the device, or would on a GPU."""
        self.live = 0
        """Bytes of those storages that are still held."""
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
        made = [storage for storage in _storages(results) if id(storage) not in self._held]
        if made:
            given = _storages((arguments, named))  # of tensors that were there before
            known = set(map(id, given))
            for storage in made:
                if id(storage) not in known:
                    self._take(storage)
        self.trace.append(self.live)
        return results

    def _take(self, storage: torch.UntypedStorage) -> None:
        key, size = id(storage), storage.nbytes()
        if key in self._held:  # twice among the results
            return
        self.storages, self.bytes, self.live = (
            self.storages + 1,
            self.bytes + size,
            self.live + size,
        )
        self._held.add(key)
        weakref.finalize(storage, self._give_back, key, size).atexit = False

    def _give_back(self, key: int, size: int) -> None:
        self._held.discard(key)
        self.live -= size


def _waits(name: str, arguments: tuple[Any, ...], results: Any) -> bool:
    if name in READS:
        return True
    if name in (
        "aten.index",
        "aten.index_put",
        "aten.index_put_",
    ):  # by a mask, whose true values have to be counted
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
