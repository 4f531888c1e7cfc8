"""Weights that are drawn from a generator of
their own, and from torch's global one never.

torch's layers draw their first weights from the global generator and take no other. To
seed that one for a while would be seen by whatever else draws from it in the meantime,
another thread's training for one. A dispatch mode sees every operation of its own
thread alone, so here each operation that can be given a generator is given one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from equipoise.utils.torch_private import DispatchMode, is_in_place, with_generator


class DrawnFrom(DispatchMode):
    """While it is entered, what this thread draws comes from `generator`, on the CPU.

    The numbers are those that the global generator would give if it were seeded alike.
    Tensors on the meta device, which have no numbers, draw none.
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
            return into  # torch would import its compiler, for a second, to come to the same
        if device.type != "cpu":
            return function(*arguments, **given)
        return drawing(*arguments, **{**given, "generator": self.generator})
