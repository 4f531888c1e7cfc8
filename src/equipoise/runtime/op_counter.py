"""What a piece of work asks of torch, counted: operations, arithmetic, storages and
their bytes, waits of the host. Not seconds: equal work gives equal counts on every
machine, whatever else that does.

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
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

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


class Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own is not typed
    """Counts while it is entered, backward passes included; it may be entered again,
    and goes on. Memory that it has seen taken it also sees given back, even after it
    was left."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as above
        self.operations: Counter[str] = Counter()
        """How often each operation was asked for, by its name without the overload."""
        self.flops: Counter[torch.dtype] = Counter()
        """Additions and multiplications of matrix products and convolutions, by the type they are taken of. The formulas are those of
        torch's FlopCounterMode, which itself cannot be entered here: the modules that it keeps track of refuse autograd.grad (torch
        2.13)."""
        self.storages = 0
        """Storages that operations made; views and changes in place make none."""
        self.bytes = 0
        """Their bytes, together."""
        self.waits = 0
        """Operations that make the host wait for the device, or would on a GPU."""
        self.live = 0
        """Bytes of those storages that are still held."""
        self.trace: list[int] = []
        """`live` after each operation."""
        self._held: set[int] = (
            set()
        )  # storages that are counted, by the address of torch's own object, which is theirs while they live

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """torch asks this when the class is made; yes would import its compiler, which
        takes a second, to wrap what is never compiled."""
        return False

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
        formula = flop_registry.get(function.overloadpacket)
        if formula is not None:
            taken_of = next(
                argument.dtype for argument in arguments if isinstance(argument, Tensor)
            )
            self.flops[taken_of] += formula(*arguments, **(named or {}), out_val=results)
        self.waits += _waits(name, arguments, results)
        made = [storage for storage in _storages(results) if storage._cdata not in self._held]
        if made:
            given = {
                storage._cdata for storage in _storages((arguments, named))
            }  # of tensors that were there before
            for storage in made:
                if storage._cdata not in given:
                    self._take(storage)
        self.trace.append(self.live)
        return results

    def _take(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
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
    leaves = (tree,) if isinstance(tree, Tensor) else tree_leaves(tree)
    return [leaf.untyped_storage() for leaf in leaves if isinstance(leaf, Tensor)]
