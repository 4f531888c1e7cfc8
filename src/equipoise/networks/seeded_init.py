"""Initial weights from a given random generator instead of torch's global one.

torch's layers draw their initial weights from the global generator. Seeding it would
change the random numbers of other code, such as a training in another thread. A
dispatch mode applies to its own thread only. This one passes a generator to each
operation that takes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from equipoise.utils.torch_private import DispatchMode, is_in_place, with_generator


class SeededInit(DispatchMode):
    """A context in which this thread's random draws on the CPU use `generator`.

    The numbers equal those of the global generator with the same seed. Tensors on the
    meta device draw none.

    Args:
        generator: A CPU generator.
    """

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self.generator = generator

    def __torch_dispatch__(
        self,
        function: Any,
        types: Any,
        arguments: tuple[Any, ...] = (),
        named: Mapping[str, Any] | None = None,
    ) -> Any:
        given, drawing = dict(named or {}), with_generator(function)
        if drawing is None or given.get("generator") is not None:
            return function(*arguments, **given)
        into = next((value for value in arguments if isinstance(value, torch.Tensor)), None)
        device = torch.device(given.get("device") or "cpu") if into is None else into.device
        if device.type == "meta" and into is not None and is_in_place(drawing):
            return into  # the same result without importing torch's compiler, which takes 1 s
        if device.type != "cpu":
            return function(*arguments, **given)
        return drawing(*arguments, **{**given, "generator": self.generator})
