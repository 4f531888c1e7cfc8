"""All uses of torch's private API, in one place.

A test checks that no other module has any. `NAMES` lists each name, and a test compares
it with the installed torch, whose version has an upper bound in pyproject.toml.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

NAMES = {
    "torch.utils._python_dispatch.TorchDispatchMode": "counting and seeding every operation",
    "torch.utils._python_dispatch.TorchDispatchMode._should_skip_dynamo": "a fast start",
    "torch.utils.flop_counter.flop_registry": "arithmetic of an operation",
    "torch.ops.aten.rand.default._schema": "whether an operation takes a generator",
    "torch.ops.aten.rand.default._overloadname": "its form that takes a generator",
    "torch._dynamo.config.trace_autograd_ops": "compiling a step, gradients of gradients too",
    "torch._dynamo.config.patch": "compiling a step, gradients of gradients too",
    "torch.cpu._is_avx512_bf16_supported": "default precision on a CPU",
    "torch.cpu._is_amx_tile_supported": "default precision on a CPU",
}
"""Every private name and its use."""


class DispatchMode(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own is not typed
    """A context in which `__torch_dispatch__` is called for every operation of this
    thread, below autograd."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as above

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()  # type: ignore[no-untyped-call]  # as above

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Called when the class is defined. With True torch would import its compiler,
        which takes a second, for code that is never compiled."""
        return False


def flops_formula(operation: Any) -> Callable[..., int] | None:
    """A function from an operation's arguments and `out_val` to its additions and
    multiplications; None if it is not a matrix product or convolution."""
    formula: Callable[..., int] | None = flop_registry.get(operation.overloadpacket)
    return formula


def with_generator(operation: Any) -> Any:
    """The overload of an operation that takes a generator; None if there is none."""
    overload = operation._overloadname
    other = "generator" if overload == "default" else f"{overload}_generator"
    for form in (operation, getattr(operation.overloadpacket, other, None)):
        if form is not None and any(
            argument.name == "generator" for argument in form._schema.arguments
        ):
            return form
    return None


def is_in_place(operation: Any) -> bool:
    """Whether an operation changes its first argument."""
    return bool(operation._schema.name.endswith("_"))


def cpu_multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for products of bfloat16."""
    return any(
        getattr(torch.cpu, known, bool)()
        for known in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    )


def compiles_gradients() -> bool:
    """Whether this version of torch can compile `torch.autograd.grad`."""
    import torch._dynamo.config

    return hasattr(torch._dynamo.config, "trace_autograd_ops")


def compiling_gradients() -> AbstractContextManager[None]:
    """A context in which torch compiles `torch.autograd.grad`, if it can."""
    import torch._dynamo.config

    if not compiles_gradients():
        return nullcontext()
    patched: AbstractContextManager[None] = torch._dynamo.config.patch(trace_autograd_ops=True)
    return patched
