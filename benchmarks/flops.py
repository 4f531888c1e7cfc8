"""Arithmetic: what a step does, and the most that the machine can do.

Only matrix products and convolutions are counted, in both directions and in the second
derivatives that penalties need, as additions and multiplications; the rest of a step is
memory traffic.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from equipoise.runtime.op_counter import OpCounter

# Of the square matrices whose product is the peak: past the caches of one core, short
# of a second.
SIDE = 1024


def flops_of(step: Callable[[], object]) -> dict[torch.dtype, int]:
    """The floating-point operations that one call of `step` does in products and
    convolutions, by the type they are taken of."""
    with OpCounter() as counting:
        step()
    return dict(counting.flops)


def product(dtype: torch.dtype, side: int = SIDE) -> Callable[[], object]:
    """A step that multiplies two square matrices of this type: 2 side^3 operations, and
    nothing else."""
    a, b = (
        torch.randn(side, side, generator=torch.Generator().manual_seed(i)).to(dtype)
        for i in range(2)
    )
    out = torch.empty(side, side, dtype=dtype)
    return lambda: torch.mm(a, b, out=out)


def product_flops(side: int = SIDE) -> int:
    return 2 * side**3
