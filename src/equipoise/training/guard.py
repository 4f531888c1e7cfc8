"""The guard: when a loss or a weight is no longer finite, training goes back to the
last good weights, with half the learning rate.

Gradients are never set to zero in silence. Data and randomness go on, so that the next
batches differ.
"""

from __future__ import annotations

import logging

import torch
from torch import Tensor

from equipoise.errors import EquipoiseError
from equipoise.training.state import State

log = logging.getLogger(__name__)

# Roll-backs since the start, or since a run that had given up was resumed.
# `State.recoveries` counts all, and each halves the learning rate.
MAX_ATTEMPTS = 3


class DivergedError(EquipoiseError):
    """Training diverged, and did so again after every roll-back. The last good weights
    are kept, and can be sampled from."""


class Guard:
    """Keeps the last two good copies of the weights. Two, because readings are taken
    before a step moves the weights: the newest copy may be bad already."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.good: dict[str, Tensor] = {}
        self.before: dict[str, Tensor] = {}
        self._again = False  # whether training went back and nothing was good since
        if self.exhausted:  # a resumed run that had given up is tried again
            state.attempts = 0
        self.keep()

    @property
    def finite(self) -> bool:
        """Whether all weights, moments and controllers are finite.

        A step can spoil them after its losses were read.
        """
        sums: dict[torch.device, list[Tensor]] = {}  # an optimiser may count its steps on the CPU
        for tensor in self.state.weights().values():
            if tensor.is_floating_point():
                sums.setdefault(tensor.device, []).append(tensor.detach().double().sum())
        return all(bool(torch.stack(of_device).isfinite().all()) for of_device in sums.values())

    def keep(self) -> None:
        """Copy the weights, which are good now, over the older copy."""
        self.good, self.before, self._again = self.before, self.good, False
        for name, tensor in self.state.weights().items():
            if name in self.good:
                self.good[name].copy_(tensor)
            else:
                self.good[name] = tensor.detach().clone()

    def go_back(self) -> None:
        """Restore the newest good copy; the older one if the newest went wrong at
        once."""
        good = self.before if self._again and self.before else self.good
        self._again = True
        self.state.restore_weights({name: tensor.clone() for name, tensor in good.items()})
        log.debug("back to the last good weights, %s samples seen", self.state.samples_seen)
        self.state.recoveries += 1
        self.state.attempts += 1

    @property
    def exhausted(self) -> bool:
        """Whether the last roll-back that is allowed has been made."""
        return self.state.attempts > MAX_ATTEMPTS
