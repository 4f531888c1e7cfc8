"""Weights drawn from a generator of their own, never from torch's global one.

torch's layers draw their initial weights from the global generator and take no other.
Seeding that one would be visible to everything else that draws from it, such as a
training in another thread. A dispatch mode sees the operations of its own thread only:
each operation that can take a generator gets one here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from equipoise.utils.torch_private import DispatchMode, is_in_place, with_generator


class SeededInit(DispatchMode):
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
