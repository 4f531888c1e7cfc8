"""The guard: when a loss or a weight is not finite, training rolls back to the last
good weights, with half the learning rate.

Gradients are never set to zero. Data and random generators are not rolled back, so that
the next batches differ.
"""

from __future__ import annotations

import logging

import torch
from torch import Tensor

from equipoise.errors import EquipoiseError
from equipoise.training.state import State

log: logging.Logger = logging.getLogger(__name__)

# Maximum number of roll-backs since the start, or since a diverged run was resumed.
# `State.recoveries` counts all of them, and each halves the learning rate.
MAX_ATTEMPTS = 3


class DivergedError(EquipoiseError):
    """Training diverged, and did so again after every roll-back.

    The generator has the last good weights, and can be sampled from.
    """


class Guard:
    """Holds the last two good copies of the weights.

    There are two, since a report's readings come from before the step that changed the
    weights: the newest copy may lead to a loss that is not finite at once.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.newest: dict[str, Tensor] = {}
        self.older: dict[str, Tensor] = {}
        self._rolled_back = False  # and no report was finite since
        if self.exhausted:  # a diverged run that is resumed has new attempts
            state.attempts = 0
        self.keep()

    @property
    def finite(self) -> bool:
        """Whether all weights, moments and controllers are finite.

        They may not be where the losses are, which come from before the step.
        """
        sums: dict[torch.device, list[Tensor]] = {}  # an optimiser may count its steps on the CPU
        for tensor in self.state.weights().values():
            if tensor.is_floating_point():
                sums.setdefault(tensor.device, []).append(tensor.detach().double().sum())
        return all(bool(torch.stack(of_device).isfinite().all()) for of_device in sums.values())

    def keep(self) -> None:
        """Copy the current weights, which are good, over the older copy."""
        self.newest, self.older, self._rolled_back = self.older, self.newest, False
        for name, tensor in self.state.weights().items():
            if name in self.newest:
                self.newest[name].copy_(tensor)
            else:
                self.newest[name] = tensor.detach().clone()

    def roll_back(self) -> None:
        """Restore the newest copy, or the older one if the newest failed at once."""
        good = self.older if self._rolled_back and self.older else self.newest
        self._rolled_back = True
        self.state.restore_weights({name: tensor.clone() for name, tensor in good.items()})
        log.debug("rolled back to the last good weights at %s samples", self.state.samples_seen)
        self.state.recoveries += 1
        self.state.attempts += 1

    @property
    def exhausted(self) -> bool:
        """Whether more roll-backs were made than are allowed."""
        return self.state.attempts > MAX_ATTEMPTS
