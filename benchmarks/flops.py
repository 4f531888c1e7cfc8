"""Arithmetic: what a step does, and the most that the machine can do.

Only matrix products and convolutions are counted, in both directions and in the second derivatives that penalties need, as additions and
multiplications; the rest of a step is memory traffic.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

SIDE = 1024  # of the square matrices whose product is the peak: past the caches of one core, short of a second


class Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts, by type, the operations of every product and convolution that torch dispatches while it is entered.

    The formulas are those of torch's FlopCounterMode, which itself cannot be entered here: the modules that it keeps track of refuse
    autograd.grad at leaves (torch 2.13), as gradient penalties have it.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.counted: dict[torch.dtype, int] = defaultdict(int)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            dtype = next(argument.dtype for argument in args if isinstance(argument, torch.Tensor))
            self.counted[dtype] += formula(*args, **(kwargs or {}), out_val=out)
        return out


def flops_of(step: Callable[[], object]) -> dict[torch.dtype, int]:
    """The floating-point operations that one call of `step` does in products and convolutions, by the type they are taken of."""
    with Counter() as counter:
        step()
    return dict(counter.counted)


def product(dtype: torch.dtype, side: int = SIDE) -> Callable[[], object]:
    """A step that multiplies two square matrices of this type: 2 side^3 operations, and nothing else."""
    a, b = (torch.randn(side, side, generator=torch.Generator().manual_seed(i)).to(dtype) for i in range(2))
    out = torch.empty(side, side, dtype=dtype)
    return lambda: torch.mm(a, b, out=out)


def product_flops(side: int = SIDE) -> int:
    return 2 * side**3
